"""Kept connections that end under a request: it goes out once more, on a new one."""

import contextlib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import trustme

from perkwire.adapters.sender import connection
from perkwire.model.sending import Request, TransportError
from tests.hostile_endpoints import Connection, Endpoint, Script, answer, answers
from tests.integration.sending import (
    DEADLINE,
    SLACK,
    Names,
    Stopwatch,
    error_of,
    post,
    sender,
    server_tls,
    status_of,
)

pytestmark = pytest.mark.measures_time

type Ending = Callable[[Connection], None]


def closes(peer: Connection) -> None:
    """As a server does that has read the request and wants no more."""


def closes_with_the_request_unread(peer: Connection) -> None:
    """As a server does whose idle time-out is over: the kernel answers the request with a reset."""
    peer.sock.recv(1)


def resets(peer: Connection) -> None:
    peer.read_request()
    peer.reset()


def reads_and_closes(peer: Connection) -> None:
    peer.read_request()


def says_so_and_closes(peer: Connection) -> None:
    """TLS that is ended as it should be."""
    peer.read_request()
    if isinstance(peer.sock, ssl.SSLSocket):
        with contextlib.suppress(OSError):
            peer.sock.unwrap()


ENDINGS = [closes_with_the_request_unread, resets, reads_and_closes, says_so_and_closes]


def answers_then(ending: Ending) -> Script:
    """Answer the first request of each connection; on the second it ends so."""

    def script(peer: Connection) -> None:
        if peer.read_request() is not None:
            peer.send(answer(b"ok"))
            ending(peer)

    return script


@pytest.mark.parametrize("size", [2, 900_000])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_request_on_a_kept_connection_that_ends_goes_out_once_more(
    ending: Ending, scheme: str, size: int, authority: trustme.CA, ca_file: str
) -> None:
    tls = server_tls(authority.issue_cert("127.0.0.1")) if scheme == "https" else None
    with (
        Endpoint(answers_then(ending), tls=tls) as endpoint,
        sender(ca_file=ca_file) as http,
    ):
        for _ in range(3):
            assert status_of(http.send(post(endpoint.url(), b"x" * size))) == 200
        assert len(endpoint.connections) == 3


def test_the_second_copy_is_the_same_bytes_where_the_request_says_nothing_else() -> None:
    with Endpoint(answers_then(reads_and_closes)) as endpoint, sender() as http:
        for _ in range(2):
            assert status_of(http.send(post(endpoint.url()))) == 200
        first, second, third = endpoint.requests
    assert first == second == third


def test_the_second_copy_is_made_anew_and_only_then() -> None:
    made: list[Request] = []

    def numbered(request: Request) -> Request:
        def anew() -> Request:
            made.append(replace(request, headers={"nonce": f"{len(made) + 2}"}))
            return made[-1]

        return replace(request, headers={"nonce": "1"}, anew=anew)

    with Endpoint(answers_then(reads_and_closes)) as endpoint, sender() as http:
        request = numbered(post(endpoint.url()))
        assert status_of(http.send(request)) == 200
        assert made == []
        assert status_of(http.send(request)) == 200
        assert len(made) == 1
        assert [b"nonce: 1" in sent for sent in endpoint.requests] == [True, True, False]
        assert b"nonce: 2" in endpoint.requests[2]


def test_it_goes_out_once_more_and_no_oftener() -> None:
    connections: list[Connection] = []

    def script(peer: Connection) -> None:
        connections.append(peer)
        if peer.read_request() is not None and len(connections) == 1:
            peer.send(answer())
            peer.read_request()

    with Endpoint(script) as endpoint, sender() as http:
        assert status_of(http.send(post(endpoint.url()))) == 200
        assert error_of(http.send(post(endpoint.url()))) is TransportError.RESET
        assert len(endpoint.requests) == 3
        assert len(endpoint.connections) == 2


def test_the_second_copy_takes_no_other_kept_connection() -> None:
    """One that is kept meanwhile may have ended too."""
    with (
        Endpoint(answers_then(reads_and_closes)) as endpoint,
        sender() as http,
        ThreadPoolExecutor(1) as other,
    ):
        request = post(endpoint.url())

        def anew() -> Request:
            assert status_of(other.submit(http.send, request).result()) == 200
            return request

        assert status_of(http.send(request)) == 200
        assert status_of(http.send(replace(request, anew=anew))) == 200
        assert len(endpoint.requests) == 4
        assert len(endpoint.connections) == 3


