"""The page of the inbox: an operator sees what was rejected, mends it, or dismisses it."""

import json
from typing import Any

import pytest

from tests.integration.accepting.test_inbox import own_rejected, reject
from tests.integration.browsing import Browser
from tests.integration.system import System, Tenant

DATA = {"member": {"id": "m-1"}}
PATH = "/console/inbox"


@pytest.fixture
def rejected(system: System, tenant: Tenant, operator_key: str) -> str:
    """The id of one, whose type there is not."""
    event = {"account_id": tenant.id, "id": "visit-1", "type": "points.earnt", "data": DATA}
    reject(system, event)
    (one,) = own_rejected(system, operator_key, tenant)
    rejected_id: str = one["id"]
    return rejected_id


def test_it_is_seen_with_why_and_mended(
    system: System, tenant: Tenant, operator: Browser, rejected: str
) -> None:
    assert f"{PATH}/{rejected}" in operator.get(PATH).html
    page = operator.get(f"{PATH}/{rejected}")
    assert "is not an event type of the catalogue" in page.text
    form = page.form(f"{PATH}/{rejected}/send")
    ((text,),) = [[value] for name, value in form.fields if name == "text"]
    assert json.loads(text)[0]["type"] == "points.earnt"

    again = operator.submit(form)
    assert again.status == 422
    assert "has at [0].type" in again.text

    mended = text.replace("points.earnt", "custom.visit")
    sent = operator.submit(again.form(f"{PATH}/{rejected}/send"), text=mended)
    assert "on its way" in operator.get(sent.location).text
    system.route()
    assert tenant.get("/v1/events/visit-1")["type"] == "custom.visit"
    assert operator.get(f"{PATH}/{rejected}").status == 404


@pytest.mark.parametrize("text", ["{", "7", "", "[]"])
def test_what_is_no_event_is_refused_and_stays_typed(
    operator: Browser, rejected: str, text: str
) -> None:
    form = operator.get(f"{PATH}/{rejected}").form(f"{PATH}/{rejected}/send")
    page = operator.submit(form, text=text)
    assert page.status in (400, 422)
    assert ("text", text) in page.form(f"{PATH}/{rejected}/send").fields


def test_one_too_long_to_be_shown_is_sent_whole_as_it_came(
    system: System, tenant: Tenant, operator: Browser, operator_key: str
) -> None:
    data = {"member": {"id": "m-1"}, "text": "x" * 2_500}
    event = {"account_id": tenant.id, "type": "custom.visit", "data": data}
    body = [event | {"id": f"visit-{number}"} for number in range(130)]
    before = {one["id"] for one in all_rejected(system, operator_key)}
    reject(system, *body)
    (rejected,) = {one["id"] for one in all_rejected(system, operator_key)} - before

    page = operator.get(f"{PATH}/{rejected}")
    assert "With nothing typed below it is sent as it came, all of it." in page.text
    form = page.form(f"{PATH}/{rejected}/send")
    assert ("text", "") in form.fields
    sent = operator.submit(form)

    assert "on its way" in operator.get(sent.location).text
    assert operator.get(f"{PATH}/{rejected}").status == 404
    system.route()
    for name in ("visit-0", "visit-129"):
        assert tenant.get(f"/v1/events/{name}")["type"] == "custom.visit"


def all_rejected(system: System, operator_key: str) -> list[dict[str, Any]]:
    answer = system.call("GET", "/v1/rejected-events", key=operator_key, query={"limit": "100"})
    listed: list[dict[str, Any]] = answer.json["data"]
    return listed


def test_it_is_dismissed_by_a_second_press(operator: Browser, rejected: str) -> None:
    form = operator.get(f"{PATH}/{rejected}").form(f"{PATH}/{rejected}/dismiss")
    gone = operator.submit(form)
    assert "It is forgotten." in operator.get(gone.location).text
    assert operator.get(f"{PATH}/{rejected}").status == 404


def test_what_was_sent_is_text_on_the_page_and_no_more(
    system: System, tenant: Tenant, operator: Browser, operator_key: str
) -> None:
    hostile = "</textarea><script>alert(1)</script>"
    reject(system, {"account_id": tenant.id, hostile: hostile, "type": hostile, "data": {}})
    (one,) = own_rejected(system, operator_key, tenant)
    assert "<script>alert" not in operator.get(f"{PATH}/{one['id']}").html


def test_an_account_has_no_such_page(admin: Browser, rejected: str) -> None:
    for path in (PATH, f"{PATH}/{rejected}"):
        assert admin.get(path).status == 403


def test_without_an_inbox_there_is_no_such_page_and_no_such_call(
    system: System, operator: Browser, operator_key: str
) -> None:
    system.restart(INBOX_QUEUE_URL="")
    assert PATH not in operator.get("/console/queues").html
    assert operator.get(PATH).status == 404
    assert system.call("GET", "/v1/rejected-events", key=operator_key).status == 404
