"""How much of an answer's head is read, each limit from both sides."""

from collections.abc import Callable

import pytest

from perkwire.adapters.sender.bounded_response import (
    MAX_HEAD_LINES,
    MAX_INTERIM_RESPONSES,
    MAX_LINE_BYTES,
    MAX_TRAILER_LINES,
)
from perkwire.adapters.sender.deadline import MAX_HEAD_BYTES
from perkwire.model.sending import TransportError
from tests.hostile_endpoints import Endpoint, answer, answers
from tests.integration.sending import Outcome, error_of, post, sender, status_of

pytestmark = pytest.mark.measures_time

STATUS_LINE = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 2\r\n"
REST = b"\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"


def lines(count: int) -> bytes:
    """An answer of so many header lines; the one that says its length is the last."""
    return STATUS_LINE + b"Set-Cookie: a=b\r\n" * (count - 1) + LENGTH + REST


def longest_line(size: int) -> bytes:
    line = b"X-A: %b\r\n" % (b"x" * (size - 7))
    assert len(line) == size
    return STATUS_LINE + line + LENGTH + REST


def longest_status_line(size: int) -> bytes:
    line = b"HTTP/1.1 200 %b\r\n" % (b"x" * (size - 15))
    assert len(line) == size
    return line + LENGTH + REST


def head(size: int) -> bytes:
    """A head of so many bytes, its empty line included, in lines of a kilobyte and the rest."""
    filler = size - len(STATUS_LINE + LENGTH) - 2
    count, rest = divmod(filler, 1024)
    made = b"X-A: %b\r\n" % (b"x" * 1017) * (count - 1) + b"X-B: %b\r\n" % (b"x" * (1017 + rest))
    whole = STATUS_LINE + made + LENGTH + b"\r\n"
    assert len(whole) == size
    return whole + b"ok"


def interim(count: int) -> bytes:
    return b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * count + STATUS_LINE + LENGTH + REST


def head_with_interim(size: int) -> bytes:
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2
    return hints + head(size - len(hints))


LIMITS: dict[str, tuple[Callable[[int], bytes], int]] = {
    "lines": (lines, MAX_HEAD_LINES),
    "bytes of a line": (longest_line, MAX_LINE_BYTES),
    "bytes of the status line": (longest_status_line, MAX_LINE_BYTES),
    "bytes in all": (head, MAX_HEAD_BYTES),
    "interim answers": (interim, MAX_INTERIM_RESPONSES),
    "bytes in all, interim answers included": (head_with_interim, MAX_HEAD_BYTES),
}


def outcomes(whole: bytes) -> tuple[list[Outcome], int]:
    """Of two sends, and over how many connections."""
    with Endpoint(answers(whole)) as endpoint, sender() as http:
        found = [http.send(post(endpoint.url())) for _ in range(2)]
        return found, len(endpoint.connections)


@pytest.mark.parametrize("name", LIMITS)
def test_a_head_at_a_limit_is_an_answer_and_its_connection_is_kept(name: str) -> None:
    made, limit = LIMITS[name]
    found, connections = outcomes(made(limit))
    assert [(status_of(one), getattr(one, "snippet", None)) for one in found] == [(200, "ok")] * 2
    assert connections == 1


@pytest.mark.parametrize("name", LIMITS)
def test_a_head_beyond_a_limit_is_none(name: str) -> None:
    made, limit = LIMITS[name]
    found, connections = outcomes(made(limit + 1))
    assert [error_of(one) for one in found] == [TransportError.BAD_ANSWER] * 2
    assert connections == 2


@pytest.mark.parametrize(("count", "connections"), [(MAX_TRAILER_LINES, 1), (1001, 2)])
def test_more_trailers_than_the_limit_end_the_connection_and_not_the_answer(
    count: int, connections: int
) -> None:
    found, made = outcomes(CHUNKED + b"X-A: b\r\n" * count + b"\r\n")
    assert [(status_of(one), getattr(one, "snippet", None)) for one in found] == [(200, "ok")] * 2
    assert made == connections


@pytest.mark.parametrize(("size", "connections"), [(MAX_LINE_BYTES, 1), (MAX_LINE_BYTES + 1, 2)])
def test_so_does_a_trailer_that_is_too_long(size: int, connections: int) -> None:
    line = b"X-A: %b\r\n" % (b"x" * (size - 7))
    found, made = outcomes(b"%b%b\r\n" % (CHUNKED, line))
    assert [status_of(one) for one in found] == [200, 200]
    assert made == connections


@pytest.mark.parametrize("count", [101, 150, 400])
def test_a_page_of_cookies_is_no_failure(count: int) -> None:
    cookies = b"".join(b"Set-Cookie: name%d=%b; Path=/\r\n" % (n, b"v" * 90) for n in range(count))
    found, _ = outcomes(answer(extra=cookies))
    assert [status_of(one) for one in found] == [200, 200]


# How a head is read


@pytest.mark.parametrize(
    "whole",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        b"HTTP/1.1 200\r\nCONTENT-LENGTH:2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX-A:\r\nX-B: \xff\xfe\r\n x\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_head_that_can_be_read_in_one_way_keeps_its_connection(whole: bytes) -> None:
    found, connections = outcomes(whole)
    assert [(status_of(one), getattr(one, "snippet", None)) for one in found] == [(200, "ok")] * 2
    assert connections == 1


@pytest.mark.parametrize(
    "line",
    [
        b"no colon",
        b": no name",
        b"Content-Length : 2",
        b"X-A: b\rContent-Length: 2",
        b"X-A: b\x00",
        b"X-A: b\r\n\x00: c",
        b"Connection: keep-alive\r\nConnection: close",
        b"X-A: b\r\n c\rd",
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_an_answer_and_ends_its_connection(
    line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    found, connections = outcomes(answer(b"ok", extra=line + b"\r\n"))
    assert [status_of(one) for one in found] == [200, 200]
    assert connections == 2
    assert caplog.messages == []


def test_a_line_that_goes_on_with_nothing_ends_the_connection() -> None:
    found, connections = outcomes(b"HTTP/1.1 200 OK\r\n x\r\nContent-Length: 2\r\n\r\nok")
    assert [status_of(one) for one in found] == [200, 200]
    assert connections == 2


def test_two_lengths_are_no_answer() -> None:
    """Who believes the wrong one takes the rest for the next answer (RFC 9112 §6.3)."""
    found, _ = outcomes(answer(b"ok", extra=b"Content-Length: 3\r\n"))
    assert {error_of(one) for one in found} == {TransportError.BAD_ANSWER}


@pytest.mark.parametrize("status", [b"099", b"1000", b"1_0_3", b"+103", b"-1", b"abc", b""])
def test_a_status_that_is_none_is_no_answer(status: bytes) -> None:
    found, _ = outcomes(answer(b"ok", status))
    assert {error_of(one) for one in found} == {TransportError.BAD_ANSWER}


@pytest.mark.parametrize("whole", [b"HTTP/2 200 OK\r\n\r\n", b"ICY 200 OK\r\n\r\n", b"\r\n\r\n"])
def test_another_protocol_is_no_answer(whole: bytes) -> None:
    found, _ = outcomes(whole)
    assert {error_of(one) for one in found} == {TransportError.BAD_ANSWER}
