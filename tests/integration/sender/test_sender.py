import contextlib
import datetime
import functools
import gzip
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from perkwire import VERSION
from perkwire.adapters.sender import connection, dialling
from perkwire.adapters.sender.http import HttpSender
from perkwire.adapters.sender.tls import _tls_context
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.sending import NoResponse, Request, Response, TransportError
from tests.hostile_endpoints import (
    Connection,
    Endpoint,
    Script,
    answer,
    answers,
    drips,
    floods,
    hangs_up,
    never_reads,
    resets,
    says,
    stalls_after,
)
from tests.integration.sending import (
    DEADLINE,
    NAMES,
    SLACK,
    Names,
    NoAnswer,
    Outcome,
    Stopwatch,
    error_of,
    post,
    sender,
    server_tls,
    status_of,
)

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def send_once(script: Script, *, timeout_seconds: float = 5, body: bytes = b"{}") -> Outcome:
    with (
        Endpoint(script) as endpoint,
        sender(timeout_seconds=timeout_seconds) as http,
    ):
        return http.send(post(endpoint.url(), body))


# What goes over the wire


def test_the_endpoint_gets_the_given_bytes_and_no_header_that_nobody_needs() -> None:
    body = bytes(range(256)) * 16
    headers = {"Content-Type": "application/json", "webhook-id": "dlv_1", "X-Key": "a\tb"}
    with Endpoint(answers(answer(b"ok"))) as endpoint, sender() as http:
        outcome = http.send(Request(endpoint.url(target="/a%20b?c=d"), body, headers))
        [request] = endpoint.requests
    head, _, sent = request.partition(b"\r\n\r\n")
    assert sent == body
    assert sorted(head.decode().split("\r\n")[1:]) == [
        "Accept-Encoding: identity",
        "Content-Length: 4096",
        "Content-Type: application/json",
        f"Host: 127.0.0.1:{endpoint.port}",
        f"User-Agent: Perkwire/{VERSION}",
        "X-Key: a\tb",
        "webhook-id: dlv_1",
    ]
    assert head.startswith(b"POST /a%20b?c=d HTTP/1.1\r\n")
    assert status_of(outcome) == 200


def test_a_user_agent_of_the_caller_is_kept() -> None:
    with Endpoint(answers(answer())) as endpoint, sender() as http:
        http.send(Request(endpoint.url(), b"", {"user-agent": "Mine/1"}))
        [request] = endpoint.requests
    assert request.count(b"ser-") == 1
    assert b"Mine/1" in request
    assert b"Content-Length: 0\r\n" in request


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "canary\r\nX-B: c"),
        ("X-A", "canary\x00"),
        ("X A", "canary"),
        ("X-A", "canaryé"),
        ("Host", "canary"),
        ("content-length", "9"),
        ("Transfer-Encoding", "chunked"),
    ],
)
def test_headers_that_would_break_the_request_are_not_sent(name: str, value: str) -> None:
    with Endpoint(answers(answer())) as endpoint, sender() as http:
        with pytest.raises(ValueError, match="cannot be sent") as raised:
            http.send(Request(endpoint.url(), b"", {name: value}))
        assert endpoint.connections == []
    assert value not in str(raised.value)


def test_nothing_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Endpoint(answers(answer())) as endpoint, Endpoint(answers(answer())) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
            monkeypatch.setenv(name.upper(), proxy.url())
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login canary password canary\n")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
        with sender() as http:
            assert status_of(http.send(post(endpoint.url()))) == 200
        assert proxy.connections == []
        assert endpoint.requests[0].startswith(b"POST /hook HTTP/1.1\r\n")
        assert b"uthorization" not in endpoint.requests[0]


