"""Two people, or two tabs, with the same form: neither undoes what the other has done."""

import pytest

from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.webhook_forms import send
from tests.integration.system import System, Tenant

OLD, NEW, THIRD = (f"https://shop.example/{one}" for one in ("old", "new", "third"))


@pytest.fixture
def path(tenant: Tenant) -> str:
    return f"/console/webhooks/{tenant.webhook(OLD)['id']}"


def stored(tenant: Tenant, path: str) -> dict[str, object]:
    webhook: dict[str, object] = tenant.get(f"/v1{path.removeprefix('/console')}")
    return webhook


def edit(admin: Browser, path: str, page: PageSeen, **changes: str | list[str]) -> PageSeen:
    return send(admin, f"{path}/edit", page.form(f"{path}/edit"), **changes)


class TestForms:
    def test_what_another_has_changed_is_not_undone_and_both_values_are_shown(
        self, admin: Browser, tenant: Tenant, path: str
    ) -> None:
        opened_before = admin.get(f"{path}/edit")
        assert edit(admin, path, admin.get(f"{path}/edit"), url=NEW).status == 303

        seen = edit(admin, path, opened_before, name="Renamed")

        assert seen.status == 412
        assert "Somebody has changed the webhook since you opened this form." in seen.text
        assert f"URL {OLD} {NEW} what is stored: you have not changed it" in seen.text
        assert (stored(tenant, path)["url"], stored(tenant, path)["name"]) == (NEW, "orders")
        again = dict(seen.form(f"{path}/edit").fields)
        assert (again["url"], again["name"]) == (NEW, "Renamed")
        assert edit(admin, path, seen).status == 303
        assert (stored(tenant, path)["url"], stored(tenant, path)["name"]) == (NEW, "Renamed")

    def test_where_both_have_changed_the_same_the_persons_own_stays_in_the_form(
        self, admin: Browser, tenant: Tenant, path: str
    ) -> None:
        opened_before = admin.get(f"{path}/edit")
        edit(admin, path, admin.get(f"{path}/edit"), url=NEW, program_ids="gold")

        seen = edit(admin, path, opened_before, url=THIRD)

        assert f"URL {THIRD} {NEW} yours" in seen.text
        assert "Programmes none gold what is stored" in seen.text
        assert edit(admin, path, seen).status == 303
        assert stored(tenant, path)["url"] == THIRD
        assert stored(tenant, path)["program_ids"] == ["gold"]

    def test_types_and_headers_that_another_has_set_come_into_the_form(
        self, admin: Browser, tenant: Tenant, path: str
    ) -> None:
        opened_before = admin.get(f"{path}/edit")
        change = {"event_types": ["points.earned"], "headers": {"X-Shop": "shop-7-token"}}
        tenant.system.secrets.add("shop-7-token")
        assert tenant.call("PATCH", f"/v1{path.removeprefix('/console')}", change).status == 200

        seen = edit(admin, path, opened_before, name="Renamed")
        assert edit(admin, path, seen).status == 303

        assert stored(tenant, path)["event_types"] == ["points.earned"]
        assert stored(tenant, path)["header_names"] == ["X-Shop"]

    def test_a_change_that_the_form_does_not_touch_stops_nobody(
        self, admin: Browser, tenant: Tenant, path: str
    ) -> None:
        opened_before = admin.get(f"{path}/edit")
        tenant.call("POST", f"/v1{path.removeprefix('/console')}/disable")

        assert edit(admin, path, opened_before, name="Renamed").status == 303
        assert stored(tenant, path)["status"] == "disabled"

    def test_a_page_that_is_no_longer_true_switches_and_deletes_nothing(
        self, admin: Browser, tenant: Tenant, path: str
    ) -> None:
        pages = {"disable": admin.get(path), "delete": admin.get(f"{path}/delete")}
        edit(admin, path, admin.get(f"{path}/edit"), url=NEW)

        for action, page in pages.items():
            answer = admin.submit(page.form(f"{path}/{action}"))
            assert "Nothing was done: the webhook has changed" in admin.get(answer.location).text

        assert stored(tenant, path)["status"] == "enabled"
        admin.submit(admin.get(path).form(f"{path}/disable"))
        assert stored(tenant, path)["status"] == "disabled"

    def test_the_form_of_an_account_does_not_undo_either(
        self, operator: Browser, tenant: Tenant
    ) -> None:
        path = f"/console/accounts/{tenant.id}/edit"
        opened_before = operator.get(path).form(path)
        operator.submit(operator.get(path).form(path), name="Another name")

        seen = operator.submit(opened_before, notify_emails="ops@zylker.example")

        assert seen.status == 412
        assert "Name Brew & Bean Another name what is stored" in seen.text
        operator.submit(seen.form(path))
        again = dict(operator.get(path).form(path).fields)
        assert again["name"] == "Another name"
        assert again["notify_emails"] == "ops@zylker.example"


