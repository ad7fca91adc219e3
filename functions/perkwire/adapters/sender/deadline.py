"""A hard limit on the whole of a request.

A socket's own time-out bounds one wait, so a peer that drips bytes outlasts it. Here every single
blocking call gets what is left of one deadline as its time-out, and none starts after it: nothing
has to watch or interrupt from outside, and nothing of a request is left over when it is given up.
"""

import http.client
import io
import socket
import time
from collections.abc import Buffer

MAX_HEAD_BYTES = 65536
"""Of an answer's head, interim answers included."""
MAX_ANSWER_BYTES = MAX_HEAD_BYTES + 16384
"""Received for an answer, body and all that frames it included; a longer one is cut off there."""


class Deadline:
    """The moment at which a request has to be over, `seconds` from now on the monotonic clock."""

    __slots__ = ("_at",)

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, always above zero; raises TimeoutError if there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError("The deadline of the request has passed.")
        return left

    def shorten(self, seconds: float) -> None:
        """Be over `seconds` from now, unless it is over before."""
        self._at = min(self._at, time.monotonic() + seconds)


class BoundedReader(io.RawIOBase):
    """Reads an answer from a socket: never past the deadline, never more than MAX_ANSWER_BYTES.

    Raises TimeoutError for the one and HTTPException for the other. Owns `raw`, which reads `sock`.
    """

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, deadline: Deadline) -> None:
        super().__init__()
        self._sock = sock
        self._raw = raw
        self._deadline = deadline
        self._left = MAX_ANSWER_BYTES
        self._stopped = False

    @property
    def has_received(self) -> bool:
        """Whether a byte has come."""
        return self._left < MAX_ANSWER_BYTES

    def readable(self) -> bool:
        """Always."""
        return True

    def stop(self) -> None:
        """Receive nothing from now on: the stream ends here."""
        self._stopped = True

    def readinto(self, buffer: Buffer, /) -> int:
        """One receive; 0 at the end of the stream."""
        if self._stopped:
            return 0
        if self._left <= 0:
            raise http.client.HTTPException("The answer is longer than anyone will read.")
        self._sock.settimeout(self._deadline.remaining())
        count = self._raw.readinto(buffer) or 0
        self._left -= count
        return count

    def close(self) -> None:
        """Close `raw`, and with it the socket if nothing else holds it."""
        self._raw.close()
        super().close()
