"""When the next attempt of a delivery is, and which one is its last.

SQS counts, waits and dead-letters, whoever's rule holds. A webhook with fewer attempts than the
stack has receives lets those that are left be spent, at once: they bring the message to the
dead-letter queue, and nothing is sent.
"""

from collections.abc import Collection, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from perkwire.dispatching.in_flight import InFlightDelivery
from perkwire.dispatching.next_receive import spread, within_limit
from perkwire.dispatching.timing import DispatchRule
from perkwire.dispatching.verdict import Finding
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.messages import DeliveryMessage
from perkwire.model.schedule import LONGEST_DELAY_SECONDS, most_attempts
from perkwire.model.sending import Response
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import DeliveryId, WebhookId
from perkwire.primitives.regexes import regex
from perkwire.primitives.timestamps import MICROSECONDS

_ASKS_TO_WAIT = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_ATTEMPTED = (Finding.REFUSED, Finding.UNRENDERABLE, Finding.UNAVAILABLE, Finding.DOUBLED)
_MOST_DIGITS = 9  # of seconds: more are longer than any delay
_LEAP_SECOND = regex(r"\b([0-9]{2}:[0-9]{2}):60\b")
_AT_ONCE = 0


def is_last_attempt(delivery: InFlightDelivery, max_attempts: int) -> bool:
    """Whether a delivery that is not taken now has failed: the webhook's rule has no more."""
    delays = None if delivery.state is None else delivery.state.webhook.retry_delays_seconds
    return delivery.received.receive_count >= most_attempts(delays, max_attempts)


def used_up(
    message: DeliveryMessage,
    webhook: Webhook,
    entry: Delivery | None,
    receive_count: int,
    max_attempts: int,
) -> Finding | None:
    """What a receive after the webhook's last attempt finds; None: an attempt is left for it.

    What has failed stays so, whatever the schedule has become meanwhile, until a redrive brings it
    as a new message, whose receives count from the start.
    """
    delays = webhook.retry_delays_seconds
    is_over = delays is not None and receive_count > most_attempts(delays, max_attempts)
    if entry is None or entry.run < message.run:
        # The last attempt should have been made, and nothing is known of any.
        return Finding.UNAVAILABLE if is_over else None
    if entry.status is not DeliveryStatus.RETRYING:
        failed_at = entry.spent_after
        has_failed = failed_at is not None and receive_count > failed_at
        return Finding.SPENT if is_over or has_failed else None
    if not is_over:
        return None
    if entry.attempts:
        return Finding.USED_UP
    return Finding.UNRENDERABLE if entry.reason is not None else Finding.UNAVAILABLE


def delay_seconds(delivery: InFlightDelivery, rule: DispatchRule, now: int) -> int | None:
    """After how long SQS is to bring a message that is left; None: after the stack's interval.

    What is not the endpoint's doing is never tried again sooner than under the stack's rule.
    """
    if delivery.finding in (Finding.SPENT, Finding.USED_UP):
        return _AT_ONCE
    delays = None if delivery.state is None else delivery.state.webhook.retry_delays_seconds
    if delays is None or delivery.finding not in _ATTEMPTED:
        return None
    if is_last_attempt(delivery, rule.max_attempts):
        return _AT_ONCE
    delay = delays[delivery.received.receive_count - 1]
    if delivery.finding is Finding.UNAVAILABLE:
        if delay <= rule.retry_interval_seconds:
            return None
    else:
        delay = max(delay, (delivery.first_copy or delivery).retry_after_seconds)
    since_taken = (now - delivery.taken_at) // MICROSECONDS
    return within_limit(spread(delay, delivery.message.delivery_id), since_taken)


def spread_retries(
    deliveries: Sequence[InFlightDelivery],
    strained: Collection[WebhookId],
    rule: DispatchRule,
    now: int,
) -> list[InFlightDelivery]:
    """Those of strained webhooks that come again under the stack's rule, later by up to a tenth.

    Their `delay_seconds` are set: an interval from their receive, and what spreads it. Those of a
    webhook that an invocation has brought together come together again, or each would hold a place
    of its own; those of different invocations do not.
    """
    spread_ones = []
    first: dict[WebhookId, DeliveryId] = {}
    for delivery in deliveries:
        webhook_id = delivery.message.webhook_id
        if (
            webhook_id not in strained
            or delivery.delay_seconds is not None
            or delivery.finding is not Finding.REFUSED
            or is_last_attempt(delivery, rule.max_attempts)
        ):
            continue
        key = first.setdefault(webhook_id, delivery.message.delivery_id)
        since_taken = (now - delivery.taken_at) // MICROSECONDS
        delay = spread(rule.retry_interval_seconds, key) - since_taken
        delivery.delay_seconds = within_limit(max(delay, 1), since_taken)
        spread_ones.append(delivery)
    return spread_ones


def retry_after_seconds(response: Response, now: int) -> int:
    """How long a 429 or 503 asks to wait, twelve hours at most; 0: it does not, or not legibly.

    Seconds or a date (RFC 9110 §10.2.3), which may be a leap second; `now` in microseconds since
    the epoch.
    """
    said = response.retry_after
    if response.status not in _ASKS_TO_WAIT or said is None:
        return 0
    if said.isascii() and said.isdigit():
        digits = said.lstrip("0") or "0"
        seconds = int(digits) if len(digits) <= _MOST_DIGITS else LONGEST_DELAY_SECONDS
    else:
        try:
            until = parsedate_to_datetime(_LEAP_SECOND.sub(r"\1:59", said))
            if until.tzinfo is None:
                until = until.replace(tzinfo=UTC)
            seconds = int(until.timestamp()) - now // MICROSECONDS
        except (ValueError, OverflowError, OSError):
            return 0
    return min(max(seconds, 0), LONGEST_DELAY_SECONDS)
