"""What goes over the wire to an endpoint, and what comes back: values, no I/O."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Protocol

from perkwire.primitives.dataclass import dataclass


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


class ErrorDetail(enum.StrEnum):
    """Which of the reasons that one error class has; shown beside it."""

    SELF_SIGNED = "self_signed"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_HOST = "wrong_host"
    UNKNOWN_ISSUER = "unknown_issuer"
    """Or a certificate between is missing from what the endpoint sends."""
    BAD_CERTIFICATE = "bad_certificate"
    CLIENT_CERTIFICATE = "client_certificate"
    """It asks for one, and there is none."""
    PROTOCOL = "protocol"
    """No version or cipher in common, or no TLS at all."""
    PLAIN_HTTP = "plain_http"
    """Plain HTTP where https was asked for."""
    TLS_EXPECTED = "tls_expected"
    """TLS where http was asked for."""


@dataclass(frozen=True, slots=True)
class Request:
    """One signed POST: the exact bytes and headers that the endpoint will get.

    `anew` makes the same request for a second copy, with a signature and whatever else may not
    repeat of its own; without it a second copy is the same bytes.
    """

    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    anew: Callable[[], "Request"] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Response:
    """The endpoint answered; whether that is a success is the format's to say.

    `snippet` is at most the first 512 bytes of the answer as text, control characters removed.
    `duration_ms` is the time to the head of the answer. `location` is where a redirect points,
    `retry_after` the header of that name as it came.
    """

    status: int
    snippet: str
    duration_ms: int
    location: str | None = None
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class NoResponse:
    """No usable answer came within the time-out."""

    error: TransportError
    duration_ms: int
    detail: ErrorDetail | None = None


class Sender(Protocol):
    """Puts a request on the wire and is back within its time-out.

    Twice, if the connection was a kept one that ended before a byte of the answer; never else.
    """

    def send(self, request: Request) -> Response | NoResponse:
        """Send and wait; never raises for anything that an endpoint can do."""
        ...
