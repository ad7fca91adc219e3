import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.adapters.data_schemas import DataSchemas
from perkwire.model.event import (
    EVENT_TYPE_FORM,
    LONGEST_EVENT_TYPE,
    MAX_EVENT_BYTES,
    MAX_REQUEST_BYTES,
    DataCheck,
    EventDraft,
    parse_events,
)
from perkwire.primitives.problem import MOST_ERRORS, Problem
from perkwire.primitives.strict_json import Json
from tests.builders import any_data, event_body, points_data
from tests.unit.strategies import FEW, JSON, OBJECTS

UNKNOWN = "is not an event type of the catalogue, nor begins with custom. as your own types do"
LAMBDA_ANSWER_BYTES = 6 * 1024 * 1024


def parse(value: Json) -> tuple[EventDraft, ...]:
    return parse_events(json.dumps(value).encode(), any_data).drafts


def refusal(body: bytes, check_data: DataCheck = any_data) -> Problem:
    with pytest.raises(Problem) as raised:
        parse_events(body, check_data)
    return raised.value


def wrong_fields(value: Json) -> list[str]:
    problem = refusal(json.dumps(value).encode())
    assert problem.status == 422
    errors: Any = problem.document()["errors"]
    return [error["field"] for error in errors]


def test_an_event_is_read_with_what_it_says_and_nothing_made_up() -> None:
    (draft,) = parse(event_body())

    assert (draft.type, draft.data) == ("points.earned", points_data(120))
    assert (draft.id, draft.account_id, draft.program_id, draft.occurred_at) == (None,) * 4


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"null", b"{", b"\xff", b'{"a":1,"a":2}'])
def test_a_body_that_is_no_json_object_is_malformed(body: bytes) -> None:
    assert refusal(body).status == 400


@pytest.mark.parametrize(
    "event_type",
    ["points.earned", "custom.a", "custom.0.c_2", "custom." + "b" * (LONGEST_EVENT_TYPE - 7)],
)
def test_a_type_is_of_the_catalogue_or_custom(event_type: str) -> None:
    assert parse(event_body(type=event_type))[0].type == event_type


@pytest.mark.parametrize(
    "event_type",
    [
        *("", "points", "Points.earned", ".earned", "points.", "points..earned", "1.a", "_.a"),
        *("points.earned\n", "points earned.a", "pünkte.a", "*", "points.*", "points-a.b"),
        *("a." + "b" * LONGEST_EVENT_TYPE, None, 1, ["points.earned"], {}, True),
    ],
)
def test_anything_else_is_no_type(event_type: Json) -> None:
    assert wrong_fields(event_body(type=event_type)) == ["type"]


@pytest.mark.parametrize(
    ("event_type", "detail"),
    [
        ("point.earned", f"{UNKNOWN}; the nearest are points.earned"),
        ("tier.upgrade", f"{UNKNOWN}; the nearest are tier.upgraded"),
        ("customer.created", f"{UNKNOWN}; the nearest are member.enrolled"),
        ("zzzz.qqqq", UNKNOWN),
        ("event_points_earned", f"must be {EVENT_TYPE_FORM}; the nearest are points.earned"),
        ("tier_upgrade", f"must be {EVENT_TYPE_FORM}; the nearest are tier.upgraded"),
        ("burning", f"must be {EVENT_TYPE_FORM}; the nearest are reward.redeemed"),
        ("Points", f"must be {EVENT_TYPE_FORM}; the nearest are points.added"),
        ("*", f"must be {EVENT_TYPE_FORM}"),
    ],
)
def test_an_unknown_type_is_refused_with_the_nearest_names(event_type: str, detail: str) -> None:
    document = refusal(json.dumps(event_body(type=event_type)).encode()).document()

    (error,) = cast(list[dict[str, str]], document["errors"])
    assert error["field"] == "type"
    assert error["detail"].startswith(detail)
    assert detail == error["detail"] or "nearest" in detail


def test_data_that_does_not_fit_is_named_in_the_event_that_has_it() -> None:
    events = [event_body(), event_body(type="custom.a", data={}), event_body(data={"member": 1})]

    problem = refusal(json.dumps({"events": events}).encode(), DataSchemas())

    found: Any = problem.document()["errors"]
    assert [(one["field"], one["detail"]) for one in found] == [
        ("events[2].data.transaction", "is required"),
        ("events[2].data.member", "must be an object"),
    ]


@pytest.mark.parametrize("event_id", ["e", "7", "A-b_c.d:e", "x" * 128])
def test_an_id_is_letters_digits_and_some_signs(event_id: str) -> None:
    assert parse(event_body(id=event_id))[0].id == event_id


@pytest.mark.parametrize(
    "event_id", ["", "-a", ".a", "a b", "a#b", "a/b", "é", "a\n", "x" * 129, 7, None]
)
def test_anything_else_is_no_id(event_id: Json) -> None:
    assert wrong_fields(event_body(id=event_id)) == ["id"]


@pytest.mark.parametrize("data", [None, [], "x", 1, True])
def test_data_is_an_object(data: Json) -> None:
    assert wrong_fields(event_body(data=data)) == ["data"]


