"""What a fault leaves behind: the message at fault is left, and only it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from perkwire.formats.standard import Standard
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, WebhookId
from tests.builders import (
    OTHER_ACCOUNT,
    a_received,
    a_webhook,
    an_account,
    an_event,
    an_event_message,
    webhooks,
)
from tests.fakes import FakeEventTable, FakeWebhookLookup
from tests.unit.routing.harness import RouterHarness


@pytest.mark.parametrize("body", ["", "{", "[]", '{"v":2}', '{"v":1,"account_id":"a"}'])
def test_an_unreadable_message_is_left_and_no_other(router: RouterHarness, body: str) -> None:
    router.config.put(a_webhook())
    bad, good = a_received(body), a_received(an_event_message())

    assert router.route(bad, good) == [bad.message_id]

    assert router.journal.kinds == ["message_unreadable"]
    assert len(router.sent()) == 1


def test_the_message_of_an_absent_account_is_left_and_no_other(router: RouterHarness) -> None:
    router.config.put(a_webhook())
    orphan = a_received(an_event_message(account_id=OTHER_ACCOUNT))

    assert router.route(orphan, a_received(an_event_message())) == [orphan.message_id]

    assert router.journal.kinds == ["account_absent"]
    assert len(router.sent()) == 1


def test_a_message_whose_account_cannot_be_read_is_left_and_no_other(router: RouterHarness) -> None:
    router.config.put(an_account(id=OTHER_ACCOUNT), a_webhook())
    router.lookup.fail("of_account", 1)
    first, second = a_received(an_event_message(account_id=OTHER_ACCOUNT)), an_event_message()

    assert router.route(first, a_received(second)) == [first.message_id]

    assert router.journal.kinds == ["routing_unavailable"]
    assert len(router.sent()) == 1


def test_an_account_is_read_once_for_all_its_messages(router: RouterHarness) -> None:
    router.route(*[a_received(an_event_message()) for _ in range(5)])

    assert router.lookup.calls == {"of_account": 1}


def test_if_the_events_are_not_kept_nothing_is_sent_and_the_message_is_left(
    router: RouterHarness,
) -> None:
    router.config.put(a_webhook())
    router.event_table.fail("keep", 1)
    batch = [a_received(an_event_message()), a_received(an_event_message(), 2)]

    assert router.route(*batch) == [one.message_id for one in batch]

    assert router.journal.kinds == ["events_not_kept"] * 2
    assert router.sent() == []
    assert router.route(*batch) == []
    assert len(router.sent()) == 2


def test_only_the_message_whose_events_are_not_kept_is_left(router: RouterHarness) -> None:
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


def test_the_events_of_an_invocation_are_kept_at_once(router: RouterHarness) -> None:
    router.route(*[a_received(an_event_message(), count) for count in (1, 2, 3)])

    assert router.event_table.calls == {"keep": 1}


def test_an_event_twice_in_one_batch_disturbs_nothing(router: RouterHarness) -> None:
    router.config.put(a_webhook())
    event, other = an_event(), an_event()

    assert router.route(*[a_received(an_event_message(one)) for one in (event, event, other)]) == []

    assert [message.events for message in router.sent()] == [(event,), (event,), (other,)]
    first, second, _ = router.sent()
    assert first.delivery_id == second.delivery_id
    assert router.became(event) == {first.webhook_id: first.delivery_id}


def test_if_a_paused_delivery_is_not_logged_its_message_is_left_and_no_other(
    router: RouterHarness,
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
    router: RouterHarness, refused: tuple[int, ...], left: list[int]
) -> None:
    router.config.put(*webhooks(2))
    batch = [a_received(an_event_message()) for _ in range(3)]
    router.queue.refuse(*refused)  # of six, two for each

    assert router.route(*batch) == [batch[position].message_id for position in left]

    assert router.journal.kinds == ["deliveries_not_queued"] * len(left)


def test_after_a_partial_send_the_second_routing_completes_it_with_the_same_ids(
    router: RouterHarness,
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
    router: RouterHarness,
) -> None:
    router.config.put(a_webhook())
    router.queue.fail("send")
    batch = [a_received(an_event_message()) for _ in range(10)]

    assert router.route(*batch) == [one.message_id for one in batch]


def test_nothing_received_is_nothing_done(router: RouterHarness) -> None:
    assert router.route() == []


def test_the_journal_holds_ids_and_counts_only(router: RouterHarness) -> None:
    router.config.put(a_webhook())

    router.route(a_received(an_event_message(an_event(data={"name": "Zoe"}))), a_received("Zoe"))

    ((what, line),) = router.journal.notes
    assert what == "events.routed"
    assert (line["events"], line["deliveries"], line["paused"]) == (1, 1, 0)
    assert "Zoe" not in str(router.journal.notes + router.journal.faults)


def test_webhooks_differ_in_what_one_event_became(router: RouterHarness) -> None:
    one, two = webhooks(2, batch_size=2)
    router.config.put(one, replace(two, batch_size=1))
    events = [an_event(), an_event()]

    router.route(a_received(an_event_message(*events)))

    first, second = (router.became(event) for event in events)
    assert first[one.id] == second[one.id]
    assert first[two.id] != second[two.id]


def test_when_time_runs_out_the_first_messages_are_done_and_the_rest_is_left(
    router: RouterHarness,
) -> None:
    router.config.put(a_webhook())
    batch = [a_received(an_event_message(*(an_event() for _ in range(100)))) for _ in range(3)]
    looks = iter([True, True, False])

    left = router.route(*batch, may_go_on=lambda: next(looks))

    assert left == [batch[2].message_id]
    assert len(router.queue.messages) == 200
    assert "no_time_left" in router.journal.kinds


def test_a_webhook_that_cannot_be_routed_to_leaves_its_accounts_messages_alone(
    router: RouterHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Standard):
        def name_of(self, event_type: str) -> str:
            raise ValueError(event_type)

    monkeypatch.setattr(
        "perkwire.formats.registry.FORMATS", {"standard": Standard(), "broken": Broken()}
    )
    router.config.put(an_account(id=OTHER_ACCOUNT), a_webhook(account_id=OTHER_ACCOUNT))
    router.config.put(a_webhook(id=WebhookId("wh_000000000000000z"), format="broken"))
    mine = a_received(an_event_message())
    other = a_received(an_event_message(account_id=OTHER_ACCOUNT))

    assert router.route(mine, other) == [mine.message_id]

    assert "message_unroutable" in router.journal.kinds


def test_an_account_that_crashes_when_read_is_left_and_no_other(router: RouterHarness) -> None:
    class Crashing(FakeWebhookLookup):
        def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
            if account_id == OTHER_ACCOUNT:
                raise KeyError(account_id)
            return super().of_account(account_id)

    router.config.put(an_account(id=OTHER_ACCOUNT), a_webhook())
    router.lookup = Crashing(router.config)
    bad, good = a_received(an_event_message(account_id=OTHER_ACCOUNT)), an_event_message()

    assert router.route(bad, a_received(good)) == [bad.message_id]

    ((what, line),) = router.journal.faults
    assert (what, line["detail"]) == ("routing_unavailable", "KeyError")
    assert len(router.sent()) == 1


def test_an_event_that_crashes_when_kept_leaves_its_message_and_no_other(
    router: RouterHarness,
) -> None:
    ill = an_event()

    class Crashing(FakeEventTable):
        def keep(self, events: Sequence[RoutedEvent]) -> list[bool]:
            if any(one.event == ill for one in events):
                raise RecursionError(ill.id)
            return super().keep(events)

    router.config.put(a_webhook())
    router.event_table = Crashing(router.events)
    batch = [
        a_received(one)
        for one in (an_event_message(), an_event_message(an_event(), ill), an_event_message())
    ]

    assert router.route(*batch) == [batch[1].message_id]

    assert router.journal.kinds == ["message_unroutable", "events_not_kept"]
    assert len(router.sent()) == 2
