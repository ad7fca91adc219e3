"""The console's page for listening to an account's events on one's own machine."""

import re
from ast import literal_eval
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from perkwire.adapters.dynamodb.config_items import WebhookItem, webhook_sk
from perkwire.managing.listening import MOST_LISTENING
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.timestamps import now
from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.webhook_forms import send
from tests.integration.pulling.conftest import Puller
from tests.integration.system import System, Tenant

pytestmark = pytest.mark.usefixtures("client")

PATH = "/console/webhooks/listen"
EARNED = {"member": {"id": "m-1"}, "transaction": {"id": "t-1", "points": 5}}


@dataclass(frozen=True)
class Given:
    """What is written into a file that the page gives out."""

    webhook_id: str
    key: str
    secret: str


def listen(admin: Browser, system: System, query: str = "", **fields: str | Sequence[str]) -> Given:
    answer = asked(admin, query, **fields)
    assert answer.status == 200, answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="listen.py"'
    found = re.findall(r"^(API|WEBHOOK|KEY|SECRET) = ('[^']+')", answer.html, re.MULTILINE)
    written = {name: literal_eval(value) for name, value in found}
    system.secrets.update((written["KEY"], written["SECRET"]))
    assert not written["API"].endswith("/console")
    return Given(written["WEBHOOK"], written["KEY"], written["SECRET"])


def asked(admin: Browser, query: str = "", **fields: str | Sequence[str]) -> PageSeen:
    return send(admin, PATH, admin.get(PATH + query).form(PATH), **fields)


def made(tenant: Tenant, given: Given) -> dict[str, Any]:
    found: dict[str, Any] = tenant.get(f"/v1/webhooks/{given.webhook_id}")
    return found


def end_now(tenant: Tenant, given: Given) -> None:
    """As if its day was over."""
    item = WebhookItem.get(tenant.id, webhook_sk(WebhookId(given.webhook_id)))
    item.update(actions=[WebhookItem.ends_at.set(now())])


def pulled(system: System, given: Given) -> Iterator[Any]:
    answer = system.call("GET", f"/v1/webhooks/{given.webhook_id}/pull", key=given.key)
    assert answer.status == 200, answer
    yield from answer.json["data"]