@pytest.mark.parametrize(
    "occurred_at", ["", "yesterday", "2026-11-21", "2026-11-21T09:30:00", 1795253400]
)
def test_occurred_at_is_an_rfc_3339_time(occurred_at: Json) -> None:
    assert wrong_fields(event_body(occurred_at=occurred_at)) == ["occurred_at"]


@pytest.mark.parametrize(
    "occurred_at",
    ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "0999-12-31T23:59:59Z"],
)
def test_a_time_that_is_outside_the_calendar_in_utc_is_refused(occurred_at: str) -> None:
    assert wrong_fields(event_body(occurred_at=occurred_at)) == ["occurred_at"]


def test_every_wrong_and_unknown_field_of_every_event_is_named() -> None:
    body: Json = {"events": [event_body(), {"type": "x", "colour": 1}, 7, event_body(id="")]}

    assert wrong_fields(body) == [
        "events[1].type",
        "events[1].data",
        "events[1].colour",
        "events[2]",
        "events[3].id",
    ]


@pytest.mark.parametrize("events", [None, [], {}, "x", [{}] * 101])
def test_a_list_has_1_to_100_events(events: Json) -> None:
    assert wrong_fields({"events": events}) == ["events"]


def test_a_hundred_events_are_taken() -> None:
    assert len(parse({"events": [event_body() for _ in range(100)]})) == 100


def test_nothing_may_stand_beside_the_list() -> None:
    assert wrong_fields({"events": [event_body()], "type": "points.earned"}) == ["type"]


def test_a_request_over_its_limit_is_too_large() -> None:
    body = json.dumps(event_body()).encode()

    assert parse_events(body.ljust(MAX_REQUEST_BYTES), any_data).drafts
    assert refusal(body.ljust(MAX_REQUEST_BYTES + 1)).status == 413


@pytest.mark.parametrize(("character", "too_many"), [("x", 1), ("é", 2)])
def test_an_event_is_measured_as_the_compact_json_that_endpoints_get(
    character: str, too_many: int
) -> None:
    def event_of(size: int) -> bytes:
        frame = '{"type":"custom.b","data":{"t":""}}'
        characters = (size - len(frame)) // len(character.encode())
        text = f'{{ "type": "custom.b", "data": {{"t": "{character * characters}"}} }}'
        return text.encode()

    assert parse_events(event_of(MAX_EVENT_BYTES), any_data).drafts
    assert refusal(event_of(MAX_EVENT_BYTES + too_many)).status == 413


def test_one_event_of_many_over_its_limit_is_named() -> None:
    body: Json = {"events": [event_body(), event_body(data={"t": "x" * MAX_EVENT_BYTES})]}

    problem = refusal(json.dumps(body).encode())

    assert problem.status == 413
    assert "events[1]" in str(problem.document()["detail"])


def test_the_answer_to_the_worst_request_fits_lambda() -> None:
    names = [f"{number:x}" for number in range(1050)]
    event: dict[str, Json] = dict.fromkeys(names, 1)
    body = json.dumps({"events": [event] * 100}, separators=(",", ":")).encode()
    assert len(body) <= MAX_REQUEST_BYTES

    document: Any = refusal(body).document()

    assert len(json.dumps(document)) < LAMBDA_ANSWER_BYTES
    assert len(document["errors"]) == MOST_ERRORS
    # Of each event every name, and that type and data are required.
    assert document["detail"] == f"There are {100 * 1052 - MOST_ERRORS} more errors than these."


def test_the_answer_to_the_longest_names_fits_lambda() -> None:
    body = json.dumps(event_body() | {"é" * 80_000: 1}, ensure_ascii=False).encode()

    assert len(json.dumps(refusal(body).document())) < LAMBDA_ANSWER_BYTES


@given(JSON)
def test_any_json_is_events_or_a_problem(value: Json) -> None:
    with pytest.raises(Problem):
        parse(value)


MEMBERS = st.sampled_from(["type", "id", "account_id", "program_id", "occurred_at", "data", "x"])


@FEW
@given(st.dictionaries(MEMBERS, JSON, max_size=3), st.booleans())
def test_any_members_make_an_event_or_a_problem(members: dict[str, Json], bulk: bool) -> None:
    value: Json = event_body() | members

    try:
        drafts = parse({"events": [value]} if bulk else value)
    except Problem as problem:
        assert problem.status == 422  # noqa: PT017
    else:
        assert len(drafts) == 1


@given(st.binary(max_size=60))
def test_any_bytes_are_a_problem(body: bytes) -> None:
    assert refusal(body).status in (400, 422)


@FEW
@given(OBJECTS, OBJECTS)
def test_digests_are_equal_for_equal_bodies_only(
    one: dict[str, Json], other: dict[str, Json]
) -> None:
    def digest(data: dict[str, Json]) -> str:
        return parse(event_body(data=data))[0].digest()

    backwards = dict(reversed(one.items()))

    assert digest(one) == digest(backwards)
    assert (digest(one) == digest(other)) is (
        json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    )
