"""No request takes longer than its deadline, whatever the endpoint does at whatever step."""

import contextlib
import functools
import os
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme

from perkwire.adapters.sender.http import HttpSender
from perkwire.model.sending import Response, TransportError
from tests.hostile_endpoints import (
    Connection,
    Endpoint,
    Script,
    answer,
    answers,
    drips,
    never_reads,
    says,
    stalls_after,
)
from tests.integration.sending import (
    CHUNKED,
    DEADLINE,
    HEAD,
    NAMES,
    SLACK,
    Names,
    NoAnswer,
    Outcome,
    Stopwatch,
    error_of,
    post,
    send_once,
    sender,
    server_tls,
    status_of,
)

pytestmark = pytest.mark.measures_time

# The deadline


def tls_stalls(peer: Connection) -> None:
    peer.sock.recv(1)
    peer.wait()


def tls_drips(peer: Connection) -> None:
    peer.sock.recv(1)
    peer.drip(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + b"x" * 100)


STALLS: dict[str, tuple[str, Script]] = {
    "accepts and says nothing": ("http", never_reads),
    "reads and says nothing": ("http", stalls_after(b"")),
    "drips the status line": ("http", drips(b"HTTP/1.1 " + b"2" * 100)),
    "drips headers": ("http", drips(b"X-A: b\r\n" * 100, after=b"HTTP/1.1 200 OK\r\n")),
    "stops within the head": ("http", stalls_after(b"HTTP/1.1 200 OK\r\nX-A: b\r\n")),
    "drips interim answers": ("http", drips(b"HTTP/1.1 100 Continue\r\n\r\n" * 10)),
    "stops after an interim answer": ("http", stalls_after(b"HTTP/1.1 103 Hints\r\n\r\n")),
    "never answers the handshake": ("https", tls_stalls),
    "drips the handshake": ("https", tls_drips),
}


@pytest.mark.parametrize("name", STALLS)
def test_a_stalling_endpoint_is_given_up_at_the_deadline(name: str) -> None:
    scheme, script = STALLS[name]
    with Endpoint(script) as endpoint, sender(timeout_seconds=DEADLINE) as http:
        url = f"{scheme}://127.0.0.1:{endpoint.port}/"
        with Stopwatch() as watch:
            outcome = http.send(post(url))
    assert error_of(outcome) is TransportError.TIMEOUT
    assert DEADLINE <= watch.seconds < DEADLINE + SLACK
    assert DEADLINE * 1000 <= outcome.duration_ms < (DEADLINE + SLACK) * 1000