def test_cookies_are_not_kept() -> None:
    extra = b"Set-Cookie: canary=1; Path=/\r\n"
    with Endpoint(answers(answer(extra=extra))) as endpoint, sender() as http:
        for _ in range(2):
            http.send(post(endpoint.url()))
        assert b"canary" not in endpoint.requests[1]
        assert list(http._session.cookies) == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_neither_followed_nor_read(status: int) -> None:
    with Endpoint(answers(answer())) as target:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {target.url()}\r\n".encode()
        endless = floods(b"x" * 65536, 1000, after=head + b"Content-Length: 65536000\r\n\r\n")
        with Endpoint(endless) as endpoint, sender() as http:
            assert status_of(http.send(post(endpoint.url()))) == status
            endpoint.join()
            assert endpoint.connections[0].sent < 16_000_000
        assert target.connections == []


@pytest.mark.parametrize("status", [200, 204, 304, 400, 410, 429, 500, 599, 999])
def test_any_status_is_an_answer(status: int) -> None:
    assert status_of(send_once(answers(answer(status=b"%d" % status)))) == status


# At most one request for one send


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (hangs_up, TransportError.RESET),
        (resets, TransportError.RESET),
        (says(b"SMTP ready\r\n\r\n"), TransportError.BAD_ANSWER),
        (says(b"HTTP/1.1 101 Upgrade\r\n\r\n" + answer()), TransportError.BAD_ANSWER),
    ],
)
def test_n_sends_to_a_dead_endpoint_are_n_requests(script: Script, error: TransportError) -> None:
    with Endpoint(script) as endpoint, sender() as http:
        assert [error_of(http.send(post(endpoint.url()))) for _ in range(4)] == [error] * 4
        assert len(endpoint.requests) == 4


def test_a_request_on_a_kept_connection_that_dies_is_not_sent_again() -> None:
    def script(peer: Connection) -> None:
        peer.read_request()
        peer.send(answer())
        peer.read_request()

    with Endpoint(script) as endpoint, sender() as http:
        assert status_of(http.send(post(endpoint.url()))) == 200
        assert error_of(http.send(post(endpoint.url()))) is TransportError.RESET
        assert len(endpoint.requests) == 2
        assert len(endpoint.connections) == 1


# Kept connections


