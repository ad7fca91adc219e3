"""Signing in and out, and sessions that end."""

import re
from collections.abc import Callable

import pytest

from tests.browser.person import Person
from tests.e2e.system import Account, LocalSystem

pytestmark = pytest.mark.timeout(400)


def test_a_console_link_signs_in_once_and_then_says_what_to_do(
    account: Account, new_person: Callable[..., Person]
) -> None:
    admin, late = new_person(), new_person()
    link = admin.new_link(account)

    late.open(link)
    admin.open(link)
    admin.click("button", re.compile("^Sign in as"))
    admin.is_at("Webhooks")

    late.click("button", re.compile("^Sign in as"))
    late.is_at("This link no longer works")
    late.sees("Ask your operator for a new one")
    late.open(link)
    late.is_at("This link no longer works")
    late.click("link", "sign in with an API key")
    late.is_at("Sign in")


def test_a_link_that_has_expired_says_what_to_do(
    system: LocalSystem, account: Account, person: Person
) -> None:
    link = person.new_link(account)
    person.open(link)
    expire_links(system)

    person.click("button", re.compile("^Sign in as"))

    person.is_at("This link no longer works")
    person.sees("Ask your operator for a new one")


def expire_links(system: LocalSystem) -> None:
    """As if all console links had been made long ago."""
    dynamodb = system.client("dynamodb")
    table = system.local["ConfigTableName"]
    for item in dynamodb.scan(TableName=table)["Items"]:
        if item.get("kind", {}).get("S") == "console_link":
            dynamodb.put_item(TableName=table, Item={**item, "until": {"N": "1"}})


def test_an_api_key_signs_in_after_a_wrong_one_was_explained_and_sign_out_ends_it(
    account: Account, person: Person
) -> None:
    person.open("/console/log?status=failed")
    person.is_at("Sign in")
    person.fill("API key", "pk_wrong")
    person.click("button", "Sign in")
    person.sees("is not an API key that works")

    person.fill("API key", account.key)
    person.click("button", "Sign in")
    person.is_at("Log")
    assert person.page.url.endswith("/console/log?status=failed")

    person.click("button", "Sign out")
    person.is_told("You are signed out.")
    person.open("/console/webhooks")
    person.is_at("Sign in")


def test_a_session_ends_with_the_api_key_that_it_came_from(
    system: LocalSystem, account: Account, new_person: Callable[..., Person]
) -> None:
    admin, operator = new_person(), new_person()
    admin.sign_in(account.key)
    operator.sign_in(system.local["operator_key"], f"/console/accounts/{account.id}")
    operator.press_summary("Revoke")
    operator.click("button", "Revoke e2e")
    operator.is_told("The API key is revoked.")

    admin.goes_to("Catalogue")

    admin.is_told("Your session has ended. Sign in again to go on.")
    admin.fill("API key", account.new_key())
    admin.click("button", "Sign in")
    admin.is_at("Catalogue")
