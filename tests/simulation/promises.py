"""What a job has promised: to send all that it found, to count it right, and to come to an end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from perkwire.jobs.job import Job, JobKind, JobStatus
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import DeliveryId, EventId, JobId, WebhookId, accepted_at
from tests.fakes import FakeConfigItems, FakeDeliveryItems, FakeEventItems, FakeJobItems
from tests.simulation.erasures import Erasures
from tests.simulation.model import EventKey, Key, event_ids, is_known, members, passes
from tests.simulation.parts import Parts
from tests.simulation.queues import SimulatedQueue
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Promise:
    """What was there when a job began: failed deliveries with their runs, or events."""

    failed: dict[DeliveryId, int]
    events: tuple[EventId, ...]
    webhook: Webhook


@dataclass(eq=False)
class Promises:
    """`answered` are the jobs that somebody has been told of, `replays` the deliveries of replays.

    A job that nobody was told of may stand still, as whoever began it has died.
    """

    world: World
    config: FakeConfigItems
    events: FakeEventItems
    deliveries: FakeDeliveryItems
    queue: SimulatedQueue
    forgotten: set[EventKey]
    runs: set[tuple[DeliveryId, int]]
    parts: Parts
    history: Mapping[WebhookId, Sequence[tuple[int, Webhook]]]
    erasures: Erasures
    items: FakeJobItems = field(default_factory=FakeJobItems)
    answered: set[JobId] = field(default_factory=set)
    replays: dict[DeliveryId, Key] = field(default_factory=dict)
    _of_job: dict[DeliveryId, JobId] = field(default_factory=dict)
    _cancelled_at: dict[JobId, int] = field(default_factory=dict)
    _made: dict[JobId, Promise] = field(default_factory=dict)
    _planned: dict[JobId, set[str]] = field(default_factory=dict)
    _replayed: dict[tuple[JobId, EventId], DeliveryId] = field(default_factory=dict)
    _settled: dict[JobId, set[DeliveryId]] = field(default_factory=dict)

    def begins(self, job: Job) -> None:
        """A job is stored: this is what it has to send."""
        webhook = self.config.webhooks[job.webhook_id]
        failed = {
            one.id: one.run
            for one in self.deliveries.entries.values()
            if one.webhook_id == job.webhook_id
            and one.status is DeliveryStatus.FAILED
            and job.since // 1000 <= accepted_at(one.id) // 1000 < job.until // 1000
        }
        events = tuple(
            event_id
            for (account_id, event_id), routed in self.events.events.items()
            if account_id == job.account_id
            and routed.event.erased_at is None
            and job.since <= routed.event.accepted_at < job.until
            and webhook.wants(routed.event)
            and is_known(webhook, routed.event.type)
            and passes(webhook.filter, routed.event.data)
        )
        self._made[job.id] = Promise(failed, events, webhook)
        self._planned[job.id] = set()
        self._settled[job.id] = set()

    def logs(self, entry: Delivery) -> None:
        """An entry has changed: a job may have found it in between, when it had not failed."""
        for settled in self._settled.values():
            settled.add(entry.id)

    def advances(self, before: Job, after: Job) -> None:
        """A job's progress is about to be stored."""
        pages = len(before.page) if after.status is not JobStatus.FAILED else 0
        if after.sent + after.skipped != before.sent + before.skipped + pages:
            self.world.violate(f"{after.id} has counted its page of {pages} wrongly")
        if after.has_ended and before.has_ended:
            self.world.violate(f"{after.id} ends twice")
        self._planned[after.id] |= {one.id for one in after.page}
        if after.status is JobStatus.DONE and after.id not in self.items.cancelled:
            self.world.say(f"{after.id} ({after.kind}) is done, {after.sent} sent")
            self._check_kept(after)

    def is_cancelled(self, job_id: JobId) -> None:
        """By a person, now."""
        self._cancelled_at[job_id] = self.world.now

    def sends(
        self,
        job_message: dict[str, Any],
        message: dict[str, Any],
        whole: DeliveryId | None,
        since: int,
    ) -> bool:
        """A worker that began at `since` queues a delivery; whether it is one of a replay.

        `whole` is the delivery that it is a part of.
        """
        job = self.items.jobs[job_message["job_id"]]
        if self._cancelled_at.get(job.id, since) < since:
            self.world.violate(f"{job.id} was cancelled and goes on")
        delivery_id, ids = message["delivery_id"], event_ids(message)
        items = {whole or delivery_id} if job.kind is JobKind.RETRY_FAILED else set(ids)
        if not items <= self._planned[job.id]:
            self.world.violate(f"{delivery_id} is sent by {job.id}, which has not planned it")
        if job.kind is JobKind.RETRY_FAILED:
            return False
        key = (message["webhook_id"], ids)
        whole_ids = self.replays.setdefault(delivery_id, key)[1]
        if self.erasures.fits(job.account_id, whole_ids, ids):
            self.replays[delivery_id] = key  # another worker had read them after they were erased
        same = self.replays[delivery_id][0] == key[0] and self.erasures.fits(
            job.account_id, ids, self.replays[delivery_id][1]
        )
        its_own = self._of_job.setdefault(delivery_id, job.id) == job.id
        if not same or not its_own or message["webhook_id"] != job.webhook_id:
            self.world.violate(f"{delivery_id} of {job.id} is not what it was")
        if not all(passes(job.page_filter, event["data"]) for event in message["events"]):
            self.world.violate(f"{delivery_id} of {job.id} has what the filter keeps out")
        # A page that is sent again once one of its events has expired is batched otherwise.
        expired = {one for owner, one in self.forgotten if owner == job.account_id}
        for event_id in ids:
            before = self._replayed.setdefault((job.id, event_id), delivery_id)
            if before != delivery_id and not expired & self._planned[job.id]:
                self.world.violate(f"{event_id} goes out twice for {job.id}")
        return True

    def is_done(self, message_id: str, message: dict[str, Any]) -> None:
        """A worker's message is about to be deleted."""
        job = self.items.jobs.get(message["job_id"])
        if job is None:
            self.world.violate(f"{message_id} is deleted, of a job that is absent")
        elif not self._has_ended(job) and not self._waits(job, besides=message_id):
            self.world.violate(f"{message_id} is deleted, and {job.id} has no other")

    def check(self, *, ended: bool) -> None:
        """Nothing runs: each job has ended or waits; `ended`: nothing is left that it waits for."""
        for job in self.items.jobs.values():
            if job.id not in self.answered or self._has_ended(job):
                continue
            if ended or not self._waits(job):
                self.world.violate(f"{job.id} ({job.status}, turn {job.turn}) has not ended")

    def _has_ended(self, job: Job) -> bool:
        return job.has_ended or job.id in self.items.cancelled

    def _waits(self, job: Job, besides: str = "") -> bool:
        """Whether a message is there that will bring the job on."""
        return any(
            one.id != besides
            and (message := members(one.body))
            and message["job_id"] == job.id
            and message["turn"] >= job.turn
            for one in (*self.queue.messages.values(), *self.queue.dead.values())
        )

    def _check_kept(self, job: Job) -> None:
        promise = self._made[job.id]
        if job.kind is JobKind.RETRY_FAILED:
            untouched = [one for one in promise.failed if one not in self._settled[job.id]]
            for delivery_id in untouched:
                entry = self.deliveries.entries[delivery_id]
                kept = [(job.account_id, one) in self.events.events for one in entry.event_ids]
                is_sent = (delivery_id, entry.run + 1) in self.runs or self.parts.cover(entry)
                if all(kept) and not is_sent and not self.erasures.all_of(entry):
                    self.world.violate(f"{job.id} is done and has not sent {delivery_id}")
            return
        since = (
            one for _, one in self.history[job.webhook_id] if one.version >= promise.webhook.version
        )
        if any(_tastes(one) != _tastes(promise.webhook) for one in since):
            return
        for event_id in promise.events:
            key = (job.account_id, event_id)
            gone = key in self.forgotten or self.erasures.cover(key)
            if not gone and (job.id, event_id) not in self._replayed:
                self.world.violate(f"{job.id} is done and has not sent {event_id}")


def _tastes(webhook: Webhook) -> Sequence[object]:
    return webhook.format, webhook.event_types, webhook.program_ids, webhook.filter
