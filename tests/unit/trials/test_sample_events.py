"""A sample event: who would get it is what the router makes of it, and SQS holds it."""

from typing import Any

import pytest

from perkwire.model.account import Scope
from perkwire.model.members import MemberIndex
from perkwire.model.messages import read_event_message
from perkwire.model.routed_event import UNSENT
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.ids import WebhookId, new_event_id, new_sample_event_id, sampled_at
from perkwire.primitives.problem import Problem
from perkwire.routing.router import Router
from perkwire.trials.sample_events import SampleEvents, proposed_type
from tests.builders import (
    ACCOUNT,
    NOW,
    a_caller,
    a_hand_over,
    a_received,
    a_webhook,
    an_account,
    an_operator,
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


class Bench:
    """Sample events with fakes around them."""

    def __init__(self, *webhooks: Webhook) -> None:
        config = FakeConfigItems()
        config.put(an_account(), *webhooks)
        self.lookup = FakeWebhookLookup(config)
        self.queue = FakeQueue()
        self.samples = SampleEvents(webhooks=self.lookup, queue=self.queue, clock=FakeClock(NOW))


def numbered(number: int, **members: object) -> Webhook:
    webhook_id = WebhookId(f"wh_{number:016}")
    return a_webhook(id=webhook_id, url=f"https://till-{number}.example/hook", **members)  # type: ignore[arg-type]


def test_no_type_is_proposed_by_a_webhook_that_has_ended() -> None:
    over = numbered(1, event_types=("points.earned",), ends_at=NOW)
    live = numbered(2, event_types=("tier.upgraded",), ends_at=NOW + 1)

    assert Bench(over, live).samples.proposed_type(ACCOUNT) == "tier.upgraded"


EVERY_KIND = (
    numbered(1),
    numbered(2, event_types=("points.earned",)),
    numbered(3, event_types=("tier.upgraded",)),
    numbered(4, status=WebhookStatus.PAUSED),
    numbered(5, status=WebhookStatus.DISABLED),
    numbered(6, status=WebhookStatus.DELETED),
    numbered(7, program_ids=("gold",)),
    numbered(71, filter='{"data":{"member":{"id":[{"exists":true}]}}}'),
    numbered(72, filter='{"data":{"nothing":[{"exists":true}]}}', event_types=("tier.*",)),
    numbered(73, filter='{"type":[{"anything-but":{"prefix":"tier."}}]}'),
    numbered(8, format="zinrelo"),
)


def test_it_is_held_by_sqs_and_says_what_it_is() -> None:
    bench = Bench()

    event_id = bench.samples.send(a_caller(), ACCOUNT, "points.earned", "gold")

    (sent,) = bench.queue.messages
    message = read_event_message(sent.body)
    (event,) = message.events
    assert (message.account_id, sent.group) == (ACCOUNT, ACCOUNT)
    assert (event.id, event.type, event.program_id) == (event_id, "points.earned", "gold")
    assert event.data
    assert event_id.startswith("sample-")
    assert sampled_at(event_id) == NOW // 1000 * 1000


def test_an_id_of_another_kind_is_no_samples() -> None:
    made = [new_event_id(NOW), "sample-", "sample-1", f"x{new_sample_event_id(NOW)}", "sample-ü"]

    assert [sampled_at(one) for one in made] == [None] * len(made)


def test_what_sqs_does_not_hold_is_no_success() -> None:
    bench = Bench()
    bench.queue.fail("send")

    with pytest.raises(Problem) as raised:
        bench.samples.send(a_caller(), ACCOUNT, "points.earned", None)

    assert raised.value.status == 503


@pytest.mark.parametrize("program_id", [None, "gold", "other"])
@pytest.mark.parametrize("event_type", ["points.earned", "tier.upgraded", "custom.thing"])
def test_who_is_said_to_get_it_is_who_the_router_gives_it_to(
    event_type: str, program_id: str | None
) -> None:
    bench = Bench(*EVERY_KIND)

    recipients = bench.samples.recipients(ACCOUNT, event_type, program_id)
    bench.samples.send(a_caller(), ACCOUNT, event_type, program_id)

    assert {one.webhook.id: one.becomes for one in recipients} == routed(bench)


def routed(bench: Bench) -> dict[WebhookId, str]:
    """What the router makes of what is in EventQueue, in the words of Becoming."""
    events, log = FakeEventItems(), FakeDeliveryItems()
    routing = Router(
        webhooks=bench.lookup,
        events=FakeEventTable(events),
        paused=FakeDeliveryTable(log),
        hand_over=a_hand_over(FakeQueue()),
        journal=FakeTelemetry(),
        member_index=MemberIndex.NONE,
        clock=FakeClock(NOW),
    )
    assert routing.route([a_received(one.body) for one in bench.queue.messages]) == []
    (event,) = events.events.values()
    paused = {entry.webhook_id: "paused" for entry in log.entries.values()}
    return {
        webhook_id: paused.get(webhook_id, one if one in UNSENT else "sent")
        for webhook_id, one in event.deliveries.items()
    }


def test_a_key_that_may_not_send_events_may_not_send_samples() -> None:
    bench = Bench()

    with pytest.raises(Problem) as raised:
        bench.samples.send(a_caller(ACCOUNT, Scope.WEBHOOKS), ACCOUNT, "points.earned", None)

    assert raised.value.status == 403
    assert bench.queue.messages == []
    assert bench.samples.send(an_operator(), ACCOUNT, "points.earned", None)


@pytest.mark.parametrize(
    ("event_type", "program_id", "field"),
    [("points.nothing", None, "event_type"), ("points.earned", "x" * 129, "program_id")],
)
def test_what_cannot_be_is_named(event_type: str, program_id: str | None, field: str) -> None:
    bench = Bench()

    for ask in (
        lambda: bench.samples.recipients(ACCOUNT, event_type, program_id),
        lambda: bench.samples.send(a_caller(), ACCOUNT, event_type, program_id),
    ):
        with pytest.raises(Problem) as raised:
            ask()
        errors: Any = raised.value.document()["errors"]
        assert [error["field"] for error in errors] == [field]


def test_the_type_that_is_proposed_is_one_that_the_webhook_takes() -> None:
    narrow = numbered(1, event_types=("custom.thing", "points.earned"), format="zinrelo")
    off = numbered(2, event_types=("member.enrolled",), status=WebhookStatus.DISABLED)

    assert proposed_type(narrow) == "points.earned"
    assert proposed_type(numbered(3)) == "tier.upgraded"
    assert Bench(off, narrow).samples.proposed_type(ACCOUNT) == "points.earned"
    assert Bench().samples.proposed_type(ACCOUNT) == "tier.upgraded"
