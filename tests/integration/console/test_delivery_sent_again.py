"""A delivery that has arrived is sent again from its page, and its event to another webhook."""

import json
import re
from html import unescape
from typing import Any

import pytest

from tests.integration.browsing import Browser
from tests.integration.console.deliveries import LOG, deliver
from tests.integration.system import System, Tenant
from tests.receiver import Endpoint, Receiver


@pytest.fixture
def endpoint(receiver: Receiver) -> Endpoint:
    return receiver.endpoint(200)


@pytest.fixture
def arrived(system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser) -> dict[str, Any]:
    """A delivery that has succeeded."""
    browser.sign_in(tenant.key)
    tenant.webhook(endpoint.url, name="Till")
    deliver(system, tenant)
    (delivery,) = tenant.deliveries()
    return delivery


def test_what_has_arrived_is_sent_again_with_the_same_id(
    arrived: dict[str, Any], system: System, endpoint: Endpoint, browser: Browser
) -> None:
    path = f"{LOG}/{arrived['id']}"
    page = browser.open(path)
    assert "It has arrived. Sent again, it comes with the same webhook-id" in page.text

    answered = browser.open(browser.submit(page.form(f"{path}/retry")).location)
    assert "The delivery will be sent again now." in answered.text
    system.dispatch_all()

    first, second = endpoint.requests
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    shown = browser.open(path)
    assert "Sent again" in shown.text
    assert "Delivery succeeded" in shown.text


def test_the_request_is_said_to_be_of_now_and_shown_byte_for_byte(
    arrived: dict[str, Any], endpoint: Endpoint, browser: Browser
) -> None:
    page = browser.open(f"{LOG}/{arrived['id']}")

    assert "What a retry would send now" in page.text
    assert "This is not what was sent: the bytes of earlier attempts are not kept" in page.text
    assert "The command is without a valid signature" in page.text
    webhook = f"/console/webhooks/{arrived['webhook_id']}"
    (link,) = [
        attrs["href"] or ""
        for tag, attrs in page.elements
        if tag == "a" and (attrs.get("href") or "").startswith(f"{webhook}#")
    ]
    place = link.partition("#")[2]
    assert place in {attrs.get("id") for _, attrs in browser.open(webhook).elements}
    shown = re.search(r'byte for byte">(.*?)</pre>', page.html, re.DOTALL)
    assert shown
    assert unescape(shown[1]).encode() == endpoint.requests[0].body
    assert json.loads(unescape(shown[1]))


def test_its_event_goes_to_another_webhook_that_wants_it(
    arrived: dict[str, Any],
    system: System,
    tenant: Tenant,
    browser: Browser,
    receiver: Receiver,
) -> None:
    path = f"{LOG}/{arrived['id']}"
    assert "To another webhook" not in browser.open(path).text
    other_endpoint = receiver.endpoint(200)
    other = tenant.webhook(other_endpoint.url, name="Mailer")
    tenant.webhook("https://a.example/", name="Rewards", event_types=["reward.redeemed"])
    tenant.webhook("https://b.example/", name="Off", enabled=False)
    page = browser.open(path)
    form = page.form(f"{path}/send-on")
    options = re.findall(r"<option[^>]*>(\w+)</option>", page.html)
    assert options == ["Mailer"]

    answered = browser.open(browser.submit(form, webhook_id=other["id"]).location)
    assert "Its events are on their way to the other webhook" in answered.text
    system.dispatch_all()
    assert [one.event_ids for one in other_endpoint.requests] == [tuple(arrived["event_ids"])]

    refused = browser.submit(form, webhook_id="wh_0000000000000000")
    assert refused.status == 422
    assert "is no webhook of this account" in refused.text
