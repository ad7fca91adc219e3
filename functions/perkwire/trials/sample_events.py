"""Sample events: a sample that goes the way of every event, through the queues into the log.

Unlike a test it goes to every webhook that wants it, is retried, and can be retried by a person.
"""

import enum
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Protocol

from perkwire.formats.registry import FORMATS, STANDARD, format_of
from perkwire.model.account import Caller, Scope
from perkwire.model.event import Event, check_event_type
from perkwire.model.messages import EventMessage, write_event_message
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, EventId, WebhookId, new_sample_event_id
from perkwire.primitives.problem import FieldError, invalid, unavailable
from perkwire.primitives.queueing import Outgoing, Queue
from perkwire.routing.router import is_routed
from perkwire.trials.samples import default_type, first_type, sample_event

_LONGEST_PROGRAM = 128


class SampleFate(enum.StrEnum):
    """What an event becomes at a webhook that wants it."""

    SENT = "sent"
    PAUSED = "paused"
    """Failed in the log, and not sent."""
    NOT_IN_FORMAT = "not_in_format"
    FILTERED = "filtered"


@dataclass(frozen=True, slots=True)
class Recipient:
    """A webhook that wants an event, and what the event becomes there."""

    webhook: Webhook
    becomes: SampleFate

    @property
    def can_be_chosen(self) -> bool:
        """Whether a delivery comes of it: sent, or logged as failed."""
        return self.becomes in (SampleFate.SENT, SampleFate.PAUSED)


class AccountWebhooks(Protocol):
    """The webhooks of accounts."""

    def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
        """All webhooks of an account; raises Unavailable."""
        ...


class SampleEvents:
    """Sends samples as events. `clock` gives microseconds since the epoch."""

    def __init__(
        self, *, webhooks: AccountWebhooks, queue: Queue, clock: Callable[[], int]
    ) -> None:
        self._webhooks = webhooks
        self._queue = queue
        self._clock = clock

    def proposed_type(self, account_id: AccountId) -> str:
        """A type that the account's first enabled webhook takes; raises Unavailable.

        One that has ended takes none any more.
        """
        now = self._clock()
        for webhook in self._of_account(account_id):
            if webhook.status is WebhookStatus.ENABLED and not webhook.has_ended(now):
                return proposed_type(webhook)
        return default_type(FORMATS[STANDARD])

    def recipients(
        self, account_id: AccountId, event_type: str, program_id: str | None
    ) -> list[Recipient]:
        """Who would get such an event now; raises Problem and Unavailable."""
        event = self._event(event_type, program_id)
        return [
            Recipient(webhook, _becoming(webhook, event))
            for webhook in self._of_account(account_id)
            if is_routed(event, webhook)
        ]

    def send(
        self,
        caller: Caller,
        account_id: AccountId,
        event_type: str,
        program_id: str | None,
        chosen: Collection[WebhookId] | None = None,
    ) -> EventId:
        """Send one to the chosen ones of those that want it, None: to all; its id. Raises Problem.

        SQS holds it when this returns, as with POST /v1/events. If there is somebody to choose,
        somebody has to be chosen.
        """
        caller.require(Scope.EVENTS)
        event = self._event(event_type, program_id)
        webhook_ids: tuple[WebhookId, ...] | None = None
        if chosen is not None:
            wanting = self.recipients(account_id, event_type, program_id)
            webhook_ids = tuple(one.webhook.id for one in wanting if one.webhook.id in chosen)
            if not webhook_ids and any(one.can_be_chosen for one in wanting):
                raise invalid([FieldError("webhook_ids", "must be chosen: one at least")])
        message = EventMessage(account_id=account_id, events=(event,), webhook_ids=webhook_ids)
        (held,) = self._queue.send([Outgoing(write_event_message(message), account_id)])
        if not held:
            raise unavailable("The event could not be queued.")
        return event.id

    def _of_account(self, account_id: AccountId) -> Sequence[Webhook]:
        return self._webhooks.of_account(account_id) or ()

    def _event(self, event_type: str, program_id: str | None) -> Event:
        errors = []
        if wrong := check_event_type(event_type):
            errors.append(FieldError("event_type", wrong))
        if program_id is not None and len(program_id) > _LONGEST_PROGRAM:
            errors.append(FieldError("program_id", f"has at most {_LONGEST_PROGRAM} characters"))
        if errors:
            raise invalid(errors)
        now = self._clock()
        sample = sample_event(event_type, now)
        return replace(sample, id=new_sample_event_id(now), program_id=program_id)


def proposed_type(webhook: Webhook) -> str:
    """A type that the webhook wants and its format says, if there is one."""
    format_ = format_of(webhook)
    return first_type(webhook.event_types, format_) or webhook.event_types[0]


def _becoming(webhook: Webhook, event: Event) -> SampleFate:
    if format_of(webhook).name_of(event.type) is None:
        return SampleFate.NOT_IN_FORMAT
    if not webhook.lets_through(event):
        return SampleFate.FILTERED
    return SampleFate.PAUSED if webhook.status is WebhookStatus.PAUSED else SampleFate.SENT
