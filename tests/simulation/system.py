"""The real functions of the main job on simulated services."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import dispatcher.app
import jobs.app
import router.app
from perkwire.accepting.acceptance import Acceptance
from perkwire.dispatching.dispatcher import Dispatcher
from perkwire.dispatching.follow_up import FollowUp
from perkwire.dispatching.noticing import Noticing
from perkwire.dispatching.pausing import PauseRule
from perkwire.dispatching.pulling import Pulling
from perkwire.dispatching.signing import PullSigner
from perkwire.dispatching.timing import DispatchRule
from perkwire.formats.lookup import FormatLookup
from perkwire.jobs import selecting
from perkwire.model import hand_over as handing_over
from perkwire.model.hand_over import HandOver
from perkwire.model.lanes import DeliveryQueues, Lane
from perkwire.model.members import MemberIndex
from perkwire.model.notices import Notice
from perkwire.model.waiting import WaitingList
from perkwire.primitives import ids
from perkwire.primitives.journal import Unavailable
from perkwire.recovering.retrying import Retrying
from perkwire.routing.router import Router
from tests.builders import any_data
from tests.fakes import (
    FakeClaimTable,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeDeliveryReader,
    FakeEventItems,
    FakeEventReader,
    FakeOpener,
    FakeQueue,
    FakeRecords,
    FakeWaits,
    FakeWebhookStore,
)
from tests.simulation.endpoints import TIMEOUT_SECONDS, Endpoints
from tests.simulation.jobs import Jobs
from tests.simulation.model import RETRY_INTERVAL_SECONDS, Parameters
from tests.simulation.oracle import Oracle
from tests.simulation.pulls import Lists, WaitingTable
from tests.simulation.queues import QueuePort, Receipt, SimulatedQueue, VisibilityPort
from tests.simulation.retries import Retries
from tests.simulation.slots import SlotCounter
from tests.simulation.stores import (
    DeliveryTable,
    EventTable,
    Lookup,
    RetryableDeliveries,
    in_steps,
)
from tests.simulation.world import StillRunning, World

_EVENT_VISIBILITY_SECONDS = 180
_PACING_VISIBILITY_SECONDS = 185
_ROUTER_SECONDS = 30
_DISPATCHER_SECONDS = 45
_JOBS_SECONDS = 20
_RETENTION_DAYS = 30


class SideBySide(Executor):
    """Runs works one after the other in a drawn order; only the time of the longest passes.

    One that takes longer than is waited for is stopped where it is, and never heard of again.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def map[T](
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]:
        calls = list(zip(*iterables, strict=True))
        futures = [Future[T]() for _ in calls]
        invocation = self._world.current
        longest = 0.0
        for position in self._world.random.sample(range(len(calls)), len(calls)):
            if invocation is not None:
                invocation.side_by_side, invocation.patience = True, timeout
            try:
                futures[position].set_result(fn(*calls[position]))
            except StillRunning:
                futures[position].set_exception(TimeoutError())
            except Exception as error:  # as an executor: it is raised where the result is taken
                futures[position].set_exception(error)
            if invocation is not None:
                longest = max(longest, invocation.spent)
                invocation.side_by_side, invocation.spent = False, 0.0
        if invocation is not None and longest:
            invocation.spend(longest if timeout is None else min(longest, timeout))
            self._world.elapse()
        return (future.result() for future in futures)


