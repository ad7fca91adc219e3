"""The catalogue's names in stored contracts: of a bounded number, none of which is read twice."""

from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.lookup import FormatLookup, digest_of
from perkwire.managing.contracts import ContractHeading
from perkwire.reading.type_listing import MOST_STORED, show_type, told_contracts
from tests.builders import ACCOUNT
from tests.unit.formats.test_lookup import Stored


def headings(stored: Stored) -> list[ContractHeading]:
    """Of each contract, in the order in which they were put."""
    return [
        ContractHeading(
            owner=owner,
            format=name,
            title=name,
            digest=digest_of(text),
            says=("tier.*",),
            largest_batch=1,
            secret_rule="",
            created_at=0,
        )
        for (owner, name), text in stored.kept.items()
    ]


def names(told: list[ContractFormat]) -> list[str]:
    return [one.name for one in told]


def test_so_many_contracts_are_told_the_newest_of_each_name_first() -> None:
    versions = [f"a@{number}" for number in range(MOST_STORED)]
    stored = Stored(*((ACCOUNT, name) for name in versions), (ACCOUNT, "b@1"), (None, "a@99"))

    told = told_contracts(headings(stored), FormatLookup(stored))

    assert names(told) == [*versions[2:], "b@1", "a@99"]
    assert len(told) == MOST_STORED


def test_one_that_is_kept_is_not_read_again() -> None:
    stored = Stored((ACCOUNT, "a@1"), (None, "b@1"))
    lookup = FormatLookup(stored)

    for _ in range(3):
        told = told_contracts(headings(stored), lookup, "tier.upgraded")
        assert names(told) == ["a@1", "b@1"]
    assert stored.reads == 1

    stored.put(ACCOUNT, "a@1", title="written anew")
    told = told_contracts(headings(stored), lookup, "tier.upgraded")
    assert [one.contract.title for one in told] == ["written anew", "b"]


def test_none_is_read_that_does_not_say_the_type() -> None:
    stored = Stored((ACCOUNT, "a@1"))
    known, lookup = headings(stored), FormatLookup(stored)

    for wanted in ("points.earned", "custom.x", "tier.made_up"):
        assert told_contracts(known, lookup, wanted) == []
    assert stored.reads == 0


def test_one_that_is_gone_has_no_name() -> None:
    stored = Stored((ACCOUNT, "a@1"))
    known = headings(stored)
    stored.kept.clear()

    told = told_contracts(known, FormatLookup(stored))

    assert told == []
    assert "a@1" not in str(show_type("tier.upgraded", told)["names"])
