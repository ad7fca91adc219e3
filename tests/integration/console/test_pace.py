"""A webhook's pace in the console: how it is set, what is said of it, and of what waits."""

import pytest

from tests.integration.browsing import Browser
from tests.integration.console.webhook_forms import FORM, NEW, send
from tests.integration.system import System, Tenant
from tests.receiver import Receiver


@pytest.mark.parametrize(
    ("given", "taken", "said"),
    [
        ("", None, "As fast as events come."),
        ("5", 5, "At most 5 deliveries a second."),
        ("1", 1, "At most one delivery a second."),
        ("0.5", 0.5, "At most one delivery every 2 seconds."),
        ("2.5", 2.5, "At most 2.5 deliveries a second."),
        ("1000", 1000, "At most 1,000 deliveries a second."),
    ],
)
def test_a_new_webhook_has_the_pace_that_its_form_says(
    admin: Browser, tenant: Tenant, given: str, taken: float | None, said: str
) -> None:
    form = admin.get(NEW).form(FORM)

    created = send(
        admin, FORM, form, name="till", url="https://shop.example/hook", max_per_second=given
    )

    assert created.status == 201
    (made,) = tenant.get("/v1/webhooks")["data"]
    assert made["max_per_second"] == taken
    page = admin.get(f"{FORM}/{made['id']}")
    assert f"Pace{said}" in page.text
    assert "waits its turn" not in page.text


def test_a_pace_is_changed_and_taken_away(admin: Browser, tenant: Tenant) -> None:
    webhook = tenant.webhook("https://shop.example/hook", max_per_second=0.25)
    path = f"{FORM}/{webhook['id']}/edit"
    assert dict(admin.get(path).form(path).fields)["max_per_second"] == "0.25"

    for given, taken in (("12", 12), ("", None)):
        form = admin.get(path).form(path)
        assert send(admin, path, form, max_per_second=given).status == 303
        assert tenant.get(f"/v1/webhooks/{webhook['id']}")["max_per_second"] == taken


@pytest.mark.parametrize("wrong", ["0", "-1", "0.05", "1e9", "1000000000", "0,5", "1/3", "fast"])
def test_a_pace_that_cannot_be_is_named_and_nothing_is_stored(
    admin: Browser, tenant: Tenant, wrong: str
) -> None:
    form = admin.get(NEW).form(FORM)

    refused = send(
        admin, FORM, form, name="till", url="https://shop.example/hook", max_per_second=wrong
    )

    assert refused.status == 422
    assert "must be a number from 0.1 to 1000" in refused.text
    assert dict(refused.form(FORM).fields)["max_per_second"] == wrong
    assert tenant.get("/v1/webhooks")["data"] == []


def test_the_page_says_when_the_last_of_what_waits_goes_out(
    system: System, admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url, max_per_second=0.1)
    tenant.post(*tenant.some_events(50))
    system.route()
    page = admin.get(f"{FORM}/{webhook['id']}")

    assert "At most one delivery every 10 seconds." in page.text
    assert "More has come than its pace lets through." in page.text
    assert "each goes out by itself: the last at" in page.text

    tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", {"max_per_second": None})
    page = admin.get(f"{FORM}/{webhook['id']}")
    assert "As fast as events come." in page.text
    assert "What came while it had a pace keeps its turn." in page.text

    tenant.call("POST", f"/v1/webhooks/{webhook['id']}/disable")
    page = admin.get(f"{FORM}/{webhook['id']}")
    assert "as long as the webhook is disabled, each is cancelled at its turn" in page.text
