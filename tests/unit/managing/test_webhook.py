import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.managing.webhook_draft import (
    EndpointRules,
    WebhookDraft,
    parse_rotation,
    parse_webhook,
    parse_webhook_change,
)
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.webhook import Pause, PauseReason, WebhookStatus
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.builders import NOW, SECRET, a_webhook, an_event, webhook_body
from tests.unit.strategies import JSON

RULES = EndpointRules(EndpointPolicy.PUBLIC)


def parse(**members: Json) -> WebhookDraft:
    return parse_webhook(webhook_body(**members), RULES)


def fields_of(problem: Problem) -> list[str]:
    assert problem.status == 422
    errors: Any = problem.document()["errors"]
    return [error["field"] for error in errors]


def wrong_fields(**members: Json) -> list[str]:
    with pytest.raises(Problem) as raised:
        parse(**members)
    return fields_of(raised.value)


def wrong_in_change(**members: Json) -> list[str]:
    with pytest.raises(Problem) as raised:
        parse_webhook_change(members, RULES, a_webhook())
    return fields_of(raised.value)


def test_what_is_not_said_has_its_default() -> None:
    draft = parse()

    assert draft.program_ids is None
    assert draft.headers == {}
    assert draft.batch_size == 1
    assert draft.max_per_second is None
    assert draft.format == "standard"
    assert draft.enabled is True
    assert draft.description is None


def test_everything_said_is_taken() -> None:
    said: dict[str, Json] = {
        "event_types": ["points.earned", "custom.x"],
        "program_ids": ["gold"],
        "headers": {"Authorization": "Bearer t"},
        "secret": SECRET,
        "batch_size": 100,
        "batch_bytes": 100_000,
        "max_per_second": 2.5,
        "format": "standard",
        "enabled": False,
        "description": "For the till.\nSecond line.",
    }

    draft = parse(**said)

    assert draft == WebhookDraft(
        name="Till",
        url="https://till.example/hook",
        description="For the till.\nSecond line.",
        event_types=("points.earned", "custom.x"),
        program_ids=("gold",),
        filter=None,
        headers={"Authorization": "Bearer t"},
        secret=SECRET,
        batch_size=100,
        batch_bytes=100_000,
        max_per_second=2.5,
        format="standard",
        format_settings={},
        enabled=False,
    )


def test_a_new_webhook_has_batches_that_common_receivers_take() -> None:
    assert parse().batch_bytes == 65_536


@pytest.mark.parametrize("batch_bytes", [0, 1_023, 900_001, "65536", True, 1.5])
def test_the_bytes_of_a_batch_are_within_bounds(batch_bytes: Json) -> None:
    with pytest.raises(Problem) as raised:
        parse(batch_bytes=batch_bytes)

    assert fields_of(raised.value) == ["batch_bytes"]


@pytest.mark.parametrize("given", [0.1, 0.25, 1, 999.5, 1000])
def test_a_pace_may_have_a_fraction(given: float) -> None:
    assert parse(max_per_second=given).max_per_second == given


def test_a_whole_pace_is_shown_as_one() -> None:
    assert str(parse(max_per_second=5.0).max_per_second) == "5"


@pytest.mark.parametrize(
    "wrong", [0, -1, 0.05, 0.0999, 1000.1, 1e9, 10**9, "5", "0,5", True, [5], float("nan")]
)
def test_a_pace_is_within_bounds(wrong: Json) -> None:
    assert wrong_fields(max_per_second=wrong) == ["max_per_second"]
    assert wrong_in_change(max_per_second=wrong) == ["max_per_second"]


def test_a_webhook_without_a_secret_is_given_one_of_its_own() -> None:
    assert parse().secret != parse().secret


def test_the_url_is_kept_in_its_normal_form() -> None:
    assert parse(url="HTTPS://Till.Example:443").url == "https://till.example/"


