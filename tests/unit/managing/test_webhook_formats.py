"""A webhook and its format: versions, settings, secrets, batches and types."""

from dataclasses import replace
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Format, header_names
from perkwire.formats.registry import FORMATS, find_format, known_format
from perkwire.managing.webhook_draft import (
    EndpointRules,
    WebhookChange,
    WebhookDraft,
    parse_rotation,
    parse_webhook,
    parse_webhook_change,
)
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.webhook import Webhook
from perkwire.primitives.fields import Fields
from perkwire.primitives.problem import FieldError, Problem
from perkwire.primitives.strict_json import Json
from tests.builders import SECRET, a_webhook, webhook_body

RULES = EndpointRules(EndpointPolicy.PUBLIC)
PLAIN = "an-old-secret-of-zinrelo"
QUALIFIO = {
    "signature_header": "x-hub-signature",
    "signature_algorithm": "sha256",
    "signature_encoding": "hex",
}
# They pass every type on by its own name.
SAYING_ALL = ["standard", "cloudevents@1.0"]


def parse(**members: Json) -> WebhookDraft:
    return parse_webhook(webhook_body(**members), RULES)


def changed(current: Webhook, **members: Json) -> WebhookChange:
    return parse_webhook_change(members, RULES, current)


def errors_of(raised: pytest.ExceptionInfo[Problem]) -> list[FieldError]:
    errors: Any = raised.value.document()["errors"]
    return [FieldError(error["field"], error["detail"]) for error in errors]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("standard", "standard"),
        ("zinrelo", "zinrelo"),
        ("zoho-thrive", "zoho-thrive"),
        ("qualifio", "qualifio"),
        ("okendo", "okendo@2025-02-01"),
        ("okendo@2025-02-01", "okendo@2025-02-01"),
        ("voucherify", "voucherify@2024-01-01"),
        ("voucherify@2024-01-01", "voucherify@2024-01-01"),
    ],
)
def test_a_webhook_keeps_the_version_of_its_format(said: str, kept: str) -> None:
    assert parse(format=said).format == kept


def newer_than(before: Format) -> Format:
    """The same format in a version of 2031; that of a contract is a part of the contract."""
    if isinstance(before, ContractFormat):
        return ContractFormat(replace(before.contract, version="2031-01-01"))
    product = before.name.partition("@")[0]
    made: Format = type("Newer", (type(before),), {"name": f"{product}@2031-01-01"})()
    return made


@pytest.mark.parametrize("name", FORMATS)
def test_a_newer_version_is_for_new_webhooks_only(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = FORMATS[name]
    product = name.partition("@")[0]
    newer = newer_than(before)
    monkeypatch.setattr("perkwire.formats.registry.FORMATS", {newer.name: newer, **FORMATS})

    assert parse(format=product).format == newer.name
    assert find_format(newer.name) is newer
    assert known_format(name) is before
    assert find_format(name) is (before if "@" in name else newer)


def test_without_a_format_a_new_webhook_has_the_newest_standard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newer = newer_than(FORMATS["standard"])
    monkeypatch.setattr("perkwire.formats.registry.FORMATS", {**FORMATS, newer.name: newer})

    assert parse().format == newer.name


@pytest.mark.parametrize("name", ["voucherify@2018-08-01", "Zinrelo", "okendo@", "@2025-02-01", ""])
def test_a_format_that_there_is_not_is_refused_with_the_list(name: str) -> None:
    with pytest.raises(Problem) as raised:
        parse(format=name)

    (error,) = errors_of(raised)
    assert error.field == "format"
    if name:
        names = error.detail.removeprefix("must be ").replace(" or ", ", ").split(", ")
        assert set(names) == {*FORMATS, *(one.partition("@")[0] for one in FORMATS)}
        assert names[:2] == ["standard", "zinrelo"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_made_up_secret_and_default_settings_suit_the_format(name: str) -> None:
    draft = parse(format=name)

    assert FORMATS[name].check_secret(draft.secret) is None
    assert parse(format=name, format_settings={**draft.format_settings}).format_settings == (
        draft.format_settings
    )


def test_settings_are_kept_whole_with_what_was_not_said() -> None:
    said = parse(format="qualifio", format_settings={"signature_encoding": "base64"})

    assert said.format_settings == {**QUALIFIO, "signature_encoding": "base64"}
    assert parse(format="qualifio").format_settings == QUALIFIO
    assert parse(format="zinrelo").format_settings == {}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("standard", {"event_name": "x"}),
        ("zinrelo", {"event_name": "x"}),
        ("voucherify", {"signature_header": "x"}),
        ("qualifio", {"signature_algorithm": "md5"}),
    ],
)
def test_a_setting_of_another_format_is_refused(name: str, given: dict[str, Json]) -> None:
    with pytest.raises(Problem) as raised:
        parse(format=name, format_settings=given)

    (field,) = given
    assert [error.field for error in errors_of(raised)] == [f"format_settings.{field}"]


