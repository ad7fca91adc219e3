"""What an account's own admin sets without an operator: keys and addresses, by the API."""

import uuid
from typing import Any

import pytest

from perkwire.model.account import MOST_KEYS
from tests.integration.system import Response, System, Tenant

ACCOUNT = "/v1/account"
KEYS = f"{ACCOUNT}/api-keys"


def an_address() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def field_errors(answer: Response) -> dict[str, str]:
    return {one["field"]: one["detail"] for one in answer.json["errors"]}


def new_key(tenant: Tenant, *scopes: str, by: str | None = None) -> dict[str, Any]:
    body = {"name": "till", "scopes": [*scopes]}
    made = tenant.system.call("POST", KEYS, body, key=by or tenant.key)
    assert made.status == 201, made
    tenant.system.secrets.add(made.json["key"])
    created: dict[str, Any] = made.json
    return created


def ids(tenant: Tenant) -> list[str]:
    return [one["id"] for one in tenant.get(KEYS)["data"]]


class TestApi:
    def test_a_key_is_made_shown_once_listed_and_revoked(
        self, system: System, tenant: Tenant
    ) -> None:
        made = new_key(tenant, "webhooks")
        assert system.call("GET", "/v1/webhooks", key=made["key"]).status == 200

        listed = tenant.get(f"{KEYS}/{made['id']}")
        assert listed == {name: value for name, value in made.items() if name != "key"}
        assert made["id"] in ids(tenant)
        assert tenant.call("DELETE", f"{KEYS}/{made['id']}").status == 204

        assert system.call("GET", "/v1/webhooks", key=made["key"]).status == 403
        assert tenant.call("GET", f"{KEYS}/{made['id']}").status == 404
        assert made["id"] not in ids(tenant)

    def test_a_key_gives_no_more_than_it_has(self, system: System, tenant: Tenant) -> None:
        key = new_key(tenant, "webhooks")["key"]
        before = ids(tenant)

        for scopes in (["events"], ["webhooks", "events"]):
            answer = system.call("POST", KEYS, {"name": "more", "scopes": scopes}, key=key)
            assert (answer.status, field_errors(answer)) == (403, {"scopes": "may not hold events"})
        answer = system.call("POST", KEYS, {"name": "more", "scopes": ["operator"]}, key=key)
        assert answer.status == 422

        assert ids(tenant) == before
        new_key(tenant, "webhooks", by=key)

    def test_an_account_has_so_many_keys(
        self, system: System, tenant: Tenant, operator_key: str
    ) -> None:
        for _ in range(MOST_KEYS - len(ids(tenant))):
            new_key(tenant, "events")

        body = {"name": "one more", "scopes": ["events"]}
        refused = tenant.call("POST", KEYS, body)
        theirs = f"/v1/accounts/{tenant.id}/api-keys"
        assert system.call("POST", theirs, body, key=operator_key).status == 409

        assert (refused.status, refused.json["type"]) == (409, "urn:perkwire:problem:conflict")

    def test_the_last_key_that_signs_in_is_not_revoked_by_accident(
        self, system: System, tenant: Tenant
    ) -> None:
        (own,) = ids(tenant)
        other = new_key(tenant, "events")["id"]

        refused = tenant.call("DELETE", f"{KEYS}/{own}")

        assert (refused.status, refused.json["type"]) == (409, "urn:perkwire:problem:last-way-in")
        assert field_errors(refused) == {"even_if_last": "must be true for this"}
        assert tenant.call("DELETE", f"{KEYS}/{other}").status == 204
        wrong = tenant.call("DELETE", f"{KEYS}/{own}", query={"even_if_last": "yes"})
        assert field_errors(wrong) == {"even_if_last": "must be true or false"}
        meant = tenant.call("DELETE", f"{KEYS}/{own}", query={"even_if_last": "true"})
        assert meant.status == 204
        assert system.call("GET", ACCOUNT, key=tenant.key).status == 403

    def test_addresses_are_set_and_the_name_is_not(self, tenant: Tenant) -> None:
        address = an_address()

        changed = tenant.call("PATCH", ACCOUNT, {"notify_emails": [address]})

        assert changed.status == 200
        assert [one["address"] for one in changed.json["notify_emails"]] == [address]
        assert tenant.get(ACCOUNT) == changed.json
        renamed = tenant.call("PATCH", ACCOUNT, {"name": "Mine"})
        assert field_errors(renamed) == {"name": "is the operator's to change"}
        stale = tenant.call(
            "PATCH", ACCOUNT, {"notify_emails": [], "version": changed.json["version"] - 1}
        )
        assert stale.status == 412
        assert tenant.call("PATCH", ACCOUNT, {"notify_emails": []}).json["notify_emails"] == []

    def test_a_key_that_may_not_all_takes_addresses_away_and_adds_none(
        self, system: System, tenant: Tenant
    ) -> None:
        first, second = an_address(), an_address()
        tenant.call("PATCH", ACCOUNT, {"notify_emails": [first, second]})
        key = new_key(tenant, "webhooks")["key"]

        body = {"notify_emails": [first, an_address()]}
        refused = system.call("PATCH", ACCOUNT, body, key=key)
        assert (refused.status, {*field_errors(refused)}) == (403, {"notify_emails"})

        taken = system.call("PATCH", ACCOUNT, {"notify_emails": [second.upper()]}, key=key)
        assert [one["address"] for one in taken.json["notify_emails"]] == [second.upper()]

    @pytest.mark.parametrize("path", [ACCOUNT, KEYS])
    def test_an_operator_names_the_account(
        self, path: str, system: System, tenant: Tenant, operator_key: str
    ) -> None:
        named = {"Perkwire-Account": tenant.id}

        mine = system.call("GET", path, key=operator_key, headers=named)

        assert (mine.status, mine.json) == (200, tenant.get(path))
        assert system.call("GET", path, key=operator_key).status == 422
