"""Watches: whether anybody pulls, who is told when nobody does, and what harms no watch."""

from dataclasses import replace

import pytest

from perkwire.jobs.watching import idle_notice
from perkwire.model.messages import JobMessage, WatchMessage, read_job_message, write_watch_message
from perkwire.model.standing import Standing
from perkwire.model.waiting import WATCH_MICROSECONDS, BeingWritten, ListEnd
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from tests.builders import ACCOUNT, NOW, WEBHOOK, a_delivery_message, a_webhook, an_account
from tests.unit.jobs.world import CONSOLE_URL, World

TOPIC = "arn:aws:sns:us-east-1:0:stack-notices-acct"
KEY = (ACCOUNT, WEBHOOK)
HOUR = HOUR_SECONDS * MICROSECONDS
DAY = WATCH_MICROSECONDS
HOP = 900 * MICROSECONDS


class Till(World):
    """An account with one webhook that is pulled, whose admins want notices."""

    def __init__(self) -> None:
        super().__init__(is_pulled=True)
        account = self.config.accounts[ACCOUNT]
        self.config.put(replace(account, notice_topic=TOPIC))

    def have_wait(self, many: int = 1) -> None:
        webhook = self.config.webhooks[WEBHOOK]
        messages = [a_delivery_message(webhook) for _ in range(many)]
        self.wait_list.append(webhook, [(one, None) for one in messages], self.clock.now)

    def pull(self) -> None:
        self.lists.take(*KEY, self.end.last, self.clock.now)

    @property
    def end(self) -> ListEnd:
        return self.lists.end(*KEY)

    @property
    def told(self) -> list[str]:
        return [notice.text for _, notice in self.topics.published]

    def run_until(self, moment: int) -> None:
        """Invoke with what is due by then, and have it be then."""
        self.take_queued()
        while self.waiting and min(self.waiting)[0] <= moment:
            self.invoke()
        self.clock.now = moment

    def messages(self) -> list[JobMessage | WatchMessage]:
        self.take_queued()
        return [read_job_message(body) for _, body, _ in self.waiting]


@pytest.fixture
def till() -> Till:
    return Till()


def test_nobody_is_told_before_nothing_was_pulled_for_a_day(till: Till) -> None:
    till.have_wait()

    till.run_until(NOW + DAY - MICROSECONDS)
    assert till.told == []
    till.run_until(NOW + DAY + HOP)

    ((topic, notice),) = till.topics.published
    assert topic == TOPIC
    assert notice.subject == 'Webhook "Till": nothing pulled for a day'
    assert "At most 1 delivery waits to be pulled, since 2026-09-21 14:13 UTC." in notice.text


def test_it_is_told_of_once_a_day_until_it_is_pulled(till: Till) -> None:
    till.have_wait()

    till.run_until(NOW + 3 * DAY + HOUR)
    assert len(till.told) == 3
    till.pull()
    till.run_until(NOW + 9 * DAY)

    assert len(till.told) == 3
    assert till.end == ListEnd(1)
    assert till.messages() == []


def test_who_pulls_once_a_day_is_never_told(till: Till) -> None:
    for day in range(5):
        till.have_wait(2)
        till.run_until(NOW + day * DAY + 23 * HOUR)
        till.pull()
        till.run_until(NOW + (day + 1) * DAY)

    assert till.told == []


def test_what_came_after_the_last_pull_has_a_day_of_its_own(till: Till) -> None:
    till.have_wait()
    till.pull()
    till.run_until(NOW + 20 * HOUR)
    till.have_wait()

    till.run_until(NOW + 43 * HOUR)
    assert till.told == []
    till.run_until(NOW + 45 * HOUR)

    assert len(till.told) == 1


def test_a_list_has_one_watch_however_much_comes(till: Till) -> None:
    for hour in range(30):
        till.have_wait(3)
        till.run_until(NOW + hour * HOUR)

    (watch,) = till.messages()
    assert watch == WatchMessage(account_id=ACCOUNT, webhook_id=WEBHOOK, watch=till.end.watch or 0)
    assert len(till.told) == 1


