"""Following up on what an invocation has sent: pauses, lanes, and admins who are told."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from perkwire.dispatching.health import HealthStore, Recorded, Result, record
from perkwire.dispatching.in_flight import InFlightDelivery
from perkwire.dispatching.noticing import NoticeTrigger, Noticing
from perkwire.dispatching.pausing import PauseRule
from perkwire.dispatching.schedule import is_last_attempt
from perkwire.dispatching.signalling import Signalling, SignalTrigger
from perkwire.dispatching.strain import SLOW_SHARE
from perkwire.dispatching.verdict import Finding
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.delivery import Attempt, Delivery, DeliveryStatus
from perkwire.model.lanes import Lane
from perkwire.model.signals import Signal
from perkwire.model.webhook import PauseReason, Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.journal import Journal, Unavailable

_GONE = 410


@dataclass(frozen=True, slots=True)
class Followed:
    """What following up has come to.

    `strained` are the webhooks that are it now, of those that were tried; `signals` are to be sent
    once all else is done.
    """

    strained: Collection[WebhookId] = ()
    signals: Sequence[Signal] = ()


class FollowUp:
    """What the log of an invocation leads to. Nothing of it changes what becomes of a message."""

    def __init__(
        self,
        *,
        health: HealthStore,
        noticing: Noticing,
        signalling: Signalling | None = None,
        journal: Journal,
        rule: PauseRule,
        max_attempts: int,
        request_seconds: float,
        clock: Callable[[], int],
    ) -> None:
        self._health = health
        self._noticing = noticing
        self._signalling = signalling
        self._journal = journal
        self._rule = rule
        self._max_attempts = max_attempts
        self._slow_ms = request_seconds * 1000 / SLOW_SHARE
        self._clock = clock

    def follow_up(self, deliveries: Sequence[InFlightDelivery]) -> Followed:
        """Keep the streaks, pause and move what is to be, mail whoever is to be told."""
        recorded = self._watch_health(deliveries)
        paused = {one: kept.pause for one, kept in recorded.items() if kept.pause is not None}
        unsuccessful = _unsuccessful(deliveries)
        states = self._states(deliveries, unsuccessful)
        self._tell(states, unsuccessful, paused)
        return Followed(
            strained={one for one, kept in recorded.items() if kept.is_strained},
            signals=self._signals(states, unsuccessful, recorded),
        )

    def signal(self, signals: Sequence[Signal]) -> None:
        """Send signals. Never raises."""
        if self._signalling is not None:
            self._signalling.send(signals)

    def _watch_health(self, deliveries: Sequence[InFlightDelivery]) -> dict[WebhookId, Recorded]:
        """Keep the streaks; what that has changed."""
        kept = {}
        attempted: defaultdict[WebhookId, list[InFlightDelivery]] = defaultdict(list)
        for delivery in deliveries:
            if delivery.attempt is not None:
                attempted[delivery.message.webhook_id].append(delivery)
        for own in attempted.values():
            state = own[0].state
            if state is None:
                continue
            try:
                recorded = record(
                    self._health,
                    self._rule,
                    state,
                    [
                        self._result(delivery, delivery.attempt)
                        for delivery in own
                        if delivery.attempt is not None
                    ],
                    now=self._clock(),
                )
            except Exception as error:  # one webhook must not take those beside it along
                self._journal.fault(
                    "health_not_kept",
                    account_id=state.webhook.account_id,
                    webhook_id=state.webhook.id,
                    detail=str(error) if isinstance(error, Unavailable) else type(error).__name__,
                )
                continue
            kept[state.webhook.id] = recorded
            self._note(state.webhook, recorded)
        return kept

    def _note(self, webhook: Webhook, recorded: Recorded) -> None:
        ids = {"account_id": webhook.account_id, "webhook_id": webhook.id}
        if recorded.pause is not None:
            self._journal.note("webhook.paused", **ids, reason=recorded.pause)
        if recorded.lane is not None:
            is_slow = recorded.lane is Lane.SLOW
            self._journal.note("webhook.strained" if is_slow else "webhook.recovered", **ids)

    def _signals(
        self,
        states: Mapping[WebhookId, WebhookState],
        unsuccessful: Mapping[WebhookId, Sequence[Delivery]],
        recorded: Mapping[WebhookId, Recorded],
    ) -> Sequence[Signal]:
        if self._signalling is None:
            return ()
        occasions = [
            SignalTrigger(
                webhook=state.webhook,
                recorded=recorded.get(webhook_id),
                failed=_failed_for_good(unsuccessful.get(webhook_id, ())),
                unsignalled=state.unsignalled,
            )
            for webhook_id, state in states.items()
        ]
        return self._signalling.due(occasions, self._clock())

    def _tell(
        self,
        states: Mapping[WebhookId, WebhookState],
        unsuccessful: Mapping[WebhookId, Sequence[Delivery]],
        paused: Mapping[WebhookId, PauseReason],
    ) -> None:
        occasions = [
            NoticeTrigger(
                webhook=state.webhook,
                topic=state.notice_topic,
                deliveries=unsuccessful.get(webhook_id, ()),
                pause=paused.get(webhook_id),
                untold=state.untold,
                untold_pauses=state.untold_pauses,
            )
            for webhook_id, state in states.items()
            if state.notice_topic is not None
            and (webhook_id in unsuccessful or state.untold or state.untold_pauses)
        ]
        self._noticing.tell(occasions, self._clock())

    def _states(
        self,
        deliveries: Sequence[InFlightDelivery],
        unsuccessful: Mapping[WebhookId, Sequence[Delivery]],
    ) -> dict[WebhookId, WebhookState]:
        """The webhooks of the deliveries, as they were read.

        What could not be looked up and has failed for good is counted like all else: its webhook
        is looked up once more, as it may be back.
        """
        states = {
            delivery.message.webhook_id: delivery.state
            for delivery in deliveries
            if delivery.state is not None
        }
        unseen = {
            (own[0].account_id, webhook_id)
            for webhook_id, own in unsuccessful.items()
            if webhook_id not in states
        }
        if not unseen:
            return states
        try:
            return {**states, **self._health.look_again(unseen)}
        except Exception as error:  # what is known must be told all the same
            for account_id, webhook_id in sorted(unseen):
                self._journal.fault(
                    "failures_not_counted",
                    account_id=account_id,
                    webhook_id=webhook_id,
                    detail=str(error) if isinstance(error, Unavailable) else type(error).__name__,
                )
            return states

    def _result(self, delivery: InFlightDelivery, attempt: Attempt) -> Result:
        return Result(
            success=delivery.finding is Finding.ACCEPTED,
            slow=attempt.duration_ms > self._slow_ms,
            ended_at=attempt.at + attempt.duration_ms * 1000,
            gone=attempt.status_code == _GONE,
            exhausted=is_last_attempt(delivery, self._max_attempts),
        )


def _unsuccessful(
    deliveries: Sequence[InFlightDelivery],
) -> Mapping[WebhookId, Sequence[Delivery]]:
    found: defaultdict[WebhookId, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        if delivery.after is not None and _is_to_be_told(delivery):
            found[delivery.message.webhook_id].append(delivery.after)
    return dict(found)


def _failed_for_good(deliveries: Sequence[Delivery]) -> int:
    """How many of them have used up their attempts."""
    return sum(one.status is DeliveryStatus.FAILED for one in deliveries)


def _is_to_be_told(delivery: InFlightDelivery) -> bool:
    """Whether a notice may be about it: it was not taken, or, never sent, has failed for good."""
    if delivery.finding is Finding.UNAVAILABLE:
        return delivery.after is not None and delivery.after.status is DeliveryStatus.FAILED
    return delivery.finding in (Finding.REFUSED, Finding.UNRENDERABLE, Finding.USED_UP)
