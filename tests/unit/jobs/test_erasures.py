"""Erasures with fakes around: what is covered, and a worker that dies at any step."""

import json
from dataclasses import replace

import pytest

from perkwire.accepting.rejected_event import RejectedEvent, RejectedHeading
from perkwire.jobs.asking import LONGEST_IN_QUEUES_DAYS, MOST_AT_ONCE, MOST_NAMES
from perkwire.jobs.erasure import Erasure, ErasureStatus, erased_entry
from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.model.erasures import Erasures, without_data
from perkwire.model.event import Event
from perkwire.model.messages import Received
from perkwire.model.routed_event import RoutedEvent, merge
from perkwire.primitives.ids import AccountId, EventId, rejected_event_id
from perkwire.primitives.problem import Problem
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS
from tests.builders import (
    ACCOUNT,
    NOW,
    OTHER_ACCOUNT,
    a_delivery,
    a_delivery_message,
    a_webhook,
    an_account,
    an_attempt,
    an_event,
)
from tests.unit.jobs.world import RETENTION_DAYS, World

KEYS = an_account().member_keys
DAY = DAY_SECONDS * MICROSECONDS
MINUTE = 60 * MICROSECONDS


def of(member: str, at: int, **fields: object) -> Event:
    return an_event(accepted_at=at, data={"member": {"id": member}}, **fields)


def test_what_was_accepted_until_then_is_covered_and_nothing_later() -> None:
    erasures = Erasures(KEYS).with_more([KEYS.of("m-1")], NOW, forget_before=0)

    assert erasures.cover(of("m-1", NOW))
    assert not erasures.cover(of("m-1", NOW + 1))
    assert not erasures.cover(of("m-2", NOW))
    again = erasures.with_more([KEYS.of("m-1"), KEYS.of("m-2")], NOW + 9, forget_before=NOW)
    assert again.cover(of("m-1", NOW + 9))
    assert len(again) == 2
    assert not again.with_more([], NOW + 9, forget_before=NOW + 10).cover(of("m-1", NOW))


def test_what_is_kept_without_data_stays_so_in_whichever_order_two_routings_come() -> None:
    whole = RoutedEvent(
        account_id=ACCOUNT,
        event=of("m-1", NOW, id=EventId("hers")),
        deliveries={},
        member_keys=("k",),
    )
    erased = replace(whole, event=without_data(whole.event, NOW + 1), member_keys=())
    other = replace(whole, event=of("m-1", NOW + 1, id=EventId("hers")))

    for before, routed in ((whole, erased), (erased, whole)):
        merged, taken = merge({before.key: before}, [routed])
        assert (merged[whole.key].event.data, merged[whole.key].member_keys) == ({}, ())
        assert taken == [True]
    assert merge({erased.key: erased}, [other])[1] == [False]


def test_an_account_remembers_so_many_names() -> None:
    world = World()
    keys = [f"{number:032x}" for number in range(MOST_NAMES)]
    old = world.clock() - (RETENTION_DAYS + LONGEST_IN_QUEUES_DAYS) * DAY
    account = world.config.accounts[ACCOUNT]
    full = account.erasures.with_more(keys, old, forget_before=0).packed
    world.config.put(replace(account, erased=full))

    with pytest.raises(Problem) as raised:
        world.asking.ask(ACCOUNT, {"member_id": "m-1"})

    assert raised.value.status == 409
    world.clock.now += 1
    assert world.asking.ask(ACCOUNT, {"member_id": "m-1"}).status is ErasureStatus.QUEUED
    assert len(world.config.accounts[ACCOUNT].erasures) == 1


def test_an_account_has_so_many_under_way() -> None:
    world = World()
    has_some(world)
    asked = [world.asking.ask(ACCOUNT, {"member_id": f"n-{n}"}) for n in range(MOST_AT_ONCE)]

    with pytest.raises(Problem) as raised:
        world.asking.ask(ACCOUNT, {"member_id": "m-1"})

    assert (raised.value.status, raised.value.headers()) == (429, {"retry-after": "60"})
    assert len(world.config.accounts[ACCOUNT].erasures) == MOST_AT_ONCE
    world.clock.now += 60 * MICROSECONDS
    come_to_an_end(world, asked[0])
    assert world.asking.ask(ACCOUNT, {"member_id": "m-1"}).status is ErasureStatus.QUEUED


def test_one_that_stands_still_keeps_nobody_from_asking() -> None:
    world = World()
    for n in range(MOST_AT_ONCE):
        world.asking.ask(ACCOUNT, {"member_id": f"n-{n}"})
    world.clock.now += 3_601 * MICROSECONDS

    assert world.asking.ask(ACCOUNT, {"member_id": "m-1"}).status is ErasureStatus.QUEUED


