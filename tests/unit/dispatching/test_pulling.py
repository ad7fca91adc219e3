"""Pulling, with fakes around it: what the simulation meets too rarely, and waiting."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from perkwire.dispatching.pulling import Pull, Pulling
from perkwire.dispatching.signing import Signed, SignedAs
from perkwire.model.messages import DeliveryMessage
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.waiting import BeingWritten, ListEnd, WaitingList, WaitingPage
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import NOW, a_delivery_message, a_webhook, an_event
from tests.fakes import (
    FakeClock,
    FakeDeliveryItems,
    FakeDeliveryReader,
    FakeEventItems,
    FakeEventReader,
    FakeQueue,
    FakeWaitingTable,
    FakeWaits,
)

WEBHOOK = a_webhook(is_pulled=True)


class Table(FakeWaitingTable):
    """Whose query does not see some pages, of which some are being written."""

    def __init__(self, items: FakeDeliveryItems) -> None:
        super().__init__(items)
        self.unseen: set[int] = set()
        self.being_written: set[int] = set()

    def pages(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: int, limit: int
    ) -> list[WaitingPage]:
        found = super().pages(account_id, webhook_id, after=after, limit=100)
        return [one for one in found if one.last not in self.unseen | self.being_written][:limit]

    def page_at(
        self, account_id: AccountId, webhook_id: WebhookId, last: int
    ) -> WaitingPage | None:
        if last in self.being_written:
            raise BeingWritten
        return super().page_at(account_id, webhook_id, last)


class Signer:
    """Signs all, with nothing."""

    is_away = False
    at_once = 100

    def sign(self, messages: Sequence[DeliveryMessage], most_bytes: int) -> list[SignedAs]:
        if self.is_away:
            raise Unavailable("KMS")
        return [Signed({}, message.events[0].id) for message in messages[: self.at_once]]


class Till:
    """A webhook that is pulled, with fakes around it."""

    def __init__(self) -> None:
        self.log, self.events = FakeDeliveryItems(), FakeEventItems()
        self.table, self.waits, self.clock = Table(self.log), FakeWaits(), FakeClock(NOW)
        self.signer = Signer()
        self.slept: list[float] = []
        self.on_sleep = [lambda: None]
        self.waiting = WaitingList(self.table, FakeQueue())
        self.pulling = Pulling(
            lists=self.table,
            log=FakeDeliveryReader(self.log),
            events=FakeEventReader(self.events),
            signer=self.signer,
            waits=self.waits,
            sleep=self.sleep,
            clock=self.clock,
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.now += round(seconds * MICROSECONDS)
        self.on_sleep[0]()

    def have_wait(self, many: int = 1, slot: int | None = None) -> list[DeliveryId]:
        """A page of so many."""
        messages = [a_delivery_message(WEBHOOK, an_event()) for _ in range(many)]
        for message in messages:
            for event in message.events:
                routed = RoutedEvent(account_id=WEBHOOK.account_id, event=event, deliveries={})
                self.events.events[routed.key] = routed
        self.waiting.append(WEBHOOK, [(message, slot) for message in messages], NOW)
        return [message.delivery_id for message in messages]

    def pull(self, after: int | None = None, **asked: int) -> tuple[list[DeliveryId], int]:
        pulled = self.pulling.pull(WEBHOOK, replace(Pull(after, 100), **asked))
        return [one for _, one, _ in pulled.given], pulled.through


@pytest.fixture
def till() -> Till:
    return Till()


def test_what_a_query_has_missed_is_found_in_its_order(till: Till) -> None:
    written = [one for _ in range(5) for one in till.have_wait(2)]
    till.table.unseen = {4, 6, 8}

    assert till.pull() == (written, 10)


def test_behind_what_is_being_written_nothing_is_given(till: Till) -> None:
    written = [one for _ in range(5) for one in till.have_wait(2)]
    till.table.unseen = {8}
    till.table.being_written = {6}

    assert till.pull() == (written[:4], 4)
    till.table.being_written = set()
    assert till.pull(4) == (written[4:], 10)


def test_places_that_are_no_longer_kept_hold_up_nobody(till: Till) -> None:
    till.have_wait(3)
    written = till.have_wait(2)
    del till.log.pages[WEBHOOK.account_id, WEBHOOK.id][3]

    assert till.pull(0) == (written, 5)


def test_a_page_may_be_begun_in_its_middle(till: Till) -> None:
    written = till.have_wait(5)

    assert till.pull(limit=2) == (written[:2], 2)
    assert till.pull(2, limit=2) == (written[2:4], 4)
    assert till.pull(4) == (written[4:], 5)


def test_a_cursor_is_good_before_the_end_of_the_list_is_there(till: Till) -> None:
    written = till.have_wait(2)
    till.table.end = lambda *_: ListEnd()  # type: ignore[method-assign]

    assert till.pull() == (written, 2)
    assert till.pull(2) == ([], 2)
    with pytest.raises(Problem, match="invalid"):
        till.pull(3)


def test_a_signature_that_cannot_be_had_takes_no_place(till: Till) -> None:
    till.have_wait()
    till.signer.is_away = True

    with pytest.raises(Unavailable):
        till.pull()
    assert till.log.taken == {}


def test_what_an_answer_has_no_room_for_is_not_passed_over(till: Till) -> None:
    written = till.have_wait(5)
    till.signer.at_once = 2

    assert till.pull() == (written[:2], 2)
    assert till.pull(2) == (written[2:4], 4)
    assert till.pull(4) == (written[4:], 5)


def test_whoever_waits_looks_once_a_second_and_for_no_longer_than_he_said(till: Till) -> None:
    assert till.pull(wait_seconds=20) == ([], 0)

    assert till.slept == [1.0] * 20
    assert till.table.calls["last"] <= 42
    assert till.table.calls["pages"] == 2
    assert till.waits.waiting == 0


def test_what_comes_while_somebody_waits_is_given_at_the_next_look(till: Till) -> None:
    came: list[DeliveryId] = []

    def come() -> None:
        if len(till.slept) == 3:
            came.extend(till.have_wait(2))

    till.on_sleep[0] = come

    assert till.pull(wait_seconds=20) == (came, 2)
    assert len(till.slept) == 3
    assert till.waits.waiting == 0


def test_a_slot_that_comes_while_somebody_waits_is_in_time(till: Till) -> None:
    written = till.have_wait(1, NOW + 5 * MICROSECONDS)
    assert till.pull() == ([], 0)

    assert till.pull(wait_seconds=20) == (written, 1)

    assert len(till.slept) == 5


def test_without_a_place_to_wait_the_answer_comes_at_once(till: Till) -> None:
    till.waits.most = 0

    assert till.pull(wait_seconds=20) == ([], 0)
    assert till.slept == []


def test_nobody_waits_who_is_given_something(till: Till) -> None:
    written = till.have_wait()

    assert till.pull(wait_seconds=20) == (written, 1)
    assert till.waits.begun == 0


@pytest.mark.parametrize(
    "webhook", [a_webhook(), replace(WEBHOOK, status=WebhookStatus.DISABLED)], ids=["posted", "off"]
)
def test_only_what_is_pulled_and_enabled_can_be(till: Till, webhook: object) -> None:
    with pytest.raises(Problem, match="conflict"):
        till.pulling.pull(webhook, Pull(None, 1))  # type: ignore[arg-type]