def test_a_second_copy_has_what_is_left_of_the_deadline() -> None:
    connections: list[Connection] = []

    def script(peer: Connection) -> None:
        connections.append(peer)
        peer.read_request()
        if len(connections) == 1:
            peer.send(answer())
            peer.read_request()
            peer.wait(DEADLINE - 0.2)
        else:
            peer.wait()

    with Endpoint(script) as endpoint, sender(timeout_seconds=DEADLINE) as http:
        assert status_of(http.send(post(endpoint.url()))) == 200
        with Stopwatch() as watch:
            outcome = http.send(post(endpoint.url()))
        assert error_of(outcome) is TransportError.TIMEOUT
        assert DEADLINE <= watch.seconds < DEADLINE + SLACK
        assert len(endpoint.requests) == 3


BYTES = {
    "a byte": (b"H", TransportError.BAD_ANSWER),
    "an interim answer": (b"HTTP/1.1 100 Continue\r\n\r\n", TransportError.RESET),
    "a part of the head": (b"HTTP/1.1 2", TransportError.BAD_ANSWER),
}


@pytest.mark.parametrize("name", BYTES)
def test_nothing_goes_out_again_after_a_byte_of_an_answer(name: str) -> None:
    said, error = BYTES[name]

    def begins(peer: Connection) -> None:
        peer.read_request()
        peer.send(said)

    with Endpoint(answers_then(begins)) as endpoint, sender() as http:
        assert status_of(http.send(post(endpoint.url()))) == 200
        assert error_of(http.send(post(endpoint.url()))) is error
        assert len(endpoint.requests) == 2


def test_nothing_goes_out_again_after_the_deadline() -> None:
    def stalls(peer: Connection) -> None:
        peer.read_request()
        peer.wait()

    with Endpoint(answers_then(stalls)) as endpoint, sender(timeout_seconds=DEADLINE) as http:
        assert status_of(http.send(post(endpoint.url()))) == 200
        assert error_of(http.send(post(endpoint.url()))) is TransportError.TIMEOUT
        assert len(endpoint.requests) == 2


def test_a_kept_connection_that_was_closed_long_ago_costs_no_second_copy() -> None:
    with Endpoint(answers_then(closes)) as endpoint, sender() as http:
        for number in range(1, 4):
            assert status_of(http.send(post(endpoint.url()))) == 200
            endpoint.join()
            assert len(endpoint.requests) == number


def test_a_second_copy_is_dialled_by_the_rule_for_addresses() -> None:
    names = Names(hook_example=["127.0.0.1"])
    with (
        Endpoint(answers_then(reads_and_closes)) as endpoint,
        sender(resolver=names) as http,
    ):
        assert status_of(http.send(post(endpoint.url("hook.example")))) == 200
        names.addresses["hook.example"] = ["169.254.169.254"]
        outcome = http.send(post(endpoint.url("hook.example")))
        assert error_of(outcome) is TransportError.BLOCKED_ADDRESS
        assert len(endpoint.connections) == 1


# What an endpoint says of its idle time-out


@pytest.mark.parametrize(
    ("keep_alive", "seconds"),
    [
        (b"timeout=5", 4.0),
        (b"timeout=3", 2.0),
        (b"timeout=2", 1.0),
        (b"timeout=2, max=100", 1.0),
        (b"max=100, timeout=2", 1.0),
        (b"max=100,Timeout=2", 1.0),
        (b'timeout="2"', 1.0),
        (b"timeout=75", 4.0),
        (b"timeout=99999999999999999999", 4.0),
        (b"max=2", 4.0),
        (b"linger_timeout=1", 4.0),
        (b"timeout=x", 4.0),
    ],
)
def test_a_connection_is_kept_for_a_second_less_than_the_endpoint_says(
    keep_alive: bytes, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    class Clocks:
        time = staticmethod(lambda: now)
        monotonic = staticmethod(lambda: now)

    monkeypatch.setattr(connection, "time", Clocks)
    whole = answer(extra=b"Keep-Alive: %b\r\n" % keep_alive)
    with Endpoint(answers(whole)) as endpoint, sender() as http:
        http.send(post(endpoint.url()))
        now += seconds - 0.1
        http.send(post(endpoint.url()))
        assert len(endpoint.connections) == 1
        now += seconds + 0.1
        http.send(post(endpoint.url()))
        assert len(endpoint.connections) == 2
        assert len(endpoint.requests) == 3


@pytest.mark.parametrize("keep_alive", [b"timeout=0", b"timeout=1"])
def test_a_connection_that_will_hardly_be_there_is_not_kept(keep_alive: bytes) -> None:
    whole = answer(extra=b"Keep-Alive: %b\r\n" % keep_alive)
    with Endpoint(answers(whole)) as endpoint, sender() as http:
        for _ in range(2):
            assert status_of(http.send(post(endpoint.url()))) == 200
        assert len(endpoint.connections) == 2
