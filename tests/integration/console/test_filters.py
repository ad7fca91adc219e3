"""A webhook's filter in the console, as a browser without a script uses it."""

import json
from html import unescape

from tests.integration.browsing import Browser
from tests.integration.console.webhook_forms import FORM, NEW, is_harmless, send
from tests.integration.system import System, Tenant

ROWS = {
    "filter_is": "rows",
    "filter_field_0": "transaction.points",
    "filter_condition_0": ">=",
    "filter_value_0": "100",
    "filter_field_1": "member.id",
    "filter_condition_1": "is",
    "filter_value_1": "mbr_1, mbr_2",
}
PATTERN = {
    "data": {
        "transaction": {"points": [{"numeric": [">=", 100]}]},
        "member": {"id": ["mbr_1", "mbr_2"]},
    }
}
EITHER = {"$or": [{"type": ["points.earned"]}, {"program_id": [{"exists": False}]}]}
NEW_ONE = {"name": "orders", "format": "standard", "url": "https://shop.example/hook"}


def test_rows_become_a_filter_and_are_rows_again(admin: Browser, tenant: Tenant) -> None:
    made = send(admin, FORM, admin.get(NEW).form(FORM), **NEW_ONE, **ROWS)
    assert made.status == 201
    (webhook,) = tenant.get("/v1/webhooks")["data"]
    assert webhook["filter"] == PATTERN

    path = f"{FORM}/{webhook['id']}"
    assert json.dumps(PATTERN, indent=2) in unescape(admin.get(path).html)
    form = admin.get(f"{path}/edit").form(f"{path}/edit")
    shown = dict(form.fields)
    typed = {name: text for name, text in ROWS.items() if "condition" not in name}
    assert {name: shown[name] for name in typed} == typed
    send(admin, f"{path}/edit", form, **{**ROWS, "filter_value_0": "250"})
    (webhook,) = tenant.get("/v1/webhooks")["data"]
    assert webhook["filter"]["data"]["transaction"]["points"] == [{"numeric": [">=", 250]}]
    form = admin.get(f"{path}/edit").form(f"{path}/edit")
    send(admin, f"{path}/edit", form, filter_is="none")
    (webhook,) = tenant.get("/v1/webhooks")["data"]
    assert webhook["filter"] is None


def test_what_rows_cannot_show_is_kept_as_json(admin: Browser, tenant: Tenant) -> None:
    webhook = tenant.webhook("https://shop.example/hook", filter=EITHER)
    path = f"{FORM}/{webhook['id']}"

    form = admin.get(f"{path}/edit").form(f"{path}/edit")
    fields = dict(form.fields)
    assert fields["filter_is"] == "json"
    assert json.loads(fields["filter_json"]) == EITHER
    send(admin, f"{path}/edit", form, name="another name")

    found = tenant.get(f"/v1/webhooks/{webhook['id']}")
    assert (found["name"], found["filter"]) == ("another name", EITHER)


def test_what_is_wrong_is_said_beside_what_was_typed(admin: Browser, tenant: Tenant) -> None:
    form = admin.get(NEW).form(FORM)
    for text, said in (
        ("{", "is not JSON from line 1"),
        ("[]", "must be an object"),
        ('{"points": [5]}', "is not a field of events"),
        ('{"data": {"<b>": [{"like": 1}]}}', "must have one operator"),
    ):
        page = send(admin, FORM, form, **NEW_ONE, filter_is="json", filter_json=text)
        assert said in page.text
        assert dict(page.form(FORM).fields)["filter_json"] == text
        assert is_harmless(page)
    page = send(admin, FORM, form, **NEW_ONE, filter_is="rows")
    assert "has no condition yet" in page.text
    page = send(admin, FORM, form, **NEW_ONE, **{**ROWS, "filter_value_0": ""})
    assert "has no value for transaction.points" in page.text
    assert tenant.get("/v1/webhooks")["data"] == []


def test_rows_are_shown_as_json_and_json_as_rows(admin: Browser) -> None:
    form = admin.get(NEW).form(FORM)
    page = send(admin, f"{FORM}/form", form, **NEW_ONE, **{**ROWS, "filter_is": "json"})
    text = dict(page.form(FORM).fields)["filter_json"]
    assert json.loads(text) == PATTERN

    page = send(admin, f"{FORM}/form", form, **NEW_ONE, filter_is="rows", filter_json=text)
    fields = dict(page.form(FORM).fields)
    typed = {name: text for name, text in ROWS.items() if "condition" not in name}
    assert {name: fields[name] for name in typed} == typed
    assert 'value="transaction.points"' in page.html
    assert "filter_field_2" in fields


def test_a_filter_is_tried_on_recent_events(system: System, admin: Browser, tenant: Tenant) -> None:
    tenant.post(tenant.an_event(), tenant.an_event())
    system.route()
    form = admin.get(NEW).form(FORM)

    page = send(admin, f"{FORM}/filter", form, **NEW_ONE, **ROWS)
    assert "Of the last 2 events of these types 2 match" in page.text
    page = send(admin, f"{FORM}/filter", form, **NEW_ONE, **{**ROWS, "filter_value_0": "121"})
    assert "Of the last 2 events of these types 0 match" in page.text
    assert "/data/transaction/points" in page.text
    assert dict(page.form(FORM).fields)["filter_value_0"] == "121"
    page = send(admin, f"{FORM}/filter", form, **NEW_ONE)
    assert "is required" in page.text


def test_the_page_of_an_event_says_that_it_was_filtered(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    tenant.webhook("https://shop.example/hook", filter={"type": ["tier.upgraded"]})
    (event_id,) = tenant.post(tenant.an_event())
    system.route()

    assert "filter did not let it through" in admin.get(f"/console/events/{event_id}").text
    sample = admin.get("/console/log/sample?event_type=points.earned")
    assert "Its filter does not let it through." in sample.text
    assert "is sent to no webhook" in sample.text
