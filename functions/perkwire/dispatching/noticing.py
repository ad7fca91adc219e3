"""Notices, by e-mail, to an account's admins: deliveries have failed, a webhook has been paused.

Of failed deliveries at most one notice in an interval tells for each webhook, with the count of
those that no notice has told of yet. Those that failed within the interval are told of with the
webhook's first delivery after it, whatever becomes of that one. Pauses have an interval of their
own in the same way: who enables a webhook and lets it be paused, again and again, gets one mail.
Of each pause at most one notice tells: a crash before it leaves none, and the webhook shows it. And
an account gets so many notices in an hour, whatever webhooks it makes; what is not told stays
counted. Healthy webhooks, and accounts whose admins want no notices, cost no read and no write.
"""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Protocol

from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.notices import (
    MOST_NOTICES_PER_HOUR,
    Notice,
    NoticeBound,
    NoticeSender,
    Publisher,
    notice_subject,
    notice_time,
    notice_title,
)
from perkwire.model.sending import TransportError
from perkwire.model.webhook import Pause, PauseReason, Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.timestamps import MICROSECONDS

_MOST_TYPES = 10
_MINUTE = 60 * MICROSECONDS

_ERRORS: dict[str, str] = {
    TransportError.BLOCKED_ADDRESS: "its address is not one that may be called",
    TransportError.DNS: "its host name could not be resolved",
    TransportError.CONNECT: "no connection to it could be made",
    TransportError.TLS: "no secure connection to it could be made; check its certificate",
    TransportError.TIMEOUT: "it did not answer in time",
    TransportError.RESET: "it closed the connection without an answer",
    TransportError.BAD_ANSWER: "its answer was not valid HTTP",
    TransportError.BAD_URL: "its URL cannot be called",
}
_PAUSES = {
    PauseReason.FAILURES: "attempt after attempt has failed, with no success for ten minutes",
    PauseReason.EXHAUSTED: "a delivery has used up its attempts",
    PauseReason.GONE: "the endpoint says that it is gone for good",
}


@dataclass(frozen=True, slots=True)
class UnreportedFailures:
    """A webhook's failed deliveries that no notice has told of, and when the first of them failed.

    `noticed_at` is when the last notice of failures was. Times are microseconds since the epoch.
    """

    count: int
    since: int
    noticed_at: int | None


@dataclass(frozen=True, slots=True)
class UnreportedPauses:
    """How often a webhook was paused without a notice, and when (microseconds) the last one was."""

    count: int
    noticed_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTrigger:
    """What one invocation saw go wrong at one webhook whose admins have a topic.

    `deliveries` are those that did not succeed, failed for good or not; `pause` is given by the
    one who has paused the webhook. `untold` are failures from before that wait for a notice,
    `untold_pauses` pauses: there may be no others.
    """

    webhook: Webhook
    topic: str
    deliveries: Sequence[Delivery]
    pause: PauseReason | None
    untold: UnreportedFailures | None = None
    untold_pauses: UnreportedPauses | None = None

    @property
    def failed(self) -> list[Delivery]:
        """Those whose attempts are used up."""
        return [one for one in self.deliveries if one.status is DeliveryStatus.FAILED]


class FailureCounts(NoticeBound, Protocol):
    """Where failed deliveries are counted until a notice tells of them."""

    def count_failed(self, webhook: Webhook, count: int, now: int) -> UnreportedFailures:
        """Count some more; all that are untold now. Raises Unavailable."""
        ...

    def take_untold(self, webhook: Webhook, untold: UnreportedFailures, now: int) -> bool:
        """Take these out of the count for a notice at `now`; False if another notice was first.

        Raises Unavailable.
        """
        ...

    def give_back(self, webhook: Webhook, untold: UnreportedFailures) -> None:
        """Count these again: their notice was not sent. Raises Unavailable."""
        ...

    def count_pause(self, webhook: Webhook, now: int) -> UnreportedPauses:
        """Count a pause; all that are untold now. Raises Unavailable."""
        ...

    def take_pauses(self, webhook: Webhook, pauses: UnreportedPauses, now: int) -> bool:
        """Take these out of the count for a notice at `now`; False if another notice was first.

        Raises Unavailable.
        """
        ...


