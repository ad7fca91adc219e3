"""The console's list of webhooks and the page of each, as a browser without a script has them."""

import time

import pytest

from perkwire.adapters.dynamodb.session_store import SessionStore
from perkwire.managing.signing_in import Session, token_hash
from perkwire.model.account import key_hash
from tests.integration.browsing import Browser
from tests.integration.console.webhook_forms import FORM, NEW, attributes, filled, send
from tests.integration.system import System, Tenant
from tests.receiver import Receiver


class TestTheList:
    def test_without_webhooks_it_says_how_to_make_one(self, admin: Browser) -> None:
        page = admin.open("/console")

        assert "Create your first webhook" in page.text
        assert ("a", {"class": "button primary", "href": NEW}) in page.elements

    def test_it_tells_of_each_webhook_what_one_wants_to_know(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        tenant.webhook("https://one.example/a", name="till")
        tenant.webhook(
            "https://two.example/b",
            name="crm",
            event_types=["points.earned", "tier.upgraded"],
            format="zinrelo",
            enabled=False,
        )

        page = admin.get("/console/webhooks")

        assert page.status == 200
        assert page.text.index("crm https") < page.text.index("till https"), "by name"
        assert "till https://one.example/a all Standard No deliveries" in page.text
        assert "crm https://two.example/b 2 Zinrelo No deliveries" in page.text
        assert "enabled Disable till" in page.text
        assert "disabled Enable crm" in page.text

    def test_health_and_last_error_come_from_the_log(
        self, system: System, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        webhook = tenant.webhook(receiver.endpoint(200, 200, 503).url)
        tenant.post(*tenant.some_events(3))
        system.route()
        system.dispatch_all()

        page = admin.get("/console/webhooks")

        assert "2 succeeded, 1 failed" in page.text
        assert "503 Service Unavailable" in page.text
        (failed,) = tenant.deliveries(webhook_id=webhook["id"], status="failed")
        hrefs = [value for tag, name, value in attributes(page) if (tag, name) == ("a", "href")]
        assert f"/console/log/{failed['id']}" in hrefs
        bars = [given["class"] for tag, given in page.elements if tag == "rect"]
        assert bars == ["ground", "bad", "good"]

    @pytest.mark.parametrize("action", ["disable", "enable"])
    def test_the_toggle_says_what_it_does_and_does_it(
        self, admin: Browser, tenant: Tenant, action: str
    ) -> None:
        webhook = tenant.webhook("https://one.example/a", enabled=action == "disable")
        page = admin.get("/console/webhooks")
        warning = {"disable": "are cancelled when it is their turn", "enable": "is disabled can be"}

        answer = admin.submit(page.form(f"/console/webhooks/{webhook['id']}/{action}"))

        assert warning[action].replace("is disabled", "was disabled") in page.text
        assert answer.location == f"/console/webhooks?done=webhook-{action}d"
        assert f"The webhook is {action}d." in admin.open(answer.location).text
        assert tenant.get(f"/v1/webhooks/{webhook['id']}")["status"] == f"{action}d"

    def test_another_accounts_webhooks_are_neither_listed_nor_found(
        self, admin: Browser, another_tenant: Tenant
    ) -> None:
        webhook = another_tenant.webhook("https://theirs.example/a", name="theirs")
        path = f"/console/webhooks/{webhook['id']}"

        assert "theirs" not in admin.get("/console/webhooks").text
        for page in (path, f"{path}/edit", f"{path}/rotate", f"{path}/delete"):
            assert admin.get(page).status == 404
        token = dict(admin.get(NEW).form(FORM).fields)["csrf"]
        for page in ("edit", "rotate", "delete", "enable", "disable", "test"):
            assert admin.post(f"{path}/{page}", {"csrf": token, "name": "x"}).status == 404
        for page in ("form", "preview"):
            fields = {"csrf": token, "webhook_id": webhook["id"]}
            assert admin.post(f"/console/webhooks/{page}", fields).status == 404
        assert another_tenant.get(f"/v1/webhooks/{webhook['id']}")["status"] == "enabled"


def test_a_session_that_may_only_send_events_manages_no_webhooks(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    """No way of signing in gives one, so it is put into the store."""
    webhook = tenant.webhook("https://shop.example/hook")
    form = admin.get(NEW).form(FORM)
    until = time.time_ns() // 1000 + 60_000_000
    admin.session = "of-a-key-for-events-alone"
    SessionStore().add(
        token_hash(admin.session),
        Session(key_hash=key_hash(tenant.new_key("events")), expires_at=until),
    )
    path = f"{FORM}/{webhook['id']}"

    pages = [admin.get(page) for page in (FORM, NEW, path, f"{path}/edit", f"{path}/rotate")]
    pages += [admin.post(page, filled(form)) for page in (FORM, f"{FORM}/preview", f"{FORM}/test")]
    pages += [admin.post(f"{path}/{page}", filled(form)) for page in ("delete", "disable")]

    for page in pages:
        assert page.status == 403
        assert "It needs the scope webhooks." in page.text
    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["status"] == "enabled"


class TestEditing:
    def test_the_form_holds_the_webhook_and_saving_it_as_it_is_changes_nothing(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        webhook = tenant.webhook(
            "https://shop.example/hook",
            description="For the shop",
            event_types=["points.earned", "custom.stamp"],
            program_ids=["gold"],
            headers={"X-Shop": "shop-7-token"},
            batch_size=5,
            format="standard",
        )
        path = f"/console/webhooks/{webhook['id']}/edit"
        before = tenant.get(f"/v1/webhooks/{webhook['id']}")

        answer = send(admin, path, admin.get(path).form(path))

        after = tenant.get(f"/v1/webhooks/{webhook['id']}")
        assert answer.location == f"/console/webhooks/{webhook['id']}?done=webhook-changed"
        assert after.pop("updated_at") != before.pop("updated_at")
        assert after.pop("version") == before.pop("version") + 1
        assert after == before

    @pytest.mark.parametrize(
        ("changes", "names"),
        [
            ({"headers_are": "kept", "header_name_0": "X-Not"}, ["X-Shop"]),
            ({"headers_are": "replaced", "header_name_0": "X-New"}, ["X-New"]),
            ({"headers_are": "replaced", "header_name_0": "", "header_value_0": ""}, []),
        ],
    )
    def test_stored_headers_are_kept_or_replaced(
        self, admin: Browser, tenant: Tenant, changes: dict[str, str], names: list[str]
    ) -> None:
        webhook = tenant.webhook("https://shop.example/hook", headers={"X-Shop": "shop-7-token"})
        path = f"/console/webhooks/{webhook['id']}/edit"

        send(admin, path, admin.get(path).form(path), **{"header_value_0": "value", **changes})

        assert tenant.get(f"/v1/webhooks/{webhook['id']}")["header_names"] == names

    def test_stored_headers_are_to_be_given_again_with_another_host(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        webhook = tenant.webhook(
            "https://shop.example/hook", headers={"X-Shop": "shop-7-token", "X-Till": "7"}
        )
        path = f"/console/webhooks/{webhook['id']}/edit"

        page = send(admin, path, admin.get(path).form(path), url="https://new.example/hook")

        assert page.status == 422
        assert "Headers must be given again, or be none" in page.text
        form = page.form(path)
        fields = dict(form.fields)
        assert fields["headers_are"] == "replaced"
        assert [fields[f"header_name_{row}"] for row in (0, 1, 2)] == ["X-Shop", "X-Till", ""]
        assert tenant.get(f"/v1/webhooks/{webhook['id']}")["url"] == "https://shop.example/hook"

        # As it is, it sends none of them by mistake.
        assert send(admin, path, form).status == 422
        send(admin, path, form, header_value_0="shop-8", header_name_1="")
        after = tenant.get(f"/v1/webhooks/{webhook['id']}")
        assert (after["url"], after["header_names"]) == ("https://new.example/hook", ["X-Shop"])

    def test_what_is_emptied_is_gone(self, admin: Browser, tenant: Tenant) -> None:
        webhook = tenant.webhook(
            "https://shop.example/hook", description="old", program_ids=["gold"]
        )
        path = f"/console/webhooks/{webhook['id']}/edit"

        send(admin, path, admin.get(path).form(path), description="", program_ids=" ")

        after = tenant.get(f"/v1/webhooks/{webhook['id']}")
        assert (after["description"], after["program_ids"]) == (None, None)

    def test_a_wrong_change_is_named_and_stores_nothing(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        webhook = tenant.webhook("https://shop.example/hook")
        path = f"/console/webhooks/{webhook['id']}/edit"

        page = send(admin, path, admin.get(path).form(path), name="", url="https://new.example/")

        assert page.status == 422
        assert "Name must have 1 to 128 characters" in page.text
        assert dict(page.form(path).fields)["url"] == "https://new.example/"
        assert tenant.get(f"/v1/webhooks/{webhook['id']}")["url"] == "https://shop.example/hook"


class TestOneWebhook:
    def test_a_paused_one_says_why_since_when_and_what_to_do(
        self, system: System, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        webhook = tenant.webhook(receiver.endpoint(410).url)
        tenant.post(tenant.an_event())
        system.route()
        system.dispatch()
        path = f"/console/webhooks/{webhook['id']}"

        page = admin.get(path)

        paused = tenant.get(f"/v1/webhooks/{webhook['id']}")["paused"]
        assert "The endpoint has answered 410 Gone" in page.text
        assert ("time", {"datetime": paused["at"]}) in [
            (tag, {"datetime": given["datetime"]})
            for tag, given in page.elements
            if tag == "time" and given.get("datetime")
        ]
        assert "this page then has a link for it" in page.text
        enable = next(form for form in page.forms if form.action == f"{path}/enable")
        answer = admin.submit(enable)
        assert answer.location.startswith(f"{path}?done=webhook-enabled")
        enabled = admin.open(answer.location)
        assert "Paused since" not in enabled.text
        assert "Retry what has failed" not in enabled.text, "it is tried again by itself"

    def test_it_links_to_its_log(self, admin: Browser, tenant: Tenant) -> None:
        webhook = tenant.webhook("https://shop.example/hook")

        page = admin.get(f"/console/webhooks/{webhook['id']}")

        hrefs = [value for tag, name, value in attributes(page) if (tag, name) == ("a", "href")]
        assert f"/console/log?webhook_id={webhook['id']}&status=failed" in hrefs

    def test_deleting_says_what_it_will_do_first(self, admin: Browser, tenant: Tenant) -> None:
        webhook = tenant.webhook("https://shop.example/hook")
        path = f"/console/webhooks/{webhook['id']}/delete"

        page = admin.get(path)
        still_there = tenant.call("GET", f"/v1/webhooks/{webhook['id']}").status
        answer = admin.submit(page.form(path))

        assert "This cannot be undone" in page.text
        assert still_there == 200
        assert "The webhook is deleted." in admin.open(answer.location).text
        assert tenant.call("GET", f"/v1/webhooks/{webhook['id']}").status == 404


def test_an_account_that_is_full_is_told_before_the_form(admin: Browser, tenant: Tenant) -> None:
    for number in range(10):
        assert "/console/webhooks/new" in admin.get("/console/webhooks").html
        tenant.webhook(f"https://shop.example/{number}")

    page = admin.get("/console/webhooks/new")

    assert "This account has 10 webhooks, as many as it may have." in page.text
    assert [form for form in page.forms if form.action == "/console/webhooks"] == []
    assert "/console/webhooks/new" not in admin.get("/console/webhooks").html
