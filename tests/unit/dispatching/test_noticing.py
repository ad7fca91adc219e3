"""What notices say, when they are sent, and by whom of many."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from perkwire.dispatching.noticing import (
    NoticeTrigger,
    Noticing,
    UnreportedFailures,
    failure_notice,
    pause_notice,
)
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.notices import LONGEST_SUBJECT
from perkwire.model.sending import TransportError
from perkwire.model.webhook import PauseReason, Webhook
from tests.builders import (
    ACCOUNT,
    NOW,
    SECRET,
    WEBHOOK,
    a_delivery,
    a_webhook,
    an_attempt,
    webhooks,
)
from tests.fakes import FakeConfigItems, FakeTelemetry, FakeTopics, FakeWebhookLookup

TOPIC = "arn:aws:sns:us-east-1:0:stack-notices-acct"
MINUTE = 60_000_000
INTERVAL = 60
DEVIOUS = a_webhook(
    name="Evil\r\n\u2028\u202etill",
    url="https://user.example/hook?token=hunter2",
    secret=SECRET,
    headers={"x-key": "s3cret-header"},
)


def failed(**members: object) -> Delivery:
    members = {"status": DeliveryStatus.FAILED, "attempts": (an_attempt(),)} | members
    return a_delivery(**members)  # type: ignore[arg-type]


def test_a_notice_of_failures_says_what_since_when_and_what_to_do() -> None:
    deliveries = [
        failed(event_types=("points.earned",)),
        failed(event_types=("tier.upgraded", "points.earned")),
    ]

    notice = failure_notice(a_webhook(), UnreportedFailures(3, NOW, None), deliveries, INTERVAL)

    assert notice.subject == 'Webhook "Till": 3 deliveries failed'
    assert (
        notice.text
        == f"""\
3 deliveries to the webhook "Till" ({WEBHOOK}) failed since 2026-09-21 14:13 UTC: all attempts are used up.

Event types of the latest: points.earned, tier.upgraded
Last result: the endpoint answered with status code 500 (Internal Server Error)

Failed deliveries stay in the delivery log and can be sent again.

What to do:
1. Check the endpoint of the webhook.
2. See what failed: GET /v1/deliveries?webhook_id={WEBHOOK}&status=failed
3. Once the endpoint works, send it again: POST /v1/deliveries/retry

There is at most one such notice for this webhook in a period of 60 minutes. The next one
counts the deliveries that failed in between.
"""  # noqa: E501 - as it is mailed
    )


def test_with_a_console_notices_lead_there_and_to_no_call() -> None:
    console = "https://hooks.example/console"
    failures = failure_notice(
        a_webhook(), UnreportedFailures(3, NOW, None), [failed()], INTERVAL, console
    ).text
    pause = pause_notice(a_webhook(), PauseReason.GONE, [failed()], NOW, console).text

    for text in (failures, pause):
        assert f"See what failed: {console}/log?webhook_id={WEBHOOK}&status=failed\n" in text
        assert "/v1/" not in text
    assert f"enable the webhook: {console}/webhooks/{WEBHOOK}\n" in pause


def test_without_a_failure_just_now_a_notice_says_nothing_of_the_latest() -> None:
    text = failure_notice(a_webhook(), UnreportedFailures(3, NOW, None), [], INTERVAL).text

    assert "used up.\n\nFailed deliveries stay" in text
    assert "latest" not in text


def test_one_failure_is_one() -> None:
    notice = failure_notice(a_webhook(), UnreportedFailures(1, NOW, None), [failed()], 1)

    assert notice.subject == 'Webhook "Till": 1 delivery failed'
    assert "1 delivery to the webhook" in notice.text
    assert "failed on 2026-09-21 14:13 UTC" in notice.text
    assert "in a period of 1 minute." in notice.text


def test_a_notice_of_a_pause_says_what_since_when_and_what_to_do() -> None:
    notice = pause_notice(a_webhook(), PauseReason.GONE, [failed()], NOW)

    assert notice.subject == 'Webhook "Till": paused'
    assert (
        notice.text
        == f"""\
The webhook "Till" ({WEBHOOK}) is paused since 2026-09-21 14:13 UTC: the endpoint says that it is gone for good.

Event types of the latest: points.earned
Last result: the endpoint answered with status code 500 (Internal Server Error)

While it is paused nothing is sent to its endpoint. New events for it are not lost: the delivery
log keeps them as failed, reason "paused", and they can be sent again.

