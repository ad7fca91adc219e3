"""The form of a new webhook, its secrets and headers, as a browser without a script sends it."""

import re
from collections.abc import Sequence
from html import unescape

import pytest

from perkwire.formats.contracts.built_in import BUILT_IN
from perkwire.formats.registry import FORMATS
from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.webhook_forms import FORM, NEW, filled, is_harmless, send
from tests.integration.system import System, Tenant
from tests.receiver import Endpoint, ReceivedRequest, Receiver

PLAIN_SECRET = "a-secret-of-plain-characters"


def a_new_one(browser: Browser, **changes: str | Sequence[str]) -> PageSeen:
    """The answer to a new webhook's form."""
    fields: dict[str, str | Sequence[str]] = {"name": "orders", "format": "standard", **changes}
    return send(browser, FORM, browser.get(NEW).form(FORM), **fields)


def shown_secret(page: PageSeen) -> str:
    (secret,) = [code for code in page.codes() if re.fullmatch(r"whsec_\S{20,}", code)]
    return secret


def sent_now(system: System, tenant: Tenant, endpoint: Endpoint) -> list[ReceivedRequest]:
    """What an endpoint gets when an event happens."""
    tenant.post(tenant.an_event())
    system.route()
    system.dispatch()
    return endpoint.requests


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
                "format_settings.signature_prefix": "sha256=",
                "format_settings.event_name": "of another format",
            },
        )

        assert page.status == 201
        (made,) = tenant.get("/v1/webhooks")["data"]
        assert made["format_settings"] == {
            "signature_header": "x-shop-hmac",
            "signature_algorithm": "sha256",
            "signature_encoding": "base64",
            "signature_prefix": "sha256=",
        }

    def test_a_contract_asks_for_its_own_settings(self, admin: Browser, tenant: Tenant) -> None:
        form = admin.get(NEW).form(FORM)
        fields = dict(form.fields) | {"format": "square-loyalty@1"}

        shown = admin.post("/console/webhooks/form", fields).html
        page = a_new_one(
            admin,
            url="https://shop.example/hook",
            format="square-loyalty@1",
            **{
                "format_settings.merchant_id": "ML3",
                "format_settings.environment": "Sandbox",
                "format_settings.event_name": "of another format",
            },
        )

        for name in ("merchant_id", "location_id", "environment"):
            assert f'name="format_settings.{name}"' in shown
        assert "signed with a base64 HMAC-SHA256 of notification URL and body" in shown
        assert page.status == 201
        assert "verifies as its contract says" in page.text
        (made,) = tenant.get("/v1/webhooks")["data"]
        assert made["format"] == "square-loyalty@1"
        assert made["format_settings"] == {"merchant_id": "ML3", "environment": "Sandbox"}

    def test_a_setting_that_no_header_may_have_is_refused_at_its_field(
        self, admin: Browser
    ) -> None:
        page = a_new_one(
            admin,
            url="https://shop.example/hook",
            format="loyaltylion@2",
            **{"format_settings.site_domain": "größe.example"},
        )

        assert page.status == 422
        assert "must be visible ASCII, with blanks inside only" in page.text

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
        wrong = {"url", "other_types", "program_ids", "header_name_0", "batch_size", "secret"}
        assert invalid == wrong
        for sentence in (
            "must use https",
            "Line 1 of Other types must be",
            "Line 2 of Programmes is there twice",
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

        assert "Events must be chosen: one at least, 200 at most" in nothing.text
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

    @pytest.mark.parametrize("format_name", sorted({*FORMATS} - {*BUILT_IN}))
    def test_how_to_verify_with_it_stands_beside_it(
        self, admin: Browser, tenant: Tenant, format_name: str
    ) -> None:
        page = a_new_one(admin, url="https://shop.example/hook", format=format_name)

        html = unescape(page.html)
        assert "def events(headers, body, secret):" in html
        assert "export function events(headers, body, secret) {" in html
        assert "For your developer" in page.text
        assert [each for tag, each in page.elements if tag == "details" and "open" in each] == []
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
        assert (
            "the secret before it still signs: each request has a signature for each"
            in rotated.text
        )
        secret = shown_secret(rotated)
        tenant.system.secrets.add(secret)
        assert secret != webhook["secret"]
        (request,) = sent_now(system, tenant, endpoint)
        assert request.verified(secret) == request.verified(webhook["secret"])
        assert secret not in admin.get(f"/console/webhooks/{webhook['id']}").html
        assert (
            "the secret before it still signs"
            in admin.get(f"/console/webhooks/{webhook['id']}").text
        )

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
        assert "the oldest secret whose overlap has not ended makes it" in later.text

    def test_a_wrong_rotation_names_its_fields(self, admin: Browser, tenant: Tenant) -> None:
        webhook = tenant.webhook("https://shop.example/hook")
        path = f"/console/webhooks/{webhook['id']}/rotate"

        page = admin.submit(admin.get(path).form(path), overlap_hours="999", secret="short")

        assert page.status == 422
        assert "Secret must be whsec_" in page.text
        assert "Hours of overlap must be a whole number from 0 to 168" in page.text
