"""In-memory fulfilments of every protocol of the domain, one for each adapter.

Those of one table share a `Fake…Items`, as the adapters share the table. Each can be told to fail:
`fake.fail("find", 2)` fails the second call from the making of the fake on, `fake.fail("find")`
every one; a method that never raises then says that nothing was stored or sent.
"""

import base64
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from perkwire.accepting import Claim
from perkwire.account import Account, ApiKey, Caller, same_address
from perkwire.delivery import Change, Delivery, DeliveryStatus
from perkwire.event import EventHeading
from perkwire.ids import AccountId, DeliveryId, EventId, JobId, KeyId, WebhookId, webhook_of
from perkwire.jobs.job import Job, JobStatus
from perkwire.jobs.starting import JobRunning
from perkwire.journal import Unavailable
from perkwire.managing import ChangedMeanwhile, TooManyWebhooks, UrlTaken
from perkwire.noticing import Notice, Untold
from perkwire.page import Page
from perkwire.pausing import Streak
from perkwire.problem import FieldError, invalid
from perkwire.queueing import Outgoing
from perkwire.redriving import AlreadyRunning, Redrive, RedriveQueue
from perkwire.rendering import Opened
from perkwire.routed_event import RoutedEvent
from perkwire.sending import Answered, Request, Unanswered
from perkwire.signing_in import ConsoleLink, Session
from perkwire.strict_json import Json
from perkwire.timestamps import HOUR_SECONDS, MICROSECONDS
from perkwire.trials.trial import Outcome, Trial
from perkwire.webhook import Pause, SealedSecrets, Webhook, WebhookStatus
from perkwire.webhook_state import WebhookState

_DAY_SECONDS = 86_400
_HOUR = HOUR_SECONDS * MICROSECONDS
_MOST_ATTEMPTS = 100

type EventKey = tuple[AccountId, EventId]


class Failing:
    """Counts calls, and knows which of them are to fail."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._failing: defaultdict[str, set[int]] = defaultdict(set)
        self._counting = threading.Lock()

    def fail(self, method: str, *calls: int) -> None:
        """Fail these calls of the method, the first being 1, or, without numbers, all of them."""
        self._failing[method] |= set(calls) or {0}

    def mend(self) -> None:
        """Fail no more."""
        self._failing.clear()

    def _fails(self, method: str) -> bool:
        with self._counting:
            self.calls[method] += 1
            return not self._failing[method].isdisjoint({0, self.calls[method]})

    def _called(self, method: str) -> None:
        if self._fails(method):
            raise Unavailable(f"{type(self).__name__}: Told")


class FakeClock:
    """Stands still but for what it is told. Microseconds since the epoch."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * MICROSECONDS)


class FakeTelemetry:
    """A journal.Journal that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, dict[str, str | int | None]]] = []
        self.faults: list[tuple[str, dict[str, str | int | None]]] = []

    def note(self, what: str, /, **fields: str | int | None) -> None:
        self.notes.append((what, fields))

    def fault(self, what: str, /, **fields: str | int | None) -> None:
        self.faults.append((what, fields))

    @property
    def kinds(self) -> list[str]:
        """What the faults were."""
        return [what for what, _ in self.faults]

    def count(self, what: str) -> int:
        """How many faults there were of a kind."""
        return self.kinds.count(what)


@dataclass
class FakeConfigItems:
    """What ConfigTable holds."""

    accounts: dict[AccountId, Account] = field(default_factory=dict)
    webhooks: dict[WebhookId, Webhook] = field(default_factory=dict)
    streaks: dict[WebhookId, Streak] = field(default_factory=dict)
    untold: dict[WebhookId, Untold] = field(default_factory=dict)
    keys: dict[KeyId, tuple[ApiKey, str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, *items: Account | Webhook) -> None:
        """Have them, whatever was there before."""
        for item in items:
            if isinstance(item, Account):
                self.accounts[item.id] = item
            else:
                self.webhooks[item.id] = item

    def of_account(self, account_id: AccountId) -> list[Webhook]:
        own = [webhook for webhook in self.webhooks.values() if webhook.account_id == account_id]
        return sorted(own, key=lambda webhook: webhook.id)

    def holds_url(self, webhook: Webhook) -> bool:
        """Whether another webhook of the account has this one's URL."""
        return any(
            other.url == webhook.url and other.id != webhook.id
            for other in self.of_account(webhook.account_id)
            if other.status is not WebhookStatus.DELETED
        )