class TestApi:
    def test_a_change_names_the_version_that_it_was_made_from(self, tenant: Tenant) -> None:
        webhook = tenant.webhook(OLD)
        path = f"/v1/webhooks/{webhook['id']}"
        read = {"If-Match": f'"{webhook["version"]}"'}
        assert tenant.call("PATCH", path, {"url": NEW}, headers=read).status == 200

        refused = tenant.call("PATCH", path, {"url": THIRD, "name": "x"}, headers=read)

        assert refused.status == 412
        assert refused.json["type"] == "urn:perkwire:problem:changed"
        assert refused.json["sent"] == {"url": THIRD, "name": "x"}
        stored, found = refused.json["stored"], tenant.get(path)
        assert stored == {name: found[name] for name in stored}
        for method, action in (
            ("PATCH", ""),
            ("POST", "/disable"),
            ("POST", "/rotate-secret"),
            ("DELETE", ""),
        ):
            body = {"version": webhook["version"]} if method == "PATCH" else None
            headers = {} if method == "PATCH" else read
            assert tenant.call(method, path + action, body, headers=headers).status == 412
        assert tenant.get(path)["version"] == refused.json["version"]

    @pytest.mark.parametrize("said", ['"{}"', 'W/"{}"', '"1", "{}"', "{}", "*"])
    def test_the_etag_is_taken_in_each_way_that_it_comes_in(
        self, tenant: Tenant, said: str
    ) -> None:
        webhook = tenant.webhook(OLD)
        path = f"/v1/webhooks/{webhook['id']}"
        version = tenant.call("PATCH", path, {"name": "x"}).json["version"]

        headers = {"If-Match": said.format(version)}

        assert tenant.call("PATCH", path, {"name": "y"}, headers=headers).status == 200

    @pytest.mark.parametrize(
        ("headers", "body", "field"),
        [({"If-Match": '"old"'}, {}, "If-Match"), ({}, {"version": "1"}, "version")],
    )
    def test_what_is_no_version_is_named(
        self, tenant: Tenant, headers: dict[str, str], body: dict[str, object], field: str
    ) -> None:
        path = f"/v1/webhooks/{tenant.webhook(OLD)['id']}"

        answer = tenant.call("PATCH", path, {"name": "y", **body}, headers=headers)

        assert answer.status == 422
        assert [one["field"] for one in answer.json["errors"]] == [field]

    def test_an_account_has_a_version_too(
        self, system: System, tenant: Tenant, operator_key: str
    ) -> None:
        path = f"/v1/accounts/{tenant.id}"
        version = system.call("GET", path, key=operator_key).json["version"]
        read = {"If-Match": f'"{version}"'}
        first = system.call("PATCH", path, {"name": "A"}, key=operator_key, headers=read)

        second = system.call("PATCH", path, {"name": "B"}, key=operator_key, headers=read)

        assert (first.status, second.status) == (200, 412)
        assert second.json["sent"] == {"name": "B"}
        assert second.json["stored"]["name"] == "A"
