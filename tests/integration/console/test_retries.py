"""What failed is ticked and retried from the console's log."""

from typing import Any

import pytest

from tests.integration.browsing import Browser
from tests.integration.console.deliveries import HOSTILE, LOG, deliver, is_unbroken, rows
from tests.integration.system import System, Tenant
from tests.receiver import Endpoint, Receiver

COLUMNS = "AcceptedEventWebhook"


def test_retry_selected_shows_an_answer_for_each_id(
    mixed: dict[str, dict[str, Any]],
    system: System,
    tenant: Tenant,
    another_tenant: Tenant,
    endpoint: Endpoint,
    browser: Browser,
) -> None:
    page = browser.open(f"{LOG}?status=failed&event_type=points.earned")
    boxes = [attrs for _, attrs in page.elements if attrs.get("name") == "ids"]
    assert [box["value"] for box in boxes] == [mixed["failed"]["id"], mixed["other"]["id"]]
    another_tenant.webhook(endpoint.url)
    deliver(system, another_tenant)
    (foreign,) = another_tenant.deliveries()
    endpoint.answer(200)
    ids = [mixed["failed"]["id"], mixed["succeeded"]["id"], mixed["retrying"]["id"], HOSTILE]

    sent = browser.submit(page.form(f"{LOG}/retry"), ids=[*ids, foreign["id"]])
    answered = browser.open(sent.location)
    system.dispatch_all()

    assert (sent.status, answered.status) == (303, 200)
    text = answered.text
    assert "1 of 5 will be sent again now" in text
    shown = [attrs for _, attrs in answered.elements if attrs.get("role") == "status"]
    assert [attrs["class"] for attrs in shown] == ["warned"]
    # What is refused comes first, by its reason; each row says what it is.
    places = [
        text.index(
            f"refused 1: The delivery is succeeded. Its page sends it again all the same. {COLUMNS}"
        ),
        text.index(f"refused 1: The delivery is retrying. {COLUMNS}"),
        text.index("refused 2: There is no such delivery."),
        text.index(f"sent again 1 {COLUMNS}"),
    ]
    assert places == sorted(places)
    assert "tier.upgraded orders" in text[places[1] : places[2]]
    assert "points.earned orders" in text[places[3] :]
    assert is_unbroken(answered)
    backs = [attrs.get("href") for tag, attrs in answered.elements if tag == "a"]
    assert backs.count(f"{LOG}?event_type=points.earned&status=failed") == 2
    assert tenant.get(f"/v1/deliveries/{mixed['failed']['id']}")["status"] == "succeeded"
    assert tenant.get(f"/v1/deliveries/{mixed['other']['id']}")["status"] == "failed"


def test_retry_of_none_says_so(mixed: dict[str, dict[str, Any]], browser: Browser) -> None:
    page = browser.open(f"{LOG}?status=failed")

    answered = browser.open(browser.submit(page.form(f"{LOG}/retry")).location)

    assert answered.status == 422
    assert "Nothing is selected" in answered.text
    assert "Tick the deliveries that are to be sent again, 100 at most." in answered.text
    assert "ids" not in answered.text.split()
    assert "sent again now" not in answered.text


def test_only_what_may_be_retried_can_be_ticked(
    mixed: dict[str, dict[str, Any]], browser: Browser
) -> None:
    page = browser.open(LOG)

    boxes = [attrs["value"] for _, attrs in page.elements if attrs.get("name") == "ids"]
    assert boxes == [mixed["failed"]["id"], mixed["other"]["id"]]


@pytest.mark.parametrize("status", ["paused", "disabled", "deleted"])
def test_what_cannot_be_retried_says_why_instead_of_a_box(
    status: str, system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(receiver.endpoint(410 if status == "paused" else 500).url)
    deliver(system, tenant)
    if status == "disabled":
        tenant.call("POST", f"/v1/webhooks/{webhook['id']}/disable")
    if status == "deleted":
        tenant.call("DELETE", f"/v1/webhooks/{webhook['id']}")

    page = browser.open(LOG)

    assert len(rows(page)) == 1
    assert [attrs for _, attrs in page.elements if attrs.get("name") == "ids"] == []
    assert "Retry selected" not in page.text
    links = [attrs.get("href") for tag, attrs in page.elements if tag == "a"]
    if status == "deleted":
        assert "deleted webhook cannot be retried" in page.text
    else:
        assert f"orders {status} \N{EN DASH} enable it first" in page.text
        assert f"/console/webhooks/{webhook['id']}" in links
