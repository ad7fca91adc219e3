"""Connections to endpoints as urllib3 wants them, with what it leaves open closed.

Each guards one promise of `HttpSender`: the dialled address is a checked one, the deadline holds
for every read and write, an interim answer is not taken for the answer, a connection that its peer
may have given up, or has sent more on, is not used again, nothing is written after a failure.
urllib3's own retries see none of the failures.
"""

import contextlib
import http.client
import re
import socket
import struct
import threading
import time
from collections.abc import Mapping
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from perkwire.adapters.sender.bounded_response import BoundedResponse
from perkwire.adapters.sender.deadline import Deadline
from perkwire.adapters.sender.dialling import Dialler, TransportFailure
from perkwire.adapters.sender.failures import failure_of
from perkwire.adapters.sender.tls import TlsSocket, tls_context
from perkwire.primitives.dataclass import dataclass

MAX_IDLE_SECONDS = 4.0
"""Servers commonly close after 5. A frozen function sleeps through it, so both clocks count."""


_KEEP_ALIVE = re.compile(r"(?:.*[,; ])?timeout=\"?([0-9]{1,9})", re.IGNORECASE)


class Current(threading.local):
    """What holds for the request that this thread is sending."""

    deadline: Deadline
    on_a_new_connection: bool


class KeptConnectionEnded(Exception):
    """A connection that was kept ended before a byte of the answer.

    Most likely the endpoint had closed it before the request came, and has seen nothing of it.
    """


@dataclass(frozen=True, slots=True)
class Guard:
    """What all connections of a sender share. `ca_file` is trusted in place of certifi's bundle."""

    dialler: Dialler
    ca_file: str | None
    current: Current


class _Guarded(HTTPConnection):
    def __init__(self, host: str, port: int, *, guard: Guard, **options: Any) -> None:  # noqa: ANN401
        super().__init__(host, port, **options)
        self._guard = guard
        self._outgoing: list[bytes] = []
        self._idle_since = (0.0, 0.0)
        self._may_idle_seconds = MAX_IDLE_SECONDS
        self._has_answered = False
        self._response: BoundedResponse | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the connection may be used again; urllib3 asks before it does.

        Not if anything came after the last answer: it would be taken for the next one.
        """
        wall, monotonic = self._idle_since
        idle = max(time.time() - wall, time.monotonic() - monotonic)
        if idle > self._may_idle_seconds or self._guard.current.on_a_new_connection:
            return False
        if self._response and self._response.bytes_follow:
            return False
        return super().is_connected

    @property
    def _deadline(self) -> Deadline:
        return self._guard.current.deadline

    def connect(self) -> None:
        """Dial."""
        self.sock = self._dial()

    def _dial(self) -> socket.socket:
        self._has_answered = False
        return self._guard.dialler.dial(self.host, self.port, self._deadline)

    def request(  # type: ignore[override]  # urllib3's differs from http.client's
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **options: bool,
    ) -> None:
        """Write the whole request at once, so that it is one packet and one TLS record if small."""
        if self.sock is None:
            self.connect()
        self._outgoing.clear()
        self._response = None
        super().request(method, url, body, headers, **options)
        try:
            self.sock.settimeout(self._deadline.remaining())
            self.sock.sendall(b"".join(self._outgoing))
        except ConnectionError:
            pass  # It may have answered already, e.g. 413; if not, reading will tell.
        except OSError as error:
            raise self._failure(error) from error
        finally:
            self._outgoing.clear()

    def send(self, data: bytes) -> None:  # type: ignore[override]  # we send nothing but bytes
        """Collect a part of the request for `request` to write."""
        self._outgoing.append(data)

    def response_class(self, sock: socket.socket, method: str) -> BoundedResponse:  # type: ignore[override]
        """What http.client makes for an answer, here by hand."""
        self._response = BoundedResponse(sock, method, self._deadline)
        return self._response

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's
        """Read the head of the answer; raises KeptConnectionEnded and TransportFailure."""
        try:
            response = super().getresponse()
        except (OSError, http.client.HTTPException, HTTPError, ValueError) as error:
            raise self._failure(error) from error
        self._has_answered = True
        self._idle_since = (time.time(), time.monotonic())
        self._may_idle_seconds = _idle_seconds(response.headers.get("keep-alive", ""))
        return response

    def _failure(self, error: Exception) -> KeptConnectionEnded | TransportFailure:
        """What to raise for an error after which the connection is closed."""
        if self.sock is not None:
            _forget_unsent(self.sock)
        has_begun = self._response is not None and self._response.has_begun
        if self._has_answered and not has_begun and isinstance(error, ConnectionError):
            return KeptConnectionEnded()
        return failure_of(error)


class _GuardedTls(_Guarded, HTTPSConnection):
    sock: TlsSocket | None

    @property
    def is_connected(self) -> bool:
        """As above; what the TLS layer holds counts too."""
        return super().is_connected and self.sock is not None and not self.sock.has_more()

    def connect(self) -> None:
        """Dial, then shake hands under the host's name, not the address."""
        context = tls_context(self._guard.ca_file)
        sock = TlsSocket(self._dial(), context, self.host)
        try:
            sock.settimeout(self._deadline.remaining())
            sock.do_handshake()
        except OSError as error:
            sock.close()
            raise failure_of(error, came_first=sock.came_first) from error
        self.sock = sock
        self.is_verified = True


class PlainPool(HTTPConnectionPool):
    """Kept connections to one host and port."""

    ConnectionCls = _Guarded  # type: ignore[assignment]  # urllib3 names a private protocol


class TlsPool(HTTPSConnectionPool):
    """Kept TLS connections to one host and port."""

    ConnectionCls = _GuardedTls  # type: ignore[assignment]  # as above


def _forget_unsent(sock: socket.socket | TlsSocket) -> None:
    """Let closing the socket reset the connection.

    Else the kernel would go on writing what it holds, a whole request perhaps, after its failure
    has been logged.
    """
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _idle_seconds(keep_alive: str) -> float:
    """How long the connection may be idle: a second less than the endpoint says, for the way.

    RFC 2068 §19.7.1.1 has the header; servers name the time-out that they apply.
    """
    said = _KEEP_ALIVE.match(keep_alive)
    return MAX_IDLE_SECONDS if said is None else min(MAX_IDLE_SECONDS, int(said[1]) - 1)
