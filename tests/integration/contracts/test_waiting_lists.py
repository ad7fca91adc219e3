"""waiting.WaitingPages and pulling.Lists."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.messages import DeliveryMessage
from perkwire.model.waiting import WATCH_MICROSECONDS, ListEnd, Taken, WaitingList
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, new_webhook_id
from tests.builders import NOW, a_delivery, a_delivery_message, a_webhook, an_event
from tests.fakes import FakeQueue
from tests.integration.contracts.conftest import Adapters

WAITING, PULLED = DeliveryStatus.WAITING, DeliveryStatus.PULLED


@pytest.fixture
def webhook(account_id: AccountId) -> Webhook:
    return a_webhook(id=new_webhook_id(), account_id=account_id, is_pulled=True)


def some(webhook: Webhook, many: int) -> list[DeliveryMessage]:
    return [a_delivery_message(webhook, an_event(), an_event()) for _ in range(many)]


def have_wait(adapters: Adapters, webhook: Webhook, *messages: DeliveryMessage) -> None:
    WaitingList(adapters.waiting, FakeQueue()).append(
        webhook, [(one, None) for one in messages], NOW
    )


def listed(adapters: Adapters, webhook: Webhook, after: int = 0) -> list[tuple[int, str]]:
    """Each place, and the delivery at it."""
    key = (webhook.account_id, webhook.id)
    pages = adapters.waiting.pages(*key, after=after, limit=100)
    return [
        (place, one.id) for page in pages for place, one in enumerate(page.deliveries, page.first)
    ]


def entry(adapters: Adapters, message: DeliveryMessage) -> Delivery:
    key = (message.account_id, message.delivery_id)
    return adapters.deliveries.find({key})[message.delivery_id]


def test_a_list_begins_with_nothing(adapters: Adapters, webhook: Webhook) -> None:
    key = (webhook.account_id, webhook.id)

    assert adapters.waiting.end(*key) == ListEnd()
    assert adapters.waiting.pages(*key, after=0, limit=5) == []
    assert adapters.waiting.page_at(*key, 3) is None
    assert adapters.waiting.taken(*key) == Taken(0, None)


def test_pages_come_one_behind_the_other_with_their_entries(
    adapters: Adapters, webhook: Webhook
) -> None:
    first, second = some(webhook, 2), some(webhook, 3)
    have_wait(adapters, webhook, *first)
    have_wait(adapters, webhook, *second)

    wanted = [*enumerate((one.delivery_id for one in [*first, *second]), 1)]
    assert listed(adapters, webhook) == wanted
    assert listed(adapters, webhook, 2) == wanted[2:]
    assert adapters.waiting.end(webhook.account_id, webhook.id).last == 5
    found = entry(adapters, second[2])
    assert (found.status, found.place, found.run) == (WAITING, 5, 0)
    assert found.event_ids == tuple(event.id for event in second[2].events)
    page = adapters.waiting.page_at(webhook.account_id, webhook.id, 5)
    assert page is not None
    assert (page.first, page.written_at) == (3, NOW)
    assert page.deliveries[2].event_ids == found.event_ids
    assert adapters.waiting.entry(webhook.account_id, second[2].delivery_id) == found


def test_what_is_known_stays_where_it_is(adapters: Adapters, webhook: Webhook) -> None:
    first, second = some(webhook, 2), some(webhook, 1)
    have_wait(adapters, webhook, *first)

    have_wait(adapters, webhook, first[1], *second, first[0], second[0])

    wanted = [*first, *second]
    assert [one for _, one in listed(adapters, webhook)] == [one.delivery_id for one in wanted]


def test_the_next_run_of_an_entry_waits_at_the_end(adapters: Adapters, webhook: Webhook) -> None:
    (message, other) = some(webhook, 2)
    failed = replace(a_delivery(message), status=DeliveryStatus.FAILED, reason=Reason.PAUSED)
    adapters.deliveries.add([failed])
    have_wait(adapters, webhook, other)

    again = replace(message, run=1)
    have_wait(adapters, webhook, again)
    have_wait(adapters, webhook, again)

    found = entry(adapters, message)
    assert (found.status, found.reason, found.run, found.place) == (WAITING, None, 1, 2)
    assert [place for place, _ in listed(adapters, webhook)] == [1, 2]
    key = (webhook.account_id, webhook.id)
    assert adapters.retryable.unsettled(*key, after="0", before="~", limit=5) == []


def test_writers_at_once_leave_no_gap_and_lose_nothing(
    adapters: Adapters, webhook: Webhook
) -> None:
    batches = [some(webhook, 2) for _ in range(4)]

    def write(batch: list[DeliveryMessage]) -> None:
        have_wait(adapters, webhook, *batch)

    with ThreadPoolExecutor(4) as threads:
        [*threads.map(write, [*batches, batches[0]])]

    found = listed(adapters, webhook)
    assert [place for place, _ in found] == [*range(1, 9)]
    assert {one for _, one in found} == {one.delivery_id for batch in batches for one in batch}


def test_how_far_it_has_been_taken_never_goes_back(adapters: Adapters, webhook: Webhook) -> None:
    messages = some(webhook, 3)
    have_wait(adapters, webhook, *messages)
    key = (webhook.account_id, webhook.id)

    adapters.waiting.take(*key, 2, NOW + 1)
    adapters.waiting.take(*key, 1, NOW + 2)

    assert adapters.waiting.taken(*key) == Taken(2, NOW + 1)
    read = [entry(adapters, message).status for message in messages]
    assert read == [PULLED, PULLED, WAITING]
    newest = adapters.deliveries.newest(*key, after="", before="~", limit=9)
    assert sorted(one.status for one in newest) == ["pulled", "pulled", "waiting"]


def test_what_cannot_be_given_is_settled_where_it_waits_and_nowhere_else(
    adapters: Adapters, webhook: Webhook
) -> None:
    (message,) = some(webhook, 1)
    have_wait(adapters, webhook, message)
    before = entry(adapters, message)
    erased = before.event_ids[:1]

    adapters.waiting.settle(before, WAITING, None, erased, NOW + 1)
    assert entry(adapters, message).erased == erased
    adapters.waiting.settle(
        replace(before, place=7), DeliveryStatus.FAILED, Reason.FORMAT, (), NOW + 2
    )
    assert entry(adapters, message).status is WAITING
    adapters.waiting.settle(before, DeliveryStatus.FAILED, Reason.FORMAT, (), NOW + 3)

    found = entry(adapters, message)
    assert (found.status, found.reason) == (DeliveryStatus.FAILED, Reason.FORMAT)
    key = (webhook.account_id, webhook.id)
    assert adapters.retryable.unsettled(*key, after="0", before="~", limit=5) == [found.id]


def test_a_list_keeps_the_watch_with_which_it_was_written(
    adapters: Adapters, webhook: Webhook
) -> None:
    key = (webhook.account_id, webhook.id)
    have_wait(adapters, webhook, *some(webhook, 2))
    end = adapters.waiting.end(*key)
    have_wait(adapters, webhook, *some(webhook, 1))

    assert end == ListEnd(2, NOW + WATCH_MICROSECONDS)
    assert adapters.waiting.end(*key) == replace(end, last=3)


def test_a_watch_is_moved_once_from_moment_to_moment(adapters: Adapters, webhook: Webhook) -> None:
    key = (webhook.account_id, webhook.id)
    assert not adapters.waiting.move_watch(*key, NOW, NOW + 1)
    have_wait(adapters, webhook, *some(webhook, 1))
    watch = NOW + WATCH_MICROSECONDS

    assert adapters.waiting.move_watch(*key, watch, watch + 1)
    assert not adapters.waiting.move_watch(*key, watch, watch + 2)

    assert adapters.waiting.end(*key) == ListEnd(1, watch + 1)


def test_a_watch_ends_only_where_the_list_does(adapters: Adapters, webhook: Webhook) -> None:
    key = (webhook.account_id, webhook.id)
    have_wait(adapters, webhook, *some(webhook, 1))
    end = adapters.waiting.end(*key)
    have_wait(adapters, webhook, *some(webhook, 1))

    assert not adapters.waiting.end_watch(*key, end)
    assert adapters.waiting.end(*key).watch == end.watch
    assert adapters.waiting.end_watch(*key, replace(end, last=2))

    assert adapters.waiting.end(*key) == ListEnd(2)
    have_wait(adapters, webhook, *some(webhook, 1))
    assert adapters.waiting.end(*key) == ListEnd(3, end.watch)


def test_what_is_written_meanwhile_moves_no_watch_back(
    adapters: Adapters, webhook: Webhook
) -> None:
    key = (webhook.account_id, webhook.id)
    have_wait(adapters, webhook, *some(webhook, 1))
    before = adapters.waiting.end(*key)
    watch = before.watch or 0
    adapters.waiting.move_watch(*key, watch, watch + 1)
    page = adapters.waiting.page_at(*key, 1)
    assert page is not None

    behind = replace(page, last=2)
    (message,) = some(webhook, 1)
    waits = replace(a_delivery(message), status=WAITING, place=2)
    refused = adapters.waiting.add(before, behind, [waits], watch)

    assert refused is not None
    assert refused.was_beaten
    assert adapters.waiting.end(*key) == ListEnd(1, watch + 1)