What to do:
1. Check the endpoint of the webhook.
2. Once the endpoint works, enable the webhook: POST /v1/webhooks/{WEBHOOK}/enable
3. See what failed: GET /v1/deliveries?webhook_id={WEBHOOK}&status=failed
4. Send it again: POST /v1/deliveries/retry
"""  # noqa: E501 - as it is mailed
    )


@pytest.mark.parametrize("reason", PauseReason)
def test_every_reason_of_a_pause_has_words(reason: PauseReason) -> None:
    text = pause_notice(a_webhook(), reason, [failed()], NOW).text

    assert len(text.partition("UTC: ")[2].partition(".")[0].split()) > 4


RESULTS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown status": ({"status_code": 799}, "status code 799\n"),
    "a known status": ({"status_code": 404}, "status code 404 (Not Found)"),
    **{
        error: ({"status_code": None, "error": error, "response": None}, "Last result: ")
        for error in TransportError
    },
}


@pytest.mark.parametrize("kind", RESULTS)
def test_every_result_of_an_attempt_has_words(kind: str) -> None:
    members, words = RESULTS[kind]
    delivery = failed(attempts=(an_attempt(status_code=200), an_attempt(**members)))

    text = failure_notice(a_webhook(), UnreportedFailures(1, NOW, None), [delivery], INTERVAL).text

    assert words in text
    assert "_" not in text.partition("Last result: ")[2].partition("\n")[0]


def test_no_two_errors_have_the_same_words() -> None:
    said = set()
    for error in [*TransportError, "of a later version"]:
        delivery = failed(attempts=(an_attempt(status_code=None, error=error),))
        text = failure_notice(
            a_webhook(), UnreportedFailures(1, NOW, None), [delivery], INTERVAL
        ).text
        said.add(text.partition("Last result: ")[2].partition("\n")[0])

    assert len(said) == len(TransportError) + 1


@pytest.mark.parametrize("attempts", [(), (an_attempt(),)])
def test_what_the_format_cannot_say_is_said_so(attempts: tuple[Any, ...]) -> None:
    delivery = failed(reason=Reason.FORMAT, attempts=attempts)

    text = failure_notice(a_webhook(), UnreportedFailures(1, NOW, None), [delivery], INTERVAL).text

    assert "could not be written in the format" in text


def test_many_event_types_are_cut_short() -> None:
    delivery = failed(event_types=tuple(f"custom.t{n}" for n in range(13)))

    text = failure_notice(a_webhook(), UnreportedFailures(1, NOW, None), [delivery], INTERVAL).text

    assert "custom.t8, custom.t9 and 3 more\n" in text
    assert "custom.t10" not in text


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("Kölner Straße", 'Webhook "Kolner Strae": paused'),
        ("店舗", f'Webhook "{WEBHOOK}": paused'),
        ("a\r\nb\u2028c", 'Webhook "a b c": paused'),
        ("x" * 128, f'Webhook "{"x" * 78}...": paused'),
    ],
)
def test_a_subject_is_one_short_line_of_ascii(name: str, subject: str) -> None:
    notice = pause_notice(a_webhook(name=name), PauseReason.GONE, [failed()], NOW)

    assert notice.subject == subject
    assert len(notice.subject) <= LONGEST_SUBJECT
    assert notice.subject.isascii()
    assert notice.subject.isprintable()


def test_a_notice_holds_no_url_secret_header_or_answer() -> None:
    delivery = failed(attempts=(an_attempt(response="member anna@example.com"),))
    notices = [
        failure_notice(DEVIOUS, UnreportedFailures(1, NOW, None), [delivery], INTERVAL),
        pause_notice(DEVIOUS, PauseReason.GONE, [delivery], NOW),
    ]

    for notice in notices:
        said = notice.subject + notice.text
        assert '"Evil till"' in said
        for hidden in ("hunter2", "user.example", SECRET, "x-key", "s3cret", "anna", "\u202e"):
            assert hidden not in said


class Admin:
    """An account's admin, and all that decides what is mailed to them."""

    def __init__(self) -> None:
        self.items = FakeConfigItems()
        self.lookup = FakeWebhookLookup(self.items)
        self.topics = FakeTopics()
        self.journal = FakeTelemetry()
        self.noticing = Noticing(
            counts=self.lookup,
            publisher=self.topics,
            journal=self.journal,
            interval_minutes=INTERVAL,
        )

    def fails(
        self,
        count: int,
        now: int = NOW,
        *,
        pause: PauseReason | None = None,
        webhook: Webhook | None = None,
    ) -> None:
        self.noticing.tell([an_occasion(count, pause=pause, webhook=webhook)], now)

    @property
    def subjects(self) -> list[str]:
        return [notice.subject for _, notice in self.topics.published]


