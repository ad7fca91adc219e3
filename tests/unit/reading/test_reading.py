from dataclasses import replace
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_type
from perkwire.formats.format import Unrenderable
from perkwire.formats.registry import FORMATS
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.event import Event
from perkwire.model.routed_event import FILTERED, NOT_IN_FORMAT, RoutedEvent
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, JobId, WebhookId, delivery_id
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.page import Page
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS
from perkwire.reading.log import MOST_DELETED, DeliveryFilter, LogReader, parse_filter
from tests.builders import (
    ACCOUNT,
    NOW,
    OTHER_ACCOUNT,
    WEBHOOK,
    a_delivery,
    a_delivery_message,
    a_webhook,
    an_account,
    an_attempt,
    an_event,
    webhooks,
)
from tests.fakes import (
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeDeliveryReader,
    FakeEventItems,
    FakeEventReader,
    FakeWebhookLookup,
)

INTERVAL = 300
LOG_DAYS = 15
SECOND = MICROSECONDS
EVERYTHING = DeliveryFilter()


class Log:
    """A log with fakes around it, and an account of two webhooks."""

    def __init__(self) -> None:
        self.config = FakeConfigItems()
        self.one, self.two = webhooks(2)
        self.config.put(an_account(), self.one, self.two)
        self.items = FakeDeliveryItems()
        self.reader = FakeDeliveryReader(self.items)
        self.events = FakeEventItems()
        self.clock = FakeClock(NOW)
        self.reading = LogReader(
            deliveries=self.reader,
            events=FakeEventReader(self.events),
            webhooks=FakeWebhookLookup(self.config),
            retry_interval_seconds=INTERVAL,
            log_retention_days=LOG_DAYS,
            clock=self.clock,
        )

    def has(self, webhook: Webhook, seconds: int, **members: object) -> Delivery:
        """An entry whose event was accepted so many seconds after NOW."""
        event = an_event(accepted_at=NOW + seconds * SECOND)
        entry = a_delivery(a_delivery_message(webhook, event), **members)
        self.items.put(entry)
        return entry

    def page(
        self, wanted: DeliveryFilter = EVERYTHING, limit: int = 50, cursor: str | None = None
    ) -> Page[dict[str, Json]]:
        return self.reading.list(ACCOUNT, wanted, limit, cursor)

    def ids(self, wanted: DeliveryFilter = EVERYTHING) -> list[Json]:
        return [entry["id"] for entry in self.page(wanted).items]


@pytest.fixture
def log() -> Log:
    return Log()


def status_of(call: Any, *arguments: Any) -> int:  # noqa: ANN401
    with pytest.raises(Problem) as raised:
        call(*arguments)
    return raised.value.status


# One delivery.


def test_a_delivery_is_shown_as_of_now(log: Log) -> None:
    entry = log.has(log.one, 0, status=DeliveryStatus.RETRYING, due_at=NOW)

    assert log.reading.delivery(ACCOUNT, entry.id)["status"] == "retrying"
    log.clock.pass_seconds(2 * INTERVAL + 1)
    assert log.reading.delivery(ACCOUNT, entry.id)["reason"] == "lost"


@pytest.mark.parametrize("text", ["", "x", "dlv_", "dlv_0000000000000001_0", "evt_1", "dlv_a_b_c"])
def test_a_delivery_that_is_not_there_is_not_found(log: Log, text: str) -> None:
    assert status_of(log.reading.delivery, ACCOUNT, DeliveryId(text)) == 404


@pytest.mark.parametrize("text", ["", "x", "dlv_0000000000000001_0", "dlv_a_b_c", "evt_1"])
def test_what_is_no_delivery_id_costs_no_read(log: Log, text: str) -> None:
    assert status_of(log.reading.delivery, ACCOUNT, DeliveryId(text)) == 404

    assert log.reader.calls.total() == 0