def test_every_missing_field_is_named() -> None:
    with pytest.raises(Problem) as raised:
        parse_webhook({}, RULES)

    assert fields_of(raised.value) == ["name", "url", "event_types"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a\nb"),
        ("name", "x" * 129),
        ("name", None),
        ("url", "http://till.example/"),
        ("url", "https://10.0.0.1/"),
        ("url", "https://till.example:444/"),
        ("url", 7),
        ("event_types", []),
        ("event_types", "points.earned"),
        ("event_types", ["*", "points.earned"]),
        ("event_types", [f"a.b{n}" for n in range(201)]),
        ("program_ids", []),
        ("program_ids", [str(n) for n in range(101)]),
        ("headers", []),
        ("secret", "whsec_short"),
        ("secret", ""),
        ("batch_size", 0),
        ("batch_size", 101),
        ("batch_size", 1.5),
        ("batch_size", True),
        ("batch_size", "1"),
        ("format", "smoke-signals"),
        ("enabled", "yes"),
        ("description", ""),
        ("description", "x" * 1001),
        ("colour", "red"),
        ("id", "wh_1"),
        ("status", "enabled"),
    ],
)
def test_a_wrong_or_unknown_field_is_named(field: str, value: Json) -> None:
    assert wrong_fields(**{field: value}) == [field]


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("event_types", ["points.earned", "Points"], "event_types[1]"),
        ("event_types", ["points.earned", "points.earned"], "event_types[1]"),
        ("event_types", [7], "event_types[0]"),
        ("event_types", ["a." + "b" * 127], "event_types[0]"),
        ("program_ids", ["gold", ""], "program_ids[1]"),
        ("headers", {"x-a": 7}, "headers.x-a"),
        ("headers", {"webhook-id": "mine"}, "headers.webhook-id"),
        ("headers", {"x-a": "line\nbreak"}, "headers.x-a"),
    ],
)
def test_a_wrong_part_of_a_field_is_named_with_its_place(
    field: str, value: Json, place: str
) -> None:
    assert wrong_fields(**{field: value}) == [place]


@pytest.mark.parametrize(
    "headers", [{f"x-{n}": "1" for n in range(21)}, {"x-a": "1" * 4000}], ids=["many", "long"]
)
def test_too_many_or_too_long_headers_are_named_as_the_field(headers: dict[str, Json]) -> None:
    assert wrong_fields(headers=headers) == ["headers"]


def test_headers_that_are_wrong_in_themselves_and_together_are_all_named() -> None:
    headers: dict[str, Json] = {f"x-{n}": "1" for n in range(21)}

    assert wrong_fields(headers=headers | {"te": "x"}) == ["headers.te", "headers"]
    assert wrong_in_change(headers=headers) == ["headers"]


def test_a_header_without_a_name_is_a_fault_of_the_headers() -> None:
    assert wrong_fields(headers={"": "x"}) == ["headers"]


@pytest.mark.parametrize("field", ["program_ids", "description", "max_per_second"])
def test_null_means_absence_where_a_webhook_is_shown_with_null(field: str) -> None:
    assert a_webhook().to_json()[field] is None
    assert getattr(parse(**{field: None}), field) is None


@pytest.mark.parametrize(
    "field", ["name", "url", "event_types", "headers", "secret", "batch_size", "format", "enabled"]
)
def test_null_means_nothing_else(field: str) -> None:
    assert wrong_fields(**{field: None}) == [field]


def test_a_draft_does_not_show_its_secret_or_headers() -> None:
    draft = parse(secret=SECRET, headers={"Authorization": "Bearer t0ken"})

    assert SECRET not in f"{draft!r} {draft}"
    assert "t0ken" not in f"{draft!r} {draft}"


def test_no_error_tells_a_secret_or_a_headers_value() -> None:
    with pytest.raises(Problem) as raised:
        parse(secret="hush-hush", headers={"x-a": "hush\nhush", "te": "hush"})

    assert "hush" not in json.dumps(raised.value.document())


def test_local_rules_let_a_developers_machine_in_but_for_denied_ports() -> None:
    rules = EndpointRules(EndpointPolicy.LOCAL, frozenset({4566}))

    url = "http://127.0.0.1:8080/"
    assert parse_webhook(webhook_body(url=url), rules).url == url
    with pytest.raises(Problem):
        parse_webhook(webhook_body(url="http://127.0.0.1:4566/"), rules)


@given(JSON)
def test_any_json_object_is_a_webhook_or_a_problem(value: Json) -> None:
    with pytest.raises(Problem):
        parse_webhook(value if isinstance(value, dict) else {"name": value}, RULES)


FIELDS = st.sampled_from(
    [
        *webhook_body(),
        *("headers", "secret", "batch_size", "max_per_second", "format", "enabled"),
    ]
)


@given(st.dictionaries(FIELDS, JSON, max_size=3))
def test_any_members_make_a_webhook_or_a_problem(members: dict[str, Json]) -> None:
    try:
        parse(**members)
    except Problem as problem:
        assert problem.status == 422  # noqa: PT017


@given(st.dictionaries(FIELDS | st.just("program_ids"), JSON, max_size=3))
def test_any_members_make_a_change_or_a_problem(members: dict[str, Json]) -> None:
    try:
        parse_webhook_change(members, RULES, a_webhook())
    except Problem as problem:
        assert problem.status == 422  # noqa: PT017


