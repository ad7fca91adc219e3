"""docs/compatibility.md: the coverage tables, and what is given for retry rules."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.coverage import (
    BEGIN,
    END,
    PAGE,
    ROOT,
    NoPlaceForTables,
    counts,
    file_of,
    shown_by,
    tables,
    with_tables,
)
from infra.parameters import resolve
from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import product_events, products
from perkwire.managing.webhook_draft import EndpointRules, parse_webhook
from perkwire.model.endpoint import EndpointPolicy
from tests.builders import webhook_body
from tests.template.stack import source

TEXT = PAGE.read_text()
ROWS = [line for line in tables().splitlines() if line.startswith("| ")]
RULE = re.compile(r"(\w+)=(\w+)")


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def above_the_table(product: str) -> str:
    sections = [section for section in tables().split("### ") if f"`{file_of(product)}:" in section]
    assert len(sections) == 1
    return sections[0].partition("\n| ")[0]


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.coverage", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def collected() -> set[str]:
    """Every test of the formats' files, as pytest names it."""
    files = [file_of(product) for product in products() if (ROOT / file_of(product)).exists()]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    found = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(found.stdout.splitlines())


def test_the_page_is_what_the_catalogue_says() -> None:
    assert with_tables(TEXT) == TEXT, "run `python -m infra.coverage`"


def test_the_check_passes_on_a_page_just_written_and_fails_on_drift(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Before\n{BEGIN}\nold\n{END}\nAfter\n")

    assert run("--check", "--page", str(page)).returncode == 1
    assert "old" in page.read_text()
    assert run("--page", str(page)).returncode == 0
    assert run("--check", "--page", str(page)).returncode == 0
    assert page.read_text() == f"Before\n{BEGIN}\n\n{tables()}\n\n{END}\nAfter\n"


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}\n{BEGIN}"])
def test_a_page_without_both_markers_is_refused(text: str) -> None:
    with pytest.raises(NoPlaceForTables):
        with_tables(text)


def test_no_cell_is_empty() -> None:
    assert {len(cells(row)) for row in ROWS} == {6}
    assert [row for row in ROWS if not all(cells(row))] == []


@pytest.mark.parametrize("product", products())
def test_every_event_of_a_product_has_a_row(product: str) -> None:
    found = {cells(row)[0]: cells(row) for row in ROWS if f"`{file_of(product)}::" in row}

    assert [*found] == [event.label for event in product_events(product)]
    for event in product_events(product):
        _, wire, _, _, types, test = found[event.label]
        assert f"`{event.name.name}`" in wire
        assert (f"`{event.name.otherwise}`" in wire) == (event.name.otherwise is not None)
        assert types == ", ".join(f"`{name}`" for name in event.types)
        assert test == f"`{shown_by(product, event)}`"


@pytest.mark.parametrize("product", products())
def test_a_row_says_how_its_name_and_body_are_known(product: str) -> None:
    events = product_events(product)
    rows = {cells(row)[0]: cells(row) for row in ROWS if f"`{file_of(product)}:" in row}

    for event in events:
        _, _, name, body, *_ = rows[event.label]
        assert name.startswith("inferred") == event.name.inferred == (event.name_from is None)
        assert body.endswith("inferred") == event.name.body_inferred
        known = [one for one in (event.name_from, *event.body_from) if one]
        for basis in known:
            assert basis.where in above_the_table(product)
            assert basis.evidence in f"{name} {body}"


def test_the_counts_are_those_of_the_lines() -> None:
    *each, total = counts().splitlines()
    lines = [*map(product_events, products())]
    lines.append(tuple(event for events in lines for event in events))

    for text, events in zip([*each, total], lines, strict=True):
        whole, names, bodies = [
            [int(number) for number in re.findall(r"\d+", part)]
            for part in re.split("Names|Bodies", text)
        ]
        assert whole == [len(events)] == [sum(names)] == [sum(bodies)]
        inferred = sum(event.name.inferred for event in events)
        known = sum(not event.name.body_inferred for event in events)
        assert (f"{inferred} inferred. Bodies" in text) == (inferred > 0)
        assert (f"Bodies: {known} known" in text) == (known > 0)


def test_a_heading_counts_the_lines_of_the_page() -> None:
    assert above_the_table("voucherify").startswith("Voucherify: 60 lines of its pages\n")


def test_above_voucherifys_table_stands_which_types_it_sends_in_one_kind_of_webhook_only() -> None:
    text = above_the_table("voucherify")

    assert "every type" in text
    for name in ("customer.order.*", "customer.loyalty.tier.*", "customer.segment.*"):
        assert f"`{name}`" in text.partition("in distributions only")[0]
    assert "`redemption.failed`" in text.partition("in distributions only")[2]


def test_every_type_of_the_catalogue_is_in_a_row() -> None:
    said = {name for row in ROWS for name in re.findall(r"`([^`]+)`", cells(row)[4])}

    assert said == {*event_types(), "custom.*"}


@pytest.mark.parametrize("product", products())
def test_every_row_names_a_test_that_exists(product: str, collected: set[str]) -> None:
    named = {shown_by(product, event) for event in product_events(product)}

    assert named - collected == set()


def retry_section() -> str:
    return TEXT.partition("## Retry rules")[2].partition("\n## ")[0]


def retry_rules() -> dict[str, dict[str, Any]]:
    """The fields of a webhook with the rule of each product, by its name."""
    rows = [cells(line) for line in retry_section().splitlines() if line.startswith("| ")][1:]
    return {product: json.loads(fields.strip("`")) for product, _, fields, _ in rows}


def stack() -> dict[str, str]:
    """The parameters of the stack that holds all rules."""
    return dict(RULE.findall(retry_section().partition("\n\n")[2].partition("\n\n")[0]))


def test_every_product_has_a_retry_rule() -> None:
    assert {name.lower().replace(" ", "-") for name in retry_rules()} == {*products()}


def test_the_stack_that_holds_all_rules_can_be_deployed() -> None:
    assert stack()["MaxAttempts"] == "13"
    assert resolve(source(), stack(), local=False).items() >= stack().items()


@pytest.mark.parametrize("product", retry_rules())
def test_the_rule_of_a_product_is_taken_on_that_stack(product: str) -> None:
    rules = EndpointRules(EndpointPolicy.PUBLIC, max_attempts=int(stack()["MaxAttempts"]))
    fields = retry_rules()[product]

    draft = parse_webhook(webhook_body(**fields), rules)

    delays = fields["retry_delays_seconds"]
    assert draft.retry_delays_seconds == (None if delays is None else tuple(delays))


def test_the_defaults_are_zinrelos_rule() -> None:
    defaults = resolve(source(), {}, local=False)
    interval, attempts = int(defaults["RetryIntervalSeconds"]), int(defaults["MaxAttempts"])

    assert retry_rules()["Zinrelo"] == {"retry_delays_seconds": [interval] * (attempts - 1)}


def test_voucherifys_retries_are_where_its_page_says() -> None:
    delays = retry_rules()["Voucherify"]["retry_delays_seconds"]

    after_the_first = [sum(delays[:count]) for count in range(1, len(delays) + 1)]
    assert after_the_first == [*(60 * 2**power for power in range(11)), 24 * 3600]
