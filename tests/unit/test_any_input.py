"""Every parser of the library, given anything: a value or the documented Problem, nothing else.

`corpus/inputs.json` keeps what is worth trying in each run: what once went wrong here or elsewhere.
A new `parse_…` function that is not in PARSERS makes a test fail.
"""

import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import perkwire
from perkwire.accepting.mending import parse_send
from perkwire.adapters.data_schemas import DataSchemas
from perkwire.adapters.dynamodb import pages
from perkwire.jobs.erasure import parse_erasure
from perkwire.jobs.job import JobKind, parse_job
from perkwire.jobs.listing import parse_job_filter
from perkwire.managing.signing_in import parse_link
from perkwire.managing.webhook_draft import (
    EndpointRules,
    parse_rotation,
    parse_webhook,
    parse_webhook_change,
)
from perkwire.model.account import (
    Caller,
    Scope,
    parse_account,
    parse_account_change,
    parse_key,
    parse_own_account_change,
)
from perkwire.model.brand import parse_brand
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.event import parse_events
from perkwire.primitives.fields import parse_object, parse_optional_object, parse_value
from perkwire.primitives.ids import EventId, webhook_of
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import parse_rfc3339, to_rfc3339
from perkwire.reading.activity import parse_activity_filter
from perkwire.reading.event_listing import EventListing, ListPosition, read_cursor, write_cursor
from perkwire.reading.log import parse_filter
from perkwire.reading.type_listing import list_types, show_type
from perkwire.recovering.redriving import RedriveQueue, Redriving
from perkwire.recovering.retrying import parse_ids, parse_retry
from tests.builders import ACCOUNT, NOW, a_webhook, event_body, webhook_body
from tests.fakes import FakeActivity
from tests.unit.strategies import JSON, MOMENTS, NAMES

CORPUS: list[Json] = json.loads((Path(__file__).parent / "corpus" / "inputs.json").read_text())
SCHEMAS = DataSchemas()
RULES = EndpointRules(EndpointPolicy.PUBLIC)
OPERATOR = Caller(None, frozenset({Scope.OPERATOR}))

type Object = dict[str, Json]
type Parser = Callable[[Object], object]


def redrive(value: Object) -> object:
    class Tasks:
        def start(self, *_: object) -> None:
            pass

        def resting(self, *_: object) -> int:
            return 0

        def recent(self, *_: object) -> tuple[()]:
            return ()

        def cancel(self, *_: object) -> None:
            pass

    redriving = Redriving(Tasks(), FakeActivity(), lambda: NOW, queues=[*RedriveQueue])
    return redriving.start(OPERATOR, value)


# By function: how it is called, and bodies that it takes.
PARSERS: Mapping[str, tuple[Parser, Object]] = {
    "parse_account": (parse_account, {"name": "Brew", "notify_emails": ["a@b.example"]}),
    "parse_erasure": (parse_erasure, {"member_id": "m-1", "email": "ada@member.example"}),
    "parse_account_change": (parse_account_change, {"name": "Brew", "notify_emails": []}),
    "parse_own_account_change": (parse_own_account_change, {"notify_emails": ["a@b.example"]}),
    "parse_brand": (lambda value: parse_brand(value, 1), {"name": "Mill", "colour": "#22614f"}),
    "parse_key": (parse_key, {"name": "till", "scopes": ["events"]}),
    "parse_webhook": (
        lambda value: parse_webhook(value, RULES),
        webhook_body(headers={"x-shop": "7"}, batch_size=5, program_ids=["gold"]),
    ),
    "parse_webhook_change": (
        lambda value: parse_webhook_change(value, RULES, a_webhook()),
        webhook_body(description="x", headers={"x-shop": "7"}),
    ),
    "parse_rotation": (lambda value: parse_rotation(value, a_webhook()), {"overlap_hours": 1}),
    "parse_job": (
        lambda value: parse_job(value, JobKind.REPLAY, NOW),
        {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "per_second": 5},
    ),
    "parse_ids": (parse_ids, {"ids": ["dlv_1"]}),
    "parse_retry": (parse_retry, {"ids": ["dlv_1"], "resend": True, "webhook_id": "wh_1"}),
    "parse_link": (parse_link, {}),
    "parse_send": (parse_send, {"text": "{}"}),
    "parse_events": (
        lambda value: parse_events(json.dumps(value).encode(), SCHEMAS),
        event_body(id="e", occurred_at="2026-01-01T00:00:00Z", program_id="gold"),
    ),
    "start": (redrive, {"queue": "deliveries", "max_per_second": 5}),
}
# Of bytes and texts, below.
ELSEWHERE = {
    "parse_object",
    "parse_value",
    "parse_optional_object",
    "parse_rfc3339",
    "parse_filter",
    "parse_job_filter",
    "parse_activity_filter",
}


