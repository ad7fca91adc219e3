"""What comes into a list by other ways than the router's, and what is no longer there."""

import json

import pytest

from tests.integration.browsing import Browser
from tests.integration.console.webhook_forms import filled
from tests.integration.dispatching.deliveries import route
from tests.integration.jobs.test_jobs import run, start
from tests.integration.pulling.conftest import Lambda, Puller
from tests.integration.system import System, Tenant
from tests.receiver import Receiver


@pytest.fixture
def admin(browser: Browser, tenant: Tenant) -> Browser:
    browser.sign_in(tenant.key)
    return browser


def test_a_replay_waits_behind_what_waited_before(
    system: System, tenant: Tenant, client: Lambda
) -> None:
    puller = Puller(tenant)
    posted = route(system, tenant, *tenant.some_events(3))
    assert len(puller.pull()) == 3

    job = run(tenant, start(tenant, puller.webhook, "replay"))

    assert (job["status"], job["sent"]) == ("done", 3)
    again = puller.pull()
    assert sorted(json.loads(one["body"])["id"] for one in again) == sorted(posted)
    assert puller.pull() == []


def test_what_was_posted_is_sent_on_to_whoever_pulls(
    system: System, tenant: Tenant, receiver: Receiver, admin: Browser, client: Lambda
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    (event_id,) = route(system, tenant)
    system.dispatch_all()
    (delivery,) = tenant.deliveries(webhook_id=webhook["id"])
    puller = Puller(tenant)
    path = f"/console/log/{delivery['id']}"
    form = admin.get(path).form(f"{path}/send-on")

    sent = admin.post(f"{path}/send-on", filled(form, webhook_id=puller.webhook["id"]))

    assert sent.status == 303
    (pulled,) = puller.pull()
    assert json.loads(pulled["body"])["id"] == event_id


def test_a_delivery_that_was_pulled_is_sent_again_from_its_page(
    system: System, tenant: Tenant, admin: Browser, client: Lambda
) -> None:
    puller = Puller(tenant)
    route(system, tenant)
    (first,) = puller.pull()
    path = f"/console/log/{first['delivery_id']}"
    assert "Delivery waiting" in admin.get(path).text
    puller.pull()
    form = admin.get(path).form(f"{path}/retry")
    assert ("resend", "yes") in form.fields

    assert admin.post(f"{path}/retry", form.fields).status == 303

    (again,) = puller.pull()
    assert again["delivery_id"] == first["delivery_id"]


def test_what_is_no_longer_kept_holds_up_nobody(
    system: System, tenant: Tenant, client: Lambda
) -> None:
    puller = Puller(tenant)
    route(system, tenant)
    posted = route(system, tenant)
    key = {"pk": {"S": f"{tenant.id}#{puller.webhook['id']}#pull"}, "sk": {"S": f"{1:018}"}}
    dynamodb = system.stack.client("dynamodb")
    gone = dynamodb.delete_item(
        TableName=system.stack.resources["DeliveryTable"], Key=key, ReturnValues="ALL_OLD"
    )
    assert gone["Attributes"]

    (pulled,) = puller.pull()

    assert json.loads(pulled["body"])["id"] == posted[0]
    assert puller.cursor == "2"
