"""Schedules in the console: chosen in the form, shown as time lines, and what comes next."""

import pytest

from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.webhook_forms import FORM, NEW, send
from tests.integration.system import System, Tenant
from tests.receiver import Receiver

URL = "https://shop.example/hook"


def a_new_one(browser: Browser, **fields: str) -> PageSeen:
    form = browser.get(NEW).form(FORM)
    return send(browser, FORM, form, name="orders", url=URL, format="standard", **fields)


def made(tenant: Tenant) -> tuple[object, object]:
    (webhook,) = tenant.get("/v1/webhooks")["data"]
    return webhook["retry_delays_seconds"], webhook["pause_when_exhausted"]


@pytest.fixture
def roomy(system: System) -> None:
    """The stack has as many attempts as the longest preset."""
    system.restart(MAX_ATTEMPTS="13")


@pytest.mark.usefixtures("roomy")
class TestChoosing:
    def test_a_new_webhook_has_the_stacks_rule(self, admin: Browser, tenant: Tenant) -> None:
        assert a_new_one(admin).status == 201

        assert made(tenant) == (None, None)

    def test_a_preset_is_chosen_by_what_it_does_and_whose_it_is(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        text = admin.get(NEW).text
        assert "Every 5 minutes, seven times, then blocked Qualifio Loyalty" in text
        assert "17 h 4 min" in text

        assert a_new_one(admin, schedule="qualifio").status == 201

        assert made(tenant) == ([300] * 7, True)
        (webhook,) = tenant.get("/v1/webhooks")["data"]
        page = admin.get(f"{FORM}/{webhook['id']}").text
        assert "Every 5 minutes, seven times, then blocked (Qualifio Loyalty)" in page
        assert "at once, 5 min, 10 min" in page.replace(" ,", ",")
        assert "The first delivery that uses up its attempts pauses it." in page

    def test_own_delays_are_shown_as_a_time_line_before_they_are_saved(
        self, admin: Browser, tenant: Tenant
    ) -> None:
        form = admin.get(NEW).form(FORM)
        path = "/console/webhooks/form"
        own = {"schedule": "own", "retry_delays_seconds": "5 min, 2 h"}

        page = send(admin, path, form, name="orders", url=URL, **own)
        assert "2 h 5 min" in page.text
        assert a_new_one(admin, **own, pause_when_exhausted="no").status == 201

        assert made(tenant) == ([300, 7_200], False)

    def test_what_is_wrong_is_said_and_kept(self, admin: Browser, tenant: Tenant) -> None:
        page = a_new_one(admin, schedule="own", retry_delays_seconds="60, soon, 13 h")

        assert page.status == 422
        assert "Delay 2 must be a time from 1 s to 12 h, such as 5 min" in page.text
        assert "Delay 3 must be a time from 1 s to 12 h, such as 5 min" in page.text
        assert 'value="60, soon, 13 h"' in page.html
        assert tenant.get("/v1/webhooks")["data"] == []

    def test_the_stacks_rule_can_be_had_back(self, admin: Browser, tenant: Tenant) -> None:
        webhook = tenant.webhook(
            "http://127.0.0.1:8099/hook", retry_delays_seconds=[60], pause_when_exhausted=True
        )
        path = f"{FORM}/{webhook['id']}/edit"
        form = admin.get(path).form(path)
        assert dict(form.fields)["retry_delays_seconds"] == "60"

        send(admin, path, form, schedule="stack", pause_when_exhausted="")

        assert made(tenant) == (None, None)


def test_a_preset_that_needs_more_attempts_than_the_stack_has_says_so(admin: Browser) -> None:
    page = admin.get(NEW)

    assert "It needs 13 attempts, and this stack has 3" in page.text
    disabled = {given["value"] for _, given in page.elements if "disabled" in given}
    assert {"zinrelo", "qualifio", "voucherify", "svix"} <= disabled


def test_log_and_delivery_say_when_the_next_attempt_is(
    system: System, tenant: Tenant, receiver: Receiver, admin: Browser
) -> None:
    tenant.webhook(receiver.endpoint(500).url, retry_delays_seconds=[3600, 7200])
    tenant.post(tenant.an_event())
    system.route()
    system.dispatch()
    (delivery,) = tenant.deliveries()
    due = f'datetime="{delivery["next_attempt_at"]}"'

    log, page = admin.get("/console/log"), admin.get(f"/console/log/{delivery['id']}")

    assert "next attempt" in log.text
    assert due in log.html
    assert due in page.html
    assert "by the webhook's own schedule: at once, 1 h, 3 h, until one succeeds" in page.text