def answer(parser: Callable[..., object], *arguments: object) -> object:
    """What comes back: a value, or the problem."""
    try:
        return parser(*arguments)
    except Problem as problem:
        refused = problem
    assert 400 <= refused.status < 500
    document = json.loads(json.dumps(refused.document()))
    assert document["status"] == refused.status
    return refused


def test_every_parser_is_tried_here() -> None:
    found = {
        name
        for module in pkgutil.walk_packages(perkwire.__path__, "perkwire.")
        for name, value in vars(importlib.import_module(module.name)).items()
        if isinstance(value, FunctionType)
        and value.__module__.startswith("perkwire.")
        and name.startswith("parse_")
    }

    assert found - PARSERS.keys() <= ELSEWHERE, "tell PARSERS how to call it"


@pytest.mark.parametrize("name", PARSERS)
def test_a_body_that_is_right_is_taken(name: str) -> None:
    parser, right = PARSERS[name]

    assert not isinstance(answer(parser, right), Problem)


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
def test_any_object_is_a_value_or_a_problem(name: str, data: st.DataObject) -> None:
    parser, right = PARSERS[name]
    values = JSON | st.sampled_from(CORPUS)
    changes = data.draw(
        st.dictionaries(st.sampled_from([*right, "x"]) | st.text(max_size=5), values, max_size=3)
    )
    removed = data.draw(st.sets(st.sampled_from([*right, "x"]), max_size=1))

    answer(parser, {key: value for key, value in (right | changes).items() if key not in removed})


@pytest.mark.parametrize("name", PARSERS)
def test_the_corpus_in_each_place_is_a_value_or_a_problem(name: str) -> None:
    parser, right = PARSERS[name]

    for value in CORPUS:
        for member in [*right, "x"]:
            answer(parser, {**right, member: value})
            answer(parser, {**right, member: [value]})
            answer(parser, {**right, member: {"a": value}})


@given(
    st.binary(max_size=60)
    | st.text(max_size=30).map(str.encode)
    | JSON.map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_an_object_or_a_problem(body: bytes) -> None:
    for parser in (parse_object, parse_optional_object):
        assert isinstance(answer(parser, body), dict | Problem)
    is_value = not isinstance(answer(parse_value, body), Problem)
    assert is_value or isinstance(answer(parse_object, body), Problem)


TEXTS = st.text(max_size=40) | st.sampled_from([one for one in CORPUS if isinstance(one, str)])
QUERIES = st.dictionaries(
    st.sampled_from(["status", "webhook_id", "event_type", "type", "since", "until", "x"])
    | st.text(max_size=5),
    TEXTS,
    max_size=4,
)


@pytest.mark.parametrize("parser", [parse_filter, parse_job_filter, parse_activity_filter])
@given(query=QUERIES)
def test_any_query_is_a_filter_or_a_problem(
    parser: Callable[..., object], query: dict[str, str]
) -> None:
    answer(parser, query)


@given(QUERIES, st.none() | TEXTS | st.from_regex(r"[0-9]{16}(\.[!-~]{1,20})?", fullmatch=True))
def test_any_query_of_events_is_a_page_or_a_problem(
    query: dict[str, str], cursor: str | None
) -> None:
    class NoEvents:
        def newest_of_hour(self, *_: object) -> tuple[tuple[()], bool]:
            return (), False

    listing = EventListing(NoEvents(), event_retention_days=30, clock=lambda: NOW)

    answer(listing.list, ACCOUNT, query, 10, cursor)


@given(TEXTS)
def test_any_cursor_of_a_table_is_a_key_or_a_problem(cursor: str) -> None:
    answer(pages._read, cursor)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
def test_a_cursor_of_a_table_leads_back_to_its_key(sort_key: str) -> None:
    found = answer(pages._read, pages._write(sort_key))

    assert isinstance(found, Problem) or found == sort_key


@given(
    st.builds(
        ListPosition, MOMENTS.filter(lambda one: one < 10**16), st.none() | NAMES.map(EventId)
    )
)
def test_a_cursor_of_events_leads_back_to_its_place(place: ListPosition) -> None:
    assert read_cursor(write_cursor(place)) == place


@given(TEXTS, st.none() | TEXTS)
def test_any_name_of_a_type_is_one_or_a_problem(name: str, cursor: str | None) -> None:
    answer(show_type, name)
    answer(list_types, 5, cursor)


@given(TEXTS)
def test_any_text_is_a_time_or_none_and_what_is_written_is_read_again(text: str) -> None:
    moment = parse_rfc3339(text)

    if moment is not None:
        assert parse_rfc3339(to_rfc3339(moment)) == moment


@given(TEXTS)
def test_any_text_names_a_webhook_or_none(text: str) -> None:
    found: Any = webhook_of(text)  # type: ignore[arg-type]

    assert found is None or found.startswith("wh_")
