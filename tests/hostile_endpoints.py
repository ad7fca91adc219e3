"""Endpoints that do what a script says, byte by byte, on real sockets.

A script is a function of one connection. It runs in a thread for each connection, and what the
peer's hanging up makes it raise is ignored.
"""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

STEP_SECONDS = 0.05


class Connection:
    """One accepted connection, from the endpoint's side."""

    def __init__(self, endpoint: "Endpoint", sock: socket.socket) -> None:
        self.endpoint = endpoint
        self.sock = sock
        self.sent = 0

    def start_tls(self, context: ssl.SSLContext) -> None:
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def read_request(self) -> bytes | None:
        """A whole request by its Content-Length, noted with the endpoint; None at the end."""
        received = b""
        while b"\r\n\r\n" not in received:
            part = self.sock.recv(65536)
            if not part:
                return None
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        while len(body) < length:
            body += self.sock.recv(65536)
        request = head + b"\r\n\r\n" + body
        self.endpoint.note(request)
        return request

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)
        self.sent += len(data)

    def drip(self, data: bytes) -> None:
        """One byte per step: far slower than any deadline here allows."""
        for byte in data:
            self.send(bytes([byte]))
            self.wait(STEP_SECONDS)

    def flood(self, data: bytes, times: int) -> None:
        """The same again and again, as fast as the peer takes it."""
        for _ in range(times):
            self.send(data)

    def wait(self, seconds: float | None = None) -> None:
        """Do nothing until the test is over, or for so long."""
        if self.endpoint.over.wait(seconds):
            raise ConnectionAbortedError

    def reset(self) -> None:
        """Close with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


type Script = Callable[[Connection], None]


class Endpoint:
    """A server on a free port of 127.0.0.1 for the length of a `with`."""

    def __init__(
        self,
        script: Script,
        *,
        tls: ssl.SSLContext | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        self._script = script
        self._tls = tls
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.port: int = self._listener.getsockname()[1]
        self.over = threading.Event()
        self.connections: list[Connection] = []
        self.requests: list[bytes] = []
        self._threads = [threading.Thread(target=self._accept)]

    def url(self, host: str = "127.0.0.1", target: str = "/hook") -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{host}:{self.port}{target}"

    def note(self, request: bytes) -> None:
        with self._lock:
            self.requests.append(request)

    def join(self) -> None:
        """Wait until every connection so far has ended on its own."""
        for thread in self._threads[1:]:
            thread.join(10)
            assert not thread.is_alive()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, sock)
            self.connections.append(connection)
            thread = threading.Thread(target=self._talk, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _talk(self, connection: Connection) -> None:
        try:
            if self._tls:
                connection.start_tls(self._tls)
            self._script(connection)
        except (OSError, ValueError):
            pass
        finally:
            connection.sock.close()


def answer(body: bytes = b"", status: bytes = b"200 OK", extra: bytes = b"") -> bytes:
    """A whole answer."""
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), extra, body)


def answers(*parts: bytes) -> Script:
    """Answer every request with these bytes, and keep the connection."""

    def script(connection: Connection) -> None:
        while connection.read_request() is not None:
            connection.send(b"".join(parts))

    return script


def says(data: bytes) -> Script:
    """Answer one request with these bytes, then close."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(data)

    return script


def stalls_after(data: bytes) -> Script:
    """Answer one request with these bytes, then say nothing more."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(data)
        connection.wait()

    return script


def drips(data: bytes, *, after: bytes = b"") -> Script:
    """Answer with `after` at once, then with one byte per step."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(after)
        connection.drip(data)

    return script


def floods(data: bytes, times: int, *, after: bytes = b"") -> Script:
    """Answer with `after`, then the same again and again."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(after)
        connection.flood(data, times)

    return script


def never_reads(connection: Connection) -> None:
    connection.wait()


def hangs_up(connection: Connection) -> None:
    connection.read_request()


def resets(connection: Connection) -> None:
    connection.read_request()
    connection.reset()
