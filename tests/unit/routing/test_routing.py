"""From event messages to delivery messages: matching, batching, and what a fault leaves behind."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from perkwire.formats.standard import Standard
from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.model.event import Event
from perkwire.model.messages import (
    MAX_MESSAGE_BYTES,
    DeliveryMessage,
    Received,
    read_delivery_message,
)
from perkwire.model.routed_event import NOT_IN_FORMAT, RoutedEvent
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.routing.router import Router
from tests.builders import (
    ACCOUNT,
    NOW,
    OTHER_ACCOUNT,
    a_delivery,
    a_delivery_message,
    a_received,
    a_webhook,
    an_account,
    an_event,
    an_event_message,
    webhooks,
)
from tests.fakes import (
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeDeliveryTable,
    FakeEventItems,
    FakeEventTable,
    FakeQueue,
    FakeTelemetry,
    FakeWebhookLookup,
)


class RouterBench:
    """A router with fakes around it, and an account without webhooks."""

    def __init__(self) -> None:
        self.config = FakeConfigItems()
        self.config.put(an_account())
        self.lookup = FakeWebhookLookup(self.config)
        self.events = FakeEventItems()
        self.event_table = FakeEventTable(self.events)
        self.log = FakeDeliveryItems()
        self.delivery_table = FakeDeliveryTable(self.log)
        self.queue = FakeQueue()
        self.journal = FakeTelemetry()
        self.clock = FakeClock(NOW)

    def route(self, *received: Received, may_go_on: Callable[[], bool] = lambda: True) -> list[str]:
        routing = Router(
            webhooks=self.lookup,
            events=self.event_table,
            paused=self.delivery_table,
            queue=self.queue,
            journal=self.journal,
            clock=self.clock,
        )
        return routing.route(received, may_go_on)

    def sent(self) -> list[DeliveryMessage]:
        return [read_delivery_message(message.body) for message in self.queue.messages]

    def became(self, event: Event, account: AccountId = ACCOUNT) -> dict[WebhookId, str]:
        return dict(self.events.events[(account, event.id)].deliveries)


@pytest.fixture
def router() -> RouterBench:
    return RouterBench()


# Matching.


@pytest.mark.parametrize(
    ("event_types", "wanted"),
    [
        (("*",), True),
        (("points.earned",), True),
        (("tier.upgraded", "points.earned"), True),
        (("tier.upgraded",), False),
        (("points",), False),
        (("points.earned.twice",), False),
    ],
)
def test_a_webhook_gets_the_types_that_it_names(
    router: RouterBench, event_types: tuple[str, ...], wanted: bool
) -> None:
    router.config.put(a_webhook(event_types=event_types))

    assert router.route(a_received(an_event_message())) == []

    assert len(router.sent()) == wanted


@pytest.mark.parametrize(
    ("program_ids", "program_id", "wanted"),
    [
        (None, None, True),
        (None, "gold", True),
        (("gold",), "gold", True),
        (("silver", "gold"), "gold", True),
        (("silver",), "gold", False),
        (("gold",), None, False),
    ],
)
def test_a_webhook_gets_the_programmes_that_it_names(
    router: RouterBench, program_ids: tuple[str, ...] | None, program_id: str | None, wanted: bool
) -> None:
    router.config.put(a_webhook(program_ids=program_ids))

    router.route(a_received(an_event_message(an_event(program_id=program_id))))

    assert len(router.sent()) == wanted


def test_every_webhook_that_matches_gets_a_delivery_of_its_own(router: RouterBench) -> None:
    router.config.put(*webhooks(3))
    event = an_event()

    router.route(a_received(an_event_message(event)))

    assert [message.webhook_id for message in router.sent()] == [one.id for one in webhooks(3)]
    assert len({message.delivery_id for message in router.sent()}) == 3
    assert all(message.events == (event,) for message in router.sent())
    assert all(message.run == 0 for message in router.sent())
    assert router.became(event) == {
        message.webhook_id: message.delivery_id for message in router.sent()
    }


def test_the_queues_group_is_the_webhook(router: RouterBench) -> None:
    router.config.put(*webhooks(2))

    router.route(a_received(an_event_message()))

    assert [message.group for message in router.queue.messages] == [one.id for one in webhooks(2)]


def test_another_accounts_webhooks_get_nothing(router: RouterBench) -> None:
    router.config.put(an_account(id=OTHER_ACCOUNT), a_webhook(account_id=OTHER_ACCOUNT))

    assert router.route(a_received(an_event_message())) == []

    assert router.queue.messages == []


def test_an_event_that_nobody_wants_is_kept_and_done(router: RouterBench) -> None:
    event = an_event()

    assert router.route(a_received(an_event_message(event))) == []

    assert router.became(event) == {}


@pytest.mark.parametrize("status", [WebhookStatus.DISABLED, WebhookStatus.DELETED])
def test_a_disabled_or_deleted_webhook_gets_nothing(
    router: RouterBench, status: WebhookStatus
) -> None:
    router.config.put(a_webhook(status=status))
    event = an_event()

    assert router.route(a_received(an_event_message(event))) == []

    assert router.queue.messages == []
    assert router.log.entries == {}
    assert router.became(event) == {}


def test_what_the_format_does_not_know_is_shown_and_not_sent(
    router: RouterBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OnlyTiers(Standard):
        def name_of(self, event_type: str) -> str | None:  # type: ignore[override]
            return event_type if event_type.startswith("tier.") else None

    monkeypatch.setattr("perkwire.formats.FORMATS", {"standard": OnlyTiers()})
    webhook = a_webhook(batch_size=10)
    router.config.put(webhook)
    points, tier = an_event(), an_event(type="tier.upgraded")

    router.route(a_received(an_event_message(points, tier)))

    (message,) = router.sent()
    assert message.events == (tier,)
    assert router.became(points) == {webhook.id: NOT_IN_FORMAT}
    assert router.became(tier) == {webhook.id: message.delivery_id}


@pytest.mark.parametrize("status", [WebhookStatus.ENABLED, WebhookStatus.PAUSED])
def test_a_format_that_this_release_does_not_know_harms_its_webhook_alone(
    router: RouterBench, status: WebhookStatus
) -> None:
    newer = a_webhook(
        id=WebhookId("wh_newer"), format="zinrelo@2031-01-01", batch_size=2, status=status
    )
    router.config.put(a_webhook(batch_size=10), newer)
    events = [an_event(type="custom.a"), an_event(), an_event()]

    assert router.route(a_received(an_event_message(*events))) == []

    assert router.journal.kinds == []
    sizes = [len(message.events) for message in router.sent() if message.webhook_id != newer.id]
    assert sizes == [3]
    own = [len(message.events) for message in router.sent() if message.webhook_id == newer.id]
    paused = [len(entry.event_ids) for entry in router.log.entries.values()]
    assert (own or paused) == [2, 1]


# Batching.


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7])]
)
def test_events_of_one_message_are_batched_by_the_webhooks_size_in_their_order(
    router: RouterBench, batch_size: int, sizes: list[int]
) -> None:
    router.config.put(a_webhook(batch_size=batch_size))
    events = [an_event() for _ in range(7)]

    router.route(a_received(an_event_message(*events)))

    assert [len(message.events) for message in router.sent()] == sizes
    assert [event for message in router.sent() for event in message.events] == events


def test_only_the_events_that_match_are_batched(router: RouterBench) -> None:
    router.config.put(a_webhook(batch_size=10, event_types=("points.earned",)))
    first, second, third = an_event(), an_event(type="tier.upgraded"), an_event()

    router.route(a_received(an_event_message(first, second, third)))

    assert [message.events for message in router.sent()] == [(first, third)]


def test_events_of_two_messages_are_never_batched(router: RouterBench) -> None:
    router.config.put(a_webhook(batch_size=10))

    router.route(a_received(an_event_message()), a_received(an_event_message()))

    assert [len(message.events) for message in router.sent()] == [1, 1]


def test_a_batch_ends_where_sqs_would_refuse_the_message(router: RouterBench) -> None:
    router.config.put(a_webhook(batch_size=100))
    events = [an_event(data={"text": "x" * 100_000}) for _ in range(10)]

    router.route(a_received(an_event_message(*events)))

    assert [len(message.events) for message in router.sent()] == [8, 2]
    assert all(len(one.body) < MAX_MESSAGE_BYTES + 1000 for one in router.queue.messages)


# Once more.


def test_routing_twice_gives_the_same_messages(router: RouterBench) -> None:
    router.config.put(*webhooks(2, batch_size=2))
    received = a_received(an_event_message(an_event(), an_event(), an_event()))

    router.route(received)
    router.clock.pass_seconds(3600)
    router.route(replace(received, receive_count=2))

    first, second = router.queue.messages[:4], router.queue.messages[4:]
    assert first == second


def test_routed_again_after_a_webhook_was_added_the_event_shows_both(router: RouterBench) -> None:
    old, new = webhooks(2)
    router.config.put(old)
    event = an_event()
    received = a_received(an_event_message(event))
    router.route(received)
    router.config.put(replace(old, status=WebhookStatus.DELETED), new)

    router.route(replace(received, receive_count=2))

    assert router.became(event).keys() == {old.id, new.id}


def test_a_redriven_event_message_does_not_make_the_event_forget_its_first_deliveries(
    router: RouterBench,
) -> None:
    old, new = webhooks(2)
    router.config.put(old)
    event = an_event()
    received = a_received(an_event_message(event))
    router.route(received)
    router.config.put(replace(old, status=WebhookStatus.DELETED), new)

    router.route(received)

    assert router.became(event) == {
        message.webhook_id: message.delivery_id for message in router.sent()
    }
    assert router.became(event).keys() == {old.id, new.id}


# Paused webhooks.


def test_a_paused_webhooks_deliveries_are_logged_as_failed_and_not_sent(
    router: RouterBench,
) -> None:
    webhook = a_webhook(status=WebhookStatus.PAUSED, batch_size=2)
    router.config.put(webhook)
    events = [an_event(), an_event(type="tier.upgraded"), an_event()]

    assert router.route(a_received(an_event_message(*events))) == []

    assert router.queue.messages == []
    first, second = router.log.entries.values()
    assert first.event_ids == (events[0].id, events[1].id)
    assert first.event_types == ("points.earned", "tier.upgraded")
    for entry in (first, second):
        assert (entry.status, entry.reason) == (DeliveryStatus.FAILED, Reason.PAUSED)
        assert (entry.run, entry.attempts, entry.due_at) == (0, (), None)
        assert (entry.account_id, entry.webhook_id) == (ACCOUNT, webhook.id)
    assert router.became(events[0]) == {webhook.id: first.id}


def test_logging_a_paused_delivery_does_not_change_an_entry_that_is_there(
    router: RouterBench,
) -> None:
    webhook = a_webhook(status=WebhookStatus.PAUSED)
    router.config.put(webhook)
    event = an_event()
    there = a_delivery(a_delivery_message(webhook, event))
    router.log.put(there)

    assert router.route(a_received(an_event_message(event))) == []

    assert router.log.entries == {there.id: there}


# Faults: the message at fault is left, and only it.


@pytest.mark.parametrize("body", ["", "{", "[]", '{"v":2}', '{"v":1,"account_id":"a"}'])
def test_an_unreadable_message_is_left_and_no_other(router: RouterBench, body: str) -> None:
    router.config.put(a_webhook())
    bad, good = a_received(body), a_received(an_event_message())

    assert router.route(bad, good) == [bad.message_id]

    assert router.journal.kinds == ["message_unreadable"]
    assert len(router.sent()) == 1


def test_the_message_of_an_absent_account_is_left_and_no_other(router: RouterBench) -> None:
    router.config.put(a_webhook())
    orphan = a_received(an_event_message(account_id=OTHER_ACCOUNT))

    assert router.route(orphan, a_received(an_event_message())) == [orphan.message_id]

    assert router.journal.kinds == ["account_absent"]
    assert len(router.sent()) == 1


def test_a_message_whose_account_cannot_be_read_is_left_and_no_other(router: RouterBench) -> None:
    router.config.put(an_account(id=OTHER_ACCOUNT), a_webhook())
    router.lookup.fail("of_account", 1)
    first, second = a_received(an_event_message(account_id=OTHER_ACCOUNT)), an_event_message()

    assert router.route(first, a_received(second)) == [first.message_id]

    assert router.journal.kinds == ["routing_unavailable"]
    assert len(router.sent()) == 1


def test_an_account_is_read_once_for_all_its_messages(router: RouterBench) -> None:
    router.route(*[a_received(an_event_message()) for _ in range(5)])

    assert router.lookup.calls == {"of_account": 1}


def test_if_the_events_are_not_kept_nothing_is_sent_and_the_message_is_left(
    router: RouterBench,
) -> None:
    router.config.put(a_webhook())
    router.event_table.fail("keep", 1)
    batch = [a_received(an_event_message()), a_received(an_event_message(), 2)]

    assert router.route(*batch) == [one.message_id for one in batch]

    assert router.journal.kinds == ["events_not_kept"] * 2
    assert router.sent() == []
    assert router.route(*batch) == []
    assert len(router.sent()) == 2


def test_only_the_message_whose_events_are_not_kept_is_left(router: RouterBench) -> None:
    router.config.put(a_webhook())
    lost, kept = an_event(), an_event()

    class Forgetful(FakeEventTable):
        def keep(self, events: Sequence[RoutedEvent]) -> list[bool]:
            super().keep([one for one in events if one.event != lost])
            return [one.event != lost for one in events]

    router.event_table = Forgetful(router.events)
    bad, good = a_received(an_event_message(kept, lost)), a_received(an_event_message(kept))

    assert router.route(bad, good) == [bad.message_id]

    assert router.journal.kinds == ["events_not_kept"]
    assert [message.events for message in router.sent()] == [(kept,)]


def test_the_events_of_an_invocation_are_kept_at_once(router: RouterBench) -> None:
    router.route(*[a_received(an_event_message(), count) for count in (1, 2, 3)])

    assert router.event_table.calls == {"keep": 1}


def test_an_event_twice_in_one_batch_disturbs_nothing(router: RouterBench) -> None:
    router.config.put(a_webhook())
    event, other = an_event(), an_event()

    assert router.route(*[a_received(an_event_message(one)) for one in (event, event, other)]) == []

    assert [message.events for message in router.sent()] == [(event,), (event,), (other,)]
    first, second, _ = router.sent()
    assert first.delivery_id == second.delivery_id
    assert router.became(event) == {first.webhook_id: first.delivery_id}


def test_if_a_paused_delivery_is_not_logged_its_message_is_left_and_no_other(
    router: RouterBench,
) -> None:
    paused, well = webhooks(2)
    router.config.put(
        replace(paused, status=WebhookStatus.PAUSED, event_types=("tier.upgraded",)), well
    )
    router.delivery_table.fail("add")
    bad, good = (
        a_received(an_event_message(an_event(type="tier.upgraded"))),
        a_received(an_event_message()),
    )

    assert router.route(bad, good) == [bad.message_id]

    assert router.journal.kinds == ["paused_deliveries_not_logged"]
    assert len(router.sent()) == 1


@pytest.mark.parametrize(
    ("refused", "left"), [((3,), [1]), ((4,), [1]), ((3, 6), [1, 2]), ((1, 2), [0])]
)
def test_a_message_whose_deliveries_sqs_holds_in_part_is_left_and_no_other(
    router: RouterBench, refused: tuple[int, ...], left: list[int]
) -> None:
    router.config.put(*webhooks(2))
    batch = [a_received(an_event_message()) for _ in range(3)]
    router.queue.refuse(*refused)  # of six, two for each

    assert router.route(*batch) == [batch[position].message_id for position in left]

    assert router.journal.kinds == ["deliveries_not_queued"] * len(left)


def test_after_a_partial_send_the_second_routing_completes_it_with_the_same_ids(
    router: RouterBench,
) -> None:
    router.config.put(*webhooks(3))
    received = a_received(an_event_message())
    router.queue.refuse(2)
    assert router.route(received) == [received.message_id]
    partly = {message.delivery_id for message in router.sent()}

    assert router.route(replace(received, receive_count=2)) == []

    whole = {message.delivery_id for message in router.sent()}
    assert len(partly) == 2
    assert len(whole) == 3


def test_if_every_message_fails_all_ids_come_back_and_nothing_is_raised(
    router: RouterBench,
) -> None:
    router.config.put(a_webhook())
    router.queue.fail("send")
    batch = [a_received(an_event_message()) for _ in range(10)]

    assert router.route(*batch) == [one.message_id for one in batch]


def test_nothing_received_is_nothing_done(router: RouterBench) -> None:
    assert router.route() == []


def test_the_journal_holds_ids_and_counts_only(router: RouterBench) -> None:
    router.config.put(a_webhook())

    router.route(a_received(an_event_message(an_event(data={"name": "Zoe"}))), a_received("Zoe"))

    ((what, line),) = router.journal.notes
    assert what == "events.routed"
    assert (line["events"], line["deliveries"], line["paused"]) == (1, 1, 0)
    assert "Zoe" not in str(router.journal.notes + router.journal.faults)


def test_webhooks_differ_in_what_one_event_became(router: RouterBench) -> None:
    one, two = webhooks(2, batch_size=2)
    router.config.put(one, replace(two, batch_size=1))
    events = [an_event(), an_event()]

    router.route(a_received(an_event_message(*events)))

    first, second = (router.became(event) for event in events)
    assert first[one.id] == second[one.id]
    assert first[two.id] != second[two.id]


def test_when_time_runs_out_the_first_messages_are_done_and_the_rest_is_left(
    router: RouterBench,
) -> None:
    router.config.put(a_webhook())
    batch = [a_received(an_event_message(*(an_event() for _ in range(100)))) for _ in range(3)]
    looks = iter([True, True, False])

    left = router.route(*batch, may_go_on=lambda: next(looks))

    assert left == [batch[2].message_id]
    assert len(router.queue.messages) == 200
    assert "no_time_left" in router.journal.kinds


def test_a_webhook_that_cannot_be_routed_to_leaves_its_accounts_messages_alone(
    router: RouterBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Standard):
        def name_of(self, event_type: str) -> str:
            raise ValueError(event_type)

    monkeypatch.setattr("perkwire.formats.FORMATS", {"standard": Standard(), "broken": Broken()})
    router.config.put(an_account(id=OTHER_ACCOUNT), a_webhook(account_id=OTHER_ACCOUNT))
    router.config.put(a_webhook(id=WebhookId("wh_000000000000000z"), format="broken"))
    mine = a_received(an_event_message())
    other = a_received(an_event_message(account_id=OTHER_ACCOUNT))

    assert router.route(mine, other) == [mine.message_id]

    assert "message_unroutable" in router.journal.kinds
