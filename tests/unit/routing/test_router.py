"""From event messages to delivery messages: matching, batching, and webhooks that are paused."""

from dataclasses import replace
from itertools import pairwise

import pytest

from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.standard import Standard
from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.model.event_pattern import read_pattern
from perkwire.model.lanes import Lane
from perkwire.model.messages import (
    MAX_MESSAGE_BYTES,
    PacedDelivery,
    Received,
    write_paced_delivery,
)
from perkwire.model.routed_event import FILTERED, NOT_IN_FORMAT
from perkwire.model.webhook import MOST_BATCH_BYTES, Webhook, WebhookStatus
from perkwire.primitives.ids import WebhookId
from tests.builders import (
    ACCOUNT,
    NOW,
    OTHER_ACCOUNT,
    SECRET,
    a_delivery,
    a_delivery_message,
    a_received,
    a_webhook,
    an_account,
    an_event,
    an_event_message,
    webhooks,
)
from tests.unit.routing.harness import RouterHarness

# Matching.


@pytest.mark.parametrize(("after", "is_routed"), [(-1, True), (0, False), (1, False)])
def test_a_webhook_that_ends_gets_what_was_accepted_before_whenever_it_is_routed(
    router: RouterHarness, after: int, is_routed: bool
) -> None:
    webhook = a_webhook(ends_at=NOW + 5)
    router.config.put(webhook)
    event = an_event(accepted_at=NOW + 5 + after)

    for _ in range(2):
        assert router.route(a_received(an_event_message(event))) == []
        router.clock.pass_seconds(60)

    assert len(router.sent()) == 2 * is_routed
    assert (webhook.id in router.became(event)) is is_routed


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
    router: RouterHarness, event_types: tuple[str, ...], wanted: bool
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
    router: RouterHarness, program_ids: tuple[str, ...] | None, program_id: str | None, wanted: bool
) -> None:
    router.config.put(a_webhook(program_ids=program_ids))

    router.route(a_received(an_event_message(an_event(program_id=program_id))))

    assert len(router.sent()) == wanted


def test_every_webhook_that_matches_gets_a_delivery_of_its_own(router: RouterHarness) -> None:
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


def test_the_queues_group_is_the_webhook(router: RouterHarness) -> None:
    router.config.put(*webhooks(2))

    router.route(a_received(an_event_message()))

    assert [message.group for message in router.queue.messages] == [one.id for one in webhooks(2)]


def test_a_strained_webhooks_deliveries_go_into_the_slow_lane(router: RouterHarness) -> None:
    prompt, slow = webhooks(2)
    router.config.put(prompt, replace(slow, lane=Lane.SLOW))

    assert router.route(a_received(an_event_message())) == []

    assert [message.group for message in router.queue.messages] == [prompt.id]
    assert [message.group for message in router.slow_queue.messages] == [slow.id]


def test_a_message_is_left_if_one_of_the_lanes_does_not_take_its_part(
    router: RouterHarness,
) -> None:
    prompt, slow = webhooks(2)
    router.config.put(prompt, replace(slow, lane=Lane.SLOW))
    router.slow_queue.refuse(1)

    assert router.route(a_received(an_event_message(), message_id="m")) == ["m"]


def test_another_accounts_webhooks_get_nothing(router: RouterHarness) -> None:
    router.config.put(an_account(id=OTHER_ACCOUNT), a_webhook(account_id=OTHER_ACCOUNT))

    assert router.route(a_received(an_event_message())) == []

    assert router.queue.messages == []


def test_an_event_that_nobody_wants_is_kept_and_done(router: RouterHarness) -> None:
    event = an_event()

    assert router.route(a_received(an_event_message(event))) == []

    assert router.became(event) == {}


@pytest.mark.parametrize("status", [WebhookStatus.DISABLED, WebhookStatus.DELETED])
def test_a_disabled_or_deleted_webhook_gets_nothing(
    router: RouterHarness, status: WebhookStatus
) -> None:
    router.config.put(a_webhook(status=status))
    event = an_event()

    assert router.route(a_received(an_event_message(event))) == []

    assert router.queue.messages == []
    assert router.log.entries == {}
    assert router.became(event) == {}