def test_a_watch_whose_message_is_lost_is_begun_anew_with_what_comes(till: Till) -> None:
    till.have_wait()
    till.take_queued()
    till.waiting.clear()
    till.run_until(NOW + DAY + HOUR)
    till.have_wait()
    assert till.messages() == []

    till.clock.now += 1
    till.have_wait()

    assert [one for one in till.messages() if isinstance(one, WatchMessage)]
    till.run_until(NOW + 2 * DAY + 2 * HOUR)
    assert len(till.told) == 1


def test_of_two_copies_of_a_watch_one_goes_on_and_tells(till: Till) -> None:
    till.have_wait()
    till.take_queued()
    till.waiting.append(till.waiting[0])

    till.run_until(NOW + DAY + HOUR)

    assert len(till.told) == 1
    assert len(till.messages()) == 1


def test_a_watch_that_was_begun_for_nothing_ends_by_itself(till: Till) -> None:
    till.lists.fail("add", 1)
    with pytest.raises(Unavailable):
        till.have_wait()
    till.clock.now += 1
    till.have_wait()
    assert len(till.messages()) == 2

    till.run_until(NOW + HOP + MICROSECONDS)

    assert len(till.messages()) == 1


def test_nothing_waits_without_a_watch(till: Till) -> None:
    till.job_queue.refuse(1)

    with pytest.raises(Unavailable, match="watch"):
        till.have_wait()

    assert till.deliveries.entries == {}
    till.have_wait()
    assert len(till.messages()) == 1


def test_a_notice_that_cannot_be_sent_is_sent_an_hour_later(till: Till) -> None:
    till.have_wait()
    till.topics.fail("publish", 1)

    till.run_until(NOW + DAY + HOP)
    assert till.told == []
    assert "notice_not_sent" in till.journal.kinds
    till.run_until(NOW + DAY + HOUR + 2 * HOP)

    assert len(till.told) == 1
    till.run_until(NOW + 2 * DAY + HOUR - HOP)
    assert len(till.told) == 1


def test_an_account_gets_so_many_notices_in_an_hour(till: Till) -> None:
    till.have_wait()
    hour = (NOW + DAY) // HOUR
    till.config.notices[ACCOUNT, hour] = 20

    till.run_until(NOW + DAY + HOP)
    assert till.told == []
    till.run_until(NOW + DAY + 3 * HOUR)

    assert len(till.told) == 1


def test_nobody_is_told_of_a_webhook_that_is_disabled(till: Till) -> None:
    till.have_wait()
    till.change_webhook(status=WebhookStatus.DISABLED)

    till.run_until(NOW + 2 * DAY)
    assert till.told == []
    till.change_webhook(status=WebhookStatus.ENABLED)
    till.run_until(NOW + 4 * DAY)

    assert till.told


def test_without_addresses_nobody_is_told_and_the_watch_goes_on(till: Till) -> None:
    till.config.put(an_account())
    till.have_wait()

    till.run_until(NOW + 2 * DAY)

    assert till.told == []
    assert len(till.messages()) == 1


def test_what_is_no_longer_kept_does_not_wait(till: Till) -> None:
    till.have_wait()
    last = till.end.last
    till.deliveries.pages[KEY].clear()
    till.lists.end = lambda *_: ListEnd(last, NOW + DAY)  # type: ignore[method-assign]
    ended = []
    till.lists.end_watch = lambda *key: not ended.append(key)  # type: ignore[method-assign,func-returns-value]

    till.run_until(NOW + DAY + HOP)

    assert ended == [(*KEY, ListEnd(last, NOW + DAY))]
    assert till.told == []


