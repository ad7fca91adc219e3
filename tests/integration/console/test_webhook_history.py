"""A webhook's page: its figures are those of list and log, and are there without a script."""

import re
from html import unescape

from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.deliveries import LOG, deliver
from tests.integration.system import System, Tenant
from tests.receiver import Receiver


def figures(page: PageSeen) -> dict[str, str]:
    """The numbers above the charts."""
    found = re.search(r'<dl class="figures">(.*?)</dl>', page.html, re.DOTALL)
    assert found, "there are no figures"
    pairs = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", found[1], re.DOTALL)
    return {name: unescape(re.sub("<.*?>", "", value)).strip() for name, value in pairs}


def test_figures_charts_and_table_agree_with_list_and_log(
    system: System, tenant: Tenant, admin: Browser, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(url=endpoint.url)
    deliver(system, tenant, 2)
    endpoint.answer(200)
    deliver(system, tenant, 3)

    for query, name in (("", "24 hours"), ("?period=7d", "7 days")):
        page = admin.get(f"/console/webhooks/{webhook['id']}{query}")

        told = figures(page)
        assert (told["Deliveries"], told["Failed"]) == ("5", "2")
        assert told["Success rate"] == "60 %"
        assert re.fullmatch(r"typical \d+ ms, slow ones \d+ ms", told["Answer time"])
        assert f"Last {name}" in page.text
        assert page.html.count("<svg") == 3
        # What is drawn is said, in the chart itself and in the table.
        assert page.html.count("<title>3 succeeded, 2 failed</title>") == 1
        assert '<td data-label="Deliveries">3 succeeded, 2 failed</td>' in page.html
    assert "3 succeeded, 2 failed" in admin.get("/console/webhooks").text
    log = admin.get(f"{LOG}?webhook_id={webhook['id']}").text
    assert "Failed 2 Retrying 0 Succeeded 3" in " ".join(log.split())


def test_each_of_the_newest_leads_to_its_request(
    system: System, tenant: Tenant, admin: Browser, receiver: Receiver
) -> None:
    webhook = tenant.webhook(url=receiver.endpoint().url)
    deliver(system, tenant, 6)

    page = admin.get(f"/console/webhooks/{webhook['id']}")

    links = [attrs.get("href") or "" for tag, attrs in page.elements if tag == "a"]
    newest = [one for one in links if one.startswith(f"{LOG}/dlv_")]
    assert len(newest) == 5
    assert "Body of the request" in admin.get(newest[0]).html


def test_it_says_in_words_how_it_is_sent(tenant: Tenant, admin: Browser) -> None:
    stack = tenant.webhook(url="https://a.example/")
    own = tenant.webhook(url="https://b.example/", retry_delays_seconds=[60, 300], max_per_second=2)
    once = tenant.webhook(url="https://c.example/", retry_delays_seconds=[])

    pages = [admin.get(f"/console/webhooks/{one['id']}").text for one in (stack, own, once)]

    assert all("The prompt lane" in text for text in pages)
    assert "As this stack does, every" in pages[0]
    assert "3 attempts within 6 min, the first at once." in pages[1]
    assert "At most 2 deliveries a second." in pages[1]
    assert "One attempt, at once." in pages[2]


def test_a_webhook_without_deliveries_says_so(tenant: Tenant, admin: Browser) -> None:
    webhook = tenant.webhook(url="https://a.example/")

    page = admin.get(f"/console/webhooks/{webhook['id']}?period=7d")

    assert "No deliveries in the last 7 days." in page.text
    assert "<svg" not in page.html
