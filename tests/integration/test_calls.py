"""How many AWS calls each function makes: those of infra/calls.py, which docs/cost.md shows.

What Lambda does for its mappings, receiving and deleting, is not among them.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

import ingest.app
import router.app
from infra import calls as aws_calls
from infra import cost
from infra.calls import FAN_OUTS, Count
from perkwire.adapters.dynamodb.config_items import AccountItem
from perkwire.adapters.dynamodb.delivery_table import DeliveryTable
from perkwire.model.delivery import Change, DeliveryStatus
from perkwire.primitives.ids import AccountId, EventId, WebhookId, delivery_id
from perkwire.primitives.timestamps import MICROSECONDS, now
from perkwire.reading.log import MOST_DELETED
from tests.aws_events import Context, sqs_event, sqs_record
from tests.builders import a_delivery, an_attempt, points_data
from tests.fakes import FakeClock, FakeTelemetry
from tests.integration.counting import Counter, count_calls
from tests.integration.dispatching.test_notices import Admin
from tests.integration.system import Polled, System, Tenant
from tests.receiver import Receiver

AUTHORIZED = {"GetItem": Count(1, 1)}
LIST = 100
MINUTE = 60 * 1_000_000


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return count_calls(monkeypatch)


def some_events(count: int, **fields: object) -> list[dict[str, Any]]:
    return [{"type": "points.earned", "data": points_data(), **fields} for _ in range(count)]


def some_webhooks(tenant: Tenant, receiver: Receiver, count: int) -> list[str]:
    return [tenant.webhook(receiver.endpoint().url)["id"] for _ in range(count)]


def webhooks_in(polled: Polled) -> int:
    """How many different webhooks an invocation's deliveries were for."""
    return len({json.loads(message["Body"])["webhook_id"] for message in polled.messages})


def send_one(system: System, tenant: Tenant) -> None:
    """One event to all webhooks, in one invocation of each function."""
    tenant.post(*some_events(1))
    system.route()
    system.dispatch()