@pytest.mark.parametrize(
    "name",
    [
        *("zinrelo", "qualifio", "voucherify"),
        *("loyaltylion", "square-loyalty", "rivo", "open-loyalty"),
    ],
)
def test_a_products_own_secret_is_kept(name: str) -> None:
    assert parse(format=name, secret=PLAIN).secret == PLAIN
    with pytest.raises(Problem):
        parse(format=name, secret="two\nlines")


@pytest.mark.parametrize(
    "name", [*("standard", "okendo", "zoho-thrive"), *("cloudevents", "talon-one", "brevo-loyalty")]
)
def test_an_encoded_secret_is_asked_for_where_the_scheme_decodes_it(name: str) -> None:
    assert parse(format=name, secret=SECRET).secret == SECRET
    with pytest.raises(Problem):
        parse(format=name, secret=PLAIN)


def test_a_new_secret_follows_the_rule_of_the_format() -> None:
    zinrelo = a_webhook(format="zinrelo")

    assert parse_rotation({"secret": PLAIN}, zinrelo).secret == PLAIN
    with pytest.raises(Problem):
        parse_rotation({"secret": PLAIN}, a_webhook())


@pytest.mark.parametrize(
    ("name", "largest"),
    [
        *(("standard", 100), ("zinrelo", 100), ("qualifio", 100)),
        *(("zoho-thrive", 1), ("okendo", 1), ("voucherify", 1)),
    ],
)
def test_a_batch_is_bounded_by_the_format(name: str, largest: int) -> None:
    assert parse(format=name, batch_size=largest).batch_size == largest
    with pytest.raises(Problem) as raised:
        parse(format=name, batch_size=largest + 1)

    assert [error.field for error in errors_of(raised)] == ["batch_size"]


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in SAYING_ALL])
def test_types_that_a_format_does_not_say_are_refused_with_those_that_it_says(name: str) -> None:
    said = [one for one in event_types() if FORMATS[name].name_of(one)]
    unsaid = [one for one in event_types() if not FORMATS[name].name_of(one)][:2]

    assert parse(format=name, event_types=[*said]).event_types == tuple(said)
    with pytest.raises(Problem) as raised:
        parse(format=name, event_types=[said[0], *unsaid])

    first, second = errors_of(raised)
    assert (first.field, second.field) == ("event_types[1]", "event_types[2]")
    assert f"{', '.join(said[:-1])} or {said[-1]}" in first.detail
    assert second.detail.endswith("whose types are those above")


@pytest.mark.parametrize("name", SAYING_ALL)
def test_a_format_that_says_every_type_refuses_none(name: str) -> None:
    every = (*event_types(), "custom.badge")

    assert parse(format=name, event_types=[*every]).event_types == every


@pytest.mark.parametrize(
    ("product_name", "type_"),
    [
        ("event_points_earned", "points.earned"),
        ("tier_upgrade", "tier.upgraded"),
        ("burning", "reward.redeemed"),
        ("customer.loyalty.tier.upgraded", "tier.upgraded"),
    ],
)
def test_a_products_own_name_is_refused_with_ours(product_name: str, type_: str) -> None:
    with pytest.raises(Problem) as raised:
        parse(event_types=["points.earned", product_name])

    (error,) = errors_of(raised)
    assert error.field == "event_types[1]"
    assert f"; the nearest are {type_}" in error.detail


def test_custom_types_are_named_where_a_format_says_them() -> None:
    assert parse(format="voucherify", event_types=["custom.badge"]).event_types
    with pytest.raises(Problem) as raised:
        parse(format="voucherify", event_types=["social.x.shared"])

    assert errors_of(raised)[0].detail.endswith(", and any under custom.")