class Noticing:
    """Tells the admins, at most once in `interval_minutes` of each webhook's failures and pauses.

    And no account more than `most_per_hour` times in an hour of the clock. With the console's URL
    they are sent there, else to the API.
    """

    def __init__(
        self,
        *,
        counts: FailureCounts,
        publisher: Publisher,
        journal: Journal,
        interval_minutes: int,
        most_per_hour: int = MOST_NOTICES_PER_HOUR,
        console_url: str = "",
    ) -> None:
        self._counts = counts
        self._sender = NoticeSender(
            bound=counts, publisher=publisher, journal=journal, most_per_hour=most_per_hour
        )
        self._journal = journal
        self._interval_minutes = interval_minutes
        self._console_url = console_url

    def tell(self, occasions: Iterable[NoticeTrigger], now: int) -> None:
        """Send what is due. Never raises: a notice that cannot be sent is a fault.

        After the first of these no other is tried, as the invocation has little time; failures
        are counted all the same.
        """
        trying = True
        for occasion in occasions:
            for tell in (self._tell_of_failures, self._tell_of_pause):
                try:
                    tell(occasion, now, trying=trying)
                except Exception as error:  # a notice must not change what becomes of a message
                    trying = False
                    self._journal.fault(
                        "notice_not_sent",
                        account_id=occasion.webhook.account_id,
                        webhook_id=occasion.webhook.id,
                        detail=str(error)
                        if isinstance(error, Unavailable)
                        else type(error).__name__,
                    )

    def _tell_of_failures(self, occasion: NoticeTrigger, now: int, *, trying: bool) -> None:
        webhook, failed = occasion.webhook, occasion.failed
        untold = occasion.untold
        if failed:
            untold = self._counts.count_failed(webhook, len(failed), now)
        if untold is None:
            return
        due = self._is_due(untold.noticed_at, now)
        if not trying or not due or not self._counts.take_untold(webhook, untold, now):
            return
        try:
            if not self._sender.admits(webhook, now):
                self._counts.give_back(webhook, untold)
                return
            notice = failure_notice(
                webhook, untold, failed, self._interval_minutes, self._console_url
            )
            self._sender.send(webhook, occasion.topic, "failures", notice)
        except Exception:
            self._counts.give_back(webhook, untold)
            raise

    def _tell_of_pause(self, occasion: NoticeTrigger, now: int, *, trying: bool) -> None:
        webhook = occasion.webhook
        pauses, pause = occasion.untold_pauses, webhook.pause
        if occasion.pause is not None:
            pause = Pause(now, occasion.pause)
            pauses = self._counts.count_pause(webhook, now)
        # Of a webhook that is enabled again there is nothing to tell until the next pause.
        if pauses is None or pause is None or not self._is_due(pauses.noticed_at, now):
            return
        if not trying:
            raise Unavailable("not tried after another")
        if not self._sender.admits(webhook, now) or not self._counts.take_pauses(
            webhook, pauses, now
        ):
            return
        notice = pause_notice(
            webhook,
            pause.reason,
            occasion.deliveries,
            pause.at,
            self._console_url,
            times=pauses.count,
        )
        self._sender.send(webhook, occasion.topic, "pause", notice)

    def _is_due(self, noticed_at: int | None, now: int) -> bool:
        return noticed_at is None or now - noticed_at >= self._interval_minutes * _MINUTE


def failure_notice(
    webhook: Webhook,
    untold: UnreportedFailures,
    failed: Sequence[Delivery],
    interval_minutes: int,
    console_url: str = "",
) -> Notice:
    """What is said of failed deliveries; `failed` are those that failed just now, if any did."""
    one = untold.count == 1
    number = "1 delivery" if one else f"{untold.count} deliveries"
    when = f"failed {'on' if one else 'since'} {notice_time(untold.since)}"
    minutes = "1 minute" if interval_minutes == 1 else f"{interval_minutes} minutes"
    return Notice(
        notice_subject(webhook, f"{number} failed"),
        f"""\
{number} to the webhook {notice_title(webhook)} {when}: all attempts are used up.
{f"\n{_latest(failed)}\n" if failed else ""}
Failed deliveries stay in the delivery log and can be sent again.

What to do:
1. Check the endpoint of the webhook.
2. See what failed: {_log(webhook, console_url)}
3. Once the endpoint works, send it again: {_retry(console_url)}

There is at most one such notice for this webhook in a period of {minutes}. The next one
counts the deliveries that failed in between.
""",
    )


def pause_notice(
    webhook: Webhook,
    reason: PauseReason,
    deliveries: Sequence[Delivery],
    now: int,
    console_url: str = "",
    times: int = 1,
) -> Notice:
    """What is said of a pause at `now`; `deliveries` are the latest, if there are any.

    `times` counts it and those that no notice has told of.
    """
    again = (
        f"\nIt was paused {times} times since the last notice of a pause.\n" if times > 1 else ""
    )
    latest = f"\n{_latest(deliveries)}\n" if deliveries else ""
    return Notice(
        notice_subject(webhook, "paused"),
        f"""\
The webhook {notice_title(webhook)} is paused since {notice_time(now)}: {_PAUSES[reason]}.
{again}{latest}
While it is paused nothing is sent to its endpoint. New events for it are not lost: the delivery
log keeps them as failed, reason "paused", and they can be sent again.

What to do:
1. Check the endpoint of the webhook.
2. Once the endpoint works, enable the webhook: {_enable(webhook, console_url)}
3. See what failed: {_log(webhook, console_url)}
4. Send it again: {_retry(console_url)}
""",
    )


def _latest(deliveries: Sequence[Delivery]) -> str:
    types = [*dict.fromkeys(name for one in deliveries for name in one.event_types)]
    more = f" and {len(types) - _MOST_TYPES} more" if len(types) > _MOST_TYPES else ""
    return (
        f"Event types of the latest: {', '.join(types[:_MOST_TYPES])}{more}\n"
        f"Last result: {_result(deliveries[-1])}"
    )


def _result(delivery: Delivery) -> str:
    if delivery.reason is Reason.FORMAT:
        return "an event could not be written in the format of the webhook"
    if delivery.reason is Reason.UNAVAILABLE or not delivery.attempts:
        return "a service of ours was away at the last attempt; the endpoint was not asked"
    attempt = delivery.attempts[-1]
    if attempt.status_code is None:
        return _ERRORS.get(attempt.error or "", "it gave no usable answer")
    try:
        phrase = f" ({HTTPStatus(attempt.status_code).phrase})"
    except ValueError:
        phrase = ""
    return f"the endpoint answered with status code {attempt.status_code}{phrase}"


def _log(webhook: Webhook, console_url: str) -> str:
    query = f"webhook_id={webhook.id}&status=failed"
    return f"{console_url}/log?{query}" if console_url else f"GET /v1/deliveries?{query}"


def _enable(webhook: Webhook, console_url: str) -> str:
    path = f"/webhooks/{webhook.id}"
    return f"{console_url}{path}" if console_url else f"POST /v1{path}/enable"


def _retry(console_url: str) -> str:
    return "tick it there, then Retry selected" if console_url else "POST /v1/deliveries/retry"