def test_what_the_format_does_not_know_is_shown_and_not_sent(
    router: RouterHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OnlyTiers(Standard):
        def name_of(self, event_type: str) -> str | None:  # type: ignore[override]
            return event_type if event_type.startswith("tier.") else None

    monkeypatch.setattr("perkwire.formats.registry.FORMATS", {"standard": OnlyTiers()})
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
    router: RouterHarness, status: WebhookStatus
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
    router: RouterHarness, batch_size: int, sizes: list[int]
) -> None:
    router.config.put(a_webhook(batch_size=batch_size))
    events = [an_event() for _ in range(7)]

    router.route(a_received(an_event_message(*events)))

    assert [len(message.events) for message in router.sent()] == sizes
    assert [event for message in router.sent() for event in message.events] == events


def test_only_the_events_that_match_are_batched(router: RouterHarness) -> None:
    router.config.put(a_webhook(batch_size=10, event_types=("points.earned",)))
    first, second, third = an_event(), an_event(type="tier.upgraded"), an_event()

    router.route(a_received(an_event_message(first, second, third)))

    assert [message.events for message in router.sent()] == [(first, third)]


def test_events_of_two_messages_are_never_batched(router: RouterHarness) -> None:
    router.config.put(a_webhook(batch_size=10))

    router.route(a_received(an_event_message()), a_received(an_event_message()))

    assert [len(message.events) for message in router.sent()] == [1, 1]


@pytest.mark.parametrize("batch_bytes", [1_024, 20_000, 65_536])
def test_a_batch_ends_where_its_webhook_takes_no_more(
    router: RouterHarness, batch_bytes: int
) -> None:
    webhook = a_webhook(batch_size=100, batch_bytes=batch_bytes)
    router.config.put(webhook)
    sizes = [200, 5_000, 40_000, 300, 19_000, 100_000, 1, 60_000, 5_000]
    events = [an_event(data={"text": "Zoë" + "x" * size}) for size in sizes]

    router.route(a_received(an_event_message(*events)))

    bodies = [
        render(message, webhook, OpenedSecrets(SECRET, {}), NOW).body for message in router.sent()
    ]
    assert [one for message in router.sent() for one in message.events] == events
    for body, message in zip(bodies, router.sent(), strict=True):
        assert len(body) <= batch_bytes or len(message.events) == 1
    for one, following in pairwise(router.sent()):
        both = replace(one, events=(*one.events, following.events[0]))
        body = render(both, webhook, OpenedSecrets(SECRET, {}), NOW).body
        assert len(body) > batch_bytes - 300, "it would have fitted"


def test_a_batch_ends_where_sqs_would_refuse_the_message(router: RouterHarness) -> None:
    router.config.put(a_webhook(batch_size=100, batch_bytes=MOST_BATCH_BYTES))
    events = [an_event(data={"text": "x" * 100_000}) for _ in range(10)]

    router.route(a_received(an_event_message(*events)))

    assert [len(message.events) for message in router.sent()] == [8, 2]
    assert all(len(one.body) < MAX_MESSAGE_BYTES + 1000 for one in router.queue.messages)


# Once more.


def test_routing_twice_gives_the_same_messages(router: RouterHarness) -> None:
    router.config.put(*webhooks(2, batch_size=2))
    received = a_received(an_event_message(an_event(), an_event(), an_event()))

    router.route(received)
    router.clock.pass_seconds(3600)
    router.route(replace(received, receive_count=2))

    first, second = router.queue.messages[:4], router.queue.messages[4:]
    assert first == second


def test_routed_again_after_a_webhook_was_added_the_event_shows_both(router: RouterHarness) -> None:
    old, new = webhooks(2)
    router.config.put(old)
    event = an_event()
    received = a_received(an_event_message(event))
    router.route(received)
    router.config.put(replace(old, status=WebhookStatus.DELETED), new)

    router.route(replace(received, receive_count=2))

    assert router.became(event).keys() == {old.id, new.id}