class FakeWebhookLookup(Failing):
    """For WebhookLookup and WebhookStates: accepting.Accounts, routing.AccountWebhooks,
    reading.AccountWebhooks, HealthStore, noticing.FailureCounts."""

    def __init__(self, items: FakeConfigItems) -> None:
        super().__init__()
        self._items = items

    def existing(self, account_ids: Collection[AccountId]) -> set[AccountId]:
        self._called("existing")
        return set(account_ids) & self._items.accounts.keys()

    def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
        self._called("of_account")
        if account_id not in self._items.accounts:
            return None
        return self._items.of_account(account_id)

    def states(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState]:
        self._called("states")
        found = {}
        for account_id, webhook_id in keys:
            webhook = self._items.webhooks.get(webhook_id)
            if webhook is None or webhook.account_id != account_id:
                continue
            if account_id in self._items.accounts:
                untold = self._items.untold.get(webhook_id, Untold(0, 0, None))
                found[webhook_id] = WebhookState(
                    webhook,
                    failing=webhook_id in self._items.streaks,
                    notice_topic=self._items.accounts[account_id].notice_topic,
                    untold=untold if untold.count else None,
                )
        return found

    def add_failures(self, webhook: Webhook, count: int, now: int) -> Streak:
        self._called("add_failures")
        with self._items.lock:
            before = self._items.streaks.get(webhook.id, Streak(0, now))
            streak = Streak(before.failures + count, before.since)
            self._items.streaks[webhook.id] = streak
        return streak

    def end_streak(self, webhook: Webhook) -> None:
        self._called("end_streak")
        self._items.streaks.pop(webhook.id, None)

    def pause(self, webhook: Webhook, pause: Pause) -> bool:
        self._called("pause")
        with self._items.lock:
            current = self._items.webhooks.get(webhook.id)
            if current is None or current.status is not WebhookStatus.ENABLED:
                return False
            if current.version != webhook.version:
                return False
            self._items.webhooks[webhook.id] = replace(
                current,
                status=WebhookStatus.PAUSED,
                pause=pause,
                updated_at=pause.at,
                version=current.version + 1,
            )
        return True

    def count_failed(self, webhook: Webhook, count: int, now: int) -> Untold:
        self._called("count_failed")
        return self._add_untold(webhook, count, now)

    def take_untold(self, webhook: Webhook, untold: Untold, now: int) -> bool:
        self._called("take_untold")
        with self._items.lock:
            current = self._items.untold[webhook.id]
            if current.noticed_at != untold.noticed_at:
                return False
            self._items.untold[webhook.id] = Untold(current.count - untold.count, 0, now)
        return True

    def give_back(self, webhook: Webhook, untold: Untold) -> None:
        self._called("give_back")
        self._add_untold(webhook, untold.count, untold.since)

    def _add_untold(self, webhook: Webhook, count: int, since: int) -> Untold:
        with self._items.lock:
            before = self._items.untold.get(webhook.id, Untold(0, 0, None))
            after = Untold(before.count + count, before.since or since, before.noticed_at)
            self._items.untold[webhook.id] = after
        return after


