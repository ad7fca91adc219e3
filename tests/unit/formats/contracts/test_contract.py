"""A contract as a whole: names, bodies, batches, settings, success, and what is refused."""

import json
from typing import Any

import pytest

from perkwire.formats.contracts.built_in import BUILT_IN, built_in
from perkwire.formats.format import Unrenderable, header_names
from perkwire.formats.registry import FORMATS, find_format
from perkwire.primitives.fields import Fields
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.builders import SECRET, a_payload, an_event
from tests.unit.formats.contracts.making import body, contract, headers, wrong


def settings_of(asked: Json, **given: Json) -> tuple[dict[str, Json], list[tuple[str, str]]]:
    """What is read of a webhook's settings, and what is wrong with them."""
    fields = Fields(dict(given), "format_settings.")
    found = contract(settings=asked, headers={"x-shop": "=settings.shop"}).read_settings(fields)
    return dict(found), [(error.field, error.detail) for error in fields.finish()]


def test_the_longest_key_that_fits_names_a_type() -> None:
    format_ = contract(
        events={
            "points.earned": "in",
            "points.*": "{type}!",
            "custom.*": "own",
            "points.pending.*": "p",
        }
    )

    assert format_.name_of("points.earned") == "in"
    assert format_.name_of("points.expired") == "points.expired!"
    assert format_.name_of("points.pending.added") == "p"
    assert format_.name_of("custom.a.b") == "own"
    assert format_.name_of("tier.upgraded") is None


def test_a_type_without_a_name_is_not_said() -> None:
    format_ = contract(events={"points.earned": "in"})

    with pytest.raises(Unrenderable, match="of a type that this format cannot say"):
        body(format_, type="tier.upgraded")


def test_the_first_body_for_a_type_counts() -> None:
    format_ = contract(
        bodies=[
            {"for": ["points.*"], "body": {"a": 1}},
            {"for": ["points.earned"], "body": {"b": 1}},
        ],
        body={"c": 1},
    )

    assert body(format_, type="points.earned") == {"a": 1}
    assert body(format_, type="tier.upgraded") == {"c": 1}


def test_a_contract_without_batches_carries_one_event() -> None:
    format_ = contract()

    assert format_.largest_batch == 1
    with pytest.raises(Unrenderable):
        format_.render(a_payload(an_event(), an_event()))


def test_a_batch_wraps_where_it_is_asked_for() -> None:
    format_ = contract(
        body={"id": "=event.id"},
        batch={
            "largest": 5,
            "body": {"n": "=length(events)", "first": "=event.id", "all": "=events"},
        },
    )
    one, two = an_event(), an_event()

    assert format_.largest_batch == 5
    assert json.loads(format_.render(a_payload(one))) == {"id": one.id}
    assert json.loads(format_.render(a_payload(one, batched=True)))["n"] == 1
    assert json.loads(format_.render(a_payload(one, two))) == {
        "n": 2, "first": one.id, "all": [{"id": one.id}, {"id": two.id}],
    }  # fmt: skip


def test_an_event_of_a_batch_that_cannot_be_said_takes_the_delivery_with_it() -> None:
    """Never a part of it."""
    format_ = contract(body={"a": "=abs(data.x)"}, batch={})
    events = [an_event(data={"x": one}) for one in (1, "no", 3)]

    with pytest.raises(Unrenderable, match=r"body\.a abs"):
        format_.render(a_payload(*events))


def test_settings_are_what_the_contract_asks_for() -> None:
    asked: Json = {
        "shop": {"title": "Shop"},
        "mode": {"default": "live", "choices": ["live", "test"]},
        "name": {"default": "ü"},
    }

    assert settings_of(asked) == ({"mode": "live", "name": "ü"}, [])
    assert settings_of(asked, shop="7", mode="test", name="Größe")[0] == {
        "shop": "7", "mode": "test", "name": "Größe",
    }  # fmt: skip
    assert settings_of(asked, mode="x", other="y")[1] == [
        ("format_settings.mode", "must be live or test"),
        ("format_settings.other", "is not a known field"),
    ]
    ((field, detail),) = settings_of(asked, shop="Größe")[1]
    assert (field, detail.partition(":")[0]) == (
        "format_settings.shop",
        "must be visible ASCII, with blanks inside only",
    )


@pytest.mark.parametrize(
    ("success", "taken", "refused"),
    [
        (..., [200, 204, 299], [199, 300, 404]),
        ([200], [200], [201, 204]),
        (["2xx", 409], [204, 409], [410]),
    ],
)
def test_success_is_what_the_contract_counts(
    success: Any,  # noqa: ANN401
    taken: list[int],
    refused: list[int],
) -> None:
    format_ = contract(success=success)

    assert all(map(format_.is_success, taken))
    assert not any(map(format_.is_success, refused))