def test_a_change_keeps_to_the_webhooks_format() -> None:
    zoho = a_webhook(format="zoho-thrive")

    assert changed(zoho, event_types=["tier.upgraded"]).event_types == ("tier.upgraded",)
    with pytest.raises(Problem) as raised:
        changed(zoho, event_types=["points.earned"], batch_size=2)
    assert {error.field for error in errors_of(raised)} == {"event_types[0]", "batch_size"}


def test_a_change_of_settings_replaces_them() -> None:
    voucherify = a_webhook(format="voucherify@2024-01-01", format_settings={"event_name": "a"})

    assert changed(voucherify, format_settings={}).format_settings == {}
    assert changed(voucherify, name="b").format_settings is None


def test_a_custom_header_is_none_that_the_format_sets() -> None:
    with pytest.raises(Problem) as raised:
        parse(
            format="qualifio",
            headers={"X-Mine": "a"},
            format_settings={"signature_header": "x-mine"},
        )

    (error,) = errors_of(raised)
    assert error.detail == "is set by the format qualifio"


@pytest.mark.parametrize("name", FORMATS)
def test_none_of_the_headers_that_a_format_sets_is_taken_as_a_custom_one(name: str) -> None:
    format_ = FORMATS[name]
    for header in header_names(format_, format_.read_settings(Fields({}))):
        with pytest.raises(Problem) as raised:
            parse(format=name, headers={header: "mine"})

        assert f"headers.{header}" in [error.field for error in errors_of(raised)]


@pytest.mark.parametrize("name", ["x-mine", "x_mine", "X-MINE", "X_Mine"])
@pytest.mark.parametrize("signature_header", ["x-mine", "x_mine", "X_Mine"])
def test_nor_does_it_differ_from_one_in_case_or_underscores_only(
    signature_header: str, name: str
) -> None:
    with pytest.raises(Problem) as raised:
        parse(
            format="qualifio",
            headers={name: "forged"},
            format_settings={"signature_header": signature_header},
        )

    assert [error.field for error in errors_of(raised)] == [f"headers.{name}"]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "name", ["Nonce", "x_zinrelo_signature", "X-Qualifio-Signature", "Svix-Id"]
)
def test_what_any_product_signs_with_is_refused_whatever_the_format(
    name: str, format_: str
) -> None:
    with pytest.raises(Problem) as raised:
        parse(format=format_, headers={name: "mine"})

    assert f"headers.{name}" in [error.field for error in errors_of(raised)]


def test_a_changed_signature_header_may_not_take_the_place_of_a_custom_one() -> None:
    current = a_webhook(format="qualifio", format_settings=QUALIFIO, headers={"x-mine": "a"})

    with pytest.raises(Problem) as raised:
        changed(current, format_settings={"signature_header": "X-Mine"})

    assert [error.field for error in errors_of(raised)] == ["headers.x-mine"]


def test_changed_settings_replace_all_of_them() -> None:
    own = a_webhook(format="qualifio", format_settings={**QUALIFIO, "signature_header": "x-own"})

    change = changed(own, format_settings={"signature_encoding": "base64"})

    assert change.format_settings == {**QUALIFIO, "signature_encoding": "base64"}
    assert changed(own, name="Till").format_settings is None


def test_a_change_of_another_setting_leaves_the_signature_in_its_former_header() -> None:
    former = {**QUALIFIO, "signature_header": "x-qualifio-signature"}
    current = a_webhook(format="qualifio", format_settings=former)

    change = changed(current, format_settings={"signature_encoding": "base64"})

    assert change.format_settings == {**former, "signature_encoding": "base64"}


def test_of_a_format_that_this_release_does_not_know_only_the_rest_can_be_changed() -> None:
    newer = a_webhook(format="qualifio@2031-01-01", batch_size=7)

    change = changed(newer, name="Till", event_types=["tier.upgraded"], enabled=False)
    assert (change.name, change.event_types, change.enabled) == ("Till", ("tier.upgraded",), False)
    with pytest.raises(Problem) as raised:
        changed(newer, batch_size=1, format_settings={}, headers={})
    fields = {error.field for error in errors_of(raised)}
    assert fields == {"batch_size", "format_settings", "headers"}
    with pytest.raises(Problem) as refused:
        parse_rotation({}, newer)
    assert refused.value.status == 409
