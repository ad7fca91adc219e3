"""Attempts: open, render, sign and send, side by side, each within what is left of the time."""

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol

from perkwire.dispatching.in_flight import (
    InFlightDelivery,
    Outcome,
    attempt_number,
    delivery_fault,
)
from perkwire.dispatching.rendering import OpenedSecrets, render_now
from perkwire.dispatching.schedule import retry_after_seconds
from perkwire.dispatching.timing import LOG_SECONDS, DispatchRule
from perkwire.dispatching.verdict import Finding
from perkwire.formats.format import Format, Unrenderable
from perkwire.model.delivery import Attempt
from perkwire.model.secret import UnusableSecret
from perkwire.model.sending import NoResponse, Request, Response, Sender, TransportError
from perkwire.model.webhook import Webhook
from perkwire.primitives.journal import Journal, Unavailable

_MOST_OF_A_LOCATION = 512  # characters in the log


class Vault(Protocol):
    """Opens what management has sealed."""

    def open(self, webhook: Webhook) -> OpenedSecrets:
        """The secrets of exactly this webhook; raises Unavailable."""
        ...


class Formats(Protocol):
    """What webhooks' receivers expect. FormatLookup fulfils it."""

    def of(self, webhook: Webhook) -> Format:
        """A webhook's format; raises Unavailable."""
        ...


class Attempts:
    """The attempts of one invocation, each in a thread of its own."""

    def __init__(
        self,
        *,
        vault: Vault,
        formats: Formats,
        sender: Sender,
        journal: Journal,
        rule: DispatchRule,
        executor: Executor,
        clock: Callable[[], int],
    ) -> None:
        self._vault = vault
        self._formats = formats
        self._sender = sender
        self._journal = journal
        self._rule = rule
        self._executor = executor
        self._clock = clock

    def send(
        self, deliveries: Sequence[InFlightDelivery], seconds_left: Callable[[], float]
    ) -> None:
        """Make the attempts, and say of each delivery what was found.

        One whose secret is slow to come holds no other, and is not sent once time has run out. One
        that is still not back when the log must be written does not take it from the others.
        """
        sending = self._executor.map(
            lambda delivery: self._run(delivery, seconds_left),
            deliveries,
            timeout=max(0.0, seconds_left() - LOG_SECONDS),
        )
        with contextlib.suppress(TimeoutError):
            for _ in sending:
                pass
        for delivery in deliveries:
            delivery.finding, delivery.attempt = delivery.outcome or self._overdue(delivery)

    def _run(self, delivery: InFlightDelivery, seconds_left: Callable[[], float]) -> None:
        try:
            delivery.outcome = self._attempt(delivery, seconds_left)
        except Exception as crash:  # the others of the batch have been sent, and must be logged
            self._fault(delivery, "attempt_crashed", type(crash).__name__)
            delivery.outcome = Finding.UNAVAILABLE, None
        finally:
            delivery.ended.set()

    def _overdue(self, delivery: InFlightDelivery) -> Outcome:
        if delivery.sending_since is None:
            self._fault(delivery, "no_time_left", detail="the secret did not come in time")
            return Finding.UNAVAILABLE, None
        self._fault(delivery, "request_overdue")
        return Finding.REFUSED, Attempt(
            number=attempt_number(delivery),
            run=delivery.message.run or None,
            at=delivery.sending_since,
            duration_ms=(self._clock() - delivery.sending_since) // 1000,
            error=TransportError.TIMEOUT,
        )

    def _attempt(self, delivery: InFlightDelivery, seconds_left: Callable[[], float]) -> Outcome:
        state = delivery.state
        if state is None or (format_ := self._format(delivery, state.webhook)) is None:
            return Finding.UNAVAILABLE, None
        made = self._request(delivery, state.webhook, format_)
        if isinstance(made, Finding):
            return made, None
        request, opened = made
        if seconds_left() <= self._rule.request_seconds + LOG_SECONDS:
            self._fault(delivery, "no_time_left")
            return Finding.UNAVAILABLE, None
        at = self._clock()
        delivery.sending_since = at
        number = attempt_number(delivery)
        match self._sender.send(request):
            case Response() as result:
                delivery.retry_after_seconds = retry_after_seconds(result, self._clock())
                success = format_.is_success(result.status)
                location = result.location and opened.masked(result.location)
                return Finding.ACCEPTED if success else Finding.REFUSED, Attempt(
                    number=number,
                    run=delivery.message.run or None,
                    at=at,
                    duration_ms=result.duration_ms,
                    status_code=result.status,
                    response=None if success else opened.masked(result.snippet),
                    location=location and location[:_MOST_OF_A_LOCATION],
                )
            case NoResponse(error, duration_ms, detail):
                return Finding.REFUSED, Attempt(
                    number=number,
                    run=delivery.message.run or None,
                    at=at,
                    duration_ms=duration_ms,
                    error=error,
                    error_detail=detail,
                )

    def _request(
        self, delivery: InFlightDelivery, webhook: Webhook, format_: Format
    ) -> tuple[Request, OpenedSecrets] | Finding:
        try:
            opened = self._vault.open(webhook)
            return render_now(delivery.message, webhook, opened, self._clock, format_), opened
        except (Unavailable, UnusableSecret) as error:
            self._fault(delivery, "secret_unreadable", str(error))
            return Finding.UNAVAILABLE
        except Unrenderable as error:
            self._fault(delivery, "delivery_unrenderable", str(error))
        except Exception as error:  # one message must not take its batch with it
            self._fault(delivery, "delivery_unrenderable", type(error).__name__)
        return Finding.UNRENDERABLE

    def _format(self, delivery: InFlightDelivery, webhook: Webhook) -> Format | None:
        """The webhook's format; None if it cannot be read now."""
        try:
            return self._formats.of(webhook)
        except Unavailable as error:
            self._fault(delivery, "contract_unreadable", str(error))
            return None

    def _fault(self, delivery: InFlightDelivery, what: str, detail: str | None = None) -> None:
        delivery_fault(self._journal, delivery, what, detail)