def test_what_lost_its_data_before_the_job_came_loses_its_answers_all_the_same() -> None:
    """It was sent, and then came to the router a second time, which kept it without its data."""
    world = World()
    has_some(world)
    asked = world.asking.ask(ACCOUNT, {"member_id": "m-1"})
    key = (ACCOUNT, EventId("hers-1"))
    kept = world.events.events[key]
    erased = without_data(kept.event, world.clock.now + 1)
    world.events.events[key] = replace(kept, event=erased)
    world.clock.now += 60 * MICROSECONDS

    come_to_an_end(world, asked)

    check(world)
    assert world.asking.get(ACCOUNT, asked.id).events_erased == 3


def test_an_entry_keeps_what_has_arrived_and_loses_what_was_answered() -> None:
    hers, bobs = of("m-1", NOW, id=EventId("hers")), of("m-2", NOW, id=EventId("bobs"))
    erased = {EventId("hers")}
    attempts = (an_attempt(response="m-1", location="/m-1"),)
    for events, status, after, reason in (
        ((hers,), DeliveryStatus.FAILED, DeliveryStatus.CANCELLED, Reason.ERASED),
        ((hers, bobs), DeliveryStatus.RETRYING, DeliveryStatus.RETRYING, None),
        ((hers,), DeliveryStatus.SUCCEEDED, DeliveryStatus.SUCCEEDED, None),
    ):
        entry = a_delivery(
            a_delivery_message(a_webhook(), *events), status=status, attempts=attempts
        )
        found = erased_entry(entry, erased, NOW + 1)
        assert found is not None
        assert (found.status, found.reason) == (after, reason)
        assert (found.attempts[0].response, found.attempts[0].location) == (None, None)
        assert bool(found.erased) is (status is not DeliveryStatus.SUCCEEDED)
        assert erased_entry(found, erased, NOW + 2) is None
    bobs_own = a_delivery(a_delivery_message(a_webhook(), bobs), attempts=attempts)
    assert erased_entry(bobs_own, erased, NOW) is None


def has_some(world: World) -> None:
    world.config.put(an_account(created_at=world.clock() - DAY))
    start = world.clock() - DAY
    hers = [of("m-1", start + n * MINUTE, id=EventId(f"hers-{n}")) for n in range(3)]
    bobs = of("m-2", start, id=EventId("bobs"))
    world.has_events(*hers, bobs)
    for event in (*hers, bobs):
        world.deliveries.put(
            a_delivery(
                a_delivery_message(a_webhook(), event),
                status=DeliveryStatus.FAILED,
                attempts=(an_attempt(response="m-1"),),
            )
        )


def turn(world: World, asked: Erasure) -> bool:
    """All messages that there are, those that are left again; whether the erasure has ended."""
    messages, world.job_queue.messages = world.job_queue.messages, []
    for message in messages:
        received = Received(
            message_id="m", body=message.body, receive_count=1, receipt="r", queue_arn="q"
        )
        if world.work.work([received], world.may_go_on):
            world.job_queue.messages.append(message)
    return world.asking.get(ACCOUNT, asked.id).status is ErasureStatus.DONE


def test_rejected_events_that_may_name_the_member_lose_their_texts_whoever_dies() -> None:
    world = World()
    has_some(world)
    for number in range(60):  # more than a step looks at
        text = json.dumps({"member": {"id": "m-1" if number % 2 else "m-2"}})
        at = world.clock() - number
        heading = RejectedHeading(
            id=rejected_event_id(at, f"{number}", None),
            message_id=f"{number}",
            place=None,
            received_at=at,
            sender="",
            account_id=None,
            type=None,
            status=400,
        )
        world.rejected.keep([RejectedEvent(heading, text, {"status": 400})])
    asked = world.asking.ask(ACCOUNT, {"member_id": "m-1"})
    later = replace(heading, id=rejected_event_id(NOW, "later", None), received_at=NOW + 9)
    world.rejected.keep([RejectedEvent(later, "m-1", {})])
    world.clock.now += 3_600 * MICROSECONDS
    world.may_go_on = lambda: False
    world.rejected_erasing.fail("erase", 7)
    world.rejected_erasing.fail("oldest", 2)

    come_to_an_end(world, asked)

    for one in world.rejected.kept.values():
        is_hers = int(one.heading.message_id) % 2 == 1 and one.heading.id != later.id
        assert (one.heading.erased_at is not None, one.text == "") == (is_hers, is_hers)
    check(world)


def a_rejected(world: World, name: str, text: str, account_id: AccountId | None) -> RejectedHeading:
    heading = RejectedHeading(
        id=rejected_event_id(world.clock(), name, None),
        message_id=name,
        place=None,
        received_at=world.clock(),
        sender="",
        account_id=account_id,
        type=None,
        status=400,
    )
    world.rejected.keep([RejectedEvent(heading, text, {"status": 400})])
    return heading


