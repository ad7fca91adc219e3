"""The console's events and catalogue, as a browser without a script uses them."""

import json
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from console.views.webhook_wording import format_label
from perkwire.adapters import aws
from perkwire.catalogue.event_types import event_types
from perkwire.formats.registry import FORMATS
from perkwire.primitives.ids import new_sample_event_id
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, now, to_rfc3339
from tests.integration.browsing import Browser, HtmlForm, PageSeen
from tests.integration.console.deliveries import HOSTILE, deliver, hour_from_now, is_unbroken
from tests.integration.system import System, Tenant
from tests.integration.trials.test_test_call import Lambda
from tests.receiver import Answer, Receiver

EVENTS = "/console/events"
TYPES = "/console/types"


def links(page: PageSeen) -> list[str]:
    return [attrs.get("href") or "" for tag, attrs in page.elements if tag == "a"]


def listed(page: PageSeen) -> list[str]:
    """The ids of the events that a page lists."""
    return [one.rpartition("/")[2] for one in links(page) if one.startswith(f"{EVENTS}/")]


def filtered(browser: Browser, **fields: str) -> PageSeen:
    """Fill in the filters, and follow what they lead to."""
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    return browser.open(f"{EVENTS}?{query}")


@pytest.fixture
def client(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    client = Lambda()
    monkeypatch.setattr(aws, "functions", lambda _: client)
    system.cold_start("console")
    yield client
    system.cold_start("console")
    assert client.crashes == [], "Lambda would log the message of each"


def test_events_are_listed_with_the_number_of_their_webhooks(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    for wanted in (["*"], ["points.earned"]):
        tenant.webhook(receiver.endpoint().url, event_types=wanted)
    (earned,) = tenant.post(tenant.an_event(program_id="prog<1>"))
    (upgraded,) = tenant.post(tenant.an_event("tier.upgraded"))
    system.route()

    page = browser.open(EVENTS)

    assert listed(page) == [upgraded, earned]
    assert "prog<1>" in page.text
    cells = [attrs for tag, attrs in page.elements if attrs.get("data-label") == "Webhooks"]
    assert len(cells) == 2
    assert f"{upgraded} \N{EN DASH} 1" in page.text
    assert f"{earned} prog<1> 2" in page.text


def test_an_account_without_events_is_told_what_to_do(tenant: Tenant, browser: Browser) -> None:
    browser.sign_in(tenant.key)

    page = browser.open(EVENTS)

    assert "No events yet" in page.text
    assert "Next page" not in page.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"type": "tier.upgraded"}, 1),
        ({"type": "points.earned", "since": hour_from_now(-1)}, 2),
        ({"until": hour_from_now(-1)}, 0),
        ({"since": hour_from_now(-1), "until": hour_from_now(1)}, 3),
    ],
)
def test_events_are_found_by_type_and_time(
    query: dict[str, str], expected: int, system: System, tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tenant.post(*tenant.some_events(2), tenant.an_event("tier.upgraded"))
    system.route()

    page = filtered(browser, **query)

    assert len(listed(page)) == expected
    kept = {name: value for form in page.forms for name, value in form.fields}
    assert {name: kept[name] for name in query} == query


@pytest.mark.parametrize(
    ("query", "field"),
    [({"type": "Nonsense"}, "f-type"), ({"since": "x"}, "f-since"), ({"id": "evt_0"}, "f-id")],
)
def test_a_wrong_filter_is_explained_beside_its_field(
    query: dict[str, str], field: str, tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)

    page = filtered(browser, **query)

    assert page.status == 422
    assert [attrs for _, attrs in page.elements if attrs.get("id") == f"{field}-wrong"] != []


def test_more_events_than_a_page_holds_are_all_reached(
    system: System, tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    event_ids = tenant.post(*tenant.some_events(60))
    system.route()

    found: list[str] = []
    path: str | None = f"{EVENTS}?type=points.earned"
    while path is not None:
        page = browser.open(path)
        found += listed(page)
        path = next((one for one in links(page) if "cursor=" in one), None)

    assert len(found) == 60
    assert set(found) == set(event_ids)


@pytest.mark.parametrize("event_id", ["order:2026-1.a_b-c", "EVT_1"])
def test_an_event_is_found_by_its_id(
    event_id: str, system: System, tenant: Tenant, another_tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tenant.post(tenant.an_event(id=event_id))
    system.route()

    page = filtered(browser, id=event_id)
    browser.sign_in(another_tenant.key)

    assert page.status == 200
    assert event_id in page.text
    assert filtered(browser, id=event_id).status == 422
    assert browser.open(f"{EVENTS}/{event_id}").status == 404


def test_an_event_tells_what_became_of_it_at_each_webhook(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tenant.webhook(receiver.endpoint().url, name="standard <one>")
    tenant.webhook(receiver.endpoint().url, name="zinrelo <two>", format="zinrelo", secret="s" * 32)
    occurred_at = to_rfc3339(now() - HOUR_SECONDS * MICROSECONDS)
    (event_id,) = tenant.post(tenant.an_event("custom.thing", occurred_at=occurred_at))
    system.route()
    pending = browser.open(f"{EVENTS}/{event_id}")
    system.dispatch_all()

    page = browser.open(f"{EVENTS}/{event_id}")

    (delivery,) = tenant.deliveries()
    assert "pending" in pending.text
    assert "On its way: no attempt has been made yet." in pending.text
    assert "standard <one> succeeded 200 OK 1" in page.text
    assert "zinrelo <two> not in format" in page.text
    assert "its format has no word for it" in page.text
    assert f"/console/log/{delivery['id']}" in links(page)
    times = [attrs.get("datetime") for tag, attrs in page.elements if tag == "time"]
    assert occurred_at in times


def test_what_somebody_has_in_hand_is_found_from_either_page(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tenant.webhook(receiver.endpoint().url, name="till <one>")
    data = {"member": {"id": "m/1 <x>"}}
    (event_id,) = tenant.post({"type": "custom.x", "data": data})
    system.route()
    system.dispatch_all()
    (delivery,) = tenant.deliveries()

    for path in (EVENTS, "/console/log"):
        assert any(attrs.get("name") == "id" for _, attrs in browser.open(path).elements)
    for text, found in (
        (event_id, f"{EVENTS}/{event_id}"),
        (delivery["id"], f"/console/log/{delivery['id']}"),
        ("m/1 <x>", f"{EVENTS}?{urlencode({'member': 'm/1 <x>'})}"),
    ):
        assert browser.get(f"{EVENTS}?{urlencode({'id': text})}").location == found
    of_member = filtered(browser, id=quote("m/1 <x>"))
    assert listed(of_member) == [event_id]
    assert "till <one> succeeded" in of_member.text
    assert f"/console/log/{delivery['id']}" in links(of_member)


def test_a_member_that_is_not_found_says_what_is_looked_for(
    system: System, tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)

    page = filtered(browser, id="ada@member.example")
    assert "is no event, delivery or member of an event that is kept" in page.text
    assert "Members are found by their ids here" in page.text
    empty = filtered(browser, member="ada@member.example")
    assert "Members are found by their ids here" in empty.text

    system.restart(MEMBER_INDEX="none")
    assert "the stack keeps no index of them" in filtered(browser, id="m-1").text
    assert "MemberIndex is none" in filtered(browser, member="m-1").text


def test_an_event_that_nobody_wanted_says_so(
    system: System, tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    (event_id,) = tenant.post(tenant.an_event())
    system.route()

    page = browser.open(f"{EVENTS}/{event_id}")

    assert "No webhook wanted it" in page.text


def test_what_an_event_says_never_becomes_a_part_of_the_page(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tenant.webhook(receiver.endpoint().url, name=HOSTILE)
    data = {HOSTILE: [HOSTILE, {"</pre></textarea>": "\u2028\u202e{{ 7*7 }}"}]}
    (event_id,) = tenant.post({"type": "custom.x", "data": data, "program_id": HOSTILE})
    deliver(system, tenant)
    (delivery,) = [one for one in tenant.deliveries() if one["event_ids"] == [event_id]]
    paths = (EVENTS, f"{EVENTS}/{event_id}", "/console/log", f"/console/log/{delivery['id']}")

    for path in paths:
        page = browser.open(path)
        assert page.status == 200
        assert HOSTILE in page.text
        assert is_unbroken(page), path
    shown = unescape(browser.open(f"{EVENTS}/{event_id}").html)
    assert json.dumps(data, indent=2, ensure_ascii=False) in shown


@pytest.mark.parametrize(
    "path",
    [
        f"{EVENTS}?id={{}}",
        f"{EVENTS}?type={{}}&since={{}}&until={{}}&cursor={{}}",
        "/console/log?event_type={}&webhook_id={}&status={}&since={}",
        "/console/log/jobs/new?kind={}&webhook_id={}&since={}&event_types={}&per_second={}",
        f"{TYPES}?q={{}}",
        f"{TYPES}/custom.{{}}",
        f"{EVENTS}/{{}}",
        "/console/log/{}",
        "/console/log/jobs/{}",
    ],
)
@pytest.mark.parametrize("text", ["%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%00%ff", "%F0%9F"])
def test_no_address_breaks_out_of_a_page(
    path: str, text: str, tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)

    page = browser.open(path.replace("{}", text))

    assert page.status < 500
    assert is_unbroken(page)


def test_the_catalogue_has_every_type_in_its_group(tenant: Tenant, browser: Browser) -> None:
    browser.sign_in(tenant.key)

    page = browser.open(TYPES)

    assert {f"{TYPES}/{name}" for name in event_types()} <= set(links(page))
    headings = {found.group.capitalize() for found in event_types().values()}
    assert all(heading in page.text for heading in headings)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tier%20EVENT_member_tierupgrade", {"tier.upgraded"}),
        ("event_points_expired", {"points.expired"}),
        ("nothing-like-this", set()),
    ],
)
def test_the_catalogue_is_searched_without_a_script(
    words: str, expected: set[str], tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)

    page = browser.open(f"{TYPES}?q={words}")

    found = {one.rpartition("/")[2] for one in links(page) if one.startswith(f"{TYPES}/")}
    assert found - {"custom.anything"} == expected


def test_every_type_shows_its_schema_example_and_body_in_each_format(
    tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)

    for name in (*event_types(), "custom.anything"):
        shown = tenant.get(f"/v1/event-types/{name}")
        page = browser.open(f"{TYPES}/{name}")
        assert page.status == 200, name
        missing = [part for part in parts_of(shown) if part not in page.text]
        assert missing == [], name
        source = unescape(page.html)
        schema = json.loads(browser.open(f"{TYPES}/{name}/schema.json").html)
        assert schema == shown["schema"], name
        assert json.dumps(shown["example"], indent=2, ensure_ascii=False) in source, name


def parts_of(shown: dict[str, Any]) -> list[str]:
    """What the page of a type has to say of it."""
    parts = [shown["title"], shown["description"].replace("`", "")]
    for format_name in FORMATS:
        label = format_label(format_name)
        named = shown["names"].get(format_name)
        if named is None:
            parts.append(f"{label} has no word for it")
        else:
            inferred = " inferred" if named["inferred"] else ""
            parts += [f"{label} {named['name']}{inferred}", f"Body in {label}"]
    return parts + [f"{one} required" for one in shown["schema"].get("required", [])]


def test_the_body_shown_is_the_one_that_the_format_renders(
    tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    listed = tenant.get("/v1/event-types/tier.upgraded")
    example = listed["example"]

    page = browser.open(f"{TYPES}/tier.upgraded")

    bodies = {
        attrs["aria-label"]
        for _, attrs in page.elements
        if "Body" in (attrs.get("aria-label") or "")
    }
    assert bodies == {f"Body in {format_label(name)}" for name in listed["names"]}
    pre = unescape(page.html).partition('aria-label="Body in Standard">')[2].partition("</pre>")[0]
    said: dict[str, Any] = json.loads(pre)
    assert (said["type"], said["data"]) == ("tier.upgraded", example)
    thrive = unescape(page.html).partition('"Body in Zoho Thrive">')[2].partition("</pre>")[0]
    assert json.loads(thrive)["message"]["event"] == "tier_upgrade"


def test_a_type_that_is_none_is_not_there(tenant: Tenant, browser: Browser) -> None:
    browser.sign_in(tenant.key)

    assert browser.open(f"{TYPES}/points.nonsense").status == 404
    assert browser.open(f"{TYPES}/custom.").status == 404


def test_a_test_event_goes_to_one_webhook_and_its_answer_is_shown(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser, client: Lambda
) -> None:
    browser.sign_in(tenant.key)
    endpoint = receiver.endpoint(Answer(418, HOSTILE.encode()))
    webhook = tenant.webhook(endpoint.url, name=HOSTILE, headers={"x-shop": "shop-7-token"})
    other = receiver.endpoint()
    tenant.webhook(other.url)
    form = browser.open(f"{TYPES}/points.earned").form(f"{TYPES}/points.earned/test#outcome")

    page = browser.submit(form, webhook_id=webhook["id"])

    (request,) = endpoint.requests
    assert request.verified(webhook["secret"])["type"] == "points.earned"
    assert page.status == 200
    assert "The test failed" in page.text
    assert "418 I'm a Teapot" in page.text
    assert HOSTILE in page.text
    assert is_unbroken(page)
    assert "shop-7-token" not in page.html
    assert webhook["secret"] not in page.html
    assert "x-shop: (hidden)" in page.text
    assert other.requests == []
    assert tenant.deliveries() == []
    assert listed(browser.open(EVENTS)) == []


def test_a_test_that_cannot_be_is_explained(
    tenant: Tenant, another_tenant: Tenant, receiver: Receiver, browser: Browser, client: Lambda
) -> None:
    browser.sign_in(tenant.key)
    foreign = another_tenant.webhook(receiver.endpoint().url)
    own = tenant.webhook(receiver.endpoint().url, format="zinrelo", secret="s" * 32)
    path = f"{TYPES}/custom.thing/test"
    form = browser.open(f"{TYPES}/custom.thing").form(f"{path}#outcome")

    unchosen = browser.submit(form, webhook_id="")
    unsaid = browser.submit(form, webhook_id=own["id"])

    assert (unchosen.status, unsaid.status) == (422, 422)
    assert "must be chosen" in unchosen.text
    assert "must be a type of the format zinrelo" in unsaid.text
    assert browser.submit(form, webhook_id=foreign["id"]).status == 404
    assert browser.post(path, {"webhook_id": own["id"]}).status == 403
    assert client.invocations == []


def test_who_may_only_send_events_sees_none_of_it(tenant: Tenant, browser: Browser) -> None:
    refused = browser.sign_in(tenant.new_key("events"))

    assert refused.status == 403
    assert browser.session is None
    for path in (EVENTS, TYPES, "/console/log"):
        assert browser.get(path).location.startswith("/console/sign-in")


SAMPLE = "/console/log/sample"


def test_a_sample_event_is_announced_sent_and_goes_the_way_of_every_event(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    taking, unsaying = receiver.endpoint(), receiver.endpoint()
    webhook = tenant.webhook(taking.url, name=HOSTILE, event_types=["points.earned"])
    tenant.webhook(unsaying.url, name="nps", event_types=["tier.upgraded"])
    tenant.webhook(receiver.endpoint(410).url, name="old till")
    deliver(system, tenant)
    before = len(taking.requests)

    page = browser.open(f"{SAMPLE}?event_type=points.earned")
    sent = browser.post(SAMPLE, the_one_that_sends(page).fields)
    waiting = browser.open(sent.location)
    system.route()
    pending = browser.open(sent.location)
    system.dispatch_all()
    arrived = browser.open(sent.location)

    assert "points.earned is sent to 1 webhook" in page.text
    assert f"{HOSTILE} {taking.url}" in page.text
    assert "old till paused Logged as failed, and not sent." in page.text
    assert "nps" not in page.text
    assert is_unbroken(page)
    event_id = sent.location.partition("?")[0].rpartition("/")[2]
    assert event_id.startswith("sample-")
    assert waiting.status == 200
    assert "The sample event is on its way" in waiting.text
    assert "The sample event is sent." in waiting.text
    assert is_followed(waiting)
    assert is_followed(pending)
    assert not is_followed(arrived)
    request = taking.requests[before]
    assert request.verified(webhook["secret"])["id"] == event_id
    assert "succeeded" in arrived.text
    assert len([one for one in tenant.deliveries() if one["event_ids"] == [event_id]]) == 2


def test_a_sample_goes_to_the_webhooks_that_are_chosen_and_to_no_other(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tried, in_use = receiver.endpoint(), receiver.endpoint()
    webhook = tenant.webhook(tried.url, name="tried")
    tenant.webhook(in_use.url, name="in use")
    page = browser.open(f"{SAMPLE}?event_type=points.earned")
    assert "points.earned can be sent to 2 webhooks" in page.text

    unchosen = browser.submit(the_one_that_sends(page))
    assert unchosen.status == 422
    assert "Webhooks must be chosen: one at least" in unchosen.text
    assert system.messages("EventQueue") == []
    sent = browser.submit(the_one_that_sends(unchosen), webhook_ids=[webhook["id"]])
    system.route()
    system.dispatch_all()

    assert (len(tried.requests), len(in_use.requests)) == (1, 0)
    event = tenant.get(f"/v1/events/{sent.location.partition('?')[0].rpartition('/')[2]}")
    assert [one["webhook_id"] for one in event["deliveries"]] == [webhook["id"]]
    own = browser.open(f"/console/webhooks/{webhook['id']}")
    (link,) = [one for one in links(own) if one.startswith(SAMPLE)]
    kept = the_one_that_sends(browser.open(link)).fields
    assert [value for name, value in kept if name == "webhook_ids"] == [webhook["id"]]


def the_one_that_sends(page: PageSeen) -> HtmlForm:
    """The form with the button, not the one that chooses the event."""
    (form,) = [form for form in page.forms if form.button == "Send this event"]
    return form


def is_followed(page: PageSeen) -> bool:
    """Whether the script loads a part of the page again."""
    return any("data-reload" in attrs for _, attrs in page.elements)


def test_a_sample_is_of_a_type_and_programme_of_ones_choice(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(
        receiver.endpoint().url, event_types=["tier.upgraded"], program_ids=["gold & co"]
    )
    nobody = browser.open(f"{SAMPLE}?event_type=tier.upgraded")
    own = browser.open(f"/console/webhooks/{webhook['id']}")
    (link,) = [one for one in links(own) if one.startswith(SAMPLE)]
    page = browser.open(link)

    sent = browser.submit(the_one_that_sends(page))
    system.route()

    assert "tier.upgraded is sent to no webhook" in nobody.text
    assert "is sent to 1 webhook" in page.text
    event = tenant.get(f"/v1/events/{sent.location.partition('?')[0].rpartition('/')[2]}")
    assert (event["type"], event["program_id"]) == ("tier.upgraded", "gold & co")


def test_a_sample_that_cannot_be_is_explained(
    system: System, tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    form = the_one_that_sends(browser.open(SAMPLE))

    wrong = browser.open(f"{SAMPLE}?event_type={HOSTILE.replace('&', '')}")
    refused = browser.submit(form, event_type="points.nothing")

    assert (wrong.status, refused.status) == (422, 422)
    assert is_unbroken(wrong)
    assert "is not an event type of the catalogue" in refused.text
    assert browser.post(SAMPLE, {"event_type": "points.earned"}).status == 403
    assert system.messages("EventQueue") == []


def test_who_may_not_send_events_sends_no_sample(
    system: System, tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.new_key("webhooks"))
    form = the_one_that_sends(browser.open(SAMPLE))

    refused = browser.submit(form)

    assert refused.status == 403
    assert "It needs the scope events." in refused.text
    assert system.messages("EventQueue") == []


def test_a_sample_that_never_came_is_not_waited_for(tenant: Tenant, browser: Browser) -> None:
    browser.sign_in(tenant.key)
    hour = HOUR_SECONDS * MICROSECONDS

    fresh = browser.open(f"{EVENTS}/{new_sample_event_id(now())}")
    stale = browser.open(f"{EVENTS}/{new_sample_event_id(now() - hour)}")
    future = browser.open(f"{EVENTS}/{new_sample_event_id(now() + hour)}")

    assert (fresh.status, stale.status, future.status) == (200, 404, 404)
