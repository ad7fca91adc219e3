"""Webhooks that are pulled, in the console."""

import re

import pytest

from tests.integration.browsing import Browser
from tests.integration.console.webhook_forms import FORM, NEW, send
from tests.integration.pulling.conftest import Puller
from tests.integration.system import System, Tenant

pytestmark = pytest.mark.usefixtures("client")


def test_the_form_offers_that_one_pulls_it_oneself(admin: Browser, tenant: Tenant) -> None:
    page = admin.get(NEW)
    assert "I pull it myself" in page.text

    made = send(admin, FORM, page.form(FORM), name="Till 7", delivery="pull", url="")

    assert made.status == 201, made.text
    (webhook,) = tenant.get("/v1/webhooks")["data"]
    assert (webhook["delivery"], webhook["url"], webhook["name"]) == ("pull", None, "Till 7")


def test_a_form_that_is_sent_twice_makes_one(admin: Browser, tenant: Tenant) -> None:
    form = admin.get(NEW).form(FORM)
    pulled = {"delivery": "pull", "url": ""}
    assert send(admin, FORM, form, name="Till 7", **pulled).status == 201

    again = send(admin, FORM, form, name="Till 7", **pulled)

    (webhook,) = tenant.get("/v1/webhooks")["data"]
    assert again.status == 303
    assert f"/webhooks/{webhook['id']}" in again.location
    assert "The webhook is created already." in admin.get(again.location).text

    # Filled in otherwise, as whoever goes back to it may do, and begun anew, it makes another.
    assert send(admin, FORM, form, name="Till 8", **pulled).status == 201
    assert send(admin, FORM, admin.get(NEW).form(FORM), name="Till 7", **pulled).status == 201
    assert len(tenant.get("/v1/webhooks")["data"]) == 3

    # What it made is gone: it says so, and makes nothing.
    assert tenant.call("DELETE", f"/v1/webhooks/{webhook['id']}").status == 204
    late = send(admin, FORM, form, name="Till 7", **pulled)
    assert late.status == 409
    assert "The webhook was created by this form before. Begin a new one." in late.text
    assert len(tenant.get("/v1/webhooks")["data"]) == 2


def test_forms_of_two_accounts_have_nothing_to_do_with_each_other(
    admin: Browser, tenant: Tenant, another_tenant: Tenant, another_browser: Browser
) -> None:
    another_browser.sign_in(another_tenant.key)
    pulled = {"name": "Till 7", "delivery": "pull", "url": "", "form_id": "0123456789abcdef"}
    for browser in (admin, another_browser):
        made = send(browser, FORM, browser.get(NEW).form(FORM), **pulled)
        assert made.status == 201

    assert len(tenant.get("/v1/webhooks")["data"]) == 1
    assert len(another_tenant.get("/v1/webhooks")["data"]) == 1


def test_a_url_beside_it_is_refused_and_one_is_needed_without_it(admin: Browser) -> None:
    form = admin.get(NEW).form(FORM)

    refused = send(admin, FORM, form, name="Till", delivery="pull", url="https://till.example/hook")
    lacking = send(admin, FORM, form, name="Till", delivery="post", url="")

    assert refused.status == 422
    assert "is not for a webhook that is pulled" in refused.text
    assert lacking.status == 422
    assert "is required" in lacking.text


