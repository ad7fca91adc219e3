"""What the crash test is about: an account under load, its endpoints, and what goes wrong there."""

import contextlib
import json
import os
import random
import signal
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from perkwire.primitives.timestamps import now, to_rfc3339
from tests.e2e.system import Account, LocalSystem
from tests.invariant import violations
from tests.receiver import DROP, Answer, Endpoint, ReceivedRequest, Receiver
from tests.soak.reader import Reader

FUNCTIONS = ("Ingest", "Router", "Dispatcher", "Jobs", "Management")
EVENTS_OF_A_REQUEST = 10
_EVENTS_OF_A_MESSAGE = 3
# The second one's endpoint fails most; the third one's pace lets all through, at slots.
_SETTINGS: Sequence[Mapping[str, object]] = (
    {},
    {"retry_delays_seconds": [1, 1]},
    {"batch_size": 4, "max_per_second": 100},
)
_PULLED: Sequence[Mapping[str, object]] = ({}, {"batch_size": 4})
_MOST_POSTS_AGAIN = 10
_BETWEEN_POSTS_SECONDS = 0.3
_BETWEEN_PULLS_SECONDS = 0.1
_MOODS: Sequence[tuple[Answer | int, ...]] = (
    (200,),
    (500,),
    (200, 503, 200, 500),
    (DROP,),
    (Answer(200, after_seconds=1.5),),
    (429,),
)
# While the emulator is away, or a function has been killed, a call ends in one of these.
AWAY = (urllib.error.URLError, HTTPException, OSError, ValueError)
SQS_AWAY = (BotoCoreError, ClientError)


@dataclass
class Figures:
    """What happened, counted."""

    accepted: int = 0
    by_inbox: int = 0
    posts_repeated: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    moods: int = 0
    changes: int = 0
    retried: int = 0
    jobs: int = 0
    redriven: int = 0

    def __str__(self) -> str:
        by_function = ", ".join(f"{number} of {name}" for name, number in self.kills.most_common())
        return (
            f"{self.accepted} events accepted ({self.by_inbox} of them by the inbox, "
            f"{self.posts_repeated} posts repeated), "
            f"{self.kills.total()} kills ({by_function}), {self.restarts} restarts, "
            f"{self.moods} changes of mood, {self.changes} of webhooks, "
            f"{self.retried} deliveries retried by a person, {self.jobs} jobs, "
            f"{self.redriven} dead letters redriven"
        )


