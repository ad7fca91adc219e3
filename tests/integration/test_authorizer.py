"""The authorizer: an API key in, its account and scopes out."""

from typing import cast

import pytest

import authorizer.app
from perkwire.primitives.journal import Unavailable
from tests.aws_events import Context, authorizer_event
from tests.integration.system import System, Tenant


def admission(authorization: str | None) -> dict[str, object]:
    headers = {} if authorization is None else {"authorization": authorization}
    return authorizer.app.handler(authorizer_event(headers), Context())


def test_an_accounts_key_admits_for_its_account_and_scopes(tenant: Tenant) -> None:
    key = tenant.new_key("webhooks", "events")

    assert admission(f"Bearer {key}") == {
        "isAuthorized": True,
        "context": {
            "account_id": tenant.id,
            "scopes": "events webhooks",
            "key_id": tenant.call("GET", "/v1/activity").json["data"][0]["subject"],
        },
    }


def test_an_operators_key_admits_for_no_account(operator_key: str) -> None:
    admitted = admission(f"bearer {operator_key}")

    assert admitted["isAuthorized"]
    context = cast(dict[str, str], admitted["context"])
    assert context.pop("key_id").startswith("key_")
    assert context == {"account_id": "", "scopes": "operator"}


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer pk_of-nobody", "Basic pk_of-nobody", "pk_of-nobody"],
)
def test_anything_else_is_refused(system: System, authorization: str | None) -> None:
    assert admission(authorization) == {"isAuthorized": False}


@pytest.mark.parametrize("scheme", ["Digest", "Bearer:", "Bearer x"])
def test_a_key_under_another_scheme_is_refused(scheme: str, tenant: Tenant) -> None:
    assert admission(f"{scheme} {tenant.key}") == {"isAuthorized": False}


def test_a_removed_key_is_refused(tenant: Tenant, operator_key: str, system: System) -> None:
    keys = f"/v1/accounts/{tenant.id}/api-keys"
    created = system.call("POST", keys, {"name": "old", "scopes": ["events"]}, key=operator_key)
    system.secrets.add(created.json["key"])

    removed = system.call("DELETE", f"{keys}/{created.json['id']}", key=operator_key)

    assert removed.status == 204
    assert admission(f"Bearer {created.json['key']}") == {"isAuthorized": False}
    assert admission(f"Bearer {tenant.key}")["isAuthorized"] is True


def test_no_one_is_let_in_or_told_off_while_the_table_is_away(
    system: System, operator_key: str
) -> None:
    system.restart(CONFIG_TABLE="no-such-table")

    with pytest.raises(Unavailable):
        admission(f"Bearer {operator_key}")