class FakeAccountStore(Failing):
    """For AccountStore: managing.Accounts."""

    def __init__(self, items: FakeConfigItems) -> None:
        super().__init__()
        self._items = items

    def add(self, account: Account) -> None:
        self._called("add")
        self._items.put(account)

    def find(self, account_id: AccountId) -> Account | None:
        self._called("find")
        return self._items.accounts.get(account_id)

    def replace(self, before: Account, after: Account) -> None:
        self._called("replace")
        with self._items.lock:
            current = self._items.accounts.get(before.id)
            if current is None or current.updated_at != before.updated_at:
                raise ChangedMeanwhile
            self._items.put(after)

    def page(self, limit: int, cursor: str | None) -> Page[Account]:
        self._called("page")
        return _page(self._items.accounts.items(), limit, cursor)


class FakeTopics(Failing):
    """For NoticeTopics and NoticePublisher: managing.NoticeTopics, noticing.Publisher."""

    def __init__(self) -> None:
        super().__init__()
        self.subscribed: dict[str, list[str]] = {}
        self.published: list[tuple[str, Notice]] = []
        self._confirmed: set[str] = set()

    def confirm(self, address: str) -> None:
        """Have the owner of a mailbox say yes."""
        self._confirmed.add(same_address(address))

    def subscribe_only(self, account_id: AccountId, addresses: Collection[str]) -> str:
        self._called("subscribe_only")
        topic = f"arn:aws:sns:us-east-1:000000000000:fake-notices-{account_id}"
        self.subscribed[topic] = [*addresses]
        return topic

    def confirmed(self, topic: str) -> set[str]:
        self._called("confirmed")
        return {same_address(one) for one in self.subscribed[topic]} & self._confirmed

    def publish(self, topic: str, notice: Notice) -> None:
        self._called("publish")
        self.published.append((topic, notice))


class FakeKeyStore(Failing):
    """For KeyStore: managing.ApiKeys."""

    def __init__(self, items: FakeConfigItems) -> None:
        super().__init__()
        self._items = items

    def add(self, api_key: ApiKey, key_hash: str) -> None:
        self._called("add")
        self._items.keys[api_key.id] = (api_key, key_hash)

    def find(self, account_id: AccountId, key_id: KeyId) -> ApiKey | None:
        self._called("find")
        return dict(self._of_account(account_id)).get(key_id)

    def remove(self, account_id: AccountId, key_id: KeyId) -> bool:
        self._called("remove")
        if key_id not in dict(self._of_account(account_id)):
            return False
        del self._items.keys[key_id]
        return True

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[ApiKey]:
        self._called("page")
        return _page(self._of_account(account_id), limit, cursor)

    def _of_account(self, account_id: AccountId) -> list[tuple[KeyId, ApiKey]]:
        return [
            (key_id, api_key)
            for key_id, (api_key, _) in self._items.keys.items()
            if api_key.account_id == account_id
        ]


class FakeKeyLookup(Failing):
    """For KeyLookup: what the authorizer knows."""

    def __init__(self, items: FakeConfigItems) -> None:
        super().__init__()
        self._items = items

    def caller(self, key_hash: str) -> Caller | None:
        self._called("caller")
        for api_key, own_hash in self._items.keys.values():
            if own_hash == key_hash:
                return Caller(api_key.account_id, api_key.scopes)
        return None


