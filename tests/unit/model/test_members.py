"""Where an event names members, and the keys of names."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.model.members import LONGEST_NAME, MemberIndex, MemberKeys
from perkwire.primitives.strict_json import Json
from tests.builders import an_account

KEYS = MemberKeys("a secret")


def keys_of(*names: str) -> tuple[str, ...]:
    return tuple(KEYS.of(name) for name in names)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({"member": {"id": "m-1", "email": "ada@example.com"}}, ("m-1", "ada@example.com")),
        ({"holder": {"id": "m-2"}, "member": {"id": "m-1"}}, ("m-1", "m-2")),
        (
            {"referral": {"referrer": {"id": "m-3"}, "friend": {"email": "bo@example.com"}}},
            ("m-3", "bo@example.com"),
        ),
        ({"member_id": 17, "member_email": "Ada@Example.com"}, ("17", "ada@example.com")),
        ({"member": {"id": "m-1", "email": "m-1"}}, ("m-1",)),
        ({"member": "m-1", "referral": [1], "holder": None}, ()),
        ({"member": {"id": True, "email": " "}, "member_id": "x" * (LONGEST_NAME + 1)}, ()),
        ({"member": {"id": {"id": "m-1"}}, "other": {"id": "m-9"}}, ()),
    ],
)
def test_an_event_names_people_where_the_catalogue_has_them(
    data: dict[str, Json], names: tuple[str, ...]
) -> None:
    assert KEYS.named(data, MemberIndex.IDS_AND_EMAILS) == keys_of(*names)


def test_what_is_kept_is_the_stacks_choice() -> None:
    data: dict[str, Json] = {"member": {"id": "m-1", "email": "ada@example.com"}}

    assert KEYS.named(data, MemberIndex.IDS) == keys_of("m-1")
    assert KEYS.named(data, MemberIndex.NONE) == ()


def test_addresses_are_the_same_in_either_case_and_ids_are_not() -> None:
    assert KEYS.of(" Ada@Example.COM ") == KEYS.of("ada@example.com")
    assert KEYS.of("M-1") != KEYS.of("m-1")


def test_a_key_says_nothing_of_the_name_and_is_another_in_each_account() -> None:
    account = an_account(member_secret="of one")

    key = account.member_keys.of("ada@example.com")

    assert len(key) == 32
    assert key != replace(account, member_secret="of another").member_keys.of("ada@example.com")
    assert "of one" not in repr((account, account.member_keys))


def test_an_account_of_an_earlier_release_has_keys_of_its_own() -> None:
    account = an_account()

    assert account.member_keys.of("m-1") == an_account().member_keys.of("m-1")
    other = replace(account, created_at=account.created_at + 1)
    assert account.member_keys.of("m-1") != other.member_keys.of("m-1")


def test_everyone_in_the_catalogues_examples_is_found() -> None:
    """No object of the examples has an e-mail address that is looked past."""

    def addresses(value: Json) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(email := value.get("email"), str):
                yield email
            for member in value.values():
                yield from addresses(member)
        for item in value if isinstance(value, list) else ():
            yield from addresses(item)

    for name, kept in event_types().items():
        found = KEYS.named(kept.example, MemberIndex.IDS_AND_EMAILS)
        assert {*keys_of(*addresses(kept.example))} <= {*found}, name