def test_who_listens_has_all_events_a_secret_and_a_key_for_a_day(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    given = listen(admin, system)
    tenant.post(tenant.an_event("tier.upgraded"))
    system.route()

    webhook = made(tenant, given)
    (key,) = [one for one in tenant.get("/v1/account/api-keys")["data"] if one["webhook_id"]]
    assert (webhook["delivery"], webhook["format"], webhook["event_types"]) == (
        *("pull", "standard"),
        ["*"],
    )
    assert webhook["name"].startswith("Listening since 20")
    assert webhook["ends_at"][:19] == key["expires_at"][:19]
    assert (key["scopes"], key["webhook_id"]) == (["pull"], webhook["id"])
    (one,) = pulled(system, given)
    assert '"type":"tier.upgraded"' in one["body"]
    page = admin.get(PATH)
    assert webhook["name"] in page.text
    assert "ends at" in admin.get(f"/console/webhooks/{webhook['id']}").text
    records = tenant.get("/v1/activity")["data"]
    done = [(one["action"], one["subject"]) for one in records]
    assert ("webhook.created", webhook["id"]) in done
    assert ("api_key.created", key["id"]) in done


def test_types_and_a_format_can_be_chosen(system: System, admin: Browser, tenant: Tenant) -> None:
    given = listen(
        admin,
        system,
        format="voucherify",
        events="chosen",
        event_types=["tier.upgraded"],
        other_types="points.*",
        **{"format_settings.project_id": "p-7"},
    )

    webhook = made(tenant, given)
    assert webhook["event_types"] == ["tier.upgraded", "points.*"]
    assert webhook["format"].startswith("voucherify")
    assert webhook["format_settings"]["project_id"] == "p-7"


def test_one_listens_as_a_webhook_without_its_headers_and_its_secret(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    settings = {"signature_algorithm": "sha1", "signature_prefix": "sha1="}
    model = tenant.webhook(
        "https://shop.example/hook",
        format="qualifio",
        format_settings=settings,
        event_types=["points.earned"],
        program_ids=["gold"],
        filter={"data": {"points": [{"exists": True}]}},
        headers={"x-shop": "shop-7-token"},
        batch_size=7,
    )
    system.secrets.add(model["secret"])
    page = admin.get(f"/console/webhooks/{model['id']}")
    assert f'href="{PATH}?as={model["id"]}"' in page.html

    given = listen(admin, system, f"?as={model['id']}", **{"as": model["id"]})

    webhook = made(tenant, given)
    same = ("event_types", "program_ids", "filter", "batch_size", "batch_bytes", "format")
    assert {name: webhook[name] for name in same} == {name: model[name] for name in same}
    assert webhook["format_settings"] == model["format_settings"]
    assert webhook["header_names"] == []
    assert given.secret != model["secret"]


def test_the_webhook_of_the_link_is_chosen_on_the_page(admin: Browser, tenant: Tenant) -> None:
    model = tenant.webhook("https://shop.example/hook")

    for path in (f"{PATH}?as={model['id']}", PATH):
        page = admin.get(path)
        chosen = [
            one["value"] for tag, one in page.elements if tag == "option" and "selected" in one
        ]
        assert (model["id"] in chosen) is ("?" in path)


def test_ending_it_takes_webhook_and_key(system: System, admin: Browser, tenant: Tenant) -> None:
    given = listen(admin, system)
    form = admin.get(PATH).form(f"{PATH}/end")
    assert dict(form.fields)["webhook_id"] == given.webhook_id

    for _ in range(2):
        ended = admin.submit(form)
        assert (ended.status, ended.location) == (303, f"{PATH}?done=listener-ended")

    assert tenant.get("/v1/webhooks")["data"] == []
    assert all(one["webhook_id"] is None for one in tenant.get("/v1/account/api-keys")["data"])
    answer = system.call("GET", f"/v1/webhooks/{given.webhook_id}/pull", key=given.key)
    assert answer.status in (401, 403)
    assert "Nobody." in admin.get(PATH).text


def test_what_has_ended_gets_nothing_says_so_and_goes_when_one_listens_next(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    given = listen(admin, system)
    end_now(tenant, given)
    event_id, *_ = tenant.post(tenant.an_event("tier.upgraded"))
    system.route()

    assert tenant.get(f"/v1/events/{event_id}")["deliveries"] == []
    assert "has ended at" in admin.get(f"/console/webhooks/{given.webhook_id}").text
    assert "ended" in admin.get("/console/webhooks").text
    assert "Nobody." in admin.get(PATH).text
    assert given.webhook_id not in admin.get("/console/log/sample").html
    again = listen(admin, system)

    assert [one["id"] for one in tenant.get("/v1/webhooks")["data"]] == [again.webhook_id]


def test_to_what_has_ended_nothing_is_offered_to_be_sent(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    live, over = listen(admin, system, events="all"), listen(admin, system)
    model = Puller(tenant, event_types=["points.earned"]).webhook
    tenant.post({"type": "points.earned", "data": EARNED})
    system.route()
    (delivery,) = tenant.deliveries(webhook_id=model["id"])
    own = f"/console/webhooks/{over.webhook_id}"
    offering = (
        f"/console/log/{delivery['id']}",
        "/console/log/jobs/new?kind=replay",
        "/console/log/jobs/new?kind=retry-failed",
        "/console/log/jobs/count?kind=retry-failed&webhook_id=every&since=2026-01-01T00:00",
        "/console/log/sample?event_type=points.earned",
    )
    counting = f"/console/log/jobs/count?kind=replay&webhook_id={over.webhook_id}"
    counting += "&since=2026-01-01T00:00"
    for path in offering:
        assert over.webhook_id in admin.get(path).html, path
    assert "send a sample event" in admin.get(own).text
    assert "/console/log/jobs" in {form.action for form in admin.get(counting).forms}

    end_now(tenant, over)

    for path in offering:
        page = admin.get(path)
        assert live.webhook_id in page.html, path
        assert over.webhook_id not in page.html, path
    page = admin.get(own)
    assert "send a sample event" not in page.text
    assert "Nothing new is routed to it, as it has ended" in disabled(admin, own).text
    page = admin.get(counting)
    assert "has ended at" in page.text
    assert "/console/log/jobs" not in {form.action for form in page.forms}


def disabled(admin: Browser, path: str) -> PageSeen:
    admin.submit(admin.get(path).form(f"{path}/disable"))
    return admin.get(path)


def test_so_many_listen_and_the_page_says_why_no_more(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    for _ in range(MOST_LISTENING):
        listen(admin, system)

    refused = asked(admin)

    assert refused.status == 409
    assert "At most 5 listen at a time" in refused.text
    assert len(tenant.get("/v1/webhooks")["data"]) == MOST_LISTENING


def test_what_has_ended_makes_room_by_the_form_and_by_the_api(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    most = int(system.stack.parameters["MaxWebhooksPerAccount"])
    ended = [listen(admin, system) for _ in range(2)]
    live = [tenant.webhook(f"https://shop.example/{number}")["id"] for number in range(most - 2)]
    assert "as many as it may have" in admin.get("/console/webhooks").text
    assert "Create a webhook" not in admin.get("/console/webhooks").text
    for one in ended:
        end_now(tenant, one)

    page = admin.get("/console/webhooks")
    assert "as many as it may have" not in page.text
    assert "Create a webhook" in page.text
    form = admin.get("/console/webhooks/new").form("/console/webhooks")
    created = send(
        admin, "/console/webhooks", form, name="Till", url="https://shop.example/till", events="all"
    )
    assert created.status == 201, created.text
    live.append(tenant.webhook("https://shop.example/last")["id"])

    there_are = {one["id"] for one in tenant.get("/v1/webhooks")["data"]}
    assert {*live} < there_are
    assert len(there_are) == most
    body = {"name": "x", "url": "https://shop.example/x", "event_types": ["*"]}
    assert tenant.call("POST", "/v1/webhooks", body).status == 409
    done = [(one["action"], one["subject"]) for one in tenant.get("/v1/activity")["data"]]
    assert {("webhook.deleted", one.webhook_id) for one in ended} < {*done}


def test_it_counts_among_the_accounts_webhooks(
    system: System, admin: Browser, tenant: Tenant
) -> None:
    most = int(system.stack.parameters["MaxWebhooksPerAccount"])
    for number in range(most):
        tenant.webhook(f"https://shop.example/{number}")

    refused = asked(admin)

    assert refused.status == 409
    assert f"An account has at most {most} webhooks" in refused.text


def test_what_the_format_does_not_say_is_refused_at_its_field(admin: Browser) -> None:
    refused = asked(admin, events="chosen", other_types="points")

    assert refused.status == 422
    assert 'href="#f-other_types"' in refused.html
    assert "points</textarea>" in refused.html.replace("\n", "")


def test_a_webhook_of_another_account_is_no_model(
    admin: Browser, tenant: Tenant, another_tenant: Tenant
) -> None:
    theirs = another_tenant.webhook("https://shop.example/hook")

    refused = asked(admin, **{"as": theirs["id"]})

    assert refused.status == 404
    assert tenant.get("/v1/webhooks")["data"] == []


def test_what_another_format_offers_is_shown_without_a_script(admin: Browser) -> None:
    form = admin.get(PATH).form(PATH)

    page = send(admin, f"{PATH}/form", form, format="voucherify")

    assert page.status == 200
    assert "Project id" in page.text
    assert page.form(PATH).button.endswith("Get listen.py")


def test_an_ordinary_webhook_is_not_ended_by_the_form(admin: Browser, tenant: Tenant) -> None:
    puller = Puller(tenant)
    fields = [*admin.get(PATH).form(PATH).fields, ("webhook_id", puller.webhook["id"])]

    admin.post(f"{PATH}/end", fields)

    assert [one["id"] for one in tenant.get("/v1/webhooks")["data"]] == [puller.webhook["id"]]


def test_an_operator_listens_in_the_account_that_was_entered(
    system: System, operator: Browser, tenant: Tenant
) -> None:
    operator.submit(
        operator.get(f"/console/accounts/{tenant.id}").form(f"/console/accounts/{tenant.id}/enter")
    )

    given = listen(operator, system)

    assert made(tenant, given)["ends_at"] is not None


def test_a_change_leaves_its_end_as_it_is(system: System, admin: Browser, tenant: Tenant) -> None:
    given = listen(admin, system)
    before = made(tenant, given)

    changed = tenant.call("PATCH", f"/v1/webhooks/{given.webhook_id}", {"name": "Mine"})

    assert changed.status == 200
    assert changed.json["ends_at"] == before["ends_at"] == made(tenant, given)["ends_at"]


def test_every_other_webhook_has_no_end_and_nobody_can_give_it_one(tenant: Tenant) -> None:
    webhook = tenant.webhook("https://shop.example/hook")
    assert webhook["ends_at"] is None

    body = {"ends_at": "2030-01-01T00:00:00Z"}
    changed = tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", body)

    assert changed.status == 422
    assert [one["field"] for one in changed.json["errors"]] == ["ends_at"]