# Changes.


def test_an_empty_change_changes_nothing() -> None:
    change = parse_webhook_change({}, RULES, a_webhook())

    assert (change.name, change.url, change.event_types, change.headers) == (None,) * 4
    assert (change.batch_size, change.enabled, change.program_ids) == (None,) * 3
    assert not change.any_program
    assert not change.no_description
    assert not change.no_pace


def test_null_takes_programmes_description_and_pace_away() -> None:
    value: dict[str, Json] = {"program_ids": None, "description": None, "max_per_second": None}

    change = parse_webhook_change(value, RULES, a_webhook())

    assert change.any_program
    assert change.no_description
    assert change.no_pace


@pytest.mark.parametrize("field", ["name", "url", "event_types", "headers", "batch_size"])
def test_null_takes_nothing_else_away(field: str) -> None:
    assert wrong_in_change(**{field: None}) == [field]


@pytest.mark.parametrize("value", ["standard", SECRET, None, 7])
@pytest.mark.parametrize(
    ("field", "detail"),
    [
        ("secret", "is changed by rotate-secret"),
        ("format", "cannot be changed; make another webhook"),
        ("id", "is not a known field"),
        ("account_id", "is not a known field"),
        ("status", "is not a known field"),
    ],
)
def test_some_things_cannot_be_changed(field: str, detail: str, value: Json) -> None:
    with pytest.raises(Problem) as raised:
        parse_webhook_change({field: value}, RULES, a_webhook())

    assert raised.value.document()["errors"] == [{"field": field, "detail": detail}]


def test_a_change_does_not_show_its_headers() -> None:
    value: dict[str, Json] = {"headers": {"Authorization": "Bearer t0ken"}}

    assert "t0ken" not in repr(parse_webhook_change(value, RULES, a_webhook()))


ELSEWHERE = [
    "https://crm.example/hook",
    "https://till.example:8443/hook",
    "http://till.example/hook",
]
LOCAL = EndpointRules(EndpointPolicy.LOCAL)
WITH_A_TOKEN = {"Authorization": "Bearer t0ken"}


@pytest.mark.parametrize("url", ELSEWHERE)
def test_stored_headers_do_not_go_to_another_scheme_host_or_port(url: str) -> None:
    current = a_webhook(headers=WITH_A_TOKEN)

    with pytest.raises(Problem) as raised:
        parse_webhook_change({"url": url}, LOCAL, current)

    assert raised.value.document()["errors"] == [
        {
            "field": "headers",
            "detail": "must be given again, or be none: stored values are not sent to another "
            "scheme, host or port",
        }
    ]


@pytest.mark.parametrize("url", ELSEWHERE)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer new"}])
def test_headers_given_with_the_url_do(url: str, headers: dict[str, Json]) -> None:
    change = parse_webhook_change(
        {"url": url, "headers": headers}, LOCAL, a_webhook(headers=WITH_A_TOKEN)
    )

    assert (change.url, change.headers) == (url, headers)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_webhook_without_headers_goes_anywhere(url: str) -> None:
    assert parse_webhook_change({"url": url}, LOCAL, a_webhook()).url == url


@pytest.mark.parametrize(
    "url", ["https://till.example/", "HTTPS://Till.Example.:443/other?a=b", "https://till.example"]
)
def test_stored_headers_stay_with_their_endpoint(url: str) -> None:
    change = parse_webhook_change({"url": url}, LOCAL, a_webhook(headers=WITH_A_TOKEN))

    assert change.headers is None


@pytest.mark.parametrize("url", ["nowhere", "https://10.0.0.1/", None, 7])
def test_a_wrong_url_is_wrong_in_itself_only(url: Json) -> None:
    with pytest.raises(Problem) as raised:
        parse_webhook_change({"url": url}, RULES, a_webhook(headers=WITH_A_TOKEN))

    assert fields_of(raised.value) == ["url"]


# Rotations.


def test_a_rotation_overlaps_by_a_day_unless_it_says_otherwise() -> None:
    assert parse_rotation({}, a_webhook()).overlap_hours == 24
    assert parse_rotation({"overlap_hours": 0}, a_webhook()).overlap_hours == 0
    assert parse_rotation({"secret": SECRET}, a_webhook()).secret == SECRET


def test_a_rotation_does_not_show_its_secret() -> None:
    rotation = parse_rotation({"secret": SECRET}, a_webhook())

    assert SECRET not in f"{rotation!r} {rotation}"