@pytest.mark.parametrize("fan_out", FAN_OUTS)
def test_an_event_by_itself_costs_what_the_page_says(
    fan_out: int, system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    some_webhooks(tenant, receiver, fan_out)
    send_one(system, tenant)  # From now on the dispatcher knows the secrets, for five minutes.
    calls.forget()

    tenant.post(*some_events(1))
    calls.check("authorizer", AUTHORIZED)
    calls.check("ingest", aws_calls.ingest(1))

    system.poll("EventQueue", "router")
    calls.check("router", aws_calls.router(1, fan_out))

    for _ in range(fan_out):
        assert system.dispatch(most=1).left == []
        calls.check("dispatcher", aws_calls.dispatcher(1, 1))


@pytest.mark.parametrize("fan_out", FAN_OUTS)
def test_ten_events_in_full_batches_cost_what_the_page_says(
    fan_out: int, system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    some_webhooks(tenant, receiver, fan_out)
    send_one(system, tenant)  # From now on the dispatcher knows the secrets, for five minutes.
    for event in some_events(10):
        tenant.post(event)
    calls.forget()

    assert len(system.poll("EventQueue", "router").messages) == 10
    calls.check("router", aws_calls.router(10, fan_out))

    for _ in range(fan_out):
        polled = system.dispatch()
        assert (len(polled.messages), polled.left) == (10, [])
        calls.check("dispatcher", aws_calls.dispatcher(10, webhooks_in(polled)))


@pytest.mark.parametrize("fan_out", FAN_OUTS)
def test_a_list_of_a_hundred_events_costs_what_the_page_says(
    fan_out: int, system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    some_webhooks(tenant, receiver, fan_out)
    send_one(system, tenant)  # From now on the dispatcher knows the secrets, for five minutes.
    calls.forget()

    tenant.post(*some_events(LIST))
    calls.check("ingest", aws_calls.ingest(LIST))

    assert len(system.poll("EventQueue", "router").messages) == 1
    calls.check("router", aws_calls.router(LIST, fan_out))
    assert len(system.bodies("DeliveryQueue")) == LIST * fan_out

    polled = system.dispatch()
    assert (len(polled.messages), polled.left) == (10, [])
    calls.check("dispatcher", aws_calls.dispatcher(10, webhooks_in(polled)))


@pytest.mark.parametrize("count", [1, LIST])
@pytest.mark.parametrize("given", ["id", "key"])
def test_events_that_may_be_repeated_are_claimed_in_full_batches(
    count: int, given: str, tenant: Tenant, calls: Counter
) -> None:
    events = some_events(count)
    headers = {"Idempotency-Key": f"key-of-{tenant.id}"}
    if given == "id":
        headers = {}
        for position, event in enumerate(events):
            event["id"] = f"evt-{position}"
    calls.forget()

    answer = tenant.call("POST", "/v1/events", {"events": events}, headers=headers)

    assert answer.status == 202, answer
    calls.check("ingest", aws_calls.ingest(count, with_ids=True))


@pytest.mark.parametrize(("messages", "count"), [(10, 1), (1, LIST)])
def test_messages_of_the_inbox_cost_what_the_page_says(
    messages: int, count: int, system: System, tenant: Tenant, calls: Counter
) -> None:
    body = json.dumps(some_events(count, account_id=tenant.id))
    records = [sqs_record(body) for _ in range(messages)]
    calls.forget()

    assert ingest.app.handler(sqs_event(*records), Context()) == {"batchItemFailures": []}

    calls.check("ingest", aws_calls.inbox(messages, count))


def test_an_operators_list_looks_its_accounts_up_in_one_call(
    system: System, tenant: Tenant, operator_key: str, calls: Counter
) -> None:
    events = some_events(LIST, account_id=tenant.id)
    calls.forget()

    answer = system.call("POST", "/v1/events", {"events": events}, key=operator_key)

    assert answer.status == 202, answer
    calls.check("ingest", {**aws_calls.ingest(LIST), "BatchGetItem": Count(1, 1)})


def test_a_secret_is_opened_once_and_custom_headers_cost_one_call_more(
    system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    tenant.webhook(receiver.endpoint().url)
    tenant.webhook(receiver.endpoint().url, headers={"X-Shop": "shop-9-token"})
    calls.forget()

    send_one(system, tenant)
    unknown = {**aws_calls.dispatcher(2, 2), "Decrypt": Count(3, 3)}
    calls.check("dispatcher", unknown)

    send_one(system, tenant)
    calls.check("dispatcher", aws_calls.dispatcher(2, 2))


def test_a_stored_contract_costs_the_router_nothing_and_the_dispatcher_one_read_in_its_life(
    system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    written = {"name": "ours", "version": "1", "events": {"*": "{type}"}, "body": "=data"}
    assert tenant.call("POST", "/v1/formats", written).status == 201
    tenant.webhook(receiver.endpoint().url, format="ours@1")
    calls.forget()

    tenant.post(*some_events(1))
    system.route()
    calls.check("router", aws_calls.router(1, 1))
    assert system.dispatch().left == []
    once = aws_calls.dispatcher(1, 1)
    looked_up = once["BatchGetItem"]
    read = Count(looked_up.calls + 1, looked_up.items + 1)
    calls.check("dispatcher", {**once, "BatchGetItem": read, "Decrypt": Count(1, 1)})

    send_one(system, tenant)
    calls.check("dispatcher", once)


def test_a_failed_attempt_is_logged_and_counted_and_so_is_the_success_after_it(
    system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    send_one(system, tenant)
    endpoint.answer(500, 200)
    tenant.post(*some_events(1))
    system.route()
    calls.forget()

    polled = system.dispatch()
    assert len(polled.left) == 1
    calls.check("dispatcher", aws_calls.FAILED)

    polled.return_at_once()
    assert system.dispatch().left == []
    calls.check("dispatcher", aws_calls.RECOVERED)


def test_a_schedule_costs_one_call_for_the_failures_of_an_invocation_and_none_for_successes(
    system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url, retry_delays_seconds=[30])
    send_one(system, tenant)
    calls.forget()

    send_one(system, tenant)
    calls.check("dispatcher", aws_calls.dispatcher(1, 1))

    endpoint.answer(500)
    tenant.post(*some_events(1))
    system.route()
    polled = system.dispatch()
    calls.check("dispatcher", aws_calls.SCHEDULED)

    polled.return_at_once()
    system.dispatch()
    calls.check("dispatcher", {**aws_calls.SCHEDULED, "UpdateItem": Count(2, 2)})
    assert len(system.dispatch().left) == 1
    calls.check("dispatcher", aws_calls.SPENT)

    tenant.post(*some_events(10))
    system.route()
    calls.forget()
    assert len(system.dispatch().left) == 10
    looked_up = aws_calls.dispatcher(10, 1)["BatchGetItem"]
    # Ten entries, the streak, and the webhook's move to the slow lane.
    told = {"UpdateItem": Count(12, 12), "ChangeMessageVisibilityBatch": Count(1, 10)}
    calls.check("dispatcher", {"BatchGetItem": looked_up, **told})


def test_ten_failures_of_a_webhook_are_counted_in_one_call_and_move_it_in_another(
    system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    send_one(system, tenant)
    endpoint.answer(500)
    tenant.post(*some_events(10))
    system.route()
    calls.forget()

    assert len(system.dispatch().left) == 10

    looked_up = aws_calls.dispatcher(10, 1)["BatchGetItem"]
    told = {"UpdateItem": Count(12, 12), "ChangeMessageVisibilityBatch": Count(1, 10)}
    calls.check("dispatcher", {"BatchGetItem": looked_up, **told})


def test_a_failure_of_a_strained_webhook_is_spread_in_one_call(
    system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    send_one(system, tenant)
    endpoint.answer(500)
    tenant.post(*some_events(5))
    system.route()
    system.dispatch()
    tenant.post(*some_events(1))
    system.route()
    calls.forget()

    assert len(system.dispatch().left) == 1

    calls.check("dispatcher", aws_calls.STRAINED)


def test_a_used_up_delivery_tells_the_admins_in_one_call(
    system: System, tenant: Tenant, operator_key: str, receiver: Receiver, calls: Counter
) -> None:
    Admin(system, tenant, operator_key)
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    send_one(system, tenant)
    endpoint.answer(500)
    tenant.post(*some_events(1))
    system.route()
    for _ in range(2):
        system.dispatch().return_at_once()
    calls.forget()

    assert len(system.dispatch().left) == 1

    calls.check("dispatcher", aws_calls.EXHAUSTED)


def test_a_pause_is_one_write_and_what_comes_later_is_logged_together(
    system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    send_one(system, tenant)
    endpoint.answer(410)
    tenant.post(*some_events(1))
    system.route()
    calls.forget()

    assert len(system.dispatch().left) == 1
    calls.check("dispatcher", aws_calls.GONE)

    tenant.post(*some_events(LIST))
    system.poll("EventQueue", "router")
    calls.check("router", aws_calls.paused(LIST, 1))


@pytest.mark.parametrize("webhooks", [1, 10])
def test_a_page_of_the_log_is_read_by_one_query_for_each_webhook(
    webhooks: int, system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    fill_log(tenant, some_webhooks(tenant, receiver, webhooks), entries=200)
    calls.forget()

    page = tenant.get("/v1/deliveries", limit="50")

    calls.check("authorizer", AUTHORIZED)
    calls.check("management", aws_calls.log_page(webhooks))
    assert len(page["data"]) == 50

    following = tenant.get("/v1/deliveries", limit="50", cursor=page["next_cursor"])

    calls.check("management", aws_calls.log_page(webhooks))
    assert len({one["id"] for one in [*page["data"], *following["data"]]}) == 100


def test_a_page_of_jobs_is_read_by_one_query(
    tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    for webhook in some_webhooks(tenant, receiver, 3):
        for kind in ("replay", "retry-failed"):
            asked = {"since": "2026-01-01T00:00:00Z"}
            assert tenant.call("POST", f"/v1/webhooks/{webhook}/{kind}", asked).status == 202
    calls.forget()

    page = tenant.get("/v1/jobs", limit="5", status="done")

    calls.check("management", {"Query": Count(1, 1)})
    assert (page["data"], page["next_cursor"] is None) == ([], False)


def test_a_page_of_failures_costs_one_batch_read_more_whatever_else_is_in_the_log(
    system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    webhooks = some_webhooks(tenant, receiver, 2)
    fill_log(tenant, webhooks, entries=200, status=DeliveryStatus.FAILED, age=201)
    fill_log(tenant, webhooks, entries=200)
    calls.forget()

    page = tenant.get("/v1/deliveries", status="failed", limit="50")

    calls.check("authorizer", AUTHORIZED)
    calls.check("management", aws_calls.log_page(2, unsettled=50))
    assert [one["status"] for one in page["data"]] == ["failed"] * 50


def test_webhooks_that_are_deleted_by_the_dozen_do_not_make_the_log_dearer(
    system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    for webhook in some_webhooks(tenant, receiver, 1):
        fill_log(tenant, [webhook], entries=1)
    for _ in range(MOST_DELETED + 5):
        (brief,) = some_webhooks(tenant, receiver, 1)
        assert tenant.call("DELETE", f"/v1/webhooks/{brief}").status == 204
    calls.forget()

    page = tenant.get("/v1/deliveries", limit="50")

    calls.check("authorizer", AUTHORIZED)
    calls.check("management", aws_calls.log_page(1 + MOST_DELETED))
    assert len(page["data"]) == 1


def fill_log(
    tenant: Tenant,
    webhooks: list[str],
    *,
    entries: int,
    status: DeliveryStatus = DeliveryStatus.SUCCEEDED,
    age: int = 0,
) -> None:
    """Give each of the webhooks so many deliveries, a minute apart, from `age` minutes ago back."""
    newest = now() - age * MINUTE
    log = DeliveryTable(
        AccountItem._get_connection().connection, FakeTelemetry(), log_retention_days=30
    )
    for webhook in map(WebhookId, webhooks):
        changes = []
        for age in range(entries):
            event, at = EventId(f"evt-{age}"), newest - age * MINUTE
            attempt = an_attempt(at=at, status_code=200, response=None)
            entry = a_delivery(
                id=delivery_id(webhook, [event], at),
                account_id=AccountId(tenant.id),
                webhook_id=webhook,
                event_ids=(event,),
                attempts=(attempt,),
                status=status,
                created_at=at,
                updated_at=at,
            )
            changes.append(Change(None, entry, attempt))
        assert log.write(changes) == set()


def test_the_page_shows_the_counts_that_these_tests_check() -> None:
    text = cost.PAGE.read_text(encoding="utf-8")

    assert cost.with_tables(text) == text, "run `python -m infra.cost`"


@pytest.mark.parametrize("count", [1, LIST])
@pytest.mark.parametrize(("index", "names"), [("none", 0), ("ids", 1), ("ids-and-emails", 2)])
def test_the_index_of_members_costs_a_write_for_each_name_and_nothing_without_it(
    index: str,
    names: int,
    count: int,
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    calls: Counter,
) -> None:
    some_webhooks(tenant, receiver, 1)
    system.restart(MEMBER_INDEX=index)
    calls.forget()
    member = {"id": "m-1", "email": "ada@example.com"}

    tenant.post(*some_events(count, data=points_data() | {"member": member}))
    calls.check("ingest", aws_calls.ingest(count))
    system.poll("EventQueue", "router")
    calls.check("router", aws_calls.router(count, 1, names=names))
    system.dispatch_all()
    calls.forget()
    tenant.post(*some_events(count, type="custom.nobody", data={}))
    system.poll("EventQueue", "router")
    calls.check("router", aws_calls.router(count, 1, names=0))


@pytest.mark.parametrize("events", [1, 50])
def test_a_page_of_a_members_events_is_read_in_four_calls(
    events: int, system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    some_webhooks(tenant, receiver, 1)
    tenant.post(*some_events(events))
    tenant.post(*some_events(2, type="custom.nobody", data={}))
    system.route()
    calls.forget()

    page = tenant.get("/v1/events", member="mbr_1")

    assert len(page["data"]) == events
    calls.check("management", aws_calls.member_page(events, events))


@pytest.mark.parametrize("count", [1, LIST])
def test_a_pace_costs_one_update_more_and_the_others_pay_nothing(
    count: int, system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    paced = tenant.webhook(receiver.endpoint().url, max_per_second=1000)
    calls.forget()

    tenant.post(*some_events(count))
    system.poll("EventQueue", "router")
    calls.check("router", aws_calls.paced(count))

    tenant.call("PATCH", f"/v1/webhooks/{paced['id']}", {"max_per_second": None})
    tenant.post(*some_events(count))
    system.poll("EventQueue", "router")
    calls.check("router", aws_calls.router(count, 1))


@pytest.fixture
def _router_of_its_own(system: System) -> Iterator[None]:
    yield
    system.cold_start("router")


@pytest.mark.usefixtures("_router_of_its_own")
@pytest.mark.parametrize("near", [False, True])
def test_a_delivery_that_is_handed_on_costs_its_share_of_a_batch(
    near: bool,
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    calls: Counter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant.webhook(receiver.endpoint().url, max_per_second=0.1)
    tenant.post(*some_events(LIST))
    tenant.post(*some_events(LIST))
    system.route()
    waiting = system.bodies("PacingQueue")[:LIST]
    later = 3_600 if near else 0
    monkeypatch.setattr(router.app, "now", FakeClock(now() + later * MICROSECONDS))
    system.cold_start("router")
    calls.forget()

    event = sqs_event(*[sqs_record(body) for body in waiting])
    assert router.app.handler(event, Context()) == {"batchItemFailures": []}

    calls.check("router", aws_calls.handed_on(LIST, near=near))


@pytest.mark.parametrize("count", [1, LIST])
def test_an_erasure_makes_no_delivery_cost_a_call_more(
    count: int, system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    some_webhooks(tenant, receiver, 1)
    send_one(system, tenant)  # From now on the dispatcher knows the secret, for five minutes.
    tenant.post(*some_events(count))
    assert tenant.call("POST", "/v1/erasures", {"member_id": "mbr_1"}).status == 202
    calls.forget()

    system.poll("EventQueue", "router")
    calls.check("router", aws_calls.erased(count))
    tenant.post(*some_events(count))
    system.poll("EventQueue", "router")
    calls.check("router", aws_calls.router(count, 1))
    polled = system.dispatch()
    assert polled.left == []
    calls.check("dispatcher", aws_calls.dispatcher(len(polled.messages), 1))


def test_a_delivery_of_nothing_else_costs_two_calls(
    system: System, tenant: Tenant, receiver: Receiver, calls: Counter
) -> None:
    some_webhooks(tenant, receiver, 1)
    tenant.post(*some_events(1))
    system.route()
    assert tenant.call("POST", "/v1/erasures", {"member_id": "mbr_1"}).status == 202
    calls.forget()

    assert system.dispatch().left == []

    calls.check("dispatcher", aws_calls.CANCELLED)
