import hashlib
from typing import Any

import pytest

from perkwire.model.account import (
    AccountChange,
    AccountDraft,
    Caller,
    Scope,
    key_hash,
    new_api_key,
    parse_account,
    parse_account_change,
    parse_key,
)
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.builders import ACCOUNT, OTHER_ACCOUNT, a_caller, an_operator


def test_scopes_are_named_as_the_api_names_them() -> None:
    assert [*Scope] == ["events", "webhooks", "pull", "operator"]


def refused(scope: Scope, caller: Caller) -> bool:
    try:
        caller.require(scope)
    except Problem as problem:
        assert problem.status == 403  # noqa: PT017
        return True
    return False


@pytest.mark.parametrize("scope", Scope)
def test_a_key_is_good_for_its_own_scopes_only(scope: Scope) -> None:
    assert not refused(scope, Caller(ACCOUNT, frozenset({scope})))
    assert refused(scope, Caller(ACCOUNT, frozenset(set(Scope) - {scope, Scope.OPERATOR})))


@pytest.mark.parametrize("scope", Scope)
def test_an_operators_key_is_good_for_everything(scope: Scope) -> None:
    assert not refused(scope, an_operator())


def test_an_account_acts_for_itself() -> None:
    assert a_caller().acting_for(None, "account_id") == ACCOUNT


def test_an_operator_acts_for_whom_it_names() -> None:
    assert an_operator().acting_for(OTHER_ACCOUNT, "account_id") == OTHER_ACCOUNT


@pytest.mark.parametrize("named", [None, ""])
def test_an_operator_must_name_an_account(named: str | None) -> None:
    with pytest.raises(Problem) as raised:
        an_operator().acting_for(named, "Perkwire-Account")

    document: Any = raised.value.document()
    assert raised.value.status == 422
    assert document["errors"][0]["field"] == "Perkwire-Account"


@pytest.mark.parametrize("named", [ACCOUNT, OTHER_ACCOUNT, ""])
def test_an_account_may_name_none_not_even_itself(named: str) -> None:
    with pytest.raises(Problem) as raised:
        a_caller().acting_for(named, "account_id")

    assert raised.value.status == 403


def test_a_key_of_no_account_that_is_no_operators_acts_for_nobody() -> None:
    with pytest.raises(Problem) as raised:
        Caller(None, frozenset({Scope.EVENTS})).acting_for(None, "account_id")

    assert raised.value.status == 403


def test_a_new_key_is_long_random_and_recognisable() -> None:
    keys = {new_api_key() for _ in range(100)}

    assert len(keys) == 100
    assert all(key.startswith("pk_") and len(key) == 46 for key in keys)


def test_only_the_sha_256_of_a_key_is_kept() -> None:
    assert key_hash("pk_x") == hashlib.sha256(b"pk_x").hexdigest()


def test_an_account_has_a_name() -> None:
    assert parse_account({"name": "Zylker"}) == AccountDraft("Zylker", ())


@pytest.mark.parametrize(
    "emails", [[], ["a@b.cd"], ["Ann.O'Neil+till@x-y.example", "b@b.cd"], [f"{'a' * 64}@b.cd"]]
)
def test_an_account_may_name_addresses(emails: list[Json]) -> None:
    addresses = tuple(map(str, emails))

    assert parse_account({"name": "Z", "notify_emails": emails}) == AccountDraft("Z", addresses)
    assert parse_account_change({"notify_emails": emails}) == AccountChange(None, addresses)


def test_a_change_may_name_nothing_or_the_name_alone() -> None:
    assert parse_account_change({"name": "Z"}) == AccountChange("Z", None)
    assert parse_account_change({}) == AccountChange(None, None)


@pytest.mark.parametrize(
    ("emails", "field", "detail"),
    [
        (None, "notify_emails", "must not be null"),
        ("a@b.cd", "notify_emails", "must be a list of 0 to 10 strings"),
        ([f"{n}@b.cd" for n in range(11)], "notify_emails", "must be a list of 0 to 10 strings"),
        (["a@b.cd", 7], "notify_emails[1]", "must be a string of 1 to 254 characters"),
        (["a@b.cd", "A@B.cd"], "notify_emails[1]", "is there twice"),
        (["a@b.cd", "a@b.cd"], "notify_emails[1]", "is there twice"),
        *(
            ([address], "notify_emails[0]", "must be an e-mail address")
            for address in ("a", "a@b", "@b.cd", "a@b.cd\n", "a b@c.de", "ä@b.cd", "a@b@c.de")
        ),
        ([f"{'a' * 65}@b.cd"], "notify_emails[0]", "must be an e-mail address"),
    ],
)
@pytest.mark.parametrize("parse", [parse_account, parse_account_change])
def test_anything_else_is_no_list_of_addresses(
    parse: Any,  # noqa: ANN401
    emails: Json,
    field: str,
    detail: str,
) -> None:
    with pytest.raises(Problem) as raised:
        parse({"name": "Z", "notify_emails": emails})

    document: Any = raised.value.document()
    assert document["errors"] == [{"field": field, "detail": detail}]


@pytest.mark.parametrize("value", [{}, {"name": ""}, {"name": 7}, {"name": "a", "id": "b"}])
def test_anything_else_is_no_account(value: dict[str, Json]) -> None:
    with pytest.raises(Problem):
        parse_account(value)


@pytest.mark.parametrize("parse", [parse_account, parse_account_change, parse_key])
@pytest.mark.parametrize("name", ["a\r\nb", "a\x00", "\x1b[31m", "a\x7f", "a\x85b", "a\u2028b"])
def test_names_hold_no_control_characters(parse: Any, name: str) -> None:  # noqa: ANN401
    scopes: dict[str, Json] = {"scopes": ["events"]} if parse is parse_key else {}

    with pytest.raises(Problem) as raised:
        parse({"name": name} | scopes)

    assert raised.value.document()["errors"] == [
        {"field": "name", "detail": "must be without control or direction characters, not blank"}
    ]


def test_a_key_has_a_name_and_scopes() -> None:
    draft = parse_key({"name": "till", "scopes": ["webhooks", "events"]})

    assert (draft.name, draft.scopes) == ("till", frozenset({Scope.EVENTS, Scope.WEBHOOKS}))


@pytest.mark.parametrize(
    "scopes", [None, [], ["operator"], ["events", "operator"], ["events", "events"], ["all"]]
)
def test_a_key_of_an_account_is_never_an_operators(scopes: Json) -> None:
    with pytest.raises(Problem) as raised:
        parse_key({"name": "till", "scopes": scopes})

    assert raised.value.status == 422
