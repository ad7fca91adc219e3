"""What the pages of jobs say to who sends again what failed: chosen for them, and warned."""

from tests.integration.browsing import Browser
from tests.integration.console.deliveries import LOG, deliver
from tests.integration.console.test_job_pages import counted, new_job, run
from tests.integration.system import System, Tenant
from tests.receiver import Receiver


def chosen(page_html: str) -> list[str]:
    """The values of the options that are chosen."""
    return [
        part.partition('"')[0]
        for part in page_html.split('<option value="')[1:]
        if " selected" in part.partition(">")[0]
    ]


def test_the_one_webhook_that_has_failures_is_chosen(
    system: System, admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    failing = tenant.webhook(receiver.endpoint(500).url)
    tenant.webhook(receiver.endpoint(200).url)
    deliver(system, tenant)

    page = admin.get(f"{LOG}/jobs/new?kind=retry-failed")

    assert chosen(page.html) == [failing["id"]]


def test_none_is_chosen_of_several(
    system: System, admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    for _ in range(2):
        tenant.webhook(receiver.endpoint(500).url)
    deliver(system, tenant)

    page = admin.get(f"{LOG}/jobs/new?kind=retry-failed")

    assert chosen(page.html) == [""]


def test_it_warns_where_the_endpoint_still_failed_the_last_time(
    system: System, admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    deliver(system, tenant)

    count = new_job(admin, "retry-failed", webhook_id=webhook["id"])

    (failed,) = tenant.deliveries(status="failed")
    assert "still answered 500 Internal Server Error at" in count.text
    assert "these will probably fail again" in count.text
    assert f'href="{LOG}/{failed["id"]}"' in count.html

    endpoint.answer(200)
    deliver(system, tenant)
    again = new_job(admin, "retry-failed", webhook_id=webhook["id"])
    assert "1 delivery would be sent" in again.text
    assert "still answered" not in again.text


def test_that_nothing_older_is_kept_is_said_of_a_time_that_a_person_chose(
    admin: Browser, tenant: Tenant
) -> None:
    webhook = tenant.webhook("https://till.example/hook")
    page = admin.get(f"{LOG}/jobs/new?kind=retry-failed&since=2020-01-01T00:00:00Z")

    proposed = counted(admin, page, webhook_id=webhook["id"])
    own = counted(admin, page, webhook_id=webhook["id"], since="2020-01-02T00:00:00")

    assert "Nothing is kept from before" not in proposed.text
    assert "Nothing is kept from before" in own.text


def test_the_badge_of_a_job_says_that_all_has_failed_again(
    system: System, admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint(500).url)
    deliver(system, tenant, 2)
    count = new_job(admin, "retry-failed", webhook_id=webhook["id"])
    path = admin.submit(count.form(f"{LOG}/jobs")).location.partition("?")[0]
    run(system, tenant, path.rpartition("/")[2])
    system.dispatch_all()

    assert '<span class="badge bad">done, all failed again</span>' in admin.open(path).html


def test_the_words_are_those_of_people(admin: Browser, tenant: Tenant) -> None:
    tenant.webhook("https://till.example/hook")

    page = admin.get(f"{LOG}/jobs/new?kind=retry-failed")

    assert "not sent because the webhook was disabled" in page.text
    assert "redrive" not in page.text


def test_the_first_link_of_a_row_of_events_leads_to_the_event(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    (event_id,) = tenant.post(tenant.an_event("points.earned"))
    system.route()

    page = admin.get("/console/events")

    hrefs = [str(each.get("href")) for tag, each in page.elements if tag == "a"]
    assert hrefs.count(f"/console/events/{event_id}") == 1
    assert "/console/types/points.earned" not in hrefs
