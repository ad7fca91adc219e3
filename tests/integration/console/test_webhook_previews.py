"""The preview of a webhook's requests and its test, from the form and from its page."""

import re
import shlex
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.integration.browsing import Browser
from tests.integration.console.webhook_forms import (
    FORM,
    NEW,
    attributes,
    element,
    preview_headers,
    send,
)
from tests.integration.system import Tenant
from tests.integration.trials.test_test_call import Lambda
from tests.receiver import Answer, Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OF_THE_CONNECTION = {"host", "content-length", "accept-encoding", "connection"}


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
            ("cloudevents@1.0", "1"),
            ("cloudevents@1.0", "10"),
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
