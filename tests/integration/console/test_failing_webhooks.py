"""What the pages of webhooks say of one that fails: what holds for it, and nothing else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.webhook_forms import send
from tests.integration.system import System, Tenant
from tests.receiver import Receiver

COUNT = "/console/log/jobs/count"
ONCE: dict[str, object] = {"retry_delays_seconds": []}


def strain(system: System, tenant: Tenant) -> None:
    tenant.post(*tenant.some_events(5))
    tried(system)


def tried(system: System) -> None:
    system.route()
    while system.dispatch().messages:
        pass


def text_of(admin: Browser, webhook: dict[str, object]) -> str:
    return admin.get(f"/console/webhooks/{webhook['id']}").text


def test_of_a_strained_webhook_that_tries_once_it_says_so_and_since_when_it_fails(
    system: System, admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint(401).url, **ONCE)
    strain(system, tenant)

    text = text_of(admin, webhook)

    assert "each delivery is tried once, and one that fails is not tried again by itself" in text
    assert "none is lost" not in text
    assert re.search(r"It has failed since .{15,30} UTC: 5 attempts in a row", text)
    assert "The last error was 401 Unauthorized, at" in text


def test_of_one_with_delays_it_says_how_often(
    system: System, admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint(500).url, retry_delays_seconds=[300, 300])
    tenant.post(*tenant.some_events(5))
    system.route()
    system.dispatch()

    text = text_of(admin, webhook)

    assert "each delivery is tried up to 3 times within 10 min" in text


def test_the_list_names_the_webhooks_whose_deliveries_failed(
    system: System, admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint(500).url, name="Till backend", **ONCE)
    tenant.webhook(receiver.endpoint(200).url, name="CRM", **ONCE)
    strain(system, tenant)

    page = admin.get("/console/webhooks")

    assert "In the last 24 hours 5 deliveries to Till backend failed." in page.text


@contextmanager
def enabled(admin: Browser, webhook: dict[str, object]) -> Iterator[PageSeen]:
    path = f"/console/webhooks/{webhook['id']}"
    form = next(one for one in admin.get(path).forms if one.action == f"{path}/enable")
    yield admin.open(admin.submit(form).location)


def test_what_led_to_a_pause_is_in_the_time_that_is_proposed_for_the_retry(
    system: System, admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint(500).url, pause_when_exhausted=True, **ONCE)
    strain(system, tenant)
    failed = tenant.deliveries(status="failed")
    assert {one.get("reason") for one in failed} == {None}, "none fell into the pause"

    with enabled(admin, webhook) as page:
        assert "Deliveries have failed, none of them while the webhook was paused." in page.text
        assert "failed while" not in page.text
        (link,) = [
            str(each["href"])
            for tag, each in page.elements
            if tag == "a" and "kind=retry-failed" in str(each.get("href"))
        ]
    asked = str(webhook["id"])
    assert f"webhook_id={asked}" in link
    counted = send(admin, COUNT, admin.get(link).form(COUNT), webhook_id=asked)
    counted = admin.open(counted.location)
    assert f"{len(failed)} deliveries would be sent" in counted.text


def test_what_fell_into_a_pause_is_told_from_what_led_to_it(
    system: System, admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint(500).url, pause_when_exhausted=True, **ONCE)
    strain(system, tenant)
    tenant.post(tenant.an_event())
    tried(system)

    with enabled(admin, webhook) as page:
        assert "have failed, some of them while the webhook was paused" in page.text
