"""The invariant, judged once things have settled: nothing runs, no queue holds anything live."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.ids import DeliveryId
from tests.simulation.model import Key, can_say, members
from tests.simulation.oracle import Oracle


class Settlement:
    """`dead` are the dead letters of both queues of deliveries, `interval` the visibility time-out.

    `burnt` says that dead letters may have had all their receives burnt by crashes, so that no
    invocation ever came to know them: then they are nowhere but there.
    """

    def __init__(
        self, oracle: Oracle, dead: Iterable[str], interval: int, *, burnt: bool = False
    ) -> None:
        self._oracle = oracle
        self._world = oracle.world
        self._interval = interval
        self._burnt = burnt
        self._dead: dict[DeliveryId, set[int]] = defaultdict(set)
        for message in map(members, dead):
            if message is not None:
                self._dead[message["delivery_id"]].add(message["run"])

    def check(self) -> None:
        """Every accepted event, at every webhook that it matched when it was routed."""
        oracle = self._oracle
        unrouted = oracle.unrouted() if self._burnt else set()
        gone = oracle.routings.forgotten | oracle.expired
        for event in sorted(oracle.accepted - unrouted - gone):
            if event not in oracle.events.events:
                self._world.violate(f"{event[1]} was accepted and is unknown")
            elif event not in oracle.routings.routed:
                self._world.violate(f"{event[1]} was accepted and never routed to the end")
        for key in oracle.routings.owed:
            self._check_owed(key)
        for delivery_id in oracle.promises.replays:
            self._check_fate(delivery_id)
        for delivery_id in oracle.parts.wholes:
            self._check_fate(delivery_id)
        oracle.promises.check(ended=not self._burnt)
        oracle.erasures.check(ended=not self._burnt)

    def check_sent_again(self, works: Callable[[str], bool]) -> None:
        """What failed could be sent again: all has arrived at each live webhook that works."""
        oracle = self._oracle
        for key, delivery_id in oracle.ids.items():
            webhook = oracle.config.webhooks[key[0]]
            if webhook.status is not WebhookStatus.ENABLED:
                continue
            if not webhook.is_pulled and not works(webhook.url):
                continue
            events = [oracle.events.events.get((webhook.account_id, one)) for one in key[1]]
            if None in events or not can_say(webhook, [one.event.type for one in events if one]):
                continue
            if self._is_erased(key):
                continue
            if key in oracle.routings.owed and not self._has_arrived(delivery_id):
                self._world.violate(f"{delivery_id} was sent again and has not arrived")

    def _is_erased(self, key: Key) -> bool:
        """Whether none of the events is sent any more."""
        account_id = self._oracle.history[key[0]][0][1].account_id
        return all(self._oracle.erasures.cover((account_id, one)) for one in key[1])

    def _has_arrived(self, delivery_id: DeliveryId) -> bool:
        """Whether it has, or each of its parts; or SQS has dropped what there was of it."""
        entry = self._oracle.deliveries.entries.get(delivery_id)
        if entry is None:
            return delivery_id in self._oracle.delivered or self._has_expired(delivery_id)
        if entry.reason is Reason.ERASED:
            return self._oracle.erasures.all_of(entry)
        if entry.reason is Reason.SPLIT:
            return all(map(self._has_arrived, entry.parts))
        if entry.status is DeliveryStatus.WAITING:
            return self._oracle.pulls.has_given(entry)
        succeeded = entry.status is DeliveryStatus.SUCCEEDED
        return succeeded or delivery_id in self._oracle.delivered

    def _check_owed(self, key: Key) -> None:
        oracle = self._oracle
        delivery_id = oracle.ids.get(key)
        if delivery_id is None:
            if self._is_erased(key):
                return
            self._world.violate(f"{key} matched and became nothing")
            return
        self._check_record(key)
        self._check_fate(delivery_id)

    def _check_fate(self, delivery_id: DeliveryId) -> None:
        """A delivery that was promised, or queued by a replay."""
        oracle = self._oracle
        entry = oracle.deliveries.entries.get(delivery_id)
        if delivery_id in oracle.delivered:
            logged = entry is not None and entry.status is DeliveryStatus.SUCCEEDED
            if not logged and delivery_id not in oracle.unlogged:
                self._world.violate(f"{delivery_id} has arrived, and the log does not say so")
        elif entry is None:
            dead = self._burnt and delivery_id in self._dead
            if not dead and not self._has_expired(delivery_id):
                self._world.violate(f"{delivery_id} is not in the log")
        elif trouble := self._trouble(entry):
            self._world.violate(f"{delivery_id} ({entry.status}, run {entry.run}) {trouble}")

    def _check_record(self, key: Key) -> None:
        """The kept events name a delivery of theirs at this webhook.

        It may be one that was never sent: a routing kept the event and died, and the next found
        the webhook changed. Of events that two routers had in hand at once nothing is asked: the
        later put may forget what the other has made of them.
        """
        oracle = self._oracle
        webhook_id, event_ids = key
        account_id = oracle.history[webhook_id][0][1].account_id
        for event_id in event_ids:
            if (account_id, event_id) in oracle.routings.contended | oracle.routings.forgotten:
                continue
            if oracle.erasures.cover((account_id, event_id)):
                continue
            kept = oracle.events.events.get((account_id, event_id))
            became = kept.deliveries.get(webhook_id) if kept else None
            if became is None or event_id not in oracle.keys.get(DeliveryId(became), key)[1]:
                self._world.violate(f"{event_id} is kept without what it became at {webhook_id}")

    def _trouble(self, entry: Delivery) -> str | None:
        status, reason = entry.standing(self._world.now, self._interval)
        is_pulled = self._oracle.history[entry.webhook_id][0][1].is_pulled
        match status, reason:
            case DeliveryStatus.FAILED, Reason.LOST if is_pulled:
                gone = {(entry.account_id, one) for one in entry.event_ids}
                is_gone = bool(gone & self._oracle.routings.forgotten)
                return None if is_gone else "is lost, and its events are kept"
            case DeliveryStatus.FAILED, Reason.FORMAT if is_pulled:
                spoken = self._ever_said(entry)
                return "cannot be said, and could always be" if spoken else None
            case DeliveryStatus.SUCCEEDED, _:
                return None
            case DeliveryStatus.CANCELLED, Reason.SPLIT:
                return None  # its parts are judged by themselves
            case DeliveryStatus.CANCELLED, Reason.ERASED:
                is_right = self._oracle.erasures.all_of(entry)
                return None if is_right else "is erased, and not all of it is"
            case DeliveryStatus.CANCELLED, _:
                ended = (WebhookStatus.DISABLED, WebhookStatus.DELETED)
                return None if self._ever(entry, *ended) else "was cancelled by nobody"
            case DeliveryStatus.FAILED, Reason.PAUSED:
                return None if self._ever(entry, WebhookStatus.PAUSED) else "knows of no pause"
            case DeliveryStatus.FAILED, _:
                # A copy of the message may have been at the endpoint while the other found the
                # webhook paused or ended, and deleted it.
                resting = self._oracle.excused.get(entry.id, -1) >= entry.run
                dead = entry.run in self._dead[entry.id]
                dead = dead or (entry.id, entry.run) in self._oracle.expired_runs
                return None if dead or resting else "has failed and is in no dead-letter queue"
            case DeliveryStatus.WAITING, _:
                return self._oracle.pulls.trouble(entry)
            case _:
                return "is in no queue"

    def _ever_said(self, entry: Delivery) -> bool:
        """Whether its webhook has always had a format that says all that it has."""
        return not self._oracle.was(
            entry.webhook_id, 0, lambda webhook: not can_say(webhook, entry.event_types)
        )

    def _has_expired(self, delivery_id: DeliveryId) -> bool:
        """Whether SQS has dropped a message of it, which may have been all that there was."""
        return any(delivery_id == one for one, _ in self._oracle.expired_runs)

    def _ever(self, entry: Delivery, *statuses: WebhookStatus) -> bool:
        def check(webhook: Webhook) -> bool:
            return webhook.status in statuses

        return self._oracle.was(entry.webhook_id, 0, check)