def an_occasion(
    count: int, *, pause: PauseReason | None = None, webhook: Webhook | None = None
) -> NoticeTrigger:
    return NoticeTrigger(
        webhook=webhook or a_webhook(),
        topic=TOPIC,
        deliveries=[failed()] * count or [failed(status=DeliveryStatus.RETRYING)],
        pause=pause,
    )


@pytest.fixture
def admin() -> Admin:
    return Admin()


def test_the_first_failure_is_told_at_once(admin: Admin) -> None:
    admin.fails(2)

    assert [topic for topic, _ in admin.topics.published] == [TOPIC]
    assert admin.subjects == ['Webhook "Till": 2 deliveries failed']
    assert admin.journal.notes == [
        ("notice.sent", {"account_id": ACCOUNT, "webhook_id": WEBHOOK, "about": "failures"})
    ]


def test_what_an_interval_keeps_back_the_next_notice_tells(admin: Admin) -> None:
    admin.fails(1)
    admin.fails(2, NOW + 5 * MINUTE)
    admin.fails(3, NOW + INTERVAL * MINUTE - 1)
    assert len(admin.subjects) == 1

    admin.fails(1, NOW + INTERVAL * MINUTE)

    assert admin.subjects[1:] == ['Webhook "Till": 6 deliveries failed']
    assert "since 2026-09-21 14:18 UTC" in admin.topics.published[1][1].text


def test_retrying_deliveries_are_no_reason_for_a_notice_or_a_write(admin: Admin) -> None:
    admin.fails(0)

    assert admin.lookup.calls.total() == admin.topics.calls.total() == 0


def test_webhooks_have_intervals_of_their_own(admin: Admin) -> None:
    one, two = webhooks(2)

    admin.fails(1, webhook=one)
    admin.fails(1, webhook=two)

    assert len(admin.subjects) == 2


def test_a_pause_is_told_whatever_the_interval(admin: Admin) -> None:
    admin.fails(1)
    admin.fails(0, NOW + 1, pause=PauseReason.GONE)

    assert admin.subjects[1:] == ['Webhook "Till": paused']


def test_of_many_at_once_one_tells_and_no_failure_is_lost(
    admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(16)
    count_failed = admin.lookup.count_failed

    def count_all_before_any_tells(webhook: Webhook, count: int, now: int) -> UnreportedFailures:
        untold = count_failed(webhook, count, now)
        together.wait(timeout=5)
        return untold

    with monkeypatch.context() as patch, ThreadPoolExecutor(16) as pool:
        patch.setattr(admin.lookup, "count_failed", count_all_before_any_tells)
        [*pool.map(lambda _: admin.fails(3), range(16))]
    admin.fails(1, NOW + INTERVAL * MINUTE)

    told = [int(subject.split()[2]) for subject in admin.subjects]
    assert len(told) == 2
    assert sum(told) == 16 * 3 + 1


def test_a_notice_that_sns_does_not_take_is_one_fault_and_counts_for_the_next(
    admin: Admin,
) -> None:
    admin.topics.fail("publish", 1)

    admin.fails(2)
    admin.fails(1, NOW + MINUTE)
    assert (admin.subjects, admin.journal.kinds) == ([], ["notice_not_sent"])
    assert admin.journal.faults[0][1]["detail"] == "FakeTopics: Told"

    admin.fails(1, NOW + INTERVAL * MINUTE)
    assert admin.subjects == ['Webhook "Till": 4 deliveries failed']


def test_after_one_that_sns_does_not_take_no_other_is_tried_but_all_are_counted(
    admin: Admin,
) -> None:
    admin.topics.fail("publish", 1)
    one, two, three = webhooks(3)

    admin.noticing.tell(
        [
            an_occasion(1, webhook=one),
            an_occasion(2, webhook=two),
            an_occasion(0, webhook=three, pause=PauseReason.GONE),
        ],
        NOW,
    )
    assert admin.topics.calls == {"publish": 1}
    assert admin.journal.kinds == ["notice_not_sent"] * 2

    admin.fails(1, NOW + 1, webhook=two)
    assert admin.subjects == ['Webhook "Till": 3 deliveries failed']


@pytest.mark.parametrize("method", ["count_failed", "take_untold", "give_back"])
def test_a_table_that_fails_is_a_fault_and_nothing_more(admin: Admin, method: str) -> None:
    admin.lookup.fail(method)
    if method == "give_back":
        admin.topics.fail("publish")

    admin.fails(1)

    assert (admin.subjects, admin.journal.kinds) == ([], ["notice_not_sent"])


def test_a_crash_names_its_class_alone(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("anna@example.com")

    monkeypatch.setattr(admin.topics, "publish", crash)

    admin.fails(1)

    assert admin.journal.faults[0][1]["detail"] == "RuntimeError"