def test_what_is_being_written_waits(till: Till) -> None:
    till.have_wait()

    def page_at(*_: object) -> None:
        raise BeingWritten

    till.lists.pages = lambda *_, **__: []  # type: ignore[method-assign]
    till.lists.page_at = page_at  # type: ignore[method-assign,assignment]

    till.run_until(NOW + DAY + HOP)

    assert len(till.messages()) == 1
    assert till.told == []


def test_what_comes_as_a_watch_ends_is_watched(till: Till) -> None:
    till.have_wait()
    till.pull()
    end_watch = till.lists.end_watch

    def meanwhile(*key: object) -> bool:
        till.lists.end_watch = end_watch  # type: ignore[method-assign]
        till.have_wait()
        return end_watch(*key)  # type: ignore[arg-type]

    till.lists.end_watch = meanwhile  # type: ignore[method-assign,assignment]
    till.run_until(NOW + DAY + HOUR)
    assert len(till.messages()) == 1

    till.run_until(NOW + 2 * DAY + HOUR)

    assert len(till.told) == 1


def test_a_watch_of_which_a_call_fails_goes_on(till: Till) -> None:
    """Whatever a turn has done by then, another turn of the same message takes it on."""
    till.have_wait()
    for name in ("move_watch", "end", "taken"):
        till.lists.fail(name, till.lists.calls[name] + 1)
        till.run_until(till.clock.now + DAY + HOUR)

    assert len(till.told) >= 2
    assert len(till.messages()) == 1


def test_a_deleted_webhook_is_watched_no_more(till: Till) -> None:
    till.have_wait()
    till.change_webhook(status=WebhookStatus.DELETED)

    till.run_until(NOW + HOP)

    assert till.messages() == []
    assert till.told == []


def test_nobody_is_told_of_what_was_made_for_listening(till: Till) -> None:
    till.have_wait()
    till.change_webhook(ends_at=NOW + HOUR)

    till.run_until(NOW + 2 * DAY)

    assert till.messages() == []
    assert till.told == []


def test_a_webhook_that_is_absent_leaves_its_watch_to_sqs(till: Till) -> None:
    till.have_wait()
    webhook = till.config.webhooks.pop(WEBHOOK)

    till.run_until(NOW + DAY + 100 * MICROSECONDS)
    assert "webhook_absent" in till.journal.kinds
    till.config.put(webhook)
    till.run_until(NOW + DAY + HOUR)

    assert len(till.told) == 1


def test_a_watch_travels_as_it_is_written() -> None:
    watch = WatchMessage(account_id=ACCOUNT, webhook_id=WEBHOOK, watch=NOW)

    assert read_job_message(write_watch_message(watch)) == watch


def test_a_notice_says_what_waits_since_when_and_what_to_do() -> None:
    standing = Standing(through=4, taken_at=NOW - 2 * DAY, waiting=3, waiting_since=NOW - DAY)

    notice = idle_notice(a_webhook(), standing, NOW - DAY, 30, CONSOLE_URL)

    assert (
        notice.text
        == f"""\
At most 3 deliveries wait to be pulled, the first since 2026-09-20 14:13 UTC.
The webhook "Till" ({WEBHOOK}) was last pulled on 2026-09-19 14:13 UTC.

What has waited for 30 days is lost.

What to do:
1. See that what pulls it runs, reaches the API, and has a key that has not expired.
2. See how far it has been pulled: {CONSOLE_URL}/webhooks/{WEBHOOK}
3. If nobody needs it any more, disable or delete it there.

There is at most one such notice for this webhook in a day, until it is pulled.
"""
    )


def test_a_notice_of_what_was_never_pulled_leads_to_the_api_without_a_console() -> None:
    standing = Standing(through=0, taken_at=None, waiting=1, waiting_since=NOW)

    text = idle_notice(a_webhook(), standing, NOW, 15).text

    assert "At most 1 delivery waits to be pulled, since 2026-09-21 14:13 UTC.\n" in text
    assert "has never been pulled.\n" in text
    assert f"GET /v1/webhooks/{WEBHOOK}\n" in text
