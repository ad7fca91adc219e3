"""TLS within a total time and a number of bytes, whatever the endpoint sends.

OpenSSL on a socket reads for as long as something is there to read, and looks at no clock: records
that carry nothing (HelloRequest, session tickets, key updates) hold one call for ever. So OpenSSL
never sees the socket here. It gets a piece of what came at a time, and the clock and the count are
looked at before each.
"""

import contextlib
import functools
import io
import socket
import ssl
import threading
from collections.abc import Buffer, Callable

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from perkwire.adapters.sender.deadline import Deadline

MAX_HANDSHAKE_BYTES = 131072
"""Received until the handshake is done. OpenSSL takes 100 kB of certificates at most."""
MAX_RECEIVED_BYTES = 131072
"""Received for one answer: the longest, and more than half as much again for records, tickets."""

_PIECE_BYTES = 16384

# Python's choice for TLS 1.2 less DHE: with that, the endpoint says how much we have to compute.
_CIPHERS = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"


class TlsSocket:
    """TLS on a connected socket, which it owns: what http.client and urllib3 use of a socket.

    A time-out is the time for all that follows until the next is set, not for each wait. Received
    bytes beyond the maxima raise SSLError. `came_first` is a few bytes of what came first, as it
    came: what does not speak TLS may say so in plain text.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, server_hostname: str) -> None:
        self._sock = sock
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        self._deadline = Deadline(0)
        self._receivable = MAX_HANDSHAKE_BYTES
        self.came_first = b""

    def settimeout(self, seconds: float) -> None:
        """Allow so much time from now on."""
        self._deadline = Deadline(seconds)

    def do_handshake(self) -> None:
        """Shake hands, and verify; the last message of it is left to go with the first data."""
        try:
            self._feed(self._tls.do_handshake)
        except ssl.SSLError:
            with contextlib.suppress(OSError):
                self._flush()  # the alert that tells the endpoint why
            raise

    def sendall(self, data: bytes) -> None:
        """Write it all."""
        rest = memoryview(data)
        while rest or self._outgoing.pending:
            if rest:
                self._tls.write(rest[:_PIECE_BYTES])
            rest = rest[_PIECE_BYTES:]
            self._flush()

    def recv_into(self, buffer: Buffer) -> int:
        """Read what there is, at least a byte; 0 at the end of the stream, announced or not."""
        view = memoryview(buffer)
        try:
            return self._feed(lambda: self._tls.read(len(view), view))  # type: ignore[return-value]
        except ssl.SSLEOFError:
            return 0

    def has_more(self) -> bool:
        """Whether bytes have been received that nobody has read yet."""
        return bool(self._incoming.pending or self._tls.pending())

    def makefile(self, _mode: str) -> io.BufferedReader:
        """A reader for the next answer; the socket stays open until it is closed, too."""
        self._receivable = MAX_RECEIVED_BYTES
        return io.BufferedReader(_Reader(self, self._sock.makefile("rb", buffering=0)))

    def fileno(self) -> int:
        """The socket's."""
        return self._sock.fileno()

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        """Set it on the socket."""
        self._sock.setsockopt(level, option, value)

    def close(self) -> None:
        """Close the socket, without a word."""
        self._sock.close()

    def _feed[T](self, step: Callable[[], T]) -> T:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._flush()
                self._receive()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._sock.settimeout(self._deadline.remaining())
            self._sock.sendall(self._outgoing.read())

    def _receive(self) -> None:
        self._sock.settimeout(self._deadline.remaining())
        if self._receivable <= 0:
            raise ssl.SSLError("The endpoint sends more than anyone needs.")
        received = self._sock.recv(min(_PIECE_BYTES, self._receivable))
        self._receivable -= len(received)
        self.came_first = self.came_first or received[:16]
        if received:
            self._incoming.write(received)
        else:
            self._incoming.write_eof()


class _Reader(io.RawIOBase):
    """One answer's way out of a TlsSocket. `hold` keeps the socket open under it."""

    def __init__(self, tls: TlsSocket, hold: io.RawIOBase) -> None:
        super().__init__()
        self._tls = tls
        self._hold = hold

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        return self._tls.recv_into(buffer)

    def close(self) -> None:
        self._hold.close()
        super().close()


_lock = threading.Lock()


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """The process's one TLS context that trusts `ca_file`, or certifi's bundle; made on first use.

    requests would read the bundle again for each new connection, at 15 ms of CPU each.
    """
    with _lock:
        return _tls_context(ca_file)


@functools.cache
def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    # ssl.create_default_context would also log all keys where SSLKEYLOGFILE says.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    context.load_verify_locations(ca_file or DEFAULT_CA_BUNDLE_PATH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    return context
