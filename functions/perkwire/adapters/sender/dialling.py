"""From a host name to a connected socket: resolved once, every answer checked, that one dialled.

Because the address that was checked is the address that is dialled, a name that changes between
two look-ups (DNS rebinding) gains nothing.
"""

import ipaddress
import queue
import socket
import threading
from collections.abc import Sequence
from typing import Protocol

from perkwire.adapters.sender.deadline import Deadline
from perkwire.model.address import EndpointPolicy, is_allowed
from perkwire.model.sending import ErrorDetail, TransportError

_MOST_LOOKUPS = 32
_MOST_DIALS = 4


class TransportFailure(Exception):
    """A request that got no usable answer; holds nothing but words for what went wrong.

    It is none of the kinds of exception that urllib3 and requests catch, wrap or retry.
    """

    def __init__(self, error: TransportError, detail: ErrorDetail | None = None) -> None:
        super().__init__(error.value)
        self.error = error
        self.detail = detail


class Resolver(Protocol):
    """Looks a host name up; may block for any length of time."""

    def __call__(self, host: str, port: int, /) -> Sequence[str]:
        """All addresses of the host, in the order to try them; raises OSError if it has none."""
        ...


def system_resolver(host: str, port: int, /) -> Sequence[str]:
    """What the operating system answers."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


class _Lookup:
    __slots__ = ("abandoned", "addresses", "done", "error", "host", "port")

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.done = threading.Event()
        self.abandoned = False
        self.addresses: Sequence[str] = ()
        self.error: Exception | None = None


class Lookups:
    """Runs a resolver in threads that can be left behind, because a look-up cannot be interrupted.

    There are at most 32 of them, however many names never resolve; they only resolve.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._waiting: queue.SimpleQueue[_Lookup] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._threads = 0

    def resolve(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        """All addresses of the host; raises TransportFailure(DNS) if none come in time."""
        timeout = deadline.remaining()
        lookup = _Lookup(host, port)
        self._waiting.put(lookup)
        if not self._idle.acquire(blocking=False):
            self._add_thread()
        if not lookup.done.wait(timeout):
            lookup.abandoned = True
            raise TransportFailure(TransportError.DNS)
        if isinstance(lookup.error, (OSError, UnicodeError)):
            raise TransportFailure(TransportError.DNS) from lookup.error
        if lookup.error is not None:
            raise lookup.error
        return lookup.addresses

    def _add_thread(self) -> None:
        with self._lock:
            if self._threads == _MOST_LOOKUPS:
                return
            self._threads += 1
        threading.Thread(target=self._work, name="lookup", daemon=True).start()

    def _work(self) -> None:
        while True:
            lookup = self._waiting.get()
            if not lookup.abandoned:
                try:
                    lookup.addresses = self._resolver(lookup.host, lookup.port)
                except Exception as error:
                    lookup.error = error  # for the one who waits to raise
            self._idle.release()
            lookup.done.set()


class Dialler:
    """Opens connections to allowed addresses only. Safe to use from many threads."""

    def __init__(self, policy: EndpointPolicy, resolver: Resolver) -> None:
        self._policy = policy
        self._lookups = Lookups(resolver)

    def dial(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        """A connected socket; raises TransportFailure.

        If one address of the host is not allowed, none is dialled: a name with a private address
        among its answers is an attempt to get at it. At most four addresses are tried in turn,
        each with its share of the time that is left.
        """
        try:
            addresses = self._addresses(host, port, deadline)
            if not addresses:
                raise TransportFailure(TransportError.DNS)
            if not all(is_allowed(address, self._policy) for address in addresses):
                raise TransportFailure(TransportError.BLOCKED_ADDRESS)
            return _connect_first(addresses[:_MOST_DIALS], port, deadline)
        except TimeoutError as error:
            raise TransportFailure(TransportError.TIMEOUT) from error
        except OSError as error:
            raise TransportFailure(TransportError.CONNECT) from error

    def _addresses(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            return self._lookups.resolve(host, port, deadline)


def _connect_first(addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
    for untried in range(len(addresses) - 1, -1, -1):
        try:
            return _connect(addresses[-1 - untried], port, deadline.remaining() / (untried + 1))
        except OSError:
            if not untried:
                raise
    raise AssertionError("there is at least one address")


def _connect(address: str, port: int, timeout: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return sock
