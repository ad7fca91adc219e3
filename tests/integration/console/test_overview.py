"""The operator's first page: what is failing, whose, since when; and one step into each webhook."""

import base64
import re
from dataclasses import replace

import pytest

from console.pages import overview
from infra.calls import Count
from perkwire.adapters.dynamodb.delivery_table import DeliveryReader
from perkwire.adapters.dynamodb.health_reader import HealthReader
from perkwire.adapters.dynamodb.webhook_lookup import WebhookLookup
from perkwire.model.account import Account
from perkwire.model.lanes import Lane
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.ids import AccountId
from perkwire.primitives.timestamps import now
from perkwire.reading.troubles import (
    MOST_COUNTED,
    AccountStanding,
    FailureStreak,
    Overlooking,
    Overview,
    Standing,
    Trouble,
)
from tests.builders import a_webhook, an_account
from tests.integration.browsing import Browser
from tests.integration.counting import Counter, count_calls
from tests.integration.system import System, Tenant
from tests.receiver import Receiver

ONCE: dict[str, object] = {"retry_delays_seconds": []}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return count_calls(monkeypatch)


def account_of(tenant: Tenant) -> Account:
    return replace(an_account(), id=AccountId(tenant.id))


def overlooked(*tenants: Tenant, most_seconds: float = 60) -> Overview:
    """These accounts alone: other tests have made many."""
    overlooking = Overlooking(
        webhooks=WebhookLookup(),
        streaks=HealthReader(),
        deliveries=DeliveryReader(),
        retry_interval_seconds=60,
        clock=now,
    )
    return overlooking.look([account_of(one) for one in tenants], most_seconds=most_seconds)


def fail(system: System, tenant: Tenant, count: int = 1) -> None:
    """Post so many events, and let each be tried once."""
    tenant.post(*[tenant.an_event("points.earned") for _ in range(count)])
    system.route()
    while system.dispatch().messages:
        pass


def before(account_id: str) -> str:
    """The cursor of a page that begins with this account: other tests have made many."""
    return base64.urlsafe_b64encode(account_id[:-1].encode()).decode().rstrip("=")


def test_what_fails_is_found_with_how_much_and_since_when(
    system: System, tenant: Tenant, another_tenant: Tenant, receiver: Receiver
) -> None:
    begun = now()
    another_tenant.webhook(receiver.endpoint().url, name="well")
    broken = tenant.webhook(receiver.endpoint(500).url, name="broken", **ONCE)
    tenant.webhook(receiver.endpoint().url, name="well too")
    fail(system, another_tenant)
    fail(system, tenant, 3)

    seen = overlooked(another_tenant, tenant)

    (trouble,) = seen.troubles
    assert (trouble.account.id, trouble.webhook.id) == (tenant.id, broken["id"])
    assert trouble.streak is not None
    assert trouble.streak.failures == 3
    assert trouble.since is not None
    assert begun <= trouble.since <= now()
    assert (trouble.standing.failed, trouble.standing.retrying) == (3, 0)
    assert trouble.standing.last is not None
    assert trouble.standing.last["attempts"][-1]["status_code"] == 500
    assert [one.webhook.id for one in seen.undelivered] == [broken["id"]]
    # The worst first.
    assert [one.account.id for one in seen.accounts] == [tenant.id, another_tenant.id]
    assert [(one.webhooks, one.failing, one.failed) for one in seen.accounts] == [
        (2, 1, 3),
        (1, 0, 0),
    ]