class Telemetry:
    """What the handlers use of adapters.telemetry.Telemetry."""

    def __init__(self, world: World, oracle: Oracle) -> None:
        self._world = world
        self._oracle = oracle

    def begin(self, _: str) -> None:
        return

    def note(self, what: str, /, **_: str | int | None) -> None:
        self._world.say(f"  note {what}")

    def fault(self, what: str, /, **fields: str | int | None) -> None:
        self._world.ask("fault", (what, fields), lambda: None)
        function = self._world.current.kind if self._world.current is not None else ""
        self._world.say(f"  fault of {function}: {what} {fields.get('detail') or ''}")

    def crash(self, what: str, error: BaseException) -> None:
        self._world.say(f"  {what}: {error!r}")
        self._oracle.crashes(error)

    def flush(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class Context:
    """What the handlers use of Lambda's context."""

    world: World
    deadline: int
    aws_request_id: str = "simulated"

    def get_remaining_time_in_millis(self) -> int:
        return (self.deadline - self.world.time()) // 1000


class System:
    """A stack whose parameters are drawn, with nothing in it yet."""

    def __init__(self, world: World) -> None:
        draw = world.random
        self.world = world
        self.config = FakeConfigItems()
        self.events = FakeEventItems()
        self.deliveries = FakeDeliveryItems()
        parameters = Parameters(
            max_attempts=draw.randint(1, 4),
            pause_after_failures=draw.choice((2, 20)),
            pause_when_exhausted=draw.random() < 0.3,
            notice_interval_minutes=draw.choice((5, 60)),
        )
        self._slice = draw.choice((2, 100))
        self.event_queue = SimulatedQueue(
            world, "event", _EVENT_VISIBILITY_SECONDS, draw.choice((3, 10))
        )
        self.delivery_queue = SimulatedQueue(
            world, "delivery", RETRY_INTERVAL_SECONDS, parameters.max_attempts
        )
        self.slow_queue = SimulatedQueue(
            world, "slow", RETRY_INTERVAL_SECONDS, parameters.max_attempts
        )
        self.pacing_queue = SimulatedQueue(
            world, "pacing", _PACING_VISIBILITY_SECONDS, draw.choice((3, 10))
        )
        self.job_queue = SimulatedQueue(world, "job", 120, 5, largest_batch=1, doubled=0.3)
        self.oracle = Oracle(
            world=world,
            config=self.config,
            events=self.events,
            deliveries=self.deliveries,
            parameters=parameters,
            event_queue=self.event_queue,
            pacing_queue=self.pacing_queue,
            delivery_queue=self.delivery_queue,
            slow_queue=self.slow_queue,
            job_queue=self.job_queue,
        )
        self.queues = (
            self.event_queue,
            self.pacing_queue,
            self.delivery_queue,
            self.slow_queue,
            self.job_queue,
        )
        oracle = self.oracle
        queues = {Lane.PROMPT: self.delivery_queue, Lane.SLOW: self.slow_queue}
        lanes = DeliveryQueues(
            {
                lane: QueuePort(world, queue, partial(oracle.queues_delivery, lane))
                for lane, queue in queues.items()
            }
        )
        self.endpoints = Endpoints(
            world,
            sends=oracle.sends,
            got=oracle.gets,
            unanswered=oracle.gets_unanswered,
            renewed=oracle.renews,
        )
        self.webhooks = FakeWebhookStore(self.config)
        self._telemetry = Telemetry(world, oracle)
        lookup = Lookup(world, self.config, oracle)
        stepwise = in_steps(world, lookup)
        table = DeliveryTable(world, self.deliveries, oracle.entries.changes, oracle.told)
        self.acceptance = Acceptance(
            claims=in_steps(
                world,
                FakeClaimTable(
                    self.events, event_retention_days=_RETENTION_DAYS, clock=world.clock
                ),
            ),
            kept_events=in_steps(world, FakeEventReader(self.events)),
            accounts=stepwise,
            queue=QueuePort(world, self.event_queue, oracle.erasures.hears),
            check_data=any_data,
            journal=self._telemetry,
            clock=world.clock,
        )
        self.lists = Lists(world, self.deliveries)
        waiting = WaitingTable(
            self.lists, oracle.has_wait, oracle.entries.changes, oracle.pulls.is_asked
        )
        self.pulling = Pulling(
            lists=waiting,
            log=in_steps(world, FakeDeliveryReader(self.deliveries)),
            events=in_steps(world, FakeEventReader(self.events)),
            signer=PullSigner(
                webhooks=stepwise,
                vault=in_steps(world, FakeOpener()),
                formats=FormatLookup(),
                journal=self._telemetry,
                clock=world.clock,
            ),
            waits=FakeWaits(),
            sleep=lambda _: None,
            clock=world.clock,
        )
        hand_over = HandOver(
            delivery_queues=lanes,
            pacing_queue=QueuePort(world, self.pacing_queue, partial(oracle.queues_delivery, None)),
            slots=in_steps(world, SlotCounter(oracle.slots)),
            waiting=WaitingList(waiting, FakeQueue()),
            journal=self._telemetry,
            clock=world.clock,
        )
        self._routing = Router(
            webhooks=stepwise,
            events=EventTable(world, self.events),
            paused=table,
            hand_over=hand_over,
            journal=self._telemetry,
            member_index=MemberIndex.IDS,
            clock=world.clock,
        )
        self._lookup, self._log = stepwise, table
        self._dispatching = self._dispatcher(parameters)
        self.retries = Retries(world, oracle.pulls)
        retryable = RetryableDeliveries(world, self.deliveries, oracle.entries.changes)
        self.retrying = Retrying(
            deliveries=retryable,
            events=in_steps(world, FakeEventReader(self.events)),
            webhooks=stepwise,
            hand_over=hand_over,
            retry_interval_seconds=RETRY_INTERVAL_SECONDS,
            clock=world.clock,
        )

        self.jobs = Jobs(
            world=world,
            config=self.config,
            events=self.events,
            deliveries=retryable,
            webhooks=stepwise,
            retrying=self.retrying,
            hand_over=hand_over,
            job_queue=QueuePort(world, self.job_queue, lambda _: None),
            promises=oracle.promises,
            erasures=oracle.erasures,
            journal=self._telemetry,
            retention_days=_RETENTION_DAYS,
        )
        self._functions = {
            "event": (router.app, "router", _ROUTER_SECONDS),
            "pacing": (router.app, "router", _ROUTER_SECONDS),
            "delivery": (dispatcher.app, "dispatcher", _DISPATCHER_SECONDS),
            "slow": (dispatcher.app, "dispatcher", _DISPATCHER_SECONDS),
            "job": (jobs.app, "jobs", _JOBS_SECONDS),
        }

    def deploy(self, max_attempts: int) -> None:
        """Change a parameter: for all messages at once, for functions that start from now on."""
        self.world.say(f"MaxAttempts is {max_attempts}")
        parameters = replace(self.oracle.parameters, max_attempts=max_attempts)
        self.delivery_queue.max_receives = self.slow_queue.max_receives = max_attempts
        self.oracle.configured(parameters)
        self._dispatching = self._dispatcher(parameters)

    def _dispatcher(self, parameters: Parameters) -> Dispatcher:
        return Dispatcher(
            records=FakeRecords(self._lookup, self._log),
            log=self._log,
            vault=in_steps(self.world, FakeOpener()),
            sender=self.endpoints,
            visibility=VisibilityPort(
                self.world, [self.delivery_queue, self.slow_queue], self._telemetry
            ),
            follow_up=FollowUp(
                health=self._lookup,
                noticing=Noticing(
                    counts=self._lookup,
                    publisher=Publisher(self.world, self.oracle),
                    journal=self._telemetry,
                    interval_minutes=parameters.notice_interval_minutes,
                    most_per_hour=10**6,
                ),
                journal=self._telemetry,
                rule=PauseRule(parameters.pause_after_failures, parameters.pause_when_exhausted),
                max_attempts=parameters.max_attempts,
                request_seconds=TIMEOUT_SECONDS,
                clock=self.world.clock,
            ),
            journal=self._telemetry,
            rule=DispatchRule(
                max_attempts=parameters.max_attempts,
                retry_interval_seconds=RETRY_INTERVAL_SECONDS,
                request_seconds=TIMEOUT_SECONDS,
                log_successes=True,
            ),
            executor=SideBySide(self.world),
            clock=self.world.clock,
        )

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """The handlers work on this system, and ids are drawn from its seed."""
        with (
            patch.object(ids, "secrets", SimpleNamespace(randbits=self.world.random.getrandbits)),
            patch.object(handing_over, "_SLICE", self._slice),
            patch.object(jobs.app, "_telemetry", lambda: self._telemetry),
            patch.object(jobs.app, "_work", lambda: self.jobs.work),
            patch.object(selecting, "ThreadPoolExecutor", lambda *_, **__: SideBySide(self.world)),
            patch.object(router.app, "_telemetry", lambda: self._telemetry),
            patch.object(router.app, "_routing", lambda: self._routing),
            patch.object(dispatcher.app, "_telemetry", lambda: self._telemetry),
            patch.object(dispatcher.app, "_dispatching", lambda: self._dispatching),
        ):
            yield

    def poll(self, queue: SimulatedQueue, most: int | None = None) -> None:
        """What an event source mapping does: receive, invoke, delete what is done."""
        receipts = queue.receive(most)
        if not receipts:
            return
        world = self.world
        names = ", ".join(f"{one.message.id} ({one.receive_count})" for one in receipts)
        if world.chance(world.faults.throttled_poll):
            world.say(f"throttled with {names}")
            return
        app, kind, seconds = self._functions[queue.name]
        waits = 0.0
        if world.chance(world.faults.late_start):
            waits = world.random.uniform(0, queue.visibility_seconds)
        invocation = world.start(
            kind, lambda: self._invoke(app, queue, receipts, seconds), waits + seconds
        )
        invocation.spend(waits)
        world.say(f"{invocation.name} gets {names}")

    def _invoke(
        self, app: ModuleType, queue: SimulatedQueue, receipts: Sequence[Receipt], seconds: int
    ) -> None:
        invocation = self.world.current
        if invocation is None:
            return
        self.oracle.begins(invocation, receipts)
        invocation.deadline = self.world.now + seconds * 1_000_000
        response = app.handler(
            _sqs_event(queue, receipts), Context(self.world, invocation.deadline)
        )
        left = [one["itemIdentifier"] for one in response["batchItemFailures"]]
        self.world.say(f"leaves {left}")
        self.oracle.answers(left, queue)
        invocation.deadline += queue.visibility_seconds * 1_000_000
        for receipt in receipts:
            if receipt.message.id not in left:
                with contextlib.suppress(Unavailable, RuntimeError):
                    self._delete(queue, receipt)

    def _delete(self, queue: SimulatedQueue, receipt: Receipt) -> None:
        def effect() -> None:
            self.oracle.deletes(receipt.message)
            queue.delete(receipt.message)

        self.world.call(f"delete {receipt.message.id}", effect)


class Publisher:
    """notices.Publisher."""

    def __init__(self, world: World, oracle: Oracle) -> None:
        self._world = world
        self._oracle = oracle

    def publish(self, topic: str, notice: Notice) -> None:
        self._world.ask(
            "publish",
            (topic, notice),
            lambda: self._world.call(
                f"publish to {topic}: {notice.subject}",
                lambda: self._oracle.notices.published(notice.subject),
            ),
        )


def _sqs_event(queue: SimulatedQueue, receipts: Sequence[Receipt]) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": one.message.id,
                "body": one.message.body,
                "receiptHandle": one.handle,
                "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{queue.name}",
                "attributes": {"ApproximateReceiveCount": str(one.receive_count)},
            }
            for one in receipts
        ]
    }