def test_of_what_was_rejected_others_lose_nothing() -> None:
    """A text that names another account, and none of this one, is that account's."""
    world = World()
    world.config.put(replace(an_account(), id=OTHER_ACCOUNT))
    theirs = json.dumps({"account_id": OTHER_ACCOUNT, "data": {"member": {"id": "m-1"}}})
    ours = theirs.replace(OTHER_ACCOUNT, ACCOUNT)
    nobodys = theirs.replace(OTHER_ACCOUNT, "acct_zzzzzzzzzzzzzzzz")
    rejected = {
        "cut off": (theirs[:-2], None),
        "in a list": (f"[{theirs}, {theirs}]", None),
        "said to be theirs": ("m-1", OTHER_ACCOUNT),
        "ours": (ours[:-2], None),
        "ours beside theirs": (f"[{theirs}, {ours}]", None),
        "of an account that is not there": (nobodys, None),
        "of nobody": ('{"data": "m-1"', None),
        "with the name before a colon": ('{"account": 5, "m-1": "x"}', None),
    }
    kept = {name: a_rejected(world, name, *one) for name, one in rejected.items()}

    asked = world.asking.ask(ACCOUNT, {"member_id": "m-1"})
    world.clock.now += 3_600 * MICROSECONDS
    come_to_an_end(world, asked)

    gone = {name for name, one in kept.items() if world.rejected.kept[one.id].text == ""}
    assert gone == {
        "ours",
        "ours beside theirs",
        "of an account that is not there",
        "of nobody",
    }
    told = [fields for what, fields in world.journal.notes if what == "rejected_event.erased"]
    assert {one["rejected_event_id"] for one in told} == {kept[name].id for name in gone}


def test_of_large_rejected_texts_a_turn_looks_at_few() -> None:
    world = World()
    text = "word " * 150_000 + "m-1"
    kept = [a_rejected(world, f"{n}", text, None) for n in range(3)]
    asked = world.asking.ask(ACCOUNT, {"member_id": "m-1"})
    world.clock.now += 3_600 * MICROSECONDS
    world.may_go_on = lambda: False

    counts = []
    while not turn(world, asked):
        erased = [world.rejected.kept[one.id].text == "" for one in kept]
        counts.append(erased.count(True))

    assert {1, 2, 3} <= {*counts}


def come_to_an_end(world: World, asked: Erasure) -> None:
    assert any(turn(world, asked) for _ in range(200))


def check(world: World) -> None:
    for event_id in ("hers-0", "hers-1", "hers-2"):
        event = world.events.events[ACCOUNT, EventId(event_id)].event
        assert (event.data, event.erased_at is not None) == ({}, True)
    assert world.events.events[ACCOUNT, EventId("bobs")].event.data
    reasons = {one.event_ids[0]: one.reason for one in world.deliveries.entries.values()}
    assert reasons == {"bobs": None, **{f"hers-{n}": Reason.ERASED for n in range(3)}}
    for entry in world.deliveries.entries.values():
        assert (entry.attempts[0].response is None) is (entry.reason is Reason.ERASED)


def test_nothing_is_touched_before_all_that_was_under_way_has_ended() -> None:
    world = World()
    has_some(world)
    asked = world.asking.ask(ACCOUNT, {"member_id": "m-1"})

    assert not turn(world, asked)
    assert all(one.event.data for one in world.events.events.values())
    assert [one.delay_seconds for one in world.job_queue.messages] == [60]
    world.clock.now += 60 * MICROSECONDS
    assert turn(world, asked)
    check(world)
    assert turn(world, asked)


@pytest.mark.parametrize(
    ("port", "method", "call"),
    [
        *(("erasure_store", "advance", call) for call in (1, 2, 3, 30)),
        ("index", "of_hour", 2),
        ("reader", "find_all", 1),
        ("event_erasing", "erase", 1),
        ("event_erasing", "erased_by", 1),
        *(("log_erasing", "oldest", call) for call in (1, 2)),
        *(("log_erasing", "erase", call) for call in (1, 3)),
        ("job_queue", "send", 2),
    ],
)
def test_a_worker_may_die_at_any_step_and_a_turn_may_be_short(
    port: str, method: str, call: int
) -> None:
    world = World()
    has_some(world)
    asked = world.asking.ask(ACCOUNT, {"member_id": "m-1"})
    world.clock.now += 3_600 * MICROSECONDS
    world.may_go_on = lambda: False
    getattr(world, port).fail(method, call)

    come_to_an_end(world, asked)

    assert world.asking.get(ACCOUNT, asked.id).events_erased == 3
    check(world)