def test_a_paused_one_fails_and_one_that_is_well_again_only_rests(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    mended, gone = receiver.endpoint(500), receiver.endpoint(410)
    tenant.webhook(mended.url, name="mended", **ONCE)
    tenant.webhook(gone.url, name="gone")
    fail(system, tenant)
    mended.answer(200)
    fail(system, tenant)

    seen = overlooked(tenant)

    assert [one.webhook.name for one in seen.troubles] == ["gone"]
    assert seen.troubles[0].webhook.status == "paused"
    assert [one.webhook.name for one in seen.undelivered] == ["mended", "gone"]


def test_a_slow_one_without_failures_is_slow_and_does_not_fail() -> None:
    hook = replace(a_webhook(), lane=Lane.SLOW)
    one = Trouble(account=an_account(), webhook=hook, streak=None, standing=Standing())
    fails = replace(one, streak=FailureStreak(2, 1))
    paused = replace(fails, webhook=replace(hook, status=WebhookStatus.PAUSED))

    told = [(each.is_slow, each.is_failing, each.is_paused) for each in (one, fails, paused)]
    assert told == [(True, False, False), (False, True, False), (False, False, True)]
    assert AccountStanding(an_account(), 3, [one, fails, paused]).failing == 2


def test_what_is_still_being_tried_is_told_by_its_oldest(
    system: System, tenant: Tenant, another_tenant: Tenant, receiver: Receiver
) -> None:
    for one in (tenant, another_tenant):
        one.webhook(receiver.endpoint(503).url)
        fail(system, one)

    waiting = overlooked(another_tenant, tenant).waiting

    assert [one.account.id for one in waiting] == [tenant.id, another_tenant.id]


def test_of_more_than_are_counted_it_says_at_least_and_reads_no_more(
    system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    tenant.webhook(receiver.endpoint(500).url, **ONCE)
    fail(system, tenant, MOST_COUNTED)
    fail(system, tenant, 2)
    calls.forget()
    calls.running = "console"

    (trouble,) = overlooked(tenant).troubles

    assert (trouble.standing.failed, trouble.standing.is_capped) == (MOST_COUNTED, True)
    # The account's webhooks, the oldest and the newest; health, those entries, and the newest one.
    calls.check("console", {"Query": Count(3, 3), "BatchGetItem": Count(3, MOST_COUNTED + 2)})


def test_it_ends_in_time_and_names_whom_it_has_not_come_to(
    tenant: Tenant, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint().url)

    seen = overlooked(tenant, most_seconds=-1)

    assert seen.unseen == 1
    assert seen.accounts[0].troubles is None


def test_the_page_shows_it_and_leads_into_the_webhook_and_back(
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    operator: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overview, "_ACCOUNTS", 1)
    name = f"till {tenant.id[-6:]}"
    webhook = tenant.webhook(receiver.endpoint(500).url, name=name, **ONCE)
    fail(system, tenant, 2)

    page = operator.get(f"/console/overview?cursor={before(tenant.id)}")

    assert name in page.text
    assert "2 failed attempts in a row" in page.text
    assert "Slow, without failures0" in page.text
    assert " ago" in page.text.partition("Failing or paused since")[2]
    assert "500 Internal Server Error" in page.text
    steps = re.findall(
        r'formaction="(/console/accounts/[^"]+/enter)" name="next" value="([^"]+)"', page.html
    )
    step = (f"/console/accounts/{tenant.id}/enter", f"/console/webhooks/{webhook['id']}")
    assert step in steps
    fields = dict(page.form("/console/leave").fields)
    inside = operator.post(step[0], {**fields, "next": step[1]})
    assert inside.location == step[1]
    seen = operator.get(step[1])
    assert name in seen.text
    assert re.search('<a href="/console/overview[^"]*">Back to the overview</a>', seen.html)


def test_an_operators_first_page_is_the_overview(operator: Browser, tenant: Tenant) -> None:
    assert operator.get("/console").location == "/console/overview"


def test_nobody_is_sent_elsewhere_by_the_form_that_enters(
    operator: Browser, tenant: Tenant
) -> None:
    path = f"/console/accounts/{tenant.id}"
    fields = dict(operator.get(path).form(f"{path}/enter").fields)

    answer = operator.post(f"{path}/enter", {**fields, "next": "https://evil.example/"})

    assert answer.location == "/console"


def test_an_account_is_found_by_a_part_of_its_name_and_by_its_id(
    system: System, operator: Browser, operator_key: str
) -> None:
    name = "Öl & Essig Zwickau"
    made = system.call("POST", "/v1/accounts", {"name": name}, key=operator_key)
    account_id = made.json["id"]
    here = f"cursor={before(account_id)}"

    by_name = operator.get(f"/console/accounts?q=ESSIG+zwick&{here}")
    by_id = operator.get(f"/console/accounts?q={account_id}")
    by_nothing = operator.get(f"/console/accounts?q=no+such+account&{here}")

    assert account_id in by_name.html
    assert name in by_id.text
    assert account_id not in by_nothing.html
