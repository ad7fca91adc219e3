"""Values and use cases over fakes, for the tests that ask them what the contract says."""

from typing import Any

from perkwire.jobs.job import Job, JobKind, JobStatus
from perkwire.managing.webhooks import WebhookManagement
from perkwire.model.event import EventHeading
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives import ids
from perkwire.primitives.ids import AccountId, EventId
from perkwire.reading.event_listing import EventListing, ListPosition
from perkwire.reading.filter_previewing import FilterPreviewing
from perkwire.recovering.redriving import Redrive, RedriveQueue, Redriving
from perkwire.trials.runner import TrialRunner
from tests import builders
from tests.fakes import (
    FakeAccountStore,
    FakeActivity,
    FakeClock,
    FakeConfigItems,
    FakeEventIndex,
    FakeEventItems,
    FakeEventReader,
    FakeSealer,
    FakeTrialCounter,
    FakeTrialDispatcher,
    FakeWebhookStore,
)
from tests.template.contract import RULES, Object


def a_job(**members: Any) -> Job:  # noqa: ANN401
    """A job that has just been made, but for these members."""
    made: Object = {
        "id": ids.new_job_id(builders.NOW),
        "account_id": builders.ACCOUNT,
        "webhook_id": ids.new_webhook_id(),
        "kind": JobKind.RETRY_FAILED,
        "since": 0,
        "until": builders.NOW,
        "event_types": None,
        "per_second": 50,
        "status": JobStatus.QUEUED,
        "reason": None,
        "total": None,
        "sent": 0,
        "skipped": 0,
        "page": (),
        "page_batch": 1,
        "cursor": None,
        "turn": 0,
        "version": 1,
        "created_at": builders.NOW,
        "updated_at": builders.NOW,
        "finished_at": None,
    }
    return Job(**(made | members))


class OneRedrive:
    """SQS with one redrive that has just been started: redriving.MoveTasks."""

    def start(self, queue: RedriveQueue, max_per_second: int | None) -> None:
        """Done."""

    def resting(self, queue: RedriveQueue) -> int:
        return 2

    def recent(self, queue: RedriveQueue) -> list[Redrive]:
        return [
            Redrive(
                queue=queue,
                status="failed",
                moved=1,
                to_move=2,
                max_per_second=3,
                started_at=builders.NOW,
                failure="AWS.SimpleQueueService.NonExistentQueue",
                handle=None,
            )
        ]

    def cancel(self, redrive: Redrive) -> None:
        """Done."""


class OneEvent:
    """The index with one event, and more behind it: event_listing.EventsByHour."""

    def newest_of_hour(
        self, account_id: AccountId, since: int, place: ListPosition, limit: int
    ) -> tuple[list[EventHeading], bool]:
        one = EventHeading(
            id=EventId("order-1001"), type="points.earned", accepted_at=since, program_id=None
        )
        return [one], True


def a_listing(now: int = builders.NOW) -> EventListing:
    return EventListing(OneEvent(), event_retention_days=30, clock=FakeClock(now))


def a_redriving() -> Redriving:
    return Redriving(OneRedrive(), FakeActivity(), FakeClock(builders.NOW), queues=[*RedriveQueue])


def preview_filter(value: Object) -> Object:
    """What a filter would have let through of an account's one event."""
    items, clock = FakeConfigItems(), FakeClock(builders.NOW)
    items.put(builders.an_account(created_at=builders.NOW - 1))
    event = builders.an_event(accepted_at=builders.NOW - 1, data={"transaction": {"points": 5}})
    events = FakeEventItems()
    kept = RoutedEvent(account_id=builders.ACCOUNT, event=event, deliveries={})
    events.events[builders.ACCOUNT, event.id] = kept
    previewing = FilterPreviewing(
        accounts=FakeAccountStore(items),
        listing=EventListing(FakeEventIndex(events), event_retention_days=30, clock=clock),
        events=FakeEventReader(events),
        searches=FakeTrialCounter(),
        clock=clock,
    )
    return previewing.preview(builders.ACCOUNT, value).to_json()


def a_trying() -> TrialRunner:
    """Tests of the one webhook of an account, each answered as if it had arrived."""
    items, clock = FakeConfigItems(), FakeClock(builders.NOW)
    items.put(builders.an_account(), builders.a_webhook())
    return TrialRunner(
        webhooks=WebhookManagement(
            accounts=FakeAccountStore(items),
            webhooks=FakeWebhookStore(items),
            sealer=FakeSealer(),
            rules=RULES,
            most_webhooks=1,
            clock=clock,
        ),
        rules=RULES,
        counter=FakeTrialCounter(),
        dispatcher=FakeTrialDispatcher(),
        clock=clock,
    )
