"""An endpoint's answer as it is read: limits on its head that are ours, not a library's.

http.client takes 100 header lines and any number of interim answers. What it makes of a head is
kept: it gets the few lines of it that matter, once the whole of it has been read within limits.
"""

import http
import http.client
import io
import re
import socket

from perkwire.adapters.sender.deadline import MAX_HEAD_BYTES, BoundedReader, Deadline

MAX_HEAD_LINES = 1000
"""Header lines of an answer."""
MAX_LINE_BYTES = 32768
"""Of a line of a head, a chunk's size or a trailer, with its end."""
MAX_INTERIM_RESPONSES = 100
"""1xx answers before the answer; all of them and its head have MAX_HEAD_BYTES together."""
MAX_TRAILER_LINES = 1000
"""Lines after a chunked body. More are no harm to the answer: its connection is not kept."""

_INTERIM = re.compile(rb"HTTP/\S+\s+(1[0-9][0-9])(?![0-9])")
_NAME = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+")
_UNSAFE = re.compile(rb"[\r\0]")
_ENDS = frozenset({b"\r\n", b"\n", b""})
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")  # an alert, a handshake
_WANTED = frozenset(
    {
        b"connection",
        b"content-encoding",
        b"content-length",
        b"keep-alive",
        b"location",
        b"proxy-connection",
        b"retry-after",
        b"transfer-encoding",
    }
)


class SpeaksTls(http.client.HTTPException):
    """What answers a plain request is TLS."""


class BoundedResponse(http.client.HTTPResponse):
    """An answer read within bounds; what exceeds them in its head raises HTTPException.

    Of its headers there are only those that say how it is framed, how long its connection stays,
    how its body is coded, where it points and when to come again.
    """

    def __init__(self, sock: socket.socket, method: str, deadline: Deadline) -> None:
        super().__init__(sock, method=method)
        self._reader = BoundedReader(sock, self.fp.detach(), deadline)
        self.fp = io.BufferedReader(self._reader)
        self.bytes_follow = False

    @property
    def has_begun(self) -> bool:
        """Whether a byte of it, or of an interim answer, has come."""
        return self._reader.has_received

    def begin(self) -> None:
        """Read the head, interim answers first.

        http.client skips 100 only and would take 103 for the answer, and the true answer for that
        of the next request on the connection.
        """
        head = _HeadReader(self.fp)
        for _ in range(MAX_INTERIM_RESPONSES + 1):
            status_line, lines = head.read()
            interim = _INTERIM.match(status_line)
            if interim is None:
                break
            if int(interim[1]) == http.HTTPStatus.SWITCHING_PROTOCOLS:
                raise http.client.HTTPException("An upgrade that was not asked for.")
        else:
            raise http.client.HTTPException("More interim answers than anyone needs.")
        wanted, is_sound = _wanted(lines)
        fields = b"".join(b"%b: %b\r\n" % field for field in wanted.items())
        matters = io.BytesIO(b"%b\r\n%b\r\n" % (status_line.strip(), fields))
        answer, self.fp = self.fp, io.BufferedReader(matters)
        try:
            super().begin()
        finally:
            self.fp = answer
        if self.status < http.HTTPStatus.OK:
            raise http.client.BadStatusLine("A status that is none.")
        if not is_sound:
            # A line that cannot be read may have been the one that says where the answer ends.
            self.will_close = True

    def _read_and_discard_trailer(self) -> None:
        for _ in range(MAX_TRAILER_LINES + 1):
            line = self.fp.readline(MAX_LINE_BYTES + 1)
            if line in _ENDS:
                return
            if len(line) > MAX_LINE_BYTES:
                break
        raise http.client.HTTPException("More trailers than anyone needs.")

    def _close_conn(self) -> None:
        # The answer has been read to its end. What else was taken from the socket is lost with the
        # buffer, and with it the place where the next answer starts.
        self._reader.stop()
        self.bytes_follow = bool(self.fp.peek())
        super()._close_conn()  # type: ignore[misc]  # http.client's own


class _HeadReader:
    """Reads heads, within MAX_HEAD_BYTES for all of them."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._left = MAX_HEAD_BYTES

    def read(self) -> tuple[bytes, list[bytes]]:
        """The status line and the lines after it up to the empty one.

        A stream that ends within them ends them. Raises HTTPException, and RemoteDisconnected if
        there is nothing.
        """
        status_line = self._line()
        if not status_line:
            raise http.client.RemoteDisconnected("The connection ended without an answer.")
        if status_line.startswith(_TLS_RECORDS):
            raise SpeaksTls("TLS on a plain connection.")
        if not status_line.startswith(b"HTTP/"):
            raise http.client.BadStatusLine("No status line.")
        lines: list[bytes] = []
        while (line := self._line()) not in _ENDS:
            lines.append(line)
            if len(lines) > MAX_HEAD_LINES:
                raise http.client.HTTPException("More header lines than anyone needs.")
        return status_line, lines

    def _line(self) -> bytes:
        line = self._stream.readline(MAX_LINE_BYTES + 1)
        self._left -= len(line)
        if len(line) > MAX_LINE_BYTES or self._left < 0:
            raise http.client.LineTooLong("head")
        return line


def _wanted(lines: list[bytes]) -> tuple[dict[bytes, bytes], bool]:
    """The wanted fields by name in lower case, and whether every line could be read.

    A field that comes twice counts once if it says the same, else as a list (RFC 9110 §5.3).
    """
    fields: dict[bytes, bytes] = {}
    is_sound = True
    name = b""
    for line in lines:
        if line[0] in b" \t":  # it goes on with the one before (RFC 9112 §5.2)
            value = line.strip()
            if not name or _UNSAFE.search(value):
                is_sound = False
            elif name in fields:
                fields[name] = b"%b %b" % (fields[name], value)
            continue
        name, colon, value = line.partition(b":")
        name, value = name.lower(), value.strip()
        if not colon or not _NAME.fullmatch(name) or _UNSAFE.search(value):
            is_sound = False
        elif name in _WANTED:
            before = fields.get(name, value)
            fields[name] = value if before == value else b"%b, %b" % (before, value)
    return fields, is_sound
