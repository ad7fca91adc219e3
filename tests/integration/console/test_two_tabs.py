"""An operator with two tabs: what stands open of one account does nothing in another."""

from urllib.parse import urlsplit

import pytest

from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.sign_in import enter
from tests.integration.system import System, Tenant

OTHER = "Harbour & Coffee"


@pytest.fixture
def other(another_tenant: Tenant, system: System, operator_key: str) -> Tenant:
    """Another account, of another name."""
    path = f"/v1/accounts/{another_tenant.id}"
    assert system.call("PATCH", path, {"name": OTHER}, key=operator_key).status == 200
    return another_tenant


def links(page: PageSeen) -> list[str]:
    """Where links of the page lead within the console."""
    found = [str(each.get("href")) for tag, each in page.elements if tag == "a"]
    return [one for one in found if one.startswith(("/console", "?"))]


def link(page: PageSeen, path: str) -> str:
    return next(one for one in links(page) if urlsplit(one).path == path)


def test_a_link_of_the_account_before_stops_and_leads_on_to_either(
    operator: Browser, tenant: Tenant, other: Tenant
) -> None:
    enter(operator, tenant)
    first_tab = operator.open("/console/events")
    erasing = link(first_tab, "/console/erasures")
    assert operator.get(erasing).status == 200
    enter(operator, other)

    stopped = operator.get(erasing)

    assert stopped.status == 409
    assert f"You are now in {OTHER}" in stopped.text
    assert "This page was of Brew & Bean." in stopped.text
    assert not [one for one in stopped.forms if one.action == "/console/erasures"]
    stay = next(one for one in links(stopped) if one.startswith("/console/webhooks"))
    assert operator.get(stay).status == 200
    back = operator.submit(stopped.form(f"/console/accounts/{tenant.id}/enter"))
    assert operator.get(back.location).status == 200
    assert "You are in the account Brew & Bean" in operator.get(back.location).text
    assert urlsplit(back.location).path == "/console/erasures"


@pytest.mark.parametrize(
    "path",
    [
        "/console/webhooks",
        "/console/log",
        "/console/events",
        "/console/types",
        "/console/erasures",
        "/console/overview",
        "/console/accounts",
    ],
)
def test_every_link_and_search_says_its_account(
    operator: Browser, tenant: Tenant, other: Tenant, path: str
) -> None:
    tenant.webhook("https://shop.example/hooks")
    enter(operator, tenant)

    page = operator.get(path)

    said = [one for one in links(page) if not one.startswith("/console/help")]
    assert len(said) > 3
    assert all(f"of={tenant.id}" in urlsplit(one).query for one in said)
    searches = page.html.count('method="get"')
    assert page.html.count(f'<input type="hidden" name="of" value="{tenant.id}">') == searches
    # The start of the console is of the account too.
    start = link(page, "/console")
    assert f"of={tenant.id}" in operator.get(start).location
    enter(operator, other)
    assert operator.get(start).status == 409


def test_a_form_of_the_account_before_says_of_which_it_was(
    operator: Browser, tenant: Tenant, other: Tenant
) -> None:
    enter(operator, tenant)
    form = operator.get("/console/erasures").form("/console/erasures")
    enter(operator, other)

    stopped = operator.submit(form, member_id="m-1", confirmation="m-1")

    assert stopped.status == 409
    assert f"You are now in {OTHER}" in stopped.text
    assert "Nothing was changed." in stopped.text
    assert tenant.get("/v1/erasures")["data"] == other.get("/v1/erasures")["data"] == []


def test_what_a_form_leads_to_is_of_its_account_and_names_it(
    operator: Browser, tenant: Tenant, other: Tenant
) -> None:
    enter(operator, tenant)
    form = operator.get("/console/erasures").form("/console/erasures")

    asked = operator.submit(form, member_id="m-1", confirmation="m-1")

    assert f"of={tenant.id}" in asked.location
    assert "is not sent any more. In Brew & Bean." in operator.get(asked.location).text
    operator.submit(operator.get("/console/erasures").form("/console/leave"))
    left = operator.get(asked.location)
    assert left.status == 409
    assert "You are now in no account" in left.text


def test_an_account_that_is_not_there_is_not_named(operator: Browser, tenant: Tenant) -> None:
    enter(operator, tenant)

    for said in ("acct_0000000000000000", "%3Cscript%3E", "a" * 1000, "%00"):
        page = operator.get(f"/console/erasures?of={said}")
        assert page.status == 409, said
        assert "This page was of another account." in page.text


def test_an_admin_has_one_account_whatever_a_link_says(
    admin: Browser, another_tenant: Tenant
) -> None:
    page = admin.get(f"/console/erasures?of={another_tenant.id}")

    assert page.status == 200
    assert "of=" not in page.html


def test_what_is_shown_is_not_changed(operator: Browser, tenant: Tenant) -> None:
    name = 'a href="/console/log" <a href="/console/log">'
    tenant.webhook("https://shop.example/hooks", name=name)
    enter(operator, tenant)

    assert name in operator.get("/console/webhooks").text


def test_what_cannot_be_undone_names_its_account(operator: Browser, tenant: Tenant) -> None:
    path = f"/console/webhooks/{tenant.webhook('https://shop.example/hooks')['id']}"
    enter(operator, tenant)

    for page in (
        "/console/erasures",
        f"{path}/delete",
        f"{path}/rotate",
        "/console/log/jobs/new",
        "/console/log/jobs/new?kind=replay",
    ):
        assert "Account: Brew & Bean" in operator.get(page).text, page
