"""A receiver that writes what it has parsed gets the bytes that were signed, in every format.

Express's `json()`, Node-RED, and the code steps of workflow tools hand over no raw body.
"""

import copy
import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perkwire.catalogue.event_types import CUSTOM, event_types
from perkwire.formats.registry import FORMATS
from perkwire.primitives.fields import Fields
from perkwire.primitives.strict_json import Json, parse
from perkwire.primitives.stringify import stringify
from tests.builders import a_payload, an_event
from tests.javascript import JavaScript
from tests.unit.hostile import hostile

LARGEST_EXACT = 2**53
SAID = [(name, one) for name in FORMATS for one in event_types() if FORMATS[name].name_of(one)]
WITH_OWN_DATA = [name for name in FORMATS if FORMATS[name].name_of(f"{CUSTOM}x")]

NAMES = st.one_of(
    st.text(max_size=4),
    st.integers(-2, 2**33).map(str),
    st.sampled_from(["0", "00", "01", "1e3", "4294967294", "4294967295", "٣", "__proto__", ""]),
)
NUMBERS = st.one_of(
    st.integers(-LARGEST_EXACT, LARGEST_EXACT),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**6), 10**6).map(float),
    st.builds(
        lambda digits, exponent: float(f"{digits}e{exponent}"),
        st.integers(-(10**17), 10**17),
        st.integers(-340, 290),
    ),
)
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from([".0,", '"1":', "1e-7", "\ud800", "a\udc00b", "\u2028\u2029\x7f\x00\x1f/\\"]),
    st.text(st.characters(), max_size=6),
)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def javascript() -> Iterator[JavaScript]:
    with JavaScript() as running:
        yield running


def is_read_exactly(value: Json) -> bool:
    """Whether JavaScript reads every integer as it was written."""
    if isinstance(value, dict):
        return all(map(is_read_exactly, value.values()))
    if isinstance(value, list):
        return all(map(is_read_exactly, value))
    return not isinstance(value, int) or abs(value) <= LARGEST_EXACT


@settings(max_examples=150, deadline=None)
@example({"price": 10.0})
@example([1e21, 1e20, 1e-7, 1e-6, -0.0, 0.1, 5e-324, 123456789012345680000.0])
@example({"b": 1, "10": 2, "9": {"2": 1, "1": "\ud83d"}})
@given(VALUES)
def test_a_value_is_written_as_javascript_writes_it(javascript: JavaScript, value: Json) -> None:
    plainly = json.dumps(value).encode()

    assert stringify(value) == javascript.restringified(plainly)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SAID), st.data())
def test_a_body_is_the_same_once_it_is_parsed_and_written_again(
    javascript: JavaScript, said: tuple[str, str], draw: st.DataObject
) -> None:
    name, event_type = said
    data = draw.draw(hostile(copy.deepcopy(event_types()[event_type].example)))
    assert isinstance(data, dict)

    same_for_javascript(javascript, name, event_type, data)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(WITH_OWN_DATA), st.dictionaries(NAMES, VALUES, max_size=5))
def test_so_is_data_of_any_form(javascript: JavaScript, name: str, data: dict[str, Json]) -> None:
    same_for_javascript(javascript, name, f"{CUSTOM}x", data)


@pytest.mark.parametrize("name", [*FORMATS])
@pytest.mark.parametrize("posted", ["10.0", "1e2", "-0", "1.50", "1E-7", "0.000001", "1e21"])
def test_so_is_a_number_however_it_was_posted(
    javascript: JavaScript, name: str, posted: str
) -> None:
    text = f'{{"member": {{"id": "m-1"}}, "order": {{"id": "o-1", "total": {posted}}}}}'
    text = f'{text[:-1]}, "transaction": {{"id": "t-1", "points": {posted}}}, "9": 1, "10": 2}}'
    data = parse(text)
    assert isinstance(data, dict)
    for event_type in ("purchase.created", "points.earned", "reward.redeemed"):
        if FORMATS[name].name_of(event_type):
            same_for_javascript(javascript, name, event_type, data)


@pytest.mark.parametrize("name", WITH_OWN_DATA)
@pytest.mark.parametrize("beyond", [2**53 + 1, 2**60, 2**64 - 1, -(2**63)])
def test_an_integer_beyond_what_a_double_holds_stays_exact(name: str, beyond: int) -> None:
    body = rendered(name, f"{CUSTOM}x", {"member": {"id": "m-1"}, "n": beyond})

    assert f'"n":{beyond}'.encode() in body


def same_for_javascript(
    javascript: JavaScript, name: str, event_type: str, data: dict[str, Json]
) -> None:
    body = rendered(name, event_type, data)
    if is_read_exactly(json.loads(body)):
        assert javascript.restringified(body) == body


def rendered(name: str, event_type: str, data: dict[str, Json]) -> bytes:
    event = an_event(type=event_type, data=data)
    settings_ = FORMATS[name].read_settings(Fields({}))
    return FORMATS[name].render(a_payload(event, settings=settings_))