ENDLESS: dict[str, Script] = {
    "drips the body": drips(b"x" * 100, after=HEAD + b"Content-Length: 100\r\n\r\n"),
    "drips a body without length": drips(b"x" * 100, after=HEAD + b"\r\n"),
    "drips chunks": drips(b"1\r\nx\r\n" * 30, after=CHUNKED),
    "drips one chunk's size": drips(b"0" * 100, after=CHUNKED),
    "drips trailers": drips(b"X-A: b\r\n" * 30, after=CHUNKED + b"0\r\n"),
    "stops within the body": stalls_after(HEAD + b"Content-Length: 100\r\n\r\nxxx"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_an_answer_whose_body_never_ends_counts_and_is_left_at_the_deadline(name: str) -> None:
    with Stopwatch() as watch:
        outcome = send_once(ENDLESS[name], timeout_seconds=DEADLINE)
    assert status_of(outcome) == 200
    assert DEADLINE <= watch.seconds < DEADLINE + SLACK


def test_the_part_of_a_body_that_came_is_shown() -> None:
    outcome = send_once(says(HEAD + b"Content-Length: 100\r\n\r\nhello"))
    assert isinstance(outcome, Response)
    assert (outcome.status, outcome.snippet) == (200, "hello")


@pytest.mark.parametrize("size", [900_000, 32_000_000])  # all in the kernel's hands, and not
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_endpoint_that_never_reads_gets_nothing_more_after_the_deadline(
    scheme: str, size: int, authority: trustme.CA, ca_file: str
) -> None:
    """It gets what was there for it at the deadline, and a reset in place of the rest."""
    given_up = threading.Event()
    endings: list[type[Exception] | None] = []
    received = 0
    tls = server_tls(authority.issue_cert("127.0.0.1"))

    def script(peer: Connection) -> None:
        nonlocal received
        if scheme == "https":
            peer.start_tls(tls)
        given_up.wait()
        try:
            while part := os.read(peer.sock.fileno(), 1 << 20):
                received += len(part)
            endings.append(None)
        except ConnectionError as error:
            endings.append(type(error))

    with (
        Endpoint(script, receive_buffer=8192) as endpoint,
        sender(timeout_seconds=DEADLINE, ca_file=ca_file) as http,
    ):
        with Stopwatch() as watch:
            outcome = http.send(post(f"{scheme}://127.0.0.1:{endpoint.port}/", b"x" * size))
        given_up.set()
        endpoint.join()
    assert error_of(outcome) is TransportError.TIMEOUT
    assert watch.seconds < DEADLINE + SLACK
    assert received < 200_000
    assert endings == [ConnectionResetError]


def test_a_connection_that_is_never_accepted_is_given_up_at_the_deadline() -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):  # fill the backlog, so that the next is not even acknowledged
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        http = stack.enter_context(sender(timeout_seconds=DEADLINE))
        with Stopwatch() as watch:
            outcome = http.send(post(f"http://127.0.0.1:{port}/"))
    assert error_of(outcome) is TransportError.TIMEOUT
    assert DEADLINE <= watch.seconds < DEADLINE + SLACK


@pytest.mark.parametrize(
    ("scheme", "script", "size"),
    [
        ("http", never_reads, 16_000_000),
        ("http", stalls_after(b""), 2),
        ("https", tls_stalls, 2),
    ],
)
def test_the_deadline_counts_from_the_start(scheme: str, script: Script, size: int) -> None:
    slow = NoAnswer(seconds=DEADLINE - 0.1)
    with (
        Endpoint(script) as endpoint,
        sender(timeout_seconds=DEADLINE, resolver=slow) as http,
        Stopwatch() as watch,
    ):
        outcome = http.send(post(f"{scheme}://slow.example:{endpoint.port}/", b"x" * size))
    assert error_of(outcome) is TransportError.TIMEOUT
    assert DEADLINE <= watch.seconds < DEADLINE + SLACK


@pytest.mark.parametrize("host", ["127.0.0.1", "slow.example"])
def test_without_time_nothing_is_looked_up_or_dialled(host: str) -> None:
    slow = NoAnswer(seconds=0)
    with Endpoint(answers(answer())) as endpoint:
        with sender(timeout_seconds=1e-9, resolver=slow) as http:
            assert error_of(http.send(post(endpoint.url(host)))) is TransportError.TIMEOUT
        assert endpoint.connections == []
    assert slow.asked == 0


def test_a_name_that_resolves_too_late_is_not_dialled_any_more() -> None:
    resolver = NoAnswer()
    with (
        Endpoint(answers(answer())) as endpoint,
        sender(timeout_seconds=DEADLINE, resolver=resolver) as http,
    ):
        with Stopwatch() as watch:
            outcome = http.send(post(endpoint.url("slow.example")))
        assert error_of(outcome) is TransportError.DNS
        assert DEADLINE <= watch.seconds < DEADLINE + SLACK
        resolver.answer.set()
        assert status_of(http.send(post(endpoint.url("slow.example")))) == 200
        assert len(endpoint.connections) == 1


def test_names_that_never_resolve_hold_a_bounded_number_of_threads() -> None:
    resolver = NoAnswer()
    before = lookup_threads()
    with (
        Endpoint(answers(answer())) as endpoint,
        sender(timeout_seconds=2.0, resolver=resolver) as http,
        ThreadPoolExecutor(50) as threads,
    ):
        stuck = [threads.submit(http.send, post(endpoint.url("slow.example"))) for _ in range(50)]
        assert {error_of(outcome.result()) for outcome in stuck} == {TransportError.DNS}
        assert lookup_threads() - before == resolver.asked == 32
        resolver.answer.set()
        assert status_of(http.send(post(endpoint.url("slow.example")))) == 200
        assert lookup_threads() - before == 32
        assert resolver.asked == 33
        assert len(endpoint.connections) == 1


def test_names_that_resolve_one_after_the_other_take_one_thread() -> None:
    before = lookup_threads()
    with sender(resolver=Names()) as http:
        for _ in range(20):
            assert error_of(http.send(post("http://nowhere.example/"))) is TransportError.DNS
    assert lookup_threads() - before == 1


def lookup_threads() -> int:
    return sum(thread.name == "lookup" for thread in threading.enumerate())


def test_one_stalling_endpoint_does_not_hold_up_the_other_nine() -> None:
    def timed(http: HttpSender, url: str) -> tuple[Outcome, float]:
        with Stopwatch() as watch:
            outcome = http.send(post(url))
        return outcome, watch.seconds

    with (
        Endpoint(answers(answer())) as well,
        Endpoint(never_reads) as stalling,
        sender(timeout_seconds=DEADLINE) as http,
        ThreadPoolExecutor(10) as threads,
    ):
        urls = [stalling.url(), *[well.url()] * 9]
        (slow, _), *others = threads.map(functools.partial(timed, http), urls)
        assert error_of(slow) is TransportError.TIMEOUT
        assert [status_of(outcome) for outcome, _ in others] == [200] * 9
        assert max(seconds for _, seconds in others) < DEADLINE / 2


# TLS


def drips_a_record(peer: Connection) -> None:
    """One TLS record, cut into bytes: a single read of the client sees many receives."""
    tls = peer.sock
    assert isinstance(tls, ssl.SSLSocket)
    peer.read_request()
    with socket.socket(fileno=tls.detach()) as peer.sock:
        peer.drip(b"\x17\x03\x03\x40\x00" + b"x" * 200)


@pytest.mark.parametrize("script", [drips_a_record, never_reads, STALLS["drips headers"][1]])
def test_the_deadline_holds_inside_tls(script: Script, authority: trustme.CA, ca_file: str) -> None:
    tls = server_tls(authority.issue_cert("hook.example"))
    with (
        Endpoint(script, tls=tls) as endpoint,
        sender(timeout_seconds=DEADLINE, ca_file=ca_file, resolver=NAMES) as http,
        Stopwatch() as watch,
    ):
        outcome = http.send(post(endpoint.url("hook.example"), b"x" * 8_000_000))
    assert error_of(outcome) is TransportError.TIMEOUT
    assert watch.seconds < DEADLINE + SLACK
