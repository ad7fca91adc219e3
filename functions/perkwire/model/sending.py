"""What goes over the wire to an endpoint, and what comes back: values, no I/O."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class TransportError(enum.StrEnum):
    """Why an endpoint gave no usable answer; shown in the delivery log."""

    BLOCKED_ADDRESS = "blocked_address"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    BAD_ANSWER = "bad_answer"
    BAD_URL = "bad_url"


@dataclass(frozen=True, slots=True)
class Request:
    """One signed POST: the exact bytes and headers that the endpoint will get."""

    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """The endpoint answered; whether that is a success is the format's to say.

    `snippet` is at most the first 512 bytes of the answer as text, control characters removed.
    """

    status: int
    snippet: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class NoResponse:
    """No usable answer came within the time-out."""

    error: TransportError
    duration_ms: int


class Sender(Protocol):
    """Puts a request on the wire at most once and is back within its time-out."""

    def send(self, request: Request) -> Response | NoResponse:
        """Send and wait; never raises for anything that an endpoint can do."""
        ...