@dataclass
class World:
    """One account, its webhooks, and a random number generator that decides everything.

    Three are posted to: one has a schedule of its own, one a pace; what fails is strained, and gets
    well, at random. The third takes batches, so posts are repeated as they were: with other
    neighbours an event would come in another batch. Two are pulled, one of them in batches. Events
    come by the API and by the inbox, there twice. `functions` are those of which processes are
    killed.
    """

    system: LocalSystem
    receiver: Receiver
    chance: random.Random
    functions: Sequence[str] = FUNCTIONS
    figures: Figures = field(default_factory=Figures)

    def __post_init__(self) -> None:
        self.account = Account(self.system)
        self.endpoints: list[Endpoint] = [self.receiver.endpoint() for _ in range(3)]
        self.webhooks = [
            self.account.webhook(endpoint.url, **settings)
            for endpoint, settings in zip(self.endpoints, _SETTINGS, strict=True)
        ]
        self.readers = [
            Reader(self._call, self.account.webhook(None, delivery="pull", **settings))
            for settings in _PULLED
        ]
        self._ids = random.Random(self.chance.getrandbits(64))
        self._since = to_rfc3339(now() - 60_000_000)
        self._verified = [0] * len(self.endpoints)
        self._accepted: list[str] = []
        self._unanswered: list[list[dict[str, Any]]] = []
        self._members: list[str] = []

    def post(self) -> None:
        """Post some events; those that are not accepted are posted again with the next call."""
        again, self._unanswered = self._unanswered, []
        self.figures.posts_repeated += len(again)
        for events in [[self._an_event() for _ in range(EVENTS_OF_A_REQUEST)], *again]:
            if self._call("POST", "/v1/events", {"events": events})[0] == 202:
                self._accepted += [event["id"] for event in events]
            else:
                self._unanswered = [*self._unanswered, events][-_MOST_POSTS_AGAIN:]
        self.figures.accepted = len(self._accepted)

    def send(self) -> None:
        """Send messages to the inbox: a list that comes twice, and an event without an id.

        What SQS may have taken without an answer is nothing that anyone waits for.
        """
        events = [self._an_event() for _ in range(_EVENTS_OF_A_MESSAGE)]
        nameless = self._an_event()
        # It is known by whom it names.
        nameless["data"]["member"]["id"] = nameless.pop("id")
        for one in (*events, nameless):
            one["account_id"] = self.account.id
        try:
            for message in (events, events, nameless):
                self.system.sqs.send_message(
                    QueueUrl=self.system.local["InboxQueueUrl"], MessageBody=json.dumps(message)
                )
        except SQS_AWAY:
            return
        self._accepted += [one["id"] for one in events]
        self._members.append(nameless["data"]["member"]["id"])
        self.figures.by_inbox += len(events) + 1

    def pull(self) -> bool:
        """Have all who pull ask once; whether none of them has anything left to get."""
        left = [reader for reader in self.readers if not reader.pull()]
        return not left

    @contextlib.contextmanager
    def under_load(self) -> Iterator[None]:
        """Post, send and pull all the time, beside whatever else is done."""
        over = threading.Event()

        def bring() -> None:
            while not over.is_set():
                self.post()
                self.send()
                over.wait(_BETWEEN_POSTS_SECONDS)

        def fetch() -> None:
            while not over.is_set():
                self.pull()
                over.wait(_BETWEEN_PULLS_SECONDS)

        threads = [threading.Thread(target=bring), threading.Thread(target=fetch)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def wait_for_a_post(self, seconds: float) -> None:
        """Until more events are accepted, or for so long: a kill is to find something to break."""
        before, end = self.figures.accepted, time.monotonic() + seconds
        while self.figures.accepted == before and time.monotonic() < end:
            time.sleep(0.05)

    def least_killed(self) -> int:
        """How often processes of each function have been killed, at least."""
        return min(self.figures.kills[name] for name in self.functions)

    def heal(self, seconds: float) -> bool:
        """Nothing goes wrong any more, dead letters are redriven; whether all is done in time.

        All that is done includes what waits: it has been pulled.
        """
        for endpoint in self.endpoints:
            endpoint.answer(200)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._unanswered:
                self.post()
            self.redrive()
            self.verify()
            if not self._unanswered and not self.under_way() and self.pull():
                return True
            time.sleep(_BETWEEN_PULLS_SECONDS)
        return False

    def kill(self) -> None:
        """Kill -9 one process of a function."""
        for name in self.chance.sample(self.functions, len(self.functions)):
            workers = self.system.workers(f"{name}Function")
            if workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.chance.choice(workers), signal.SIGKILL)
                    self.figures.kills[name] += 1
                return

    def shorten_time_out(self, seconds: int) -> None:
        """How long a message stays away whose router was killed, or whose ingest."""
        for queue in ("EventQueue", "InboxQueue"):
            self.system.sqs.set_queue_attributes(
                QueueUrl=self.system.local[f"{queue}Url"],
                Attributes={"VisibilityTimeout": str(seconds)},
            )

    def restart(self) -> None:
        """Stop the emulator cleanly and start it again."""
        self.system.stop()
        self.system.start()
        self.figures.restarts += 1

    def change_mood(self) -> None:
        """Have one endpoint answer otherwise from now on; the first one is always well."""
        self.chance.choice(self.endpoints[1:]).answer(*self.chance.choice(_MOODS))
        self.figures.moods += 1

    def change_webhook(self) -> None:
        """Have one of them send another header from now on."""
        webhook = self.chance.choice(self.webhooks)
        headers = {"x-round": str(self.figures.changes)}
        status, _ = self._call("PATCH", f"/v1/webhooks/{webhook['id']}", {"headers": headers})
        self.figures.changes += status == 200

    def retry(self) -> None:
        """As a person does who looks at what has failed."""
        status, answer = self._call("GET", "/v1/deliveries?status=failed&limit=100")
        ids = [delivery["id"] for delivery in answer["data"]] if status == 200 else []
        if ids:
            _, answer = self._call("POST", "/v1/deliveries/retry", {"ids": ids})
            results = answer.get("results", answer.get("data", []))
            self.figures.retried += sum(one["status"] == 202 for one in results)

    def begin_job(self) -> None:
        """A retry of all that failed at one webhook."""
        webhook = self.chance.choice(self.webhooks)
        path = f"/v1/webhooks/{webhook['id']}/retry-failed"
        status, _ = self._call("POST", path, {"since": self._since, "per_second": 20})
        self.figures.jobs += status in (200, 201, 202)

    def redrive(self) -> None:
        """Start a redrive of the dead letters of each queue that has some."""
        for queue, name in (("DeadLetterQueue", "deliveries"), ("EventDeadLetterQueue", "events")):
            if count := len(self.system.bodies(queue)):
                status, _ = self._call("POST", "/v1/redrives", {"queue": name}, operator=True)
                self.figures.redriven += count if status == 201 else 0

    def under_way(self) -> int:
        """How many of the account's messages there are in all queues."""
        ahead = ("InboxQueue", "EventQueue", "PacingQueue", "DeliveryQueue", "SlowDeliveryQueue")
        dead = ("InboxDeadLetterQueue", "EventDeadLetterQueue", "DeadLetterQueue")
        queues = (*ahead, *dead)
        bodies = [body for queue in queues for body in self.system.bodies(queue)]
        return sum(self.account.id in body for body in bodies)

    def verify(self) -> None:
        """Check the signatures of what has come since the last time."""
        for position, endpoint in enumerate(self.endpoints):
            requests = endpoint.requests
            for request in requests[self._verified[position] :]:
                request.verified(self.webhooks[position]["secret"])
            self._verified[position] = len(requests)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """All that the endpoints have got."""
        return [request for endpoint in self.endpoints for request in endpoint.requests]

    @property
    def matched(self) -> Mapping[str, list[str]]:
        """Every accepted event at every webhook."""
        pulled = [reader.webhook for reader in self.readers]
        webhook_ids = [webhook["id"] for webhook in (*self.webhooks, *pulled)]
        return dict.fromkeys([*self._accepted, *self._derived], webhook_ids)

    @property
    def _derived(self) -> list[str]:
        """The ids that events without one have got, as those who pull know them."""
        members = {*self._members}
        events = [one for reader in self.readers for got in reader.pulled for one in got.events]
        return [one["id"] for one in events if one["data"]["member"]["id"] in members]

    def wrong(self) -> list[str]:
        """Every way in which the invariant does not hold, and what has not arrived anywhere."""
        found = violations(self.account, self.matched, self.requests)
        for position, endpoint in enumerate(self.endpoints):
            arrived = {
                event_id
                for request in endpoint.requests
                if request.succeeded
                for event_id in request.event_ids
            }
            missing = self.matched.keys() - arrived
            found += [f"{one} has not arrived at endpoint {position}" for one in missing]
        for reader in self.readers:
            found += reader.mistakes(self.matched)
        if len({*self._derived}) != len(self._members):
            found.append(f"{len(self._members)} nameless events have got ids {self._derived}")
        return found

    def _call(
        self, method: str, path: str, body: object = None, *, operator: bool = False
    ) -> tuple[int, Any]:
        """Status and answer, as the account or as an operator; 0 if nobody answers."""
        try:
            return self.system.call(method, path, body, key=None if operator else self.account.key)
        except AWAY:
            return 0, {}

    def _an_event(self) -> dict[str, Any]:
        event_id = f"soak-{self._ids.getrandbits(64):016x}"
        return {"id": event_id, "type": "custom.soak", "data": {"member": {"id": "m1"}}}
