"""Jobs on simulated services: what people begin and cancel, and the real workers."""

from perkwire.jobs.asking import ErasureManagement
from perkwire.jobs.erasing import ErasureWorker
from perkwire.jobs.job import Job, JobKind
from perkwire.jobs.pages import ReplayPages, RetryPages
from perkwire.jobs.selecting import EventSelection, FailedSelection, Selection
from perkwire.jobs.starting import JobManagement
from perkwire.jobs.working import JobWorker, KindWorker
from perkwire.model.hand_over import HandOver
from perkwire.model.messages import WatchMessage
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, JobId, WebhookId
from perkwire.primitives.journal import Journal
from perkwire.primitives.problem import not_found
from perkwire.recovering.retrying import Retrying
from tests.fakes import (
    FakeAccountStore,
    FakeConfigItems,
    FakeErasedAccounts,
    FakeEventIndex,
    FakeEventItems,
    FakeEventReader,
    FakeJobItems,
    FakeJobStore,
    FakeRejectedErasing,
    FakeRejectedEvents,
    FakeTrialCounter,
    FakeWebhookStore,
)
from tests.simulation.erasures import Erasures, ErasureStore, EventErasing, LogErasing
from tests.simulation.model import RETRY_INTERVAL_SECONDS
from tests.simulation.promises import Promises
from tests.simulation.queues import QueuePort
from tests.simulation.stores import Lookup, RetryableDeliveries, in_steps
from tests.simulation.world import World


class JobTable(FakeJobStore):
    """The oracle hears of what is stored."""

    def __init__(self, items: FakeJobItems, promises: Promises) -> None:
        super().__init__(items)
        self._promises = promises

    def add(self, job: Job) -> None:
        super().add(job)
        self._promises.begins(job)

    def advance(self, before: Job, after: Job) -> Job | None:
        stored = self._items.jobs[after.id]
        if stored.version == before.version:
            self._promises.advances(stored, after)
        return super().advance(before, after)

    def cancel(self, account_id: AccountId, job_id: JobId, now: int) -> Job | None:
        cancelled = super().cancel(account_id, job_id, now)
        if cancelled is not None:
            self._promises.is_cancelled(job_id)
        return cancelled


class _Webhooks:
    """starting.Webhooks."""

    def __init__(self, items: FakeConfigItems) -> None:
        self._store = FakeWebhookStore(items)

    def get(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook:
        webhook = self._store.find(account_id, webhook_id)
        if webhook is None:
            raise not_found("webhook")
        return webhook


class _NoWatches:
    """working.Watching: `simulate_watches` has them."""

    def turn(self, message: WatchMessage) -> bool:
        raise AssertionError(f"{message} has no place here")


class Jobs:
    """`management` begins and cancels jobs, `erasing` asks for erasures, `work` does both."""

    def __init__(
        self,
        *,
        world: World,
        config: FakeConfigItems,
        events: FakeEventItems,
        deliveries: RetryableDeliveries,
        webhooks: Lookup,
        retrying: Retrying,
        hand_over: HandOver,
        job_queue: QueuePort,
        promises: Promises,
        erasures: Erasures,
        journal: Journal,
        retention_days: int,
    ) -> None:
        jobs = in_steps(world, JobTable(promises.items, promises))
        selections: dict[JobKind, Selection] = {
            JobKind.RETRY_FAILED: FailedSelection(
                deliveries, retry_interval_seconds=RETRY_INTERVAL_SECONDS, clock=world.clock
            ),
            JobKind.REPLAY: EventSelection(in_steps(world, FakeEventIndex(events))),
        }
        self.management = JobManagement(
            jobs=jobs,
            accounts=in_steps(world, FakeAccountStore(config)),
            webhooks=in_steps(world, _Webhooks(config)),
            selections=selections,
            queue=job_queue,
            dry_runs=FakeTrialCounter(),
            event_retention_days=retention_days,
            clock=world.clock,
        )
        retry_pages = RetryPages(
            deliveries=deliveries,
            retrying=retrying,
            retry_interval_seconds=RETRY_INTERVAL_SECONDS,
            clock=world.clock,
        )
        replay_pages = ReplayPages(
            events=in_steps(world, FakeEventReader(events)), hand_over=hand_over
        )
        store = in_steps(world, ErasureStore(config, erasures))
        self.erasing = ErasureManagement(
            erasures=store,
            accounts=in_steps(world, FakeAccountStore(config)),
            queue=job_queue,
            event_retention_days=retention_days,
            dispatcher_timeout_seconds=45,
            clock=world.clock,
        )
        erasing = ErasureWorker(
            erasures=store,
            accounts=in_steps(world, FakeErasedAccounts(config)),
            index=in_steps(world, FakeEventIndex(events)),
            events=in_steps(world, FakeEventReader(events)),
            erasable=EventErasing(world, erasures.items, events),
            log=in_steps(world, LogErasing(erasures)),
            rejected=in_steps(world, FakeRejectedErasing(FakeRejectedEvents())),
            queue=job_queue,
            journal=journal,
            clock=world.clock,
        )
        self.work = JobWorker(
            watching=_NoWatches(),
            erasing=erasing,
            jobs=jobs,
            webhooks=webhooks,
            kinds={
                JobKind.RETRY_FAILED: KindWorker(selections[JobKind.RETRY_FAILED], retry_pages),
                JobKind.REPLAY: KindWorker(selections[JobKind.REPLAY], replay_pages),
            },
            queue=job_queue,
            journal=journal,
            clock=world.clock,
        )