@pytest.mark.parametrize(
    "whole",
    [
        answer(b"ok"),
        answer(),
        answer(b"x" * 4096),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
)
def test_a_connection_is_kept_after_a_whole_answer(whole: bytes) -> None:
    with Endpoint(answers(whole)) as endpoint, sender() as http:
        for _ in range(3):
            assert isinstance(http.send(post(endpoint.url())), Response)
        assert len(endpoint.connections) == 1
        assert len(endpoint.requests) == 3


@pytest.mark.parametrize(
    "whole",
    [
        answer(b"x" * 4097),
        answer(extra=b"Connection: close\r\n"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        CHUNKED + b"1001\r\n" + b"x" * 4097 + b"\r\n0\r\n\r\n",
        answer(extra=b"this is no header\r\n"),
    ],
)
def test_a_connection_is_closed_after_any_other(
    whole: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with Endpoint(answers(whole)) as endpoint, sender() as http:
        for _ in range(2):
            assert isinstance(http.send(post(endpoint.url())), Response)
        endpoint.join()
        assert len(endpoint.connections) == 2
    assert caplog.messages == []


@pytest.mark.parametrize(
    "ahead",
    [
        answer(b"ahead", b"299 Ahead"),
        b"H",
        answer(b"x" * 8192, b"299 Ahead"),  # more than the reader takes at once
    ],
)
def test_a_connection_on_which_bytes_came_ahead_is_not_used_again(ahead: bytes) -> None:
    with Endpoint(answers(answer(b"own"), ahead)) as endpoint, sender() as http:
        for _ in range(2):
            outcome = http.send(post(endpoint.url()))
            assert (status_of(outcome), getattr(outcome, "snippet", None)) == (200, "own")
        assert len(endpoint.connections) == 2
        assert len(endpoint.requests) == 2


@pytest.mark.parametrize(("slept", "connections"), [(3.9, 1), (4.1, 2), (3600, 2)])
@pytest.mark.parametrize("clock", ["time", "monotonic"])
def test_a_connection_idle_for_four_seconds_by_either_clock_is_not_used_again(
    clock: str, slept: float, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {"time": 0.0, "monotonic": 0.0}

    class Clocks:
        time = staticmethod(lambda: now["time"])
        monotonic = staticmethod(lambda: now["monotonic"])

    monkeypatch.setattr(connection, "time", Clocks)
    with Endpoint(answers(answer())) as endpoint, sender() as http:
        http.send(post(endpoint.url()))
        now[clock] += slept
        assert status_of(http.send(post(endpoint.url()))) == 200
        assert len(endpoint.connections) == connections
        assert len(endpoint.requests) == 2


def test_an_interim_answer_is_not_taken_for_the_answer_nor_left_for_the_next_request() -> None:
    def script(peer: Connection) -> None:
        for status in (b"201 Created", b"202 Accepted"):
            peer.read_request()
            peer.send(
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            )
            peer.send(b"HTTP/1.1 102 Processing\r\n\r\n" + answer(status, status))

    with Endpoint(script) as endpoint, sender() as http:
        outcomes = [http.send(post(endpoint.url())) for _ in range(2)]
        assert [status_of(outcome) for outcome in outcomes] == [201, 202]
        assert len(endpoint.connections) == 1


def test_ten_threads_each_get_the_answer_to_their_own_request() -> None:
    def echo(peer: Connection) -> None:
        while (request := peer.read_request()) is not None:
            peer.send(answer(request.rpartition(b"\r\n")[2]))

    def talk(http: HttpSender, url: str, thread: int) -> list[bool]:
        texts = [f"{thread}-{number}" for number in range(30)]
        outcomes = [http.send(post(url, text.encode())) for text in texts]
        return [
            getattr(got, "snippet", None) == text for got, text in zip(outcomes, texts, strict=True)
        ]

    with Endpoint(echo) as endpoint, sender() as http, ThreadPoolExecutor(10) as threads:
        results = list(threads.map(functools.partial(talk, http, endpoint.url()), range(10)))
        assert all(all(result) for result in results)
        assert len(endpoint.connections) <= 10
        assert len(endpoint.requests) == 300


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
        sender(timeout_seconds=0.3, resolver=resolver) as http,
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


# Too much of everything

MEGABYTE = b"x" * 1_000_000
FLOODS: dict[str, tuple[Script, TransportError | None]] = {
    "a gigabyte of body": (
        floods(MEGABYTE, 1000, after=HEAD + b"Content-Length: 1000000000\r\n\r\n"),
        None,
    ),
    "a gigabyte without length": (floods(MEGABYTE, 1000, after=HEAD + b"\r\n"), None),
    "a gigabyte in one chunk": (floods(MEGABYTE, 1000, after=CHUNKED + b"3B9ACA00\r\n"), None),
    "endless small chunks": (floods(b"1\r\nx\r\n" * 10000, 10000, after=CHUNKED), None),
    "an endless chunk size": (floods(b"0" * 65536, 10000, after=CHUNKED), None),
    "endless trailers": (floods(b"X-A: b\r\n" * 10000, 10000, after=CHUNKED + b"0\r\n"), None),
    "a gzip bomb": (
        answers(answer(gzip.compress(bytes(50_000_000)), extra=b"Content-Encoding: gzip\r\n")),
        None,
    ),
    "a million headers": (
        floods(b"X-A: b\r\n" * 10000, 100, after=HEAD),
        TransportError.BAD_ANSWER,
    ),
    "an endless header": (
        floods(MEGABYTE, 1000, after=HEAD + b"X-A: "),
        TransportError.BAD_ANSWER,
    ),
    "an endless status line": (
        floods(MEGABYTE, 1000, after=b"HTTP/1.1 200 "),
        TransportError.BAD_ANSWER,
    ),
    "endless 100 answers": (
        floods(b"HTTP/1.1 100 Continue\r\n\r\n" * 10000, 10000),
        TransportError.BAD_ANSWER,
    ),
    "endless 103 answers": (
        floods(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10000, 10000),
        TransportError.BAD_ANSWER,
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_cut_off_with_little_memory_and_time(name: str) -> None:
    script, error = FLOODS[name]
    with Endpoint(script) as endpoint, sender() as http:
        tracemalloc.start()
        try:
            with Stopwatch() as watch:
                outcome = http.send(post(endpoint.url()))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        endpoint.join()
        if error:
            assert error_of(outcome) is error
        else:
            assert status_of(outcome) == 200
        assert watch.seconds < 2
        assert peak < 2_000_000
        assert endpoint.connections[0].sent < 30_000_000  # what the kernel's buffers took


# Addresses


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["169.254.169.254"],
        ["169.254.100.1"],
        ["100.64.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        [f"8.8.4.{number}" for number in range(49)] + ["192.168.0.1"],
        ["fe80::1%lo"],
    ],
)
def test_a_name_with_one_bad_address_is_not_dialled_at_all(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled: list[str] = []
    monkeypatch.setattr(dialling, "_connect", lambda address, *_: dialled.append(address))
    names = Names(hook_example=addresses)
    with sender(policy=EndpointPolicy.PUBLIC, resolver=names) as http:
        outcome = http.send(post("https://hook.example/"))
    assert error_of(outcome) is TransportError.BLOCKED_ADDRESS
    assert names.asked == ["hook.example"]
    assert dialled == []


def test_the_local_policy_dials_loopback_but_no_other_private_address() -> None:
    names = Names(hook_example=["127.0.0.1", "10.0.0.1"])
    with Endpoint(answers(answer())) as endpoint, sender(resolver=names) as http:
        url = endpoint.url("hook.example")
        assert error_of(http.send(post(url))) is TransportError.BLOCKED_ADDRESS
        assert endpoint.connections == []
        names.addresses["hook.example"] = ["127.0.0.1"]
        assert status_of(http.send(post(url))) == 200


def test_a_name_that_turns_private_between_two_sends_is_blocked_on_the_second() -> None:
    names = Names(hook_example=["127.0.0.1"])
    with Endpoint(says(answer(extra=b"Connection: close\r\n"))) as endpoint:
        with sender(resolver=names) as http:
            assert status_of(http.send(post(endpoint.url("hook.example")))) == 200
            names.addresses["hook.example"] = ["169.254.169.254"]
            outcome = http.send(post(endpoint.url("hook.example")))
        assert error_of(outcome) is TransportError.BLOCKED_ADDRESS
        assert len(endpoint.connections) == 1


def test_the_name_is_resolved_once_for_a_connection_and_a_kept_one_keeps_its_address() -> None:
    names = Names(hook_example=["127.0.0.1"])
    with Endpoint(answers(answer())) as endpoint, sender(resolver=names) as http:
        http.send(post(endpoint.url("hook.example")))
        names.addresses["hook.example"] = ["10.0.0.1"]
        assert status_of(http.send(post(endpoint.url("hook.example")))) == 200
        assert names.asked == ["hook.example"]


def test_the_next_address_is_tried_when_one_does_not_connect() -> None:
    names = Names(hook_example=["127.0.0.2", "127.0.0.3", "127.0.0.1"])
    with Endpoint(answers(answer())) as endpoint, sender(resolver=names) as http:
        assert status_of(http.send(post(endpoint.url("hook.example")))) == 200
        assert b"Host: hook.example:" in endpoint.requests[0]


def test_no_more_than_four_addresses_are_tried() -> None:
    names = Names(hook_example=["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.1"])
    with Endpoint(answers(answer())) as endpoint, sender(resolver=names) as http:
        outcome = http.send(post(endpoint.url("hook.example")))
        assert error_of(outcome) is TransportError.CONNECT
        assert endpoint.connections == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "hook.example", "[::1]", "127.0.0.2"])
def test_a_denied_port_is_not_dialled_under_any_name(host: str) -> None:
    names = Names(localhost=["127.0.0.1"], hook_example=["127.0.0.1"])
    with Endpoint(answers(answer())) as endpoint:
        with sender(denied_ports=frozenset({endpoint.port}), resolver=names) as http:
            outcome = http.send(post(endpoint.url(host)))
        assert error_of(outcome) is TransportError.BAD_URL
        assert endpoint.connections == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example/",
        "https://hook.example:9001/",
        "https://127.0.0.1/",
        "https://0x7f.1/",
        "https://u:p@hook.example/",
        "https://[::1]/",
        "https://localhost/",
        "file:///etc/passwd",
    ],
)
def test_the_rule_for_urls_is_applied_again_when_sending(url: str) -> None:
    names = Names(hook_example=["127.0.0.1"], localhost=["127.0.0.1"])
    with sender(policy=EndpointPolicy.PUBLIC, resolver=names) as http:
        assert error_of(http.send(post(url))) is TransportError.BAD_URL
    assert names.asked == []


def test_a_name_that_does_not_exist_and_a_port_that_is_closed_have_their_own_errors() -> None:
    with sender(resolver=Names(hook_example=["127.0.0.1"], empty_example=[])) as http:
        assert error_of(http.send(post("http://nowhere.example/"))) is TransportError.DNS
        assert error_of(http.send(post("http://empty.example/"))) is TransportError.DNS
        assert error_of(http.send(post("http://hook.example:1/"))) is TransportError.CONNECT


def test_the_operating_systems_resolver_gives_plain_addresses() -> None:
    assert set(dialling.system_resolver("localhost", 443)) <= {"127.0.0.1", "::1"}


# TLS


def test_tls_is_verified_by_name_while_an_address_is_dialled(
    authority: trustme.CA, ca_file: str
) -> None:
    asked_for: list[str | None] = []
    tls = server_tls(authority.issue_cert("hook.example"))
    tls.sni_callback = lambda _sock, name, _context: asked_for.append(name)
    with Endpoint(answers(answer(b"ok")), tls=tls) as endpoint:
        with sender(ca_file=ca_file, resolver=NAMES) as http:
            outcomes = [http.send(post(endpoint.url("hook.example"))) for _ in range(2)]
        assert [status_of(outcome) for outcome in outcomes] == [200, 200]
        assert asked_for == ["hook.example"]
        assert len(endpoint.connections) == 1


def test_tls_to_an_address_is_verified_by_the_address(authority: trustme.CA, ca_file: str) -> None:
    tls = server_tls(authority.issue_cert("127.0.0.1"))
    with Endpoint(answers(answer()), tls=tls) as endpoint, sender(ca_file=ca_file) as http:
        assert status_of(http.send(post(endpoint.url()))) == 200


def wrong_host(authority: trustme.CA) -> ssl.SSLContext:
    return server_tls(authority.issue_cert("other.example", "127.0.0.1"))


def unknown_authority(authority: trustme.CA) -> ssl.SSLContext:
    return server_tls(trustme.CA().issue_cert("hook.example"))


def expired(authority: trustme.CA) -> ssl.SSLContext:
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    return server_tls(authority.issue_cert("hook.example", not_after=yesterday))


def too_old(authority: trustme.CA) -> ssl.SSLContext:
    context = server_tls(authority.issue_cert("hook.example"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def wants_client_certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = server_tls(authority.issue_cert("hook.example"))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.mark.parametrize(
    "tls", [wrong_host, unknown_authority, expired, too_old, wants_client_certificate]
)
def test_nothing_is_sent_over_tls_that_cannot_be_trusted(
    tls: Callable[[trustme.CA], ssl.SSLContext], authority: trustme.CA, ca_file: str
) -> None:
    with Endpoint(answers(answer()), tls=tls(authority)) as endpoint:
        with sender(ca_file=ca_file, resolver=NAMES) as http:
            outcome = http.send(post(endpoint.url("hook.example")))
        assert error_of(outcome) is TransportError.TLS
        assert endpoint.requests == []


def test_an_endpoint_that_is_not_trusted_by_certifi_is_not_trusted(authority: trustme.CA) -> None:
    tls = server_tls(authority.issue_cert("hook.example"))
    with Endpoint(answers(answer()), tls=tls) as endpoint, sender(resolver=NAMES) as http:
        assert error_of(http.send(post(endpoint.url("hook.example")))) is TransportError.TLS


def speaks_plainly(peer: Connection) -> None:
    peer.sock.recv(1)
    peer.send(answer())
    peer.wait()


def resets_in_handshake(peer: Connection) -> None:
    peer.sock.recv(1)
    peer.reset()


def closes_in_handshake(peer: Connection) -> None:
    while peer.sock.recv(65536):
        peer.sock.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (speaks_plainly, TransportError.TLS),
        (resets_in_handshake, TransportError.RESET),
        (closes_in_handshake, TransportError.TLS),
    ],
)
def test_a_handshake_that_fails_has_its_error(script: Script, error: TransportError) -> None:
    with Endpoint(script) as endpoint, sender() as http:
        assert error_of(http.send(post(f"https://127.0.0.1:{endpoint.port}/"))) is error


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


def test_the_trust_store_is_read_once_however_many_connections_and_threads(
    authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []
    load = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, cafile: str) -> None:
        loads.append(cafile)
        time.sleep(0.05)  # as long as reading certifi's bundle takes on a small function
        load(context, cafile)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    _tls_context.cache_clear()
    tls = server_tls(authority.issue_cert("127.0.0.1"))
    closing = says(answer(extra=b"Connection: close\r\n"))
    with (
        Endpoint(closing, tls=tls) as endpoint,
        sender(ca_file=ca_file) as one,
        sender(ca_file=ca_file) as other,
        ThreadPoolExecutor(10) as threads,
    ):
        sends = [one.send, other.send] * 10
        outcomes = threads.map(lambda send: send(post(endpoint.url())), sends)
        assert [status_of(outcome) for outcome in outcomes] == [200] * 20
        assert len(endpoint.connections) == 20
    assert loads == [ca_file]


# What is kept of an answer


@pytest.mark.parametrize(
    ("body", "snippet"),
    [
        (b"", ""),
        (b"plain", "plain"),
        (b"a\r\n\tb\x00\x1b[31mc\x7f", "a   b[31mc"),
        ("é\u202egnp.exe\u200b\ufeff\x85".encode(), "égnp.exe "),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"x" * 5000, "x" * 512),
        (("é" * 400).encode(), "é" * 256),
        (b"\xff" * 600, "\ufffd" * 170),
    ],
)
def test_the_snippet_is_512_bytes_of_text_at_most_without_control_characters(
    body: bytes, snippet: str
) -> None:
    outcome = send_once(answers(answer(body)))
    assert isinstance(outcome, Response)
    assert outcome.snippet == snippet
    assert len(outcome.snippet.encode()) <= 512


def test_a_compressed_body_is_not_unpacked() -> None:
    packed = answer(gzip.compress(b"canary"), extra=b"Content-Encoding: gzip\r\n")
    outcome = send_once(answers(packed))
    assert isinstance(outcome, Response)
    assert "canary" not in outcome.snippet


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.sampled_from(
        [
            b"",
            b"HTTP/1.1 ",
            HEAD,
            CHUNKED,
            HEAD + b"Content-Length: ",
            CHUNKED + b"1\r\n",
            b"HTTP/1.1 103 Hints\r\n",
            HEAD + b"Transfer-Encoding: ",
            HEAD + b"\xff",
            HEAD + b"Content-Type: multipart/mixed; boundary=",
            HEAD + b" folded: ",
        ]
    ),
    st.binary(max_size=200),
)
def test_no_answer_makes_the_sender_raise(start: bytes, noise: bytes) -> None:
    outcome = send_once(says(start + noise + b"\r\n\r\n"))
    assert isinstance(outcome, Response | NoResponse)


def test_importing_the_sender_does_nothing() -> None:
    program = (
        "import ssl, socket, threading\n"
        "ssl.SSLContext = socket.socket = threading.Thread = None\n"
        "import perkwire.adapters.sender.http\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": "functions"})
