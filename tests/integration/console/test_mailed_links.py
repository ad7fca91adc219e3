"""Coming back by a link that was mailed, and what strangers learn: nothing."""

import re
import uuid
from urllib.parse import urlsplit

import pytest

from infra.local import mail
from perkwire.adapters.dynamodb.config_items import ACCOUNT_SK, AccountItem, address_pk
from perkwire.managing import mailing_links
from perkwire.model.account import address_hash
from tests.integration.browsing import Browser, PageSeen
from tests.integration.system import System, Tenant

PATH = "/console/link-by-mail"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, system: System) -> None:
    """Answers do not wait, and others may have asked in this minute too."""
    monkeypatch.setattr(mailing_links, "ANSWER_SECONDS", 0)
    monkeypatch.setattr(mailing_links, "MOST_REQUESTS_PER_MINUTE", 10_000)
    mail.let_through(system.stack.emulator.url, system.stack.parameters["MailSender"])


@pytest.fixture
def address(tenant: Tenant) -> str:
    """An address that gets the tenant's notices: here one counts at once."""
    given = f"{uuid.uuid4().hex}@example.com"
    assert tenant.call("PATCH", "/v1/account", {"notify_emails": [given]}).status == 200
    return given


def asked(browser: Browser, address: str, **fields: str) -> PageSeen:
    return browser.submit(browser.get(PATH).form(PATH), email=address, **fields)


def mails_to(system: System, address: str) -> list[dict[str, str]]:
    return [one for one in mail.sent(system.stack.emulator.url) if one["To"] == [address]]


def test_an_admin_comes_back_by_a_link_that_was_mailed(
    system: System, tenant: Tenant, address: str, browser: Browser, another_browser: Browser
) -> None:
    assert PATH in browser.get("/console/sign-in").html
    answer = asked(browser, address)
    assert "a link is on its way" in browser.get(answer.location).text

    (sent,) = mails_to(system, address)
    (url,) = re.findall(r"https?://\S+", sent["BodyText"])
    assert sent["Source"].endswith(f"<{system.stack.parameters['MailSender']}>")
    link = browser.get(f"{urlsplit(url).path}?{urlsplit(url).query}")
    assert browser.submit(link.form("/console/enter")).status == 303
    assert address in browser.get("/console/account").text
    over = another_browser.get(f"{urlsplit(url).path}?{urlsplit(url).query}")
    assert (over.status, PATH in over.html) == (410, True)

    # Whoever takes the address away ends what it has opened, and is not kept from it: there is
    # the tenant's key.
    assert tenant.call("PATCH", "/v1/account", {"notify_emails": []}).status == 200
    assert "/console/sign-in" in browser.get("/console/account").location


def test_a_stranger_gets_the_same_answer_and_no_mail(
    system: System, address: str, browser: Browser
) -> None:
    strange = f"{uuid.uuid4().hex}@example.com"

    answers = [asked(browser, one) for one in (address, strange)]

    assert answers[0].location == answers[1].location
    assert [one.status for one in answers] == [303, 303]
    assert mails_to(system, strange) == []


def test_an_account_of_the_release_before_is_found_once_it_was_looked_at(
    system: System, tenant: Tenant, address: str, browser: Browser
) -> None:
    table = system.stack.client("dynamodb")
    name = system.stack.resources["ConfigTable"]
    listed = {"pk": {"S": address_pk(address_hash(address))}, "sk": {"S": tenant.id}}
    table.delete_item(TableName=name, Key=listed)
    table.update_item(
        TableName=name,
        Key={"pk": {"S": tenant.id}, "sk": {"S": ACCOUNT_SK}},
        UpdateExpression=f"REMOVE {AccountItem.is_found_by_address.attr_name}",
    )
    asked(browser, address)
    assert mails_to(system, address) == []

    asked(browser, address, account_id=tenant.id)
    assert len(mails_to(system, address)) == 1
    tenant.get("/v1/account")
    asked(browser, address)
    assert len(mails_to(system, address)) == 2


def test_the_last_key_may_go_while_an_address_lets_in(
    system: System, tenant: Tenant, address: str
) -> None:
    (own,) = tenant.get("/v1/account/api-keys")["data"]

    assert tenant.call("DELETE", f"/v1/account/api-keys/{own['id']}").status == 204


def test_the_last_address_is_not_taken_away_by_accident(
    system: System, tenant: Tenant, address: str, browser: Browser
) -> None:
    asked(browser, address)
    (sent,) = mails_to(system, address)
    (url,) = re.findall(r"https?://\S+", sent["BodyText"])
    link = browser.get(f"{urlsplit(url).path}?{urlsplit(url).query}")
    browser.submit(link.form("/console/enter"))
    (own,) = tenant.get("/v1/account/api-keys")["data"]
    tenant.call("DELETE", f"/v1/account/api-keys/{own['id']}")
    path = "/console/account/addresses"

    refused = browser.submit(browser.get(path).form(path), notify_emails="")

    assert refused.status == 409
    assert address in browser.get("/console/account").text
    again = refused.form(path)
    assert browser.submit(again, notify_emails="", even_if_last="true").status == 303


def test_without_a_sender_there_is_no_such_page(system: System, browser: Browser) -> None:
    system.restart(MAIL_SENDER="")

    assert browser.get(PATH).status == 404
    assert PATH not in browser.get("/console/sign-in").html
