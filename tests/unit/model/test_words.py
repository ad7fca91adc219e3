"""Which words a text has, whatever is wrong with it."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.model.words import words_of

NAMES = ("ada", "j\u00fcrgen", "Jane Doe", "\U0001f600 ada", 'the "boss"', "a\\b", "o'neil", "4711")


def event(name: str) -> dict[str, object]:
    return {"type": "pts", "data": {"member": {"id": name}, "points": 100}}


def plain(name: str) -> str:
    return json.dumps(event(name), ensure_ascii=False)


def escaped(name: str) -> str:
    return json.dumps(event(name))


def in_a_string(name: str) -> str:
    return json.dumps({"detail-type": "pts", "detail": escaped(name)})


def in_a_notification(name: str) -> str:
    return json.dumps({"Type": "Notification", "Message": in_a_string(name)})


def in_base64(name: str) -> str:
    return json.dumps({"data_base64": base64.b64encode(escaped(name).encode()).decode()})


def cut_off(name: str) -> str:
    return json.dumps([event(name), event("other")])[:-5]


def behind_a_stray_quote(name: str) -> str:
    return '{"x": "y, ' + escaped(name)[1:]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "written",
    [plain, escaped, in_a_string, in_a_notification, in_base64, cut_off, behind_a_stray_quote],
)
def test_a_name_is_found_however_it_is_written(written: object, name: str) -> None:
    assert callable(written)

    assert name in {*words_of(written(name))}


@pytest.mark.parametrize("written", [plain, in_a_string, in_base64, cut_off, behind_a_stray_quote])
def test_what_names_a_member_of_an_object_is_no_name(written: object) -> None:
    assert callable(written)

    assert not {"data", "member", "points"} & {*words_of(written("ada"))}


def test_in_a_text_that_is_no_json_each_word_counts() -> None:
    found = {*words_of("from mail:ada@x.example to Bob, 47.")}

    assert {"ada@x.example", "Bob", "47"} <= found


@given(st.text(), st.integers(0, 3))
def test_no_text_is_too_odd(text: str, depth: int) -> None:
    for _ in range(depth):
        text = json.dumps({"Message": text})

    assert all(isinstance(word, str) for word in words_of(text))
    assert text == "" or depth == 0 or [*words_of(text)] != []


def test_a_text_of_quotes_and_backslashes_is_read_to_its_end() -> None:
    for text in ('"' * 200_000, "\\" * 200_000, '\\"' * 100_000, '"\\' * 100_000):
        assert len([*words_of(text)]) < 2_000_000
