"""What the crash test is about: an account under load, its endpoints, and what goes wrong there."""

import os
import random
import signal
import urllib.error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from tests.e2e.system import Account, LocalSystem
from tests.receiver import DROP, Answer, Endpoint, ReceivedRequest, Receiver

FUNCTIONS = ("Ingest", "Router", "Dispatcher", "Dispatcher", "Dispatcher", "Management")
EVENTS_OF_A_REQUEST = 10
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


@dataclass
class Figures:
    """What happened, counted."""

    accepted: int = 0
    posts_repeated: int = 0
    kills: int = 0
    restarts: int = 0
    moods: int = 0
    redriven: int = 0


@dataclass
class World:
    """One account, three webhooks, and a random number generator that decides everything."""

    system: LocalSystem
    receiver: Receiver
    chance: random.Random
    figures: Figures = field(default_factory=Figures)

    def __post_init__(self) -> None:
        self.account = Account(self.system)
        self.endpoints: list[Endpoint] = [self.receiver.endpoint() for _ in range(3)]
        self.webhooks = [self.account.webhook(endpoint.url) for endpoint in self.endpoints]
        self._verified = [0] * len(self.endpoints)
        self._accepted: list[str] = []
        self._unanswered: list[dict[str, Any]] = []

    def post(self) -> None:
        """Post some events; those that are not accepted are posted again with the next call."""
        posts = [[self._an_event() for _ in range(EVENTS_OF_A_REQUEST)]]
        if self._unanswered:
            self.figures.posts_repeated += 1
            posts.append(self._unanswered)
            self._unanswered = []
        for events in posts:
            try:
                status, _ = self.system.call(
                    "POST", "/v1/events", {"events": events}, key=self.account.key
                )
            except AWAY:
                status = 0
            if status == 202:
                self._accepted += [event["id"] for event in events]
            else:
                self._unanswered = [*self._unanswered, *events][-100:]
        self.figures.accepted = len(self._accepted)

    def kill(self) -> None:
        """Kill -9 one process of a function."""
        workers = self.system.workers(f"{self.chance.choice(FUNCTIONS)}Function")
        if workers:
            try:
                os.kill(self.chance.choice(workers), signal.SIGKILL)
            except ProcessLookupError:
                return
            self.figures.kills += 1

    def restart(self) -> None:
        """Stop the emulator cleanly and start it again."""
        self.system.stop()
        self.system.start()
        self.figures.restarts += 1

    def change_mood(self) -> None:
        """Have one endpoint answer otherwise from now on; the first one is always well."""
        self.chance.choice(self.endpoints[1:]).answer(*self.chance.choice(_MOODS))
        self.figures.moods += 1

    def be_well(self) -> None:
        """Have all endpoints answer 200."""
        for endpoint in self.endpoints:
            endpoint.answer(200)

    def redrive(self) -> None:
        """Start a redrive of the dead letters of each queue that has some."""
        for queue, name in (("DeadLetterQueue", "deliveries"), ("EventDeadLetterQueue", "events")):
            if count := len(self.system.bodies(queue)):
                status, _ = self.system.call("POST", "/v1/redrives", {"queue": name})
                self.figures.redriven += count if status == 201 else 0

    def under_way(self) -> int:
        """How many messages there are in all queues."""
        queues = ("EventQueue", "DeliveryQueue", "DeadLetterQueue", "EventDeadLetterQueue")
        return sum(len(self.system.bodies(queue)) for queue in queues)

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
        webhook_ids = [webhook["id"] for webhook in self.webhooks]
        return dict.fromkeys(self._accepted, webhook_ids)

    @property
    def has_unanswered(self) -> bool:
        """Whether there are events that nobody has accepted yet."""
        return bool(self._unanswered)

    def _an_event(self) -> dict[str, Any]:
        event_id = f"soak-{self.chance.getrandbits(64):016x}"
        return {"id": event_id, "type": "custom.soak", "data": {"member": {"id": "m1"}}}