def test_a_change_is_checked_as_a_new_webhook_is() -> None:
    assert wrong_in_change(
        name="", url="http://till.example/", event_types=["*", "custom.b"], batch_size=0
    ) == ["event_types", "name", "url", "batch_size"]


# What a webhook is for, and what it shows.


@pytest.mark.parametrize("event_type", ["points.earned", "custom.x"])
def test_a_star_wants_every_type(event_type: str) -> None:
    assert a_webhook().wants(an_event(type=event_type))


def test_an_event_of_no_programme_is_for_webhooks_of_all_programmes_only() -> None:
    assert a_webhook(program_ids=None).wants(an_event(program_id=None))
    assert not a_webhook(program_ids=("gold",)).wants(an_event(program_id=None))


def test_a_webhook_shows_neither_secret_nor_header_values() -> None:
    webhook = a_webhook(headers={"Authorization": "Bearer t0ken"})

    shown = webhook.to_json()

    assert shown["header_names"] == ["Authorization"]
    assert "secret" not in shown
    assert "t0ken" not in json.dumps(shown)
    assert "account_id" not in shown


def test_a_paused_webhook_shows_when_and_why() -> None:
    webhook = a_webhook(status=WebhookStatus.PAUSED, pause=Pause(NOW, PauseReason.GONE))

    assert webhook.to_json()["status"] == "paused"
    assert webhook.to_json()["paused"] == {"at": "2026-09-21T14:13:20.000000Z", "reason": "gone"}
    assert a_webhook().to_json()["paused"] is None


def test_a_filter_is_kept_as_its_text_and_shown_as_json() -> None:
    given: Json = {"data": {"points": [{"numeric": [">=", 1000]}], "name": ["é"]}}

    draft = parse(filter=given)

    assert draft.filter == ('{"data":{"points":[{"numeric":[">=",1000]}],"name":["\\u00e9"]}}')
    assert a_webhook(filter=draft.filter).to_json()["filter"] == given
    assert parse().filter is None
    assert parse(filter=None).filter is None


def test_a_wrong_filter_is_named_at_its_place() -> None:
    with pytest.raises(Problem) as raised:
        parse(filter={"data": {"points": [5, {"numeric": ["!", 1]}], "x": 1}})

    errors: Any = raised.value.document()["errors"]
    assert {error["field"]: error["pointer"] for error in errors} == {
        "filter.data.points[1].numeric": "/filter/data/points/1/numeric",
        "filter.data.x": "/filter/data/x",
    }
    assert wrong_fields(filter={}) == ["filter"]
    assert wrong_fields(filter=["x"]) == ["filter"]
    assert wrong_in_change(filter={"points": [1]}) == ["filter.points"]


def test_null_takes_a_filter_away_and_silence_keeps_it() -> None:
    current = a_webhook(filter='{"type":["points.earned"]}')

    silent = parse_webhook_change({"name": "Till"}, RULES, current)
    taken = parse_webhook_change({"filter": None}, RULES, current)

    assert (silent.filter, silent.no_filter) == (None, False)
    assert (taken.filter, taken.no_filter) == (None, True)


@pytest.mark.parametrize(
    ("event_types", "wrong"),
    [
        (["points.*"], []),
        (["points.*", "tier.upgraded", "custom.*"], []),
        (["custom.quiz.*"], []),
        (["nothing.*"], ["event_types[0]"]),
        (["point.*"], ["event_types[0]"]),
        (["points*"], ["event_types[0]"]),
        (["points.*", "points.earned"], ["event_types[1]"]),
        (["custom.*", "custom.quiz.*"], ["event_types[1]"]),
        (["*", "points.*"], ["event_types"]),
    ],
)
def test_types_may_be_named_by_how_they_begin(event_types: list[Json], wrong: list[str]) -> None:
    if wrong:
        assert wrong_fields(event_types=event_types) == wrong
    else:
        assert parse(event_types=event_types).event_types == tuple(event_types)


def test_a_group_has_to_have_a_type_that_the_format_says() -> None:
    assert parse(event_types=["tier.*"], format="zoho-thrive").event_types
    assert wrong_fields(event_types=["quiz_response.*"], format="zoho-thrive") == ["event_types[0]"]


def test_a_group_is_all_types_that_begin_so() -> None:
    points = a_webhook(event_types=("points.*", "custom.quiz.*"))

    assert points.wants(an_event(type="points.earned"))
    assert points.wants(an_event(type="custom.quiz.done"))
    assert not points.wants(an_event(type="custom.quizzes"))
    assert not points.wants(an_event(type="tier.upgraded"))