def test_every_wrong_part_of_a_query_is_named() -> None:
    with pytest.raises(Problem) as raised:
        parse_filter({"status": "x", "webhook_id": "x", "since": "x", "until": "x", "x": "x"})

    document: Any = raised.value.document()
    assert {error["field"] for error in document["errors"]} == {
        *("status", "webhook_id", "since", "until", "x")
    }


def test_another_accounts_delivery_is_not_found(log: Log) -> None:
    entry = log.has(log.one, 0)

    assert status_of(log.reading.delivery, OTHER_ACCOUNT, entry.id) == 404


# The list.


def test_all_webhooks_deliveries_are_listed_newest_first(log: Log) -> None:
    entries = [log.has(log.one if n % 2 else log.two, n) for n in range(5)]

    assert log.ids() == [entry.id for entry in reversed(entries)]
    assert log.page().next_cursor is None


def test_a_deleted_webhooks_deliveries_are_listed_still(log: Log) -> None:
    entry = log.has(log.one, 0)
    log.config.put(replace(log.one, status=WebhookStatus.DELETED))

    assert log.ids() == [entry.id]


def test_another_accounts_deliveries_are_not_listed(log: Log) -> None:
    log.has(log.one, 0, account_id=OTHER_ACCOUNT)
    foreign = a_webhook(id=WebhookId("wh_0000000000000009"), account_id=OTHER_ACCOUNT)
    log.has(foreign, 0)

    assert log.ids() == []
    assert log.ids(DeliveryFilter(webhook_id=foreign.id)) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_following_the_cursor_shows_each_delivery_once(log: Log, limit: int) -> None:
    entries = [log.has(log.one if n % 3 else log.two, n) for n in range(7)]
    seen: list[Json] = []
    cursor = None

    for _ in range(10):
        page = log.page(limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        seen += [entry["id"] for entry in page.items]
        if (cursor := page.next_cursor) is None:
            break

    assert cursor is None
    assert seen == [entry.id for entry in reversed(entries)]


@pytest.mark.parametrize("status", [DeliveryStatus.FAILED, DeliveryStatus.RETRYING])
def test_a_failure_is_found_on_the_first_page_however_many_successes_are_newer(
    log: Log, status: DeliveryStatus
) -> None:
    oldest = log.has(log.one, 0, status=status, due_at=NOW)
    for n in range(1, 200):
        log.has(log.one if n % 2 else log.two, n)

    page = log.page(DeliveryFilter(status=status), limit=10)

    assert ([entry["id"] for entry in page.items], page.next_cursor) == ([oldest.id], None)
    assert log.reader.calls == {"newest_unsettled": 2, "find": 1}


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_following_the_cursor_shows_each_failure_once(log: Log, limit: int) -> None:
    statuses = (DeliveryStatus.FAILED, DeliveryStatus.RETRYING, DeliveryStatus.SUCCEEDED)
    entries = [
        log.has(log.one if n % 2 else log.two, n, status=statuses[n % 3], due_at=NOW)
        for n in range(20)
    ]
    wanted = DeliveryFilter(status=DeliveryStatus.FAILED)
    seen: list[Json] = []
    cursor = None

    for _ in range(20):
        page = log.page(wanted, limit=limit, cursor=cursor)
        seen += [entry["id"] for entry in page.items]
        if (cursor := page.next_cursor) is None:
            break

    assert cursor is None
    assert seen == [one.id for one in reversed(entries) if one.status is DeliveryStatus.FAILED]


def test_of_deleted_webhooks_the_list_has_those_that_went_last(log: Log) -> None:
    live = log.has(log.one, 0)
    deleted = [
        a_webhook(
            id=WebhookId(f"wh_{number:016}"), status=WebhookStatus.DELETED, updated_at=NOW - number
        )
        for number in range(100, 100 + MOST_DELETED + 5)
    ]
    log.config.put(*deleted)
    entries = [log.has(webhook, -number) for number, webhook in enumerate(deleted, 1)]

    assert log.ids() == [live.id, *(entry.id for entry in entries[:MOST_DELETED])]
    assert log.ids(DeliveryFilter(webhook_id=deleted[-1].id)) == [entries[-1].id]


def test_what_a_filter_leaves_out_makes_a_page_short_not_the_list(log: Log) -> None:
    oldest = log.has(log.one, 0, status=DeliveryStatus.CANCELLED)
    for n in range(1, 5):
        log.has(log.one, n)
    wanted = DeliveryFilter(status=DeliveryStatus.CANCELLED)
    found: list[Json] = []
    cursor = None

    for _ in range(10):
        page = log.page(wanted, limit=2, cursor=cursor)
        found += [entry["id"] for entry in page.items]
        if (cursor := page.next_cursor) is None:
            break

    assert found == [oldest.id]


def test_filters_choose_by_what_is_shown(log: Log) -> None:
    good = log.has(log.one, 0)
    bad = log.has(log.two, 1, status=DeliveryStatus.FAILED, event_types=("tier.upgraded",))
    lost = log.has(log.two, 2, status=DeliveryStatus.RETRYING, due_at=0)

    assert log.ids(DeliveryFilter(status=DeliveryStatus.SUCCEEDED)) == [good.id]
    assert log.ids(DeliveryFilter(status=DeliveryStatus.FAILED)) == [lost.id, bad.id]
    assert log.ids(DeliveryFilter(status=DeliveryStatus.RETRYING)) == []
    assert log.ids(DeliveryFilter(webhook_id=log.two.id)) == [lost.id, bad.id]
    assert log.ids(DeliveryFilter(event_type="tier.upgraded")) == [bad.id]


def test_the_answer_is_the_last_attempts(log: Log) -> None:
    took, refused, silent = (
        log.has(log.one, n, attempts=(an_attempt(status_code=404), last)).id
        for n, last in enumerate(
            (
                an_attempt(number=2, status_code=204, response=None),
                an_attempt(number=2, status_code=503),
                an_attempt(number=2, status_code=None, error="timeout", response=None),
            )
        )
    )
    log.has(log.one, 3, attempts=())

    for answer, found in (
        ("204", [took]),
        ("503", [refused]),
        ("5xx", [refused]),
        ("timeout", [silent]),
        ("404", []),
        ("tls", []),
    ):
        assert log.ids(DeliveryFilter(answer=answer)) == found, answer


def test_since_is_in_and_until_is_out(log: Log) -> None:
    entries = [log.has(log.one, n) for n in range(4)]

    since_and_until = DeliveryFilter(since=NOW + SECOND, until=NOW + 3 * SECOND)

    assert log.ids(since_and_until) == [entries[2].id, entries[1].id]


def test_a_cursor_goes_on_within_until(log: Log) -> None:
    entries = [log.has(log.one, n) for n in range(4)]
    wanted = DeliveryFilter(until=NOW + 3 * SECOND)

    first = log.page(wanted, limit=2)
    second = log.page(wanted, limit=2, cursor=first.next_cursor)

    assert [entry["id"] for entry in second.items] == [entries[0].id]


@pytest.mark.parametrize("cursor", ["", "x", "0" * 25, "0" * 27, "A" * 26, "~" * 26])
def test_a_cursor_that_no_page_gave_is_refused(log: Log, cursor: str) -> None:
    assert status_of(log.reading.list, ACCOUNT, EVERYTHING, 50, cursor) == 422


# The query.


def test_a_query_is_read(log: Log) -> None:
    assert parse_filter(
        {
            "status": "failed",
            "answer": "5xx",
            "webhook_id": WEBHOOK,
            "event_type": "points.earned",
            "since": "1970-01-01T00:00:01Z",
            "until": "1970-01-01T00:00:02Z",
            "limit": "5",
            "cursor": "x",
        }
    ) == DeliveryFilter(
        status=DeliveryStatus.FAILED,
        answer="5xx",
        webhook_id=WEBHOOK,
        event_type="points.earned",
        since=SECOND,
        until=2 * SECOND,
    )
    assert parse_filter({}) == EVERYTHING


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("status", status) for status in ("pending", "", "lost")),
        *(("since", text) for text in ("", "now", "0999-12-31T23:59:59Z")),
        ("until", "9999-12-31T23:59:59-01:00"),
        *(("webhook_id", text) for text in ("", "wh_", "wh_1", f"{WEBHOOK}0", f"{WEBHOOK}\n")),
        *(("webhook_id", text) for text in ("0000000000000001", WEBHOOK.upper(), "wh_" + "#" * 16)),
        *(("event_type", text) for text in ("", "points", "Points.earned", "*", "a." + "b" * 127)),
        *(
            ("answer", text)
            for text in ("", "5", "600", "xx", "5XX", "slow", "503 ", "self_signed")
        ),
        ("colour", "x"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(name: str, value: str) -> None:
    with pytest.raises(Problem) as raised:
        parse_filter({name: value})

    document: Any = raised.value.document()
    assert [error["field"] for error in document["errors"]] == [name]


# One event.


def kept(log: Log, **deliveries: str) -> RoutedEvent:
    event = an_event(id=EventId("e"), program_id="gold", occurred_at=0)
    by_webhook = {WebhookId(webhook): DeliveryId(one) for webhook, one in deliveries.items()}
    routed = RoutedEvent(account_id=ACCOUNT, event=event, deliveries=by_webhook)
    log.events.events[(ACCOUNT, event.id)] = routed
    return routed


def test_without_an_entry_a_delivery_is_pending_only_while_the_log_would_have_one(
    log: Log,
) -> None:
    entry = log.has(log.one, 0)
    kept(log, **{log.one.id: entry.id, log.two.id: "dlv_2_x", "wh_3": NOT_IN_FORMAT})

    def statuses() -> list[object]:
        deliveries = log.reading.event(ACCOUNT, EventId("e"))["deliveries"]
        assert isinstance(deliveries, list)
        return [one["status"] for one in deliveries if isinstance(one, dict)]

    log.clock.pass_seconds(LOG_DAYS * 24 * 3600)
    assert statuses() == ["succeeded", "pending", "not_in_format"]
    log.clock.pass_seconds(1)
    assert statuses() == ["succeeded", "expired", "not_in_format"]


def test_an_event_is_shown_with_what_became_of_it_at_each_webhook(log: Log) -> None:
    entry = log.has(log.one, 0, status=DeliveryStatus.RETRYING, due_at=NOW)
    routed = kept(
        log,
        **{log.one.id: entry.id, log.two.id: "dlv_2_x", "wh_3": NOT_IN_FORMAT, "wh_4": FILTERED},
    )
    assert log.reading.matched(ACCOUNT, [EventId("e")]) == {"e": 3}

    assert log.reading.event(ACCOUNT, EventId("e")) == {
        "id": "e",
        "type": "points.earned",
        "program_id": "gold",
        "accepted_at": "2026-09-21T14:13:20.000000Z",
        "occurred_at": "1970-01-01T00:00:00.000000Z",
        "data": routed.event.data,
        "deliveries": [
            {"webhook_id": log.one.id, "id": entry.id, "status": "retrying"},
            {"webhook_id": log.two.id, "id": "dlv_2_x", "status": "pending"},
            {"webhook_id": "wh_3", "status": "not_in_format"},
            {"webhook_id": "wh_4", "status": "filtered"},
        ],
    }


def test_an_events_lost_delivery_is_shown_as_failed(log: Log) -> None:
    entry = log.has(log.one, 0, status=DeliveryStatus.RETRYING, due_at=NOW)
    kept(log, **{log.one.id: entry.id})
    log.clock.pass_seconds(2 * INTERVAL + 1)

    shown: Any = log.reading.event(ACCOUNT, EventId("e"))

    assert shown["deliveries"][0]["status"] == "failed"


def test_what_was_sent_of_an_event_beside_its_routing_is_shown_after_it(log: Log) -> None:
    entry = log.has(log.one, 0, status=DeliveryStatus.SUCCEEDED)
    routed = kept(log, **{log.one.id: entry.id})
    beside = [
        replace(
            log.has(webhook, 0, status=DeliveryStatus.FAILED),
            id=delivery_id(webhook.id, ids, at, JobId("job_1")),
            event_ids=tuple(ids),
        )
        for webhook, ids, at in (
            (log.one, [EventId("e")], NOW),
            (log.two, [EventId("other"), EventId("e")], NOW),
            (log.two, [EventId("other")], NOW),
            # Begins with an event of another moment: its id does not tell.
            (log.two, [EventId("earlier"), EventId("e")], NOW - SECOND),
        )
    ]
    log.items.put(*beside)

    shown: Any = log.reading.event(ACCOUNT, routed.event.id)

    assert shown["deliveries"] == [
        {"webhook_id": log.one.id, "id": entry.id, "status": "succeeded"},
        {"webhook_id": log.one.id, "id": beside[0].id, "status": "failed"},
        {"webhook_id": log.two.id, "id": beside[1].id, "status": "failed"},
    ]


def test_an_event_nobody_wanted_has_no_deliveries(log: Log) -> None:
    kept(log)

    assert log.reading.event(ACCOUNT, EventId("e"))["deliveries"] == []


@pytest.mark.parametrize(
    ("account", "event"), [(ACCOUNT, "other"), (OTHER_ACCOUNT, "e")], ids=["absent", "foreign"]
)
def test_an_event_that_is_not_there_is_not_found(log: Log, account: AccountId, event: str) -> None:
    kept(log)

    assert status_of(log.reading.event, account, EventId(event)) == 404


def test_a_log_that_cannot_be_read_is_said_to_be(log: Log) -> None:
    log.has(log.one, 0)
    log.reader.fail("newest", 2)

    with pytest.raises(Unavailable):
        log.page()


@pytest.mark.parametrize(
    "format_name", [name for name, one in FORMATS.items() if one.name_of("tier.upgraded")]
)
def test_the_next_request_shows_no_secret_of_any_format(log: Log, format_name: str) -> None:
    settings = FORMATS[format_name].read_settings(Fields({}))
    webhook = a_webhook(format=format_name, format_settings=settings, headers={"X-Shop": "a-token"})
    event = kept_for(log, webhook)
    entry = a_delivery(a_delivery_message(webhook, event))

    one, other = (log.reading.next_request(entry, webhook) for _ in range(2))

    assert one is not None
    assert other is not None
    assert one.request.url == webhook.url
    # What is shown depends on no secret, so it is the same at each look.
    assert one.to_json() == other.to_json()
    headers: Any = one.to_json()["headers"]
    assert headers["X-Shop"] == "…"
    assert headers["webhook-id"] == entry.id


def test_in_a_format_that_this_release_does_not_know_there_is_none(log: Log) -> None:
    webhook = a_webhook(format="zinrelo@2031-01-01")
    entry = a_delivery(a_delivery_message(webhook, kept_for(log, webhook)))

    with pytest.raises(Unrenderable):
        log.reading.next_request(entry, webhook)


def test_without_its_events_there_is_no_next_request(log: Log) -> None:
    webhook = a_webhook()
    entry = a_delivery(a_delivery_message(webhook, an_event()))

    assert log.reading.next_request(entry, webhook) is None


def kept_for(log: Log, webhook: Webhook) -> Event:
    """An event of a type that every format says, with the data of its example."""
    found = event_type("tier.upgraded")
    assert found is not None
    event = an_event(type=found.name, data=found.example)
    routed = RoutedEvent(account_id=ACCOUNT, event=event, deliveries={webhook.id: "dlv_1"})
    log.events.events[ACCOUNT, event.id] = routed
    return event
