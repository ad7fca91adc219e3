"""How many mails an account's admins get: in an interval of each webhook, and in an hour at all."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from perkwire.dispatching.noticing import NoticeTrigger, Noticing, UnreportedPauses
from perkwire.model.delivery import DeliveryStatus
from perkwire.model.notices import MOST_NOTICES_PER_HOUR
from perkwire.model.webhook import Pause, PauseReason, WebhookStatus
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import NOW, a_delivery, a_webhook
from tests.fakes import FakeConfigItems, FakeTelemetry, FakeTopics, FakeWebhookLookup

INTERVAL = 60
MINUTE = 60 * MICROSECONDS
HOUR = NOW - NOW % (60 * MINUTE)


class Admin:
    """An account's admin, and all that decides what is mailed to them."""

    def __init__(self) -> None:
        self.items = FakeConfigItems()
        self.topics = FakeTopics()
        self.journal = FakeTelemetry()
        self.noticing = Noticing(
            counts=FakeWebhookLookup(self.items),
            publisher=self.topics,
            journal=self.journal,
            interval_minutes=INTERVAL,
        )

    def tell(
        self,
        now: int,
        *,
        pause: bool,
        failed: int = 0,
        is_paused: bool = False,
        id: WebhookId | None = None,  # noqa: A002 - as the webhook has it
    ) -> None:
        status = DeliveryStatus.FAILED if failed else DeliveryStatus.RETRYING
        webhook = replace(a_webhook(), id=id or a_webhook().id)
        if is_paused:
            paused = Pause(NOW + MINUTE, PauseReason.GONE)
            webhook = replace(webhook, status=WebhookStatus.PAUSED, pause=paused)
        trigger = NoticeTrigger(
            webhook=webhook,
            topic="arn:aws:sns:eu-west-1:000000000000:notices",
            deliveries=[replace(a_delivery(), status=status)] * max(failed, 1),
            pause=PauseReason.GONE if pause else None,
            untold_pauses=self.items.pauses.get(webhook.id),
        )
        self.noticing.tell([trigger], now)

    @property
    def texts(self) -> list[str]:
        return [notice.text for _, notice in self.topics.published]


@pytest.fixture
def admin() -> Admin:
    return Admin()


def test_enable_and_pause_again_and_again_is_one_mail_in_an_interval(admin: Admin) -> None:
    for second in range(50):
        admin.tell(NOW + second * MICROSECONDS, pause=True)

    assert len(admin.texts) == 1
    assert "times" not in admin.texts[0].split("What to do")[0]

    admin.tell(NOW + INTERVAL * MINUTE, pause=True)

    assert len(admin.texts) == 2
    assert "It was paused 50 times since the last notice of a pause." in admin.texts[1]


def test_a_pause_that_was_held_back_is_told_once_the_interval_is_over(admin: Admin) -> None:
    admin.tell(NOW, pause=True)
    admin.tell(NOW + MINUTE, pause=True)

    admin.tell(NOW + 2 * MINUTE, pause=False, is_paused=True)
    assert len(admin.texts) == 1
    admin.tell(NOW + (INTERVAL + 1) * MINUTE, pause=False, is_paused=True)

    assert len(admin.texts) == 2
    assert "is paused since" in admin.texts[1]
    admin.tell(NOW + (2 * INTERVAL + 2) * MINUTE, pause=False, is_paused=True)
    assert len(admin.texts) == 2


def test_of_a_webhook_that_is_enabled_again_nothing_is_told(admin: Admin) -> None:
    admin.tell(NOW, pause=True)
    admin.tell(NOW + MINUTE, pause=True)

    admin.tell(NOW + 2 * INTERVAL * MINUTE, pause=False)

    assert len(admin.texts) == 1
    assert admin.items.pauses[a_webhook().id] == UnreportedPauses(1, NOW)


def test_new_webhooks_do_not_get_an_account_more_mails(admin: Admin) -> None:
    for number in range(100):
        webhook_id = WebhookId(f"wh_{number:016}")
        admin.tell(HOUR + number * MICROSECONDS, pause=True, failed=1, id=webhook_id)

    assert len(admin.texts) == MOST_NOTICES_PER_HOUR


def test_what_is_held_back_for_the_account_is_told_in_the_next_hour(admin: Admin) -> None:
    for number in range(MOST_NOTICES_PER_HOUR):
        admin.tell(HOUR, pause=True, id=WebhookId(f"wh_{number:016}"))
    late = WebhookId("wh_zzzzzzzzzzzzzzzz")
    admin.tell(HOUR + MINUTE, pause=True, failed=3, id=late)
    assert len(admin.texts) == MOST_NOTICES_PER_HOUR

    admin.tell(HOUR + 62 * MINUTE, pause=True, failed=1, id=late)

    told = [notice.subject for _, notice in admin.topics.published][MOST_NOTICES_PER_HOUR:]
    assert told == ['Webhook "Till": 4 deliveries failed', 'Webhook "Till": paused']
    assert "It was paused 2 times" in admin.texts[-1]


def test_no_race_gets_past_the_accounts_ceiling(admin: Admin) -> None:
    together = threading.Barrier(16)

    def tell(number: int) -> None:
        together.wait(timeout=5)
        for webhook in range(4):
            admin.tell(HOUR, pause=True, id=WebhookId(f"wh_{number:08}{webhook:08}"))

    with ThreadPoolExecutor(16) as pool:
        [*pool.map(tell, range(16))]

    assert len(admin.texts) == MOST_NOTICES_PER_HOUR


def test_the_log_says_what_is_held_back(admin: Admin) -> None:
    for number in range(MOST_NOTICES_PER_HOUR + 1):
        admin.tell(HOUR, pause=True, id=WebhookId(f"wh_{number:016}"))

    assert [name for name, _ in admin.journal.notes].count("notice.held_back") == 1