class FakeWebhookStore(Failing):
    """For WebhookStore: managing.Webhooks."""

    def __init__(self, items: FakeConfigItems) -> None:
        super().__init__()
        self._items = items

    def add(self, webhook: Webhook, most: int) -> None:
        self._called("add")
        with self._items.lock:
            if self._items.holds_url(webhook):
                raise UrlTaken
            # An account that is not there has no room, as the condition on its item has it.
            if webhook.account_id not in self._items.accounts:
                raise TooManyWebhooks
            own = self._items.of_account(webhook.account_id)
            if sum(one.status is not WebhookStatus.DELETED for one in own) >= most:
                raise TooManyWebhooks
            self._items.put(webhook)

    def find(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | None:
        self._called("find")
        webhook = self._items.webhooks.get(webhook_id)
        if webhook is None or webhook.account_id != account_id:
            return None
        return None if webhook.status is WebhookStatus.DELETED else webhook

    def replace(self, before: Webhook, after: Webhook) -> None:
        self._called("replace")
        with self._items.lock:
            self._check_version(before)
            if self._items.holds_url(after):
                raise UrlTaken
            if after.status is WebhookStatus.ENABLED and after.status is not before.status:
                self._items.streaks.pop(before.id, None)
            self._items.put(after)

    def bury(self, webhook: Webhook, now: int) -> None:
        self._called("bury")
        with self._items.lock:
            self._check_version(webhook)
            self._items.put(
                replace(
                    webhook,
                    status=WebhookStatus.DELETED,
                    pause=None,
                    header_names=(),
                    sealed=SealedSecrets(secret=b"", headers=None),
                    version=webhook.version + 1,
                    updated_at=now,
                )
            )

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Webhook]:
        self._called("page")
        own = self._items.of_account(account_id)
        page = _page([(webhook.id, webhook) for webhook in own], limit, cursor)
        # As with the table, tombstones make a page short.
        present = [item for item in page.items if item.status is not WebhookStatus.DELETED]
        return Page(present, page.next_cursor)

    def _check_version(self, webhook: Webhook) -> None:
        current = self._items.webhooks.get(webhook.id)
        if current is None or current.version != webhook.version:
            raise ChangedMeanwhile


@dataclass
class FakeEventItems:
    """What EventTable holds; a claim with the second at which it expires."""

    events: dict[EventKey, RoutedEvent] = field(default_factory=dict)
    claims: dict[EventKey, tuple[Claim, int]] = field(default_factory=dict)


class FakeClaimTable(Failing):
    """For ClaimTable: accepting.Claims."""

    def __init__(
        self, items: FakeEventItems, *, event_retention_days: int, clock: Callable[[], int]
    ) -> None:
        super().__init__()
        self._items = items
        self._retention_seconds = event_retention_days * _DAY_SECONDS
        self._clock = clock

    def find(self, keys: Collection[EventKey]) -> Mapping[EventKey, Claim]:
        self._called("find")
        return {key: self._items.claims[key][0] for key in keys if self._is_taken(key)}

    def take(self, claims: Sequence[Claim]) -> bool:
        self._called("take")
        if any(self._is_taken(claim.key) for claim in claims):
            return False
        self._put(claims)
        return True

    def mark_sent(self, claims: Sequence[Claim]) -> None:
        self._called("mark_sent")
        self._put(claims)

    def _put(self, claims: Sequence[Claim]) -> None:
        expires_at = self._now_seconds() + self._retention_seconds
        for claim in claims:
            self._items.claims[claim.key] = (claim, expires_at)

    def _is_taken(self, key: EventKey) -> bool:
        return key in self._items.claims and self._items.claims[key][1] > self._now_seconds()

    def _now_seconds(self) -> int:
        return self._clock() // MICROSECONDS


class FakeEventReader(Failing):
    """For EventReader: reading.Events and retrying.Events."""

    def __init__(self, items: FakeEventItems) -> None:
        super().__init__()
        self._items = items

    def find(self, account_id: AccountId, event_id: EventId) -> RoutedEvent | None:
        self._called("find")
        return self._items.events.get((account_id, event_id))

    def find_all(self, keys: Collection[EventKey]) -> Mapping[EventId, RoutedEvent]:
        self._called("find_all")
        return {key[1]: self._items.events[key] for key in keys if key in self._items.events}


class FakeEventIndex(Failing):
    """For EventIndex: selecting.EventsByTime."""

    def __init__(self, items: FakeEventItems) -> None:
        super().__init__()
        self._items = items

    def of_hour(
        self, account_id: AccountId, since: int, until: int, after: str | None, limit: int
    ) -> tuple[list[EventHeading], bool]:
        self._called("of_hour")
        end = min(until, since - since % _HOUR + _HOUR)
        own = sorted(
            (routed.event.accepted_at, routed.event.id, routed.event)
            for (owner, _), routed in self._items.events.items()
            if owner == account_id and since <= routed.event.accepted_at < end
        )
        if after is not None:
            own = [one for one in own if one[:2] > (since, EventId(after))]
        headings = [
            EventHeading(
                id=event.id,
                type=event.type,
                accepted_at=event.accepted_at,
                program_id=event.program_id,
            )
            for _, _, event in own[:limit]
        ]
        # DynamoDB says that there may be more whenever it stopped at the limit.
        return headings, len(headings) == limit


