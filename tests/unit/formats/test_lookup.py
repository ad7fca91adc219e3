"""Formats of webhooks: stored contracts are read once, and no more than so many are kept."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from perkwire.formats.contracts.contract import read_contract
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Format, Unrenderable
from perkwire.formats.lookup import ContractKey, FormatLookup, Owner, use_of
from perkwire.formats.registry import FORMATS, find_format, format_of
from perkwire.formats.versions import age, product
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId
from perkwire.primitives.problem import Problem
from tests.builders import ACCOUNT, a_payload, a_webhook, an_event

OTHER = AccountId("acct_0000000000000002")


class Stored:
    """Contracts in memory, and how often one was read."""

    def __init__(self, *keys: ContractKey, **members: object) -> None:
        self.reads = 0
        self.kept: dict[ContractKey, str] = {}
        for owner, name in keys:
            self.put(owner, name, **members)

    def put(self, owner: Owner, name: str, **members: object) -> None:
        product_, _, version = name.partition("@")
        written: dict[str, Any] = {"name": product_, "version": version, "events": {"tier.*": "t"}}
        self.kept[owner, name] = json.dumps({**written, "body": "=data", **members})

    def texts(self, keys: Collection[ContractKey]) -> Mapping[ContractKey, str]:
        self.reads += 1
        return {key: self.kept[key] for key in keys if key in self.kept}

    def names(self, owner: Owner, product_: str | None = None) -> Sequence[str]:
        found = [name for kept, name in self.kept if kept == owner]
        return [name for name in found if product_ is None or product(name) == product_]


def a_webhook_of(format_: Format | None) -> Webhook:
    assert format_ is not None
    return a_webhook(format=format_.name, contract=use_of(format_))


@pytest.mark.parametrize(
    "versions",
    [
        ["x", "x@1", "x@2", "x@9", "x@10", "x@100"],
        ["x@1", "x@1.0", "x@1.2", "x@1.10", "x@2.0"],
        ["x@2025-02-01", "x@2025-11-01", "x@2026-01-01"],
        ["x@1a", "x@1b", "x@1.1", "x@2a"],
        ["x@rc", "x@v2", "x@v10", "x@1"],
    ],
)
def test_versions_are_as_old_as_people_take_them(versions: list[str]) -> None:
    assert sorted({*versions}, key=age) == versions


def test_the_newest_version_is_not_the_greatest_text(monkeypatch: pytest.MonkeyPatch) -> None:
    rivo = FORMATS["rivo@1"]
    assert isinstance(rivo, ContractFormat)
    newer = {
        f"rivo@{version}": ContractFormat(replace(rivo.contract, version=version))
        for version in ("2", "10")
    }
    monkeypatch.setattr("perkwire.formats.registry.FORMATS", {**FORMATS, **newer})

    assert find_format("rivo") is newer["rivo@10"]
    assert find_format("rivo@2") is newer["rivo@2"]


def test_a_contract_is_read_once_and_no_more_than_so_many_are_kept() -> None:
    names = [f"ours@{number}" for number in range(4)]
    stored = Stored(*((ACCOUNT, name) for name in names))
    made = FormatLookup(stored)
    webhooks = [a_webhook_of(made.find(ACCOUNT, name)) for name in names]
    lookup, stored.reads = FormatLookup(stored, most=3), 0

    for _ in range(3):
        assert lookup.of(webhooks[0]).name == "ours@0"
    assert stored.reads == 1

    for webhook in webhooks[1:]:
        lookup.of(webhook)
    assert (stored.reads, len(lookup._kept)) == (4, 3)
    lookup.of(webhooks[0])
    assert stored.reads == 5


def test_the_accounts_own_hides_that_of_the_operators_and_a_webhook_keeps_its_own() -> None:
    stored = Stored((None, "ours@1"), title="of all")
    lookup = FormatLookup(stored)
    before = a_webhook_of(lookup.find(ACCOUNT, "ours@1"))
    stored.put(ACCOUNT, "ours@1", title="own")

    assert titles(lookup.find(ACCOUNT, "ours"), lookup.of(before)) == ["own", "of all"]
    assert titles(lookup.find(OTHER, "ours")) == ["of all"]
    assert lookup.keys(ACCOUNT) == [(ACCOUNT, "ours@1")]
    assert lookup.keys(OTHER) == [(None, "ours@1")]


def titles(*formats: Format | None) -> list[str]:
    return [one.contract.title for one in formats if isinstance(one, ContractFormat)]


def test_what_another_account_has_is_not_found() -> None:
    lookup = FormatLookup(Stored((OTHER, "ours@1")))

    assert lookup.find(ACCOUNT, "ours@1") is lookup.find(ACCOUNT, "ours") is None
    assert lookup.keys(ACCOUNT) == []


@pytest.mark.parametrize("what", ["gone", "another", "of a later release", "no JSON"])
def test_one_that_cannot_be_read_says_nothing_and_raises_nothing(what: str) -> None:
    stored = Stored((ACCOUNT, "ours@1"))
    webhook = a_webhook_of(FormatLookup(stored).find(ACCOUNT, "ours@1"))
    match what:
        case "gone":
            stored.kept.clear()
        case "another":
            stored.put(ACCOUNT, "ours@1", title="written anew")
        case "of a later release":
            stored.put(ACCOUNT, "ours@1", nowadays=True)
        case _:
            stored.kept[ACCOUNT, "ours@1"] = "{"

    found = FormatLookup(stored).of(webhook)

    with pytest.raises(Unrenderable):
        found.render(a_payload(an_event()))


def test_a_webhook_alone_says_which_types_its_contract_says() -> None:
    webhook = a_webhook_of(FormatLookup(Stored((ACCOUNT, "ours@1"))).find(ACCOUNT, "ours"))

    assert format_of(webhook).name_of("tier.upgraded") is not None
    assert format_of(webhook).name_of("points.earned") is None


def test_one_of_the_release_is_never_looked_for() -> None:
    stored = Stored((ACCOUNT, "rivo@1"))
    lookup = FormatLookup(stored)

    assert lookup.find(ACCOUNT, "rivo@1") is lookup.find(ACCOUNT, "rivo") is FORMATS["rivo@1"]
    assert lookup.of(a_webhook(format="zinrelo")) is FORMATS["zinrelo"]
    assert (stored.reads, lookup.keys(ACCOUNT)) == (0, [])


def test_a_rule_for_headers_that_came_later_does_not_take_a_stored_contract_away() -> None:
    """What is saved from now on keeps to it; what would break a request is never sent."""
    named: dict[str, Any] = {"events": {"tier.*": "t"}, "body": "=data", "version": "1"}
    signature = {"scheme": "hmac", "header": "x-roles"}
    refused = {**named, "name": "x", "headers": {"x-user": "admin"}, "signature": signature}
    with pytest.raises(Problem):
        read_contract(refused)
    stored = Stored((ACCOUNT, "x@1"), headers={"x-user": "admin"}, signature=signature)
    stored.put(ACCOUNT, "y@1", headers={"content-length": "1"})
    lookup = FormatLookup(stored)

    assert isinstance(lookup.find(ACCOUNT, "x@1"), ContractFormat)
    assert not isinstance(lookup.find(ACCOUNT, "y@1"), ContractFormat)
