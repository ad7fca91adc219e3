"""How one comes back without a key, and that somebody should get notices."""

import pytest

from tests.integration.browsing import Browser, PageSeen
from tests.integration.system import Tenant

ADDRESSES = "/console/account/addresses"
NOBODY = "Nobody gets a mail when deliveries fail or a webhook is paused"


def links(page: PageSeen) -> list[str]:
    return [str(each.get("href")) for tag, each in page.elements if tag == "a"]


def test_a_link_by_mail_is_offered_beside_the_key(browser: Browser) -> None:
    page = browser.get("/console/sign-in")

    assert "Without a key" in page.text
    assert ("a", {"class": "button", "href": "/console/link-by-mail"}) in page.elements


def test_the_account_says_who_can_have_a_new_link(admin: Browser) -> None:
    page = admin.get("/console/account")

    assert "Only a confirmed address can have a new link into this console mailed" in page.text
    assert "add your own address here" in page.text


@pytest.mark.parametrize("addresses", [[], ["ops@shop.example"]])
def test_the_list_of_webhooks_says_so_where_nobody_gets_notices(
    admin: Browser, tenant: Tenant, addresses: list[str]
) -> None:
    tenant.webhook("https://shop.example/hook")
    asked = {"notify_emails": addresses}
    assert tenant.call("PATCH", "/v1/account", asked).status == 200

    page = admin.get("/console/webhooks")

    assert (NOBODY in page.text) is (not addresses)
    assert (ADDRESSES in links(page)) is (not addresses)