def test_its_page_says_how_far_it_has_been_pulled_and_what_waits(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    puller = Puller(tenant)
    path = f"/console/webhooks/{puller.webhook['id']}"
    page = admin.get(path)
    assert "PulledNothing yet" in page.text
    assert "WaitingNothing" in page.text
    assert "pull.invalid" not in page.text
    tenant.post(*tenant.some_events(3))
    system.route()
    puller.pull(limit="1")
    puller.pull(limit="1")

    page = admin.get(path)

    assert "Up to place 1, at" in page.text
    assert "Waiting2, since" in page.text
    shown = tenant.get(f"/v1/webhooks/{puller.webhook['id']}")["pull"]
    assert (shown["pulled_through"], shown["waiting"]) == ("1", 2)
    assert shown["pulled_at"] is not None
    assert shown["waiting_since"] is not None


def test_it_is_changed_by_the_same_form(admin: Browser, tenant: Tenant) -> None:
    puller = Puller(tenant)
    path = f"/console/webhooks/{puller.webhook['id']}/edit"

    changed = send(admin, path, admin.get(path).form(path), name="Till 8")

    assert changed.status == 303, changed.text
    webhook = tenant.get(f"/v1/webhooks/{puller.webhook['id']}")
    assert (webhook["name"], webhook["delivery"]) == ("Till 8", "pull")


def given_out(admin: Browser, webhook_id: str) -> dict[str, str]:
    """What is written into the file that the page gives out."""
    path = f"/console/webhooks/{webhook_id}"
    form = admin.get(path).form(f"{path}/listen")
    answer = admin.post(f"{path}/listen", form.fields)
    assert answer.status == 200, answer.text
    assert "listen.py" in answer.headers["content-disposition"]
    found = re.findall(r"^(API|WEBHOOK|KEY) = '([^']+)'$", answer.html, re.MULTILINE)
    assert len(found) == 3
    return dict(found)


def test_listen_is_given_out_with_a_key_of_its_own_and_one_at_a_time(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    puller = Puller(tenant)
    first = given_out(admin, puller.webhook["id"])
    second = given_out(admin, puller.webhook["id"])
    system.secrets.update((first["KEY"], second["KEY"]))

    def may_pull(given: dict[str, str]) -> bool:
        return system.call("GET", puller.path, key=given["KEY"]).status == 200

    assert first["WEBHOOK"] == puller.webhook["id"]
    assert first["API"].startswith("http")
    assert not first["API"].endswith("/console")
    assert (may_pull(first), may_pull(second)) == (False, True)
    assert system.call("GET", "/v1/webhooks", key=second["KEY"]).status == 403
    (key,) = [one for one in tenant.get("/v1/account/api-keys")["data"] if one["webhook_id"]]
    assert (key["name"], key["scopes"]) == ("listen", ["pull"])
    assert key["expires_at"] is not None

    path = f"/console/webhooks/{puller.webhook['id']}"
    ended = admin.post(f"{path}/listen/end", admin.get(path).form(f"{path}/listen/end").fields)

    assert ended.status == 303
    assert not may_pull(second)


def test_what_disabling_one_that_is_pulled_does_is_what_is_said(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    puller, posted = Puller(tenant), tenant.webhook("https://shop.example/hook")
    path = f"/console/webhooks/{puller.webhook['id']}"
    tenant.post(*tenant.some_events(2))
    system.route()
    waits, cancelled = "What waits goes on waiting", "are cancelled when it is their turn"
    own, other = admin.get(path).text, admin.get(f"/console/webhooks/{posted['id']}").text
    assert (waits in own, cancelled in own) == (True, False)
    assert (waits in other, cancelled in other) == (False, True)
    assert admin.get("/console/webhooks").text.count(waits) == 1

    admin.submit(admin.get(path).form(f"{path}/disable"))
    (missed,) = tenant.post(*tenant.some_events(1))
    system.route()

    waiting = tenant.deliveries(webhook_id=puller.webhook["id"])
    assert [one["status"] for one in waiting] == ["waiting"] * 2
    reached = tenant.get(f"/v1/events/{missed}")["deliveries"]
    assert [one["webhook_id"] for one in reached] == [posted["id"]]
    assert tenant.call("GET", puller.path).status == 409
    assert "It can be pulled again, what has waited first" in admin.get(path).text
    admin.submit(admin.get(path).form(f"{path}/enable"))
    assert len(puller.pull()) == 2


def test_a_key_of_ones_own_pulls_on_whoever_gets_or_ends_a_file(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    puller = Puller(tenant)
    body = {"name": "listen", "scopes": ["pull"], "webhook_id": puller.webhook["id"]}
    own = tenant.call("POST", "/v1/account/api-keys", body).json["key"]
    system.secrets.add(own)
    path = f"/console/webhooks/{puller.webhook['id']}"

    for _ in range(2):
        system.secrets.add(given_out(admin, puller.webhook["id"])["KEY"])
    admin.submit(admin.get(path).form(f"{path}/listen/end"))

    assert system.call("GET", puller.path, key=own).status == 200
    assert "is_for_listening" not in str(tenant.get("/v1/account/api-keys"))
