"""The console's pages of webhooks over HTTP, as a browser without a script sends them."""

import json
import re
import shlex
import time
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Any

import pytest
from standardwebhooks import Webhook

from perkwire.adapters import aws
from perkwire.adapters.dynamodb.session_store import SessionStore
from perkwire.formats import FORMATS
from perkwire.managing.signing_in import Session, token_hash
from perkwire.model.account import key_hash
from tests.integration.browsing import Browser, HtmlForm, PageSeen
from tests.integration.system import System, Tenant
from tests.integration.trials.test_test_call import Lambda
from tests.receiver import Answer, Endpoint, ReceivedRequest, Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PLAIN_SECRET = "a-secret-of-plain-characters"
NEW = "/console/webhooks/new"
FORM = "/console/webhooks"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</textarea></title></pre><svg onload=alert(1)>",
)
OF_THE_CONNECTION = {"host", "content-length", "accept-encoding", "connection"}


@pytest.fixture
def client(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """The dispatcher that tests are sent through."""
    client = Lambda()
    monkeypatch.setattr(aws, "functions", lambda _: client)
    system.cold_start("console", "management")
    yield client
    system.cold_start("console", "management")


@pytest.fixture
def admin(browser: Browser, tenant: Tenant) -> Browser:
    """A browser in which the tenant's admin is signed in."""
    browser.sign_in(tenant.key)
    return browser


def filled(form: HtmlForm, **changes: str | Sequence[str]) -> list[tuple[str, str]]:
    """What a browser sends of a form, rows of the same name each, with some fields changed."""
    kept = [(name, value) for name, value in form.fields if name not in changes]
    changed = [
        (name, value)
        for name, values in changes.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return kept + changed


def send(browser: Browser, path: str, form: HtmlForm, **changes: str | Sequence[str]) -> PageSeen:
    """Press a button of the form that goes to this path."""
    return browser.post(path, filled(form, **changes))


def a_new_one(browser: Browser, **changes: str | Sequence[str]) -> PageSeen:
    """The answer to a new webhook's form."""
    fields: dict[str, str | Sequence[str]] = {"name": "orders", "format": "standard", **changes}
    return send(browser, FORM, browser.get(NEW).form(FORM), **fields)


def element(page: PageSeen, element_id: str) -> str:
    """The text within an element that holds only text."""
    found = re.search(rf'id="{element_id}"[^>]*>(.*?)</pre>', page.html, re.DOTALL)
    assert found, f"there is no {element_id}"
    return unescape(found[1])


def preview_headers(page: PageSeen) -> dict[str, str]:
    lines = element(page, "preview-headers").splitlines()[1:]
    return {name: value for name, _, value in (line.partition(": ") for line in lines if line)}


def shown_secret(page: PageSeen) -> str:
    (secret,) = [code for code in page.codes() if re.fullmatch(r"whsec_\S{20,}", code)]
    return secret


def sent_now(system: System, tenant: Tenant, endpoint: Endpoint) -> list[ReceivedRequest]:
    """What an endpoint gets when an event happens."""
    tenant.post(tenant.an_event())
    system.route()
    system.dispatch()
    return endpoint.requests


def attributes(page: PageSeen) -> Iterator[tuple[str, str, str]]:
    for tag, given in page.elements:
        for name, value in given.items():
            yield tag, name, value or ""


def is_harmless(page: PageSeen) -> bool:
    """No element, handler or address of a hostile string has come to life."""
    tags = {tag for tag, _ in page.elements if tag in ("script", "img", "svg")}
    scripts = [given for tag, given in page.elements if tag == "script" and not given.get("src")]
    sources = [
        value for tag, name, value in attributes(page) if tag in ("script", "img") and name == "src"
    ]
    handlers = [name for _, name, _ in attributes(page) if name.startswith("on")]
    return (
        "svg" not in tags
        and not scripts
        and not handlers
        and all(source.startswith("/console/static/") for source in sources)
    )


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


class TestCreating:
    def test_a_webhook_is_made_as_the_form_says(self, admin: Browser, tenant: Tenant) -> None:
        page = a_new_one(
            admin,
            url="https://shop.example/hook",
            description="For the shop",
            events="chosen",
            event_types=["points.earned", "tier.upgraded"],
            event_groups=["segments"],
            other_types="custom.stamp",
            program_ids="gold\nsilver\n",
            header_name_0="X-Shop",
            header_value_0="shop-7-token",
            header_name_1="Authorization",
            header_value_1="Bearer of-the-receiver",
            batch_size="25",
        )
        tenant.system.secrets.update(["shop-7-token", "Bearer of-the-receiver", shown_secret(page)])

        assert page.status == 201
        (made,) = tenant.get("/v1/webhooks")["data"]
        assert made["name"] == "orders"
        assert made["url"] == "https://shop.example/hook"
        assert made["description"] == "For the shop"
        assert made["event_types"] == [
            "points.earned",
            "tier.upgraded",
            "segment.entered",
            "segment.left",
            "custom.stamp",
        ]
        assert made["program_ids"] == ["gold", "silver"]
        assert made["header_names"] == ["X-Shop", "Authorization"]
        assert made["batch_size"] == 25
        assert made["status"] == "enabled"

    def test_the_settings_of_a_format_go_along(self, admin: Browser, tenant: Tenant) -> None:
        page = a_new_one(
            admin,
            url="https://shop.example/hook",
            format="qualifio",
            **{
                "format_settings.signature_header": "X-Shop-Hmac",
                "format_settings.signature_encoding": "base64",
                "format_settings.event_name": "of another format",
            },
        )

        assert page.status == 201
        (made,) = tenant.get("/v1/webhooks")["data"]
        assert made["format_settings"] == {
            "signature_header": "x-shop-hmac",
            "signature_algorithm": "sha256",
            "signature_encoding": "base64",
        }

    def test_a_box_that_is_not_ticked_makes_it_disabled(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        form = admin.get(NEW).form(FORM)
        fields = dict(form.fields) | {"name": "n", "url": "https://a.example/"}
        del fields["enabled"]

        assert "The webhook is disabled" in admin.post(FORM, fields).text
        assert tenant.get("/v1/webhooks")["data"][0]["status"] == "disabled"

    def test_what_is_wrong_is_said_beside_each_field_and_nothing_is_typed_twice(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        page = a_new_one(
            admin,
            name="A name",
            url="ftp://shop.example/hook",
            events="chosen",
            event_types=["points.earned"],
            other_types="custom.Stamp",
            program_ids="gold\ngold",
            header_name_0="Content-Type",
            header_value_0="text/plain",
            header_name_1="X-Good",
            header_value_1="shop-7-token",
            batch_size="999",
            secret="too-short",
        )

        assert page.status == 422
        assert tenant.get("/v1/webhooks")["data"] == []
        invalid = {
            given.get("name") or given.get("id")
            for _, given in page.elements
            if given.get("aria-invalid") == "true"
        }
        assert invalid == {"url", "program_ids", "header_name_0", "batch_size", "secret"}
        for sentence in (
            "must use https",
            "Events 2 must be",
            "Programmes 2 is there twice",
            "Headers Content-Type is set by Perkwire or by the connection",
            "must be a whole number from 1 to 100",
            "must be whsec_ and the base64 of 24 to 64 bytes",
        ):
            assert sentence in page.text
        kept = dict(page.form(FORM).fields)
        assert kept["name"] == "A name"
        assert kept["url"] == "ftp://shop.example/hook"
        assert kept["events"] == "chosen"
        assert kept["event_types"] == "points.earned"
        assert kept["other_types"] == "custom.Stamp"
        assert kept["header_value_1"] == "shop-7-token"

    def test_no_event_and_a_header_that_is_there_twice_are_wrong(self, admin: Browser) -> None:
        url = "https://shop.example/hook"
        nothing = a_new_one(admin, url=url, events="chosen")
        twice = a_new_one(
            admin, url=url, header_name_0="X-A", header_value_0="1", header_name_1="X-A"
        )

        assert "Events needs 1 to 200 of these" in nothing.text
        assert "Headers X-A is there twice" in twice.text

    def test_a_url_that_is_taken_is_a_conflict_of_that_field(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        tenant.webhook("https://shop.example/hook")

        page = a_new_one(admin, name="another", url="https://shop.example/hook")

        assert page.status == 409
        assert ("a", {"href": "#f-url"}) in page.elements
        assert "Each URL is once per account. URL is the URL of another webhook" in page.text
        assert "conflicts with what is stored" not in page.text

    def test_the_page_with_the_secret_loaded_again_leads_to_the_webhook(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        fields = filled(admin.get(NEW).form(FORM), name="till", url="https://shop.example/hook")
        secret = shown_secret(admin.post(FORM, fields))
        tenant.system.secrets.add(secret)
        (made,) = tenant.get("/v1/webhooks")["data"]

        again = admin.post(FORM, fields)
        another = a_new_one(admin, name="crm", url="https://shop.example/hook")

        assert again.location.startswith(f"/console/webhooks/{made['id']}?")
        shown = admin.open(again.location)
        assert "Its secret was shown once, and cannot be shown again" in shown.text
        assert secret not in shown.html
        assert another.status == 409
        assert len(tenant.get("/v1/webhooks")["data"]) == 1

    def test_without_a_token_of_its_own_the_form_does_nothing(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        for path in (FORM, f"{FORM}/preview", f"{FORM}/form", f"{FORM}/test"):
            answer = admin.post(path, {"name": "n", "url": "https://a.example/", "csrf": "made-up"})
            assert answer.status == 403
        assert tenant.get("/v1/webhooks")["data"] == []

    def test_another_format_offers_what_is_its_own(self, admin: Browser) -> None:
        form = admin.get(NEW).form(FORM)

        page = send(
            admin,
            f"{FORM}/form",
            form,
            name="kept",
            format="voucherify@2024-01-01",
            events="chosen",
            event_types=["points.earned", "quiz_response.created"],
        )

        names = {given.get("name") for _, given in page.elements}
        assert page.status == 200
        assert {"format_settings.event_name", "format_settings.project_id"} <= names
        assert "batch_size" not in names
        assert "this format knows no batches" in page.text
        assert "must have 1 to 256 characters of one line" in page.text
        assert dict(page.form(FORM).fields)["name"] == "kept"
        types = {given["value"] for _, given in page.elements if given.get("name") == "event_types"}
        assert "points.earned" in types
        assert "quiz_response.created" not in types
        assert "no longer ticked: quiz_response.created" in page.text

    def test_more_header_rows_come_without_a_script(self, admin: Browser) -> None:
        form = admin.get(NEW).form(FORM)
        rows = {f"header_name_{row}": f"X-{row}" for row in (0, 1)}

        more = send(admin, f"{FORM}/form", form, **rows).form(FORM)

        names = [name for name, _ in more.fields if name.startswith("header_name_")]
        assert names == [f"header_name_{row}" for row in range(4)]
        assert dict(more.fields)["header_name_1"] == "X-1"


class TestSecretsAndHeaders:
    def test_the_secret_is_shown_once_and_never_again(
        self, system: System, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        endpoint = receiver.endpoint()
        created = a_new_one(
            admin,
            url=endpoint.url,
            header_name_0="X-Shop",
            header_value_0="shop-7-token",
        )
        secret = shown_secret(created)
        tenant.system.secrets.update([secret, "shop-7-token"])
        (made,) = tenant.get("/v1/webhooks")["data"]
        path = f"/console/webhooks/{made['id']}"

        (request,) = sent_now(system, tenant, endpoint)
        assert request.verified(secret)
        assert created.status == 201
        assert created.headers["cache-control"] == "no-store"
        assert created.html.count(secret) == 2, "as text, and on the button that copies it"
        assert "shop-7-token" not in created.html
        for page in (path, f"{path}/edit", f"{path}/rotate", f"{path}/delete", FORM):
            html = admin.get(page).html
            assert secret not in html
            assert "shop-7-token" not in html

    @pytest.mark.parametrize("format_name", FORMATS)
    def test_how_to_verify_with_it_stands_beside_it(
        self, admin: Browser, tenant: Tenant, format_name: str
    ) -> None:
        page = a_new_one(admin, url="https://shop.example/hook", format=format_name)

        html = unescape(page.html)
        assert "def events(headers, body, secret):" in html
        assert "export function events(headers, body, secret) {" in html
        assert is_harmless(page)

    def test_a_rotated_secret_is_shown_once_and_says_what_becomes_of_the_old_one(
        self, system: System, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        endpoint = receiver.endpoint()
        webhook = tenant.webhook(endpoint.url)
        path = f"/console/webhooks/{webhook['id']}/rotate"
        page = admin.get(path)

        rotated = admin.submit(page.form(path), overlap_hours="3")

        assert "signed with the new secret at once, and for the overlap with the old" in page.text
        assert rotated.status == 201
        assert "the old secret signs each request too" in rotated.text
        secret = shown_secret(rotated)
        tenant.system.secrets.add(secret)
        assert secret != webhook["secret"]
        (request,) = sent_now(system, tenant, endpoint)
        assert request.verified(secret) == request.verified(webhook["secret"])
        assert secret not in admin.get(f"/console/webhooks/{webhook['id']}").html
        assert "is in use until" in admin.get(f"/console/webhooks/{webhook['id']}").text

    def test_the_page_with_a_rotated_secret_loaded_again_rotates_nothing(
        self, system: System, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        endpoint = receiver.endpoint()
        webhook = tenant.webhook(endpoint.url)
        path = f"/console/webhooks/{webhook['id']}/rotate"
        form = admin.get(path).form(path)
        secret = shown_secret(admin.submit(form))
        tenant.system.secrets.add(secret)

        again = admin.submit(form)

        assert "Nothing was rotated" in admin.open(again.location).text
        (request,) = sent_now(system, tenant, endpoint)
        assert request.verified(secret) == request.verified(webhook["secret"])

    def test_where_one_signature_fits_the_old_secret_is_said_to_sign(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        webhook = tenant.webhook("https://shop.example/hook", format="zinrelo")
        path = f"/console/webhooks/{webhook['id']}/rotate"
        page = admin.get(path)

        at_once = admin.submit(page.form(path), overlap_hours="0", secret=PLAIN_SECRET)
        later = admin.submit(admin.get(path).form(path), overlap_hours="3")

        assert "has room for one signature" in page.text
        assert PLAIN_SECRET in [*at_once.codes()]
        assert "The new secret alone signs from now on." in at_once.text
        assert "the old secret still signs" in later.text

    def test_a_wrong_rotation_names_its_fields(self, admin: Browser, tenant: Tenant) -> None:
        webhook = tenant.webhook("https://shop.example/hook")
        path = f"/console/webhooks/{webhook['id']}/rotate"

        page = admin.submit(admin.get(path).form(path), overlap_hours="999", secret="short")

        assert page.status == 422
        assert "Secret must be whsec_" in page.text
        assert "Hours of overlap must be a whole number from 0 to 168" in page.text


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
        assert "Retry what has failed" in page.text
        enable = next(form for form in page.forms if form.action == f"{path}/enable")
        answer = admin.submit(enable)
        assert answer.location.startswith(f"{path}?done=webhook-enabled")
        enabled = admin.open(answer.location)
        assert "Paused since" not in enabled.text
        assert "Retry what failed since the pause" in enabled.text

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


class TestPreviewing:
    @pytest.mark.parametrize(
        ("format_name", "batch_size"),
        [
            ("standard", "1"),
            ("standard", "10"),
            ("zinrelo", "1"),
            ("zoho-thrive", "1"),
            ("qualifio", "1"),
            ("okendo@2025-02-01", "1"),
            ("voucherify@2024-01-01", "1"),
        ],
    )
    def test_it_is_what_the_receiver_really_gets(
        self,
        client: Lambda,
        admin: Browser,
        tenant: Tenant,
        receiver: Receiver,
        format_name: str,
        batch_size: str,
    ) -> None:
        """But for ids, moments and the signatures over them, byte for byte."""
        endpoint = receiver.endpoint()
        fields: dict[str, str] = {
            "name": "orders",
            "url": endpoint.url,
            "format": format_name,
            "batch_size": batch_size,
            "secret": SECRET,
            "header_name_0": "X-Shop",
            "header_value_0": "shop-7-token",
            "event_type": "tier.upgraded",
        }
        form = admin.get(NEW).form(FORM)

        page = send(admin, f"{FORM}/preview", form, **fields)
        tested = send(admin, f"{FORM}/test", form, **fields)
        send(admin, FORM, form, **fields)
        (made,) = tenant.get("/v1/webhooks")["data"]
        tenant.call("POST", f"/v1/webhooks/{made['id']}/test", {"event_type": "tier.upgraded"})

        assert "The test succeeded" in tested.text
        headers = {name.lower(): value for name, value in preview_headers(page).items()}
        requests = endpoint.requests
        assert len(requests) == 2
        for request in requests:
            body = request.body.decode()
            assert without_moments(element(page, "preview-raw")) == without_moments(body)
            assert set(headers) | OF_THE_CONNECTION == set(request.headers) | OF_THE_CONNECTION
            same = {"content-type", "user-agent", "x-shop", "host", "content-length"} & set(headers)
            assert {name: headers[name] for name in same} == {
                name: request.headers[name] for name in same
            }

    def test_its_signature_is_of_the_given_secret(self, admin: Browser) -> None:
        form = admin.get(NEW).form(FORM)

        page = send(admin, f"{FORM}/preview", form, secret=SECRET, format="standard")

        headers = preview_headers(page)
        verified = _verified(element(page, "preview-raw"), headers)
        assert verified["type"] == "tier.upgraded"
        assert "made-up secret" not in page.text

    def test_it_says_what_is_made_up(self, admin: Browser, tenant: Tenant) -> None:
        webhook = tenant.webhook("https://shop.example/hook", headers={"X-Shop": "shop-7-token"})
        new = admin.get(NEW)
        stored = admin.get(f"/console/webhooks/{webhook['id']}/edit")

        assert "The signature is of a made-up secret, until you give one." in new.text
        assert "The URL is made up as well" in new.text
        assert "as the stored one is not shown to anybody" in stored.text
        assert preview_headers(stored)["X-Shop"] == "(the stored value)"

    def test_it_can_be_taken_along_without_what_is_secret(
        self, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        endpoint = receiver.endpoint()
        page = send(
            admin,
            f"{FORM}/preview",
            admin.get(NEW).form(FORM),
            url=endpoint.url,
            secret=SECRET,
            header_name_0="X-Shop",
            header_value_0="it's a token",
        )

        (command,) = [
            value for _, name, value in attributes(page) if name == "data-copy" and "curl" in value
        ]
        assert SECRET not in command
        assert "token" not in command
        argv = shlex.split(command)
        assert argv[:4] == ["curl", "-X", "POST", endpoint.url]
        assert "X-Shop: …" in argv
        assert argv[-1] == element(page, "preview-raw")

    def test_a_part_of_the_page_can_be_had_alone(self, admin: Browser) -> None:
        form = admin.get(NEW).form(FORM)

        part = send(admin, f"{FORM}/preview", form, part="preview", format="zinrelo")
        wrong = send(admin, f"{FORM}/preview", form, part="preview", url="nowhere")

        assert part.status == 200
        assert "<html" not in part.html
        assert "x-zinrelo-signature" in preview_headers(part)
        assert "URL must be an absolute URL" in wrong.text

    def test_nothing_is_stored_sealed_or_sent(
        self, client: Lambda, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        endpoint = receiver.endpoint()
        form = admin.get(NEW).form(FORM)

        assert send(admin, f"{FORM}/preview", form, url=endpoint.url).status == 200

        assert endpoint.requests == []
        assert client.invocations == []
        assert tenant.get("/v1/webhooks")["data"] == []


class TestTesting:
    def test_the_answer_is_shown(
        self, client: Lambda, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        endpoint = receiver.endpoint(Answer(503, b"x" * 600))
        webhook = tenant.webhook(endpoint.url)
        path = f"/console/webhooks/{webhook['id']}"
        form = next(one for one in admin.get(path).forms if one.button == "Send a test")

        page = admin.post(f"{path}/test", dict(form.fields) | {"event_type": "points.earned"})

        assert page.status == 200
        assert "The test failed" in page.text
        assert "503 Service Unavailable" in page.text
        assert re.search(r"Took ?\d+ ms", page.text)
        assert "x" * 512 in page.html
        assert "x" * 513 not in page.html
        (request,) = endpoint.requests
        assert request.json["type"] == "points.earned"
        assert request.verified(webhook["secret"])

    def test_a_change_is_tested_as_it_would_be_saved_and_is_not_saved(
        self, client: Lambda, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        old, new = receiver.endpoint(), receiver.endpoint()
        webhook = tenant.webhook(old.url, headers={"X-Shop": "shop-7-token"})
        edit = f"/console/webhooks/{webhook['id']}/edit"
        before = tenant.get(f"/v1/webhooks/{webhook['id']}")

        page = send(admin, f"{FORM}/test", admin.get(edit).form(edit), url=new.url)

        assert "The test succeeded" in page.text
        assert "made-up secret, as the form has none" not in page.text
        (request,) = new.requests
        assert request.verified(webhook["secret"])
        assert request.headers["x-shop"] == "shop-7-token"
        assert "shop-7-token" not in page.html
        assert dict(page.form(edit).fields)["url"] == new.url
        assert old.requests == []
        assert tenant.get(f"/v1/webhooks/{webhook['id']}") == before

    def test_a_secret_that_is_not_there_yet_is_said_to_be_made_up(
        self, client: Lambda, admin: Browser, receiver: Receiver
    ) -> None:
        form = admin.get(NEW).form(FORM)
        fields = {"name": "n", "url": receiver.endpoint().url}

        without = send(admin, f"{FORM}/test", form, **fields)
        given = send(admin, f"{FORM}/test", form, **fields, secret=SECRET)

        assert "It was signed with a made-up secret" in without.text
        assert "It was signed with a made-up secret" not in given.text
        for page in (without, given):
            (outcome,) = [attrs for _, attrs in page.elements if attrs.get("id") == "outcome"]
            assert outcome["tabindex"] == "-1", "where the address of the page leads"

    def test_the_outcome_alone_can_be_had(
        self, client: Lambda, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        webhook = tenant.webhook(receiver.endpoint().url)
        form = admin.get(NEW).form(FORM)
        token = {"csrf": dict(form.fields)["csrf"], "part": "outcome"}

        taken = [
            send(admin, f"{FORM}/test", form, part="outcome", url=webhook["url"], name="n"),
            admin.post(f"/console/webhooks/{webhook['id']}/test", token),
            admin.post("/console/types/points.earned/test", {**token, "webhook_id": webhook["id"]}),
        ]
        wrong = [
            send(admin, f"{FORM}/test", form, part="outcome", url="ftp://a.example/", name="n"),
            admin.post(
                f"/console/webhooks/{webhook['id']}/test", {**token, "event_type": "no.such"}
            ),
            admin.post("/console/types/points.earned/test", token),
        ]

        for page in (*taken, *wrong):
            assert "<html" not in page.html
        assert [("The test succeeded" in page.text, page.status) for page in taken] == [
            (True, 200)
        ] * 3
        assert [page.status for page in wrong] == [422] * 3
        assert ("a", {"href": "#f-url"}) in wrong[0].elements

    def test_no_answer_is_shown_with_its_class(
        self, client: Lambda, admin: Browser, tenant: Tenant
    ) -> None:
        form = admin.get(NEW).form(FORM)

        page = send(admin, f"{FORM}/test", form, name="n", url="http://127.0.0.1:9/")

        assert "connect" in page.codes()
        assert "No connection could be made" in page.text

    def test_too_many_tests_are_a_problem_of_the_page(
        self, client: Lambda, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        webhook = tenant.webhook(receiver.endpoint().url)
        path = f"/console/webhooks/{webhook['id']}"
        form = next(one for one in admin.get(path).forms if one.button == "Send a test")

        # One more than two minutes may have, whenever the next one begins.
        answers = [admin.post(f"{path}/test", dict(form.fields)) for _ in range(21)]

        refused = [answer for answer in answers if answer.status != 200]
        assert answers[0].status == 200
        assert {answer.status for answer in refused} == {429}
        assert "at most 10 tests a minute" in refused[0].text
        assert "Send a test" in refused[0].text

    def test_header_values_are_not_in_the_request_as_sent(
        self, client: Lambda, admin: Browser, tenant: Tenant, receiver: Receiver
    ) -> None:
        echo = receiver.endpoint(Answer(200, b"X-Shop: shop-7-token"))
        webhook = tenant.webhook(echo.url, headers={"X-Shop": "shop-7-token"})
        path = f"/console/webhooks/{webhook['id']}"
        form = next(one for one in admin.get(path).forms if one.button == "Send a test")

        page = admin.post(f"{path}/test", dict(form.fields))

        assert "X-Shop: (hidden)" in page.text
        assert "shop-7-token" not in page.html
        assert webhook["secret"] not in page.html


@pytest.mark.parametrize("hostile", HOSTILE)
class TestHostileStrings:
    def test_of_a_stored_webhook(
        self, client: Lambda, admin: Browser, tenant: Tenant, receiver: Receiver, hostile: str
    ) -> None:
        endpoint = receiver.endpoint(Answer(500, hostile.encode()))
        webhook = tenant.webhook(
            endpoint.url,
            name=hostile,
            description=hostile,
            program_ids=[hostile],
            format="voucherify@2024-01-01",
            format_settings={"event_name": hostile},
        )
        path = f"/console/webhooks/{webhook['id']}"
        test = next(one for one in admin.get(path).forms if one.button == "Send a test")
        pages = {page: admin.get(f"{path}{page}") for page in ("", "/edit", "/rotate", "/delete")}
        pages["test"] = admin.post(f"{path}/test", dict(test.fields))
        pages["list"] = admin.get(FORM)

        for page in pages.values():
            assert is_harmless(page)
            assert hostile in page.text
        assert pages["test"].text.count(hostile) > pages[""].text.count(hostile)

    def test_of_a_form_that_is_being_filled_in(self, admin: Browser, hostile: str) -> None:
        form = admin.get(NEW).form(FORM)
        fields = (
            "name",
            "url",
            "description",
            "format",
            "format_settings.event_name",
            "events",
            "event_types",
            "event_groups",
            "other_types",
            "program_ids",
            "header_name_0",
            "header_value_0",
            "batch_size",
            "secret",
            "event_type",
            "headers_are",
        )
        everything: dict[str, Any] = dict.fromkeys(fields, hostile)

        for path in (FORM, f"{FORM}/preview", f"{FORM}/form"):
            for format_name in (hostile, "standard", "voucherify"):
                page = send(admin, path, form, **{**everything, "format": format_name})
                assert page.status in (200, 422)
                assert is_harmless(page)
                kept = dict(page.form(FORM).fields)
                assert (kept["name"], kept["url"]) == (hostile, hostile)
                assert kept["header_value_0"] == hostile

    def test_of_a_preview(self, admin: Browser, hostile: str) -> None:
        page = send(
            admin,
            f"{FORM}/preview",
            admin.get(NEW).form(FORM),
            url="https://shop.example/hook",
            format="voucherify@2024-01-01",
            header_name_0="X-Shop",
            header_value_0=hostile,
            **{"format_settings.event_name": hostile},
        )

        assert is_harmless(page)
        assert preview_headers(page)["X-Shop"] == hostile
        assert json.loads(element(page, "preview-raw"))["type"] == hostile
        assert json.loads(element(page, "preview-pretty"))["type"] == hostile

    def test_of_a_url_that_no_rule_has_checked(
        self, system: System, admin: Browser, tenant: Tenant, hostile: str
    ) -> None:
        """What is stored has no such characters in it; the pages do not stand on that."""
        url = f"https://shop.example/{tenant.id}"
        webhook = tenant.webhook(url)
        for item in system.items("ConfigTable"):
            if item.get("url") == {"S": url}:
                system.stack.client("dynamodb").put_item(
                    TableName=system.stack.resources["ConfigTable"],
                    Item={**item, "url": {"S": hostile}},
                )
        path = f"{FORM}/{webhook['id']}"

        for page in (admin.get(one) for one in (FORM, path, f"{path}/delete")):
            assert is_harmless(page)
            assert hostile in page.text
        edit = admin.get(f"{path}/edit")
        assert is_harmless(edit)
        assert dict(edit.form(f"{path}/edit").fields)["url"] == hostile


def without_moments(body: str) -> str:
    """The body with its ids made up, and its moments, blotted out."""
    for made_up in (
        r"(evt|dlv|whs)_test_[0-9a-z]{26}",
        r"wh_[0-9a-z]{16}",
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
        r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d",
        r"\b\d{13,16}\b",
    ):
        body = re.sub(made_up, lambda found: "·" * len(found[0]), body)
    return body


def _verified(body: str, headers: dict[str, str]) -> Any:  # noqa: ANN401 - the JSON that was signed
    return Webhook(SECRET).verify(body, headers)