def test_a_redriven_event_message_does_not_make_the_event_forget_its_first_deliveries(
    router: RouterHarness,
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
    router: RouterHarness,
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
    router: RouterHarness,
) -> None:
    webhook = a_webhook(status=WebhookStatus.PAUSED)
    router.config.put(webhook)
    event = an_event()
    there = a_delivery(a_delivery_message(webhook, event))
    router.log.put(there)

    assert router.route(a_received(an_event_message(event))) == []

    assert router.log.entries == {there.id: there}


def test_what_the_filter_keeps_out_is_shown_and_not_sent(router: RouterHarness) -> None:
    many = '{"data":{"points":[{"numeric":[">=",1000]}]}}'
    webhook = a_webhook(batch_size=10, filter=many, event_types=("points.*",))
    router.config.put(webhook)
    few, enough = an_event(data={"points": 999}), an_event(data={"points": 1000})
    other = an_event(type="tier.upgraded", data={"points": 1000})

    assert router.route(a_received(an_event_message(few, enough, other))) == []

    (message,) = router.sent()
    assert message.events == (enough,)
    assert router.became(few) == {webhook.id: FILTERED}
    assert router.became(enough) == {webhook.id: message.delivery_id}
    assert router.became(other) == {}


def test_a_filter_set_between_two_routings_makes_no_delivery_forgotten(
    router: RouterHarness,
) -> None:
    webhook = a_webhook()
    router.config.put(webhook)
    event = an_event(data={"points": 1})
    received = a_received(an_event_message(event))
    router.route(received)
    (message,) = router.sent()
    router.config.put(a_webhook(filter='{"data":{"points":[2]}}'))

    assert router.route(received) == []

    assert router.became(event) == {webhook.id: message.delivery_id}
    router.config.put(a_webhook(filter='{"data":{"points":[1]}}'))
    kept_out = an_event(data={"points": 2})
    received = a_received(an_event_message(kept_out))
    router.route(received)
    assert router.became(kept_out) == {webhook.id: FILTERED}
    router.config.put(a_webhook())
    router.route(received)
    assert router.became(kept_out) == {webhook.id: router.sent()[-1].delivery_id}


def test_a_message_is_left_while_a_filter_cannot_be_read(router: RouterHarness) -> None:
    of_a_later_release = '{"data":{"points":[{"later":1}]}}'
    assert isinstance(read_pattern({"data": {"points": [{"later": 1}]}}), list)
    router.config.put(a_webhook(filter=of_a_later_release))
    received = a_received(an_event_message())

    assert router.route(received) == [received.message_id]

    assert router.queue.messages == []


# What waits for its slot.


def paced(*webhooks: Webhook) -> list[Received]:
    """Messages of PacingQueue for them, whose slots are near."""
    messages = [PacedDelivery(a_delivery_message(webhook), NOW) for webhook in webhooks]
    return [a_received(write_paced_delivery(one), message_id=f"m-{one}") for one in messages]


def test_what_has_waited_goes_into_the_lane_of_its_webhook_which_is_read_once_for_an_account(
    router: RouterHarness,
) -> None:
    strained, other = webhooks(2)
    router.config.put(replace(strained, lane=Lane.SLOW))
    router.config.put(other)

    assert router.route(*paced(strained, other, strained)) == []

    assert {one.webhook_id for one in router.sent()} == {other.id}
    assert len(router.slow_queue.messages) == 2
    assert router.lookup.calls == {"of_account": 1}


def test_what_has_waited_misses_no_slot_because_its_lane_cannot_be_read(
    router: RouterHarness,
) -> None:
    strained = a_webhook(lane=Lane.SLOW)
    router.config.put(strained)
    router.lookup.fail("of_account", 1)

    gone = a_webhook(account_id=OTHER_ACCOUNT)
    assert router.route(*paced(strained, strained, gone)) == []

    assert len(router.sent()) == 3
    assert router.journal.kinds == ["lane_unknown"]
