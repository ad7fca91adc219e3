"""What goes over the wire, how often, and over which connection."""

import functools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from perkwire import VERSION
from perkwire.adapters.sender import connection
from perkwire.adapters.sender.http import HttpSender
from perkwire.model.sending import Request, Response, TransportError
from tests.hostile_endpoints import (
    Connection,
    Endpoint,
    Script,
    answer,
    answers,
    floods,
    hangs_up,
    resets,
    says,
)
from tests.integration.sending import CHUNKED, error_of, post, send_once, sender, status_of

pytestmark = pytest.mark.measures_time

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


def test_importing_the_sender_does_nothing() -> None:
    program = (
        "import ssl, socket, threading\n"
        "ssl.SSLContext = socket.socket = threading.Thread = None\n"
        "import perkwire.adapters.sender.http\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": "functions"})