def test_no_custom_header_may_be_one_of_the_contracts() -> None:
    format_ = contract(headers={"X-Kind": "=event.name"}, signature={"header": "x-sign"})

    assert header_names(format_, {}) == {"content-type", "x-kind", "x-sign"}


def test_a_content_type_is_that_of_the_contract() -> None:
    format_ = contract(
        content_type="application/vnd.till+json", batch={"content_type": "application/json"}
    )

    assert headers(format_, [SECRET])["content-type"] == "application/vnd.till+json"
    batched = a_payload(an_event(), batched=True)
    assert headers(format_, [SECRET], payload=batched)["content-type"] == "application/json"


def test_no_root_holds_a_secret_or_the_url() -> None:
    roots = [
        "event",
        "data",
        "settings",
        "account",
        "webhook",
        "delivery",
        "item",
        "events",
        "attempt",
    ]
    everything = body(contract(body={one: f"={one}" for one in roots}))
    payload = a_payload(an_event())

    assert payload.url not in json.dumps(everything)
    assert {*everything} == {"event", "data", "account", "webhook", "delivery", "settings"}


@pytest.mark.parametrize(
    ("change", "place", "detail"),
    [
        ({"name": "Ours"}, "/name", "must be small letters"),
        ({"version": ...}, "/version", "is required"),
        ({"events": {}}, "/events", "must name 1 to 250 types"),
        ({"events": {"points.made_up": "x"}}, "/events/points.made_up", "is no event type"),
        ({"events": {"nothing.*": "x"}}, "/events/nothing.*", "is no event type"),
        ({"events": {"*": {"a": 1}}}, "/events/*", "must be a name"),
        ({"body": ...}, "/body", "is required"),
        ({"body": ..., "bodies": [{"for": ["points.*"], "body": 1}]}, "/bodies", "has none for *"),
        ({"bodies": [{"for": ["x"], "body": 1}]}, "/bodies/0/for/0", "is no event type"),
        ({"bodies": [{"body": 1}]}, "/bodies/0", "must be an object of `for`"),
        ({"absent": "maybe"}, "/absent", "must be omit, null, empty or refuse"),
        ({"batch": {"largest": 0}}, "/batch/largest", "must be a whole number from 1 to 100"),
        ({"batch": {"body": "=("}}, "/batch/body", "ends too early"),
        ({"success": []}, "/success", "must name a status"),
        ({"success": [500]}, "/success", "must be a list of statuses"),
        ({"content_type": "text/xml"}, "/content_type", "must be application/json"),
        (
            {"settings": {"a": {"default": "x", "choices": ["y"]}}},
            "/settings/a/default",
            "must be y",
        ),
        ({"surprise": 1}, "/surprise", "is not a known field"),
        ({"a/b": 1, "a~b": 1}, "/a~1b", "is not a known field"),
        ({"a.b": 1}, "/a.b", "is not a known field"),
        ({"": 1}, "/", "is not a known field"),
        ({"batch": {"large.st": 1}}, "/batch/large.st", "is not a known field"),
        ({"settings": {"a.b": {}}}, "/settings/a.b", "must be an object"),
        ({"settings": {"a": {"ti/tle": ""}}}, "/settings/a/ti~1tle", "is not a known field"),
        ({"headers": {"x-a": "1", "X-A": "2"}}, "/headers/X-A", "is there twice"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(change: Any, place: str, detail: str) -> None:  # noqa: ANN401
    assert wrong(**change)[place].startswith(detail)


def test_one_thing_is_wrong_with_a_version_of_another_form() -> None:
    with pytest.raises(Problem) as raised:
        contract(version="1/2")
    errors: Any = raised.value.document()["errors"]

    assert [error["detail"] for error in errors] == [
        "must be small letters, digits, dots and hyphens"
    ]


@pytest.mark.parametrize("absent", ["omit", "null", "empty"])
def test_a_header_without_a_value_is_left_out(absent: str) -> None:
    format_ = contract(
        absent=absent,
        headers={"x-none": "=data.none", "x-empty": "=data.empty", "x-zero": "=data.zero"},
    )
    payload = a_payload(an_event(data={"empty": "", "zero": 0}))
    sent = headers(format_, [SECRET], payload=payload)

    assert {name: value for name, value in sent.items() if name.startswith("x-")} == {"x-zero": "0"}


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_contract_is_named_as_its_file_says(name: str) -> None:
    format_ = built_in(name)

    assert format_.name == name
    assert find_format(name.partition("@")[0]) is FORMATS[name] is format_
    assert format_.contract.description
    assert format_.contract.source
