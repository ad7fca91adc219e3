"""Following up on what an invocation has sent: webhooks are paused, and admins are told."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from perkwire.dispatching.in_flight import InFlightDelivery
from perkwire.dispatching.noticing import NoticeTrigger, Noticing
from perkwire.dispatching.pausing import HealthStore, PauseRule, Result, record
from perkwire.dispatching.schedule import is_last_attempt
from perkwire.dispatching.verdict import Finding
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.webhook import PauseReason
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.journal import Journal, Unavailable

_GONE = 410


class FollowUp:
    """What the log of an invocation leads to. Nothing of it changes what becomes of a message."""

    def __init__(
        self,
        *,
        health: HealthStore,
        noticing: Noticing,
        journal: Journal,
        rule: PauseRule,
        max_attempts: int,
        clock: Callable[[], int],
    ) -> None:
        self._health = health
        self._noticing = noticing
        self._journal = journal
        self._rule = rule
        self._max_attempts = max_attempts
        self._clock = clock

    def follow_up(self, deliveries: Sequence[InFlightDelivery]) -> None:
        """Keep the streaks of failures, pause what is to be paused, tell whoever is to be told."""
        self._tell(deliveries, self._watch_health(deliveries))

    def _watch_health(self, deliveries: Sequence[InFlightDelivery]) -> dict[WebhookId, PauseReason]:
        """Keep the streaks; the webhooks that this invocation has paused."""
        paused = {}
        attempted: defaultdict[WebhookId, list[InFlightDelivery]] = defaultdict(list)
        for delivery in deliveries:
            if delivery.attempt is not None:
                attempted[delivery.message.webhook_id].append(delivery)
        for own in attempted.values():
            state = own[0].state
            if state is None:
                continue
            try:
                reason = record(
                    self._health,
                    self._rule,
                    state.webhook,
                    [self._result(delivery) for delivery in own],
                    failing=state.failing,
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
            if reason is not None:
                paused[state.webhook.id] = reason
                self._journal.note(
                    "webhook.paused",
                    account_id=state.webhook.account_id,
                    webhook_id=state.webhook.id,
                    reason=reason,
                )

        return paused

    def _tell(
        self, deliveries: Sequence[InFlightDelivery], paused: Mapping[WebhookId, PauseReason]
    ) -> None:
        unsuccessful: defaultdict[WebhookId, list[Delivery]] = defaultdict(list)
        states = {}
        for delivery in deliveries:
            failed = _is_to_be_told(delivery)
            if failed and delivery.after is not None:
                unsuccessful[delivery.message.webhook_id].append(delivery.after)
            state = delivery.state
            if state is not None and (failed or state.untold or state.untold_pauses):
                states[delivery.message.webhook_id] = state
        occasions = [
            NoticeTrigger(
                webhook=state.webhook,
                topic=state.notice_topic,
                deliveries=unsuccessful[webhook_id],
                pause=paused.get(webhook_id),
                untold=state.untold,
                untold_pauses=state.untold_pauses,
            )
            for webhook_id, state in states.items()
            if state.notice_topic is not None
        ]
        self._noticing.tell(occasions, self._clock())

    def _result(self, delivery: InFlightDelivery) -> Result:
        return Result(
            success=delivery.finding is Finding.ACCEPTED,
            gone=delivery.attempt is not None and delivery.attempt.status_code == _GONE,
            exhausted=is_last_attempt(delivery, self._max_attempts),
        )


def _is_to_be_told(delivery: InFlightDelivery) -> bool:
    """Whether a notice may be about it: it was not taken, or, never sent, has failed for good."""
    if delivery.finding is Finding.UNAVAILABLE:
        return delivery.after is not None and delivery.after.status is DeliveryStatus.FAILED
    return delivery.finding in (Finding.REFUSED, Finding.UNRENDERABLE, Finding.USED_UP)
