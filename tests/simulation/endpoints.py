"""The receivers, each in a manner of its own, and what they really got."""

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from perkwire.model.sending import NoResponse, Request, Response, TransportError
from perkwire.primitives.journal import Unavailable
from tests.simulation.world import World

TIMEOUT_SECONDS = 10
RETRY_AFTER_SECONDS = 900


class Manner(enum.StrEnum):
    """How an endpoint behaves."""

    OK = "ok"
    BROKEN = "500"
    GONE = "410"
    HANGING = "hangs"
    DEAF = "takes it and answers too late"
    FLAPPING = "flaps"
    BUSY = "429, Retry-After"


_IN_THE_STORM = (6, 3, 0.5, 1, 1, 6, 1)
_IN_THE_END = (7, 1, 1, 1, 0, 0, 0)


_KEPT_CONNECTION_ENDS = 0.05
_TAKES_ONE_EVENT = 0.3


@dataclass(eq=False)
class Endpoints:
    """sending.Sender. `sends` hears of each request before it goes out, `got` of each that arrives,

    and whether it was taken. In the storm some find a batch of several events too large. On a kept
    connection that ends a request may arrive unanswered, of which `unanswered` hears in the same
    way; `renewed` hears of it and of its second copy.
    """

    world: World
    sends: Callable[[Request], None]
    got: Callable[[Request, bool], None]
    unanswered: Callable[[Request, bool], object]
    renewed: Callable[[Request, Request], None]
    manners: dict[str, Manner] = field(default_factory=dict)
    _endings: Random = field(init=False)
    _limits: Random = field(init=False)
    _limited: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._endings = Random(f"{self.world.seed} kept connections")
        self._limits = Random(f"{self.world.seed} limits")

    def manner(self, url: str) -> Manner:
        if url not in self.manners:
            weights = _IN_THE_STORM if self.world.hostile else _IN_THE_END
            self.manners[url] = self.world.random.choices(tuple(Manner), weights)[0]
        return self.manners[url]

    def change_manners(self) -> None:
        """Each endpoint draws a new manner when it is next called."""
        self.manners.clear()

    def send(self, request: Request) -> Response | NoResponse:
        self.sends(request)
        return self.world.ask("request", (request,), lambda: self._send(request))

    def _send(self, request: Request) -> Response | NoResponse:
        seconds = float(TIMEOUT_SECONDS)
        if self.world.hostile and self._endings.random() < _KEPT_CONNECTION_ENDS:
            spent = self._endings.choice((0.01, 1.5))
            request = self._second_copy(request, spent)
            seconds -= spent
        try:
            return self.world.call(f"POST {request.url}", lambda: self._serve(request, seconds))
        except Unavailable as fault:
            lost = "lost" in str(fault)
            return NoResponse(TransportError.RESET if lost else TransportError.CONNECT, 1)

    def _second_copy(self, request: Request, seconds: float) -> Request:
        """The kept connection ends so much later; nobody is told whether the request was read."""
        self.world.say(f"{request.headers['webhook-id']}: the kept connection ends")
        was_read, was_taken = self._endings.choice(((False, False), (True, False), (True, True)))
        if was_read:
            self.unanswered(request, was_taken)
        if self.world.current is not None:
            self.world.current.spend(seconds)
        again = request.anew() if request.anew else request
        self.renewed(request, again)
        return again

    def _serve(self, request: Request, seconds: float) -> Response | NoResponse:
        manner = self.manner(request.url)
        if manner is Manner.FLAPPING:
            manner = self.world.random.choice((Manner.OK, Manner.BROKEN, Manner.DEAF))
        if self._is_too_large(request):
            self.world.say(f"{request.headers['webhook-id']}: 413")
            self.got(request, False)
            return self._answer(413)
        self.world.say(f"{request.headers['webhook-id']}: {manner}")
        self.got(request, manner in (Manner.OK, Manner.DEAF))
        match manner:
            case Manner.OK:
                return self._answer(self.world.random.choice((200, 202, 204)))
            case Manner.BROKEN:
                return self._answer(500)
            case Manner.GONE:
                return self._answer(410)
            case Manner.BUSY:
                return self._answer(429, retry_after=str(RETRY_AFTER_SECONDS))
        if self.world.current is not None:
            self.world.current.spend(seconds)
        return NoResponse(TransportError.TIMEOUT, TIMEOUT_SECONDS * 1000)

    def _is_too_large(self, request: Request) -> bool:
        """Whether an endpoint of little room gets several events at once."""
        body = json.loads(request.body)
        if not self.world.hostile or body.get("type") != "batch" or len(body["data"]["events"]) < 2:
            return False
        if request.url not in self._limited:
            self._limited[request.url] = self._limits.random() < _TAKES_ONE_EVENT
        return self._limited[request.url]

    def _answer(self, status: int, retry_after: str | None = None) -> Response:
        snippet = "" if status < 300 else "sorry"
        duration_ms = self.world.random.randint(1, 900)
        return Response(status, snippet, duration_ms, retry_after=retry_after)
