"""Erasing a member in the console."""

from tests.integration.browsing import Browser
from tests.integration.system import System, Tenant
from tests.receiver import Receiver

PATH = "/console/erasures"


def test_a_member_is_erased_once_the_name_is_typed_twice(
    system: System, tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    assert any(attrs.get("href") == PATH for _, attrs in browser.open("/console/events").elements)
    opened = browser.open(PATH)
    assert "Takes away everything that Brew & Bean has had accepted until now" in opened.text
    assert "Not reached: what receivers already have, files that were exported" in opened.text
    form = opened.form(PATH)
    assert form.button.endswith("Erase the member of Brew & Bean")

    refused = browser.submit(form, member_id="m<1>", confirmation="m<2>")
    assert "must be the id or the address once more, exactly" in refused.text
    assert 'value="m&lt;1&gt;"' in refused.html
    assert tenant.get("/v1/erasures")["data"] == []
    nobody = browser.submit(form, confirmation="m<1>")
    assert "is required, or email, or both" in nobody.text

    asked = browser.submit(form, member_id="m<1>", confirmation="m<1>")

    (erasure,) = tenant.get("/v1/erasures")["data"]
    assert asked.status == 303
    page = browser.open(asked.location)
    assert "The erasure is under way: what waits is not sent any more." in page.text
    assert "0 erased of 0 looked at" in page.text
    assert "Erasure of a member of Brew & Bean" in page.text
    assert "It begins " in page.text
    assert "Not reached what receivers already had" in page.text
    assert any("data-reload" in attrs for _, attrs in page.elements)
    assert any(
        attrs.get("href") == f"{PATH}/{erasure['id']}" for _, attrs in browser.open(PATH).elements
    )


def test_another_accounts_erasure_is_not_there(
    tenant: Tenant, another_tenant: Tenant, browser: Browser
) -> None:
    asked = another_tenant.call("POST", "/v1/erasures", {"member_id": "m-1"}).json
    browser.sign_in(tenant.key)

    assert browser.open(f"{PATH}/{asked['id']}").status == 404
    assert tenant.call("GET", f"/v1/erasures/{asked['id']}").status == 404


def test_it_is_counted_first_and_nothing_is_erased(
    system: System, tenant: Tenant, another_tenant: Tenant, browser: Browser, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint().url)
    named = {"member": {"id": "m-9", "email": "ada@member.example"}}
    for one in (tenant, another_tenant):
        one.post(*[one.an_event("custom.seen", data=named) for _ in range(2)])
    tenant.post(tenant.an_event("custom.seen", data={"member": {"id": "m-8"}}))
    system.route()
    browser.sign_in(tenant.key)
    form = browser.open(PATH).form(PATH)

    counted = browser.submit(form, member_id="m-9", email="ada@member.example", count="yes")

    assert counted.status == 200
    assert "Found of Brew & Bean" in counted.text
    assert "2 events and 2 deliveries" in counted.text
    assert tenant.get("/v1/erasures")["data"] == []
    again = dict(counted.form(PATH).fields)
    assert (again["member_id"], again["email"]) == ("m-9", "ada@member.example")
    nobody = browser.submit(form, count="yes")
    assert "is required, or email, or both" in nobody.text
    asked = browser.submit(counted.form(PATH), confirmation="m-9")
    assert asked.status == 303
    system.empty_queues()


def test_of_more_than_a_hundred_it_says_at_least(
    system: System, tenant: Tenant, browser: Browser
) -> None:
    some = [tenant.an_event("custom.seen", data={"member": {"id": "m-7"}}) for _ in range(101)]
    tenant.post(*some[:100])
    tenant.post(*some[100:])
    system.route()
    browser.sign_in(tenant.key)

    counted = browser.submit(browser.open(PATH).form(PATH), member_id="m-7", count="yes")

    assert "at least 100 events and 0 deliveries" in counted.text