class FakeEventTable(Failing):
    """For EventTable: routing.Events."""

    def __init__(self, items: FakeEventItems) -> None:
        super().__init__()
        self._items = items

    def keep(self, events: Sequence[RoutedEvent]) -> set[EventKey]:
        keys = [(event.account_id, event.event.id) for event in events]
        if self._fails("keep"):
            return set(keys)
        for key, event in zip(keys, events, strict=True):
            before = self._items.events.get(key, event).deliveries
            became = {**before, **event.deliveries}
            self._items.events[key] = replace(event, deliveries=became)
        return set()


@dataclass
class FakeDeliveryItems:
    """What DeliveryTable holds."""

    entries: dict[DeliveryId, Delivery] = field(default_factory=dict)

    def put(self, *deliveries: Delivery) -> None:
        """Have them, whatever was there before."""
        for delivery in deliveries:
            self.entries[delivery.id] = delivery


class FakeDeliveryReader(Failing):
    """For DeliveryReader: reading.Deliveries and selecting.FailedDeliveries."""

    def __init__(self, items: FakeDeliveryItems) -> None:
        super().__init__()
        self._items = items

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        self._called("find")
        found = {}
        for account_id, delivery_id in keys:
            entry = self._items.entries.get(delivery_id)
            if entry is not None and entry.account_id == account_id:
                found[delivery_id] = entry
        return found

    def unsettled(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[DeliveryId]:
        self._called("unsettled")
        own = self._failed_index(account_id, webhook_id)
        places = sorted(place for place in own if place > after)[:limit]
        return [own[place] for place in places if place < before]

    def newest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[Delivery]:
        self._called("newest")
        own = {
            entry.id.rpartition("_")[2]: entry
            for entry in self._items.entries.values()
            if entry.account_id == account_id and webhook_of(entry.id) == webhook_id
        }
        positions = sorted((place for place in own if after <= place < before), reverse=True)
        return [own[place] for place in positions[:limit]]

    def newest_unsettled(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[DeliveryId]:
        self._called("newest_unsettled")
        own = self._failed_index(account_id, webhook_id)
        places = sorted((place for place in own if after <= place < before), reverse=True)
        return [own[place] for place in places[:limit]]

    def _failed_index(
        self, account_id: AccountId, webhook_id: WebhookId
    ) -> Mapping[str, DeliveryId]:
        return {
            entry.id.rpartition("_")[2]: entry.id
            for entry in self._items.entries.values()
            if entry.account_id == account_id
            and webhook_of(entry.id) == webhook_id
            and entry.status in (DeliveryStatus.RETRYING, DeliveryStatus.FAILED)
        }


class FakeRetryableDeliveries(FakeDeliveryReader):
    """For RetryableDeliveries: retrying.Deliveries."""

    def hand_over(self, entry: Delivery, now: int, due_at: int) -> None:
        current = self._items.entries.get(entry.id)
        if self._fails("hand_over") or current is None or current.run != entry.run:
            return
        if current.status is not DeliveryStatus.SUCCEEDED:
            self._items.put(
                replace(
                    current,
                    run=entry.run + 1,
                    status=DeliveryStatus.RETRYING,
                    reason=None,
                    due_at=due_at,
                    updated_at=now,
                )
            )


class FakeDeliveryTable(FakeDeliveryReader):
    """For DeliveryTable: dispatching.DeliveryLog and routing.PausedDeliveries."""

    def write(self, changes: Sequence[Change]) -> set[DeliveryId]:
        if self._fails("write"):
            return {change.after.id for change in changes}
        for change in changes:
            self._write(change)
        return set()

    def add(self, deliveries: Sequence[Delivery]) -> None:
        self._called("add")
        for delivery in deliveries:
            self._items.entries.setdefault(delivery.id, delivery)

    def _write(self, change: Change) -> None:
        after = change.after
        new = () if change.attempt is None else (change.attempt,)
        current = self._items.entries.get(after.id)
        if current is None or change.is_first_success:
            self._items.put(replace(after, attempts=new))
        elif not _may_change(current, change):
            if new:
                attempts = (*current.attempts, *new)[-_MOST_ATTEMPTS:]
                self._items.put(replace(current, attempts=attempts, updated_at=after.updated_at))
        else:
            self._items.put(
                replace(
                    current,
                    run=max(current.run, after.run),
                    status=after.status,
                    reason=after.reason,
                    attempts=(*current.attempts, *new)[-_MOST_ATTEMPTS:],
                    due_at=after.due_at,
                    updated_at=after.updated_at,
                )
            )


def _may_change(current: Delivery, change: Change) -> bool:
    before, after = change.before, change.after
    if after.status is DeliveryStatus.SUCCEEDED:
        return True
    if current.status is DeliveryStatus.SUCCEEDED or current.run > after.run:
        return False
    if after.status is not DeliveryStatus.RETRYING or current.run < after.run:
        return True
    read = before.status if before is not None and before.run == after.run else None
    return current.status in (DeliveryStatus.RETRYING, read)


class FakeQueue(Failing):
    """For SqsQueue: accepting.Queue. `refuse(n)` has SQS refuse the n-th message of all, from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Outgoing] = []
        self._offered = 0
        self._refused: set[int] = set()

    def refuse(self, *messages: int) -> None:
        self._refused |= set(messages)

    def send(self, messages: Sequence[Outgoing]) -> list[bool]:
        if self._fails("send"):
            return [False] * len(messages)
        return [self._offer(message) for message in messages]

    def _offer(self, message: Outgoing) -> bool:
        self._offered += 1
        if self._offered in self._refused:
            return False
        self.messages.append(message)
        return True


@dataclass
class FakeJobItems:
    """The jobs that ConfigTable holds, and which of them a person has cancelled when."""

    jobs: dict[JobId, Job] = field(default_factory=dict)
    cancelled: dict[JobId, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class FakeJobTable(Failing):
    """For JobTable: working.Jobs."""

    def __init__(self, items: FakeJobItems) -> None:
        super().__init__()
        self._items = items

    def find(self, account_id: AccountId, job_id: JobId) -> Job | None:
        self._called("find")
        job = self._items.jobs.get(job_id)
        return self._seen(job) if job is not None and job.account_id == account_id else None

    def advance(self, before: Job, after: Job) -> Job | None:
        self._called("advance")
        with self._items.lock:
            stored = self._items.jobs.get(after.id)
            if stored is None or stored.version != before.version:
                return None
            self._items.jobs[after.id] = after
        return self._seen(after)

    def _seen(self, job: Job) -> Job:
        at = self._items.cancelled.get(job.id)
        if at is None:
            return job
        return replace(
            job,
            status=JobStatus.CANCELLED,
            reason=None,
            updated_at=max(job.updated_at, at),
            finished_at=at,
        )


class FakeJobStore(FakeJobTable):
    """For JobStore: starting.Jobs."""

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Job]:
        self._called("page")
        before = "~" if cursor is None else _read_cursor(cursor)
        own = [job for job in self._items.jobs.values() if job.account_id == account_id]
        newest = sorted((one for one in own if one.id < before), key=_job_id, reverse=True)
        page = [self._seen(job) for job in newest[:limit]]
        return Page(page, _write_cursor(page[-1].id) if len(page) == limit else None)

    def add(self, job: Job) -> None:
        self._called("add")
        with self._items.lock:
            for other in map(self._seen, self._items.jobs.values()):
                same = (other.account_id, other.webhook_id, other.kind) == (
                    job.account_id,
                    job.webhook_id,
                    job.kind,
                )
                if same and not other.has_ended:
                    raise JobRunning(other.id)
            self._items.jobs[job.id] = job

    def cancel(self, account_id: AccountId, job_id: JobId, now: int) -> Job | None:
        self._called("cancel")
        with self._items.lock:
            job = self._items.jobs.get(job_id)
            if job is None or job.account_id != account_id or self._seen(job).has_ended:
                return None
            self._items.cancelled[job_id] = now
        return self._seen(job)


class FakeMoveTasks(Failing):
    """For SqsMoveTasks: redriving.MoveTasks. A task runs until it is cancelled or `finish`ed."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__()
        self._clock = clock
        self._tasks: list[Redrive] = []

    def start(self, queue: RedriveQueue, max_per_second: int | None) -> None:
        self._called("start")
        if any(task.handle for task in self._of(queue)):
            raise AlreadyRunning
        task = Redrive(
            queue=queue,
            status="running",
            moved=0,
            to_move=None,
            max_per_second=max_per_second,
            started_at=self._clock(),
            failure=None,
            handle=f"task-{len(self._tasks)}",
        )
        self._tasks.insert(0, task)

    def recent(self, queue: RedriveQueue) -> Sequence[Redrive]:
        self._called("recent")
        return self._of(queue)[:10]

    def cancel(self, redrive: Redrive) -> None:
        self._called("cancel")
        self._end(redrive.handle, "cancelled")

    def finish(self) -> None:
        """Have every running task end well."""
        for task in [task for task in self._tasks if task.handle]:
            self._end(task.handle, "completed")

    def _end(self, handle: str | None, status: str) -> None:
        if not any(task.handle == handle for task in self._tasks if handle):
            raise Unavailable("SQS: ResourceNotFoundException")
        self._tasks = [
            replace(task, status=status, handle=None) if task.handle == handle else task
            for task in self._tasks
        ]

    def _of(self, queue: RedriveQueue) -> list[Redrive]:
        return [task for task in self._tasks if task.queue is queue]


class FakeTrialCounter(Failing):
    """For TrialCounter: trying.TrialCounter."""

    def __init__(self) -> None:
        super().__init__()
        self._taken: Counter[tuple[AccountId, int]] = Counter()
        self._lock = threading.Lock()

    def take(self, account_id: AccountId, now: int, most: int) -> bool:
        self._called("take")
        minute = (account_id, now // (60 * MICROSECONDS))
        with self._lock:
            if self._taken[minute] >= most:
                return False
            self._taken[minute] += 1
            return True


class FakeTrialDispatcher(Failing):
    """For DispatcherFunction: trying.TrialDispatcher. Answers as it is told, delivered at first."""

    def __init__(self) -> None:
        super().__init__()
        self.trials: list[Trial] = []
        self.outcome: Outcome | None = Outcome(delivered=True, duration_ms=5, status_code=200)

    def send(self, trial: Trial) -> dict[str, Json] | None:
        self._called("send")
        self.trials.append(trial)
        return None if self.outcome is None else self.outcome.shown()


class FakeSealer(Failing):
    """For Sealer: managing.Sealer. Its ciphertexts are for one account, webhook and purpose."""

    def seal_secret(self, account_id: AccountId, webhook_id: WebhookId, secret: str) -> bytes:
        self._called("seal_secret")
        return _seal([account_id, webhook_id, "secret"], secret)

    def seal_headers(
        self, account_id: AccountId, webhook_id: WebhookId, headers: Mapping[str, str]
    ) -> bytes | None:
        self._called("seal_headers")
        if not headers:
            return None
        return _seal([account_id, webhook_id, "headers"], json.dumps(dict(headers)))


class FakeOpener(Failing):
    """For Opener: dispatching.Vault. Opens what FakeSealer has sealed for the webhook, only."""

    def open(self, webhook: Webhook) -> Opened:
        self._called("open")
        own = [webhook.account_id, webhook.id]
        secret = _open([*own, "secret"], webhook.sealed.secret)
        headers: dict[str, str] = {}
        if webhook.sealed.headers is not None:
            headers = json.loads(_open([*own, "headers"], webhook.sealed.headers))
        retired = None
        if webhook.sealed.retired is not None:
            earlier = _open([*own, "secret"], webhook.sealed.retired.secret)
            retired = (earlier, webhook.sealed.retired.until)
        return Opened(secret, headers, retired)


class FakeSender:
    """For HttpSender: sending.Sender. Answers 200 at once unless told otherwise for a URL."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, list[Answered | Unanswered]] = {}
        self._lock = threading.Lock()

    def answer(self, url: str, *answers: Answered | Unanswered) -> None:
        """Answer requests to the URL one after the other so; the last one goes on for ever."""
        self._answers[url] = [*answers]

    def send(self, request: Request) -> Answered | Unanswered:
        with self._lock:
            self.requests.append(request)
            answers = self._answers.get(request.url, [Answered(200, "", 1)])
            return answers.pop(0) if len(answers) > 1 else answers[0]


def _page[T](items: Iterable[tuple[str, T]], limit: int, cursor: str | None) -> Page[T]:
    after = "" if cursor is None else _read_cursor(cursor)
    listed = sorted(((key, item) for key, item in items if key > after), key=lambda one: one[0])
    page = listed[:limit]
    # DynamoDB says that there may be more whenever it stopped at the limit.
    full = len(page) == limit
    return Page([item for _, item in page], _write_cursor(page[-1][0]) if full else None)


def _job_id(job: Job) -> JobId:
    return job.id


def _write_cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        raise invalid(
            [FieldError("cursor", "must be the next_cursor of an earlier page")]
        ) from None


def _seal(context: Sequence[str], plaintext: str) -> bytes:
    return base64.b64encode(json.dumps([context, plaintext]).encode())


def _open(context: Sequence[str], ciphertext: bytes) -> str:
    try:
        sealed_for, plaintext = json.loads(base64.b64decode(ciphertext))
    except ValueError:
        raise Unavailable("KMS: InvalidCiphertextException") from None
    if sealed_for != [*context]:
        raise Unavailable("KMS: InvalidCiphertextException")
    return str(plaintext)


class FakeLinkStore(Failing):
    """For LinkStore: signing_in.Links."""

    def __init__(self) -> None:
        super().__init__()
        self.links: dict[str, ConsoleLink] = {}
        self._used_by: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, token_hash: str, link: ConsoleLink) -> None:
        self._called("add")
        self.links[token_hash] = link

    def unused(self, token_hash: str) -> ConsoleLink | None:
        self._called("unused")
        return None if token_hash in self._used_by else self.links.get(token_hash)

    def use(self, token_hash: str, session_hash: str, now: int) -> ConsoleLink | None:
        self._called("use")
        with self._lock:
            link = self.links.get(token_hash)
            if link is None or link.expires_at <= now:
                return None
            is_its_own = self._used_by.setdefault(token_hash, session_hash) == session_hash
            return link if is_its_own else None


class FakeSessionStore(Failing):
    """For SessionStore: signing_in.Sessions."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions: dict[str, Session] = {}

    def add(self, token_hash: str, session: Session) -> None:
        self._called("add")
        self.sessions[token_hash] = session

    def find(self, token_hash: str) -> Session | None:
        self._called("find")
        return self.sessions.get(token_hash)

    def act_for(self, token_hash: str, account_id: AccountId | None) -> None:
        self._called("act_for")
        if token_hash in self.sessions:
            session = replace(self.sessions[token_hash], acting_for=account_id)
            self.sessions[token_hash] = session

    def remove(self, token_hash: str) -> None:
        self._called("remove")
        self.sessions.pop(token_hash, None)
