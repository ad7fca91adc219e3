"""The log as CSV: no cell is a formula to any spreadsheet, whatever separates its cells."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.views.exports import as_csv
from console.views.log import Row
from tests.builders import NOW, a_delivery

_FORMULAS = "=+-@＝＋－＠"  # noqa: RUF001 - spreadsheets read the wide ones too
NAMES = [
    "=1+1",
    "Till;=1+1",
    "Till;\t=1+1",
    'Till";"=1+1',
    "Till\t@SUM(A1)",
    "Till|+1",
    "Till, -1",
    " =1+1",
    '"=1+1',
    "Till\n=1+1",
    "Till; ＝1+1",  # noqa: RUF001
]


def table(name: str) -> str:
    return as_csv([Row(a_delivery().to_json(NOW, 60), name)])


def cells(text: str) -> list[str]:
    """What any reader may take for a cell: split at every separator, in or out of quotes."""
    return re.split(r"[;,|\t\r\n]", text)


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_is_a_formula_whatever_separates_cells(name: str) -> None:
    for cell in cells(table(name)):
        assert not cell.strip(' \t"').startswith(tuple(_FORMULAS)), cell


@given(st.text(";,|\t\r\n \"'=+-@a1", max_size=12))
def test_no_name_makes_one(name: str) -> None:
    assert not any(one.strip(' "').startswith(tuple(_FORMULAS)) for one in cells(table(name)))


@pytest.mark.parametrize("name", ["Till 7", "Shop - EU", "a;b", "O'Hara", "1-2", "x=y"])
def test_what_is_no_formula_is_left_as_it_is(name: str) -> None:
    (row,) = csv.DictReader(io.StringIO(table(name), newline=""))

    assert row["webhook"] == name
