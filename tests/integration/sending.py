"""A sender under test, and what its tests ask of it."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence

import trustme

from perkwire.adapters.sender import dialling
from perkwire.adapters.sender.http import HttpSender
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.sending import NoResponse, Request, Response, TransportError
from tests.hostile_endpoints import Endpoint, Script

DEADLINE = 0.5
SLACK = 0.45  # of a busy machine; whoever waited for a second deadline would take more

type Outcome = Response | NoResponse


class Names:
    """A resolver that knows these names; a name without addresses does not exist."""

    def __init__(self, **addresses: Sequence[str]) -> None:
        self.addresses = {name.replace("_", "."): list(found) for name, found in addresses.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, /) -> Sequence[str]:
        self.asked.append(host)
        if found := self.addresses.get(host):
            return found
        raise socket.gaierror(socket.EAI_NONAME, "no such name")


class NoAnswer:
    """A resolver that answers when told to, or after some seconds."""

    def __init__(self, seconds: float | None = None) -> None:
        self.answer = threading.Event()
        self.asked = 0
        self._seconds = seconds

    def __call__(self, host: str, port: int, /) -> Sequence[str]:
        self.asked += 1
        self.answer.wait(self._seconds)
        return ["127.0.0.1"]


@contextlib.contextmanager
def sender(
    *,
    timeout_seconds: float = 5,
    policy: EndpointPolicy = EndpointPolicy.LOCAL,
    denied_ports: frozenset[int] = frozenset(),
    ca_file: str | None = None,
    resolver: dialling.Resolver = dialling.system_resolver,
) -> Iterator[HttpSender]:
    """A sender that is closed at the end."""
    made = HttpSender(
        timeout_seconds=timeout_seconds,
        policy=policy,
        denied_ports=denied_ports,
        ca_file=ca_file,
        resolver=resolver,
    )
    with contextlib.closing(made):
        yield made


def post(url: str, body: bytes = b"{}") -> Request:
    return Request(url, body, {"Content-Type": "application/json"})


def error_of(outcome: Outcome) -> TransportError:
    assert isinstance(outcome, NoResponse)
    return outcome.error


def status_of(outcome: Outcome) -> int:
    assert isinstance(outcome, Response)
    return outcome.status


class Stopwatch:
    def __enter__(self) -> "Stopwatch":
        self._started = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._started


def server_tls(issued: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context


NAMES = Names(hook_example=["127.0.0.1"])


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def send_once(script: Script, *, timeout_seconds: float = 5, body: bytes = b"{}") -> Outcome:
    with (
        Endpoint(script) as endpoint,
        sender(timeout_seconds=timeout_seconds) as http,
    ):
        return http.send(post(endpoint.url(), body))
