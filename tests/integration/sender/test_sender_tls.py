"""What an endpoint can do with TLS itself, beneath the answer."""

import contextlib
import functools
import itertools
import ssl
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme

from perkwire.adapters.sender import tls
from perkwire.adapters.sender.http import HttpSender
from perkwire.adapters.sender.tls import tls_context
from perkwire.model.sending import TransportError
from tests.hostile_endpoints import (
    STEP_SECONDS,
    Connection,
    Endpoint,
    Script,
    answer,
    answers,
    hangs_up,
    resets,
    says,
)
from tests.hostile_tls import (
    DATA,
    HANDSHAKE,
    HELLO_REQUEST,
    HELLO_REQUEST_RECORD,
    NEW_SESSION_TICKET,
    TakenOver,
    tls12,
    tls13,
)
from tests.integration.sending import (
    DEADLINE,
    SLACK,
    Outcome,
    Stopwatch,
    error_of,
    post,
    sender,
    server_tls,
    status_of,
)

pytestmark = pytest.mark.measures_time

FLOOD_SECONDS = 4.0

type Server = Callable[[trustme.LeafCert, Path], ssl.SSLContext]
type Useless = Callable[[TakenOver], Iterator[bytes]]


def url(endpoint: Endpoint) -> str:
    return f"https://127.0.0.1:{endpoint.port}/"


def hello_requests_before_the_handshake() -> Iterator[bytes]:
    return itertools.repeat(HELLO_REQUEST_RECORD)


def session_tickets(peer: TakenOver) -> Iterator[bytes]:
    while True:
        yield peer.seal(HANDSHAKE, NEW_SESSION_TICKET)


def packed_session_tickets(peer: TakenOver) -> Iterator[bytes]:
    while True:
        yield peer.seal(HANDSHAKE, NEW_SESSION_TICKET * 60)


def key_updates(peer: TakenOver) -> Iterator[bytes]:
    while True:
        yield peer.seal_key_update()


def hello_requests(peer: TakenOver) -> Iterator[bytes]:
    while True:
        yield peer.seal(HANDSHAKE, HELLO_REQUEST)


def one_byte_records(peer: TakenOver) -> Iterator[bytes]:
    for byte in itertools.chain(b"HTTP/1.1 200 OK\r\nX-A: ", itertools.repeat(120)):
        yield peer.seal(DATA, bytes([byte]))


AFTER_THE_HANDSHAKE: dict[str, tuple[Server, Useless]] = {
    "session tickets": (tls13, session_tickets),
    "session tickets, packed": (tls13, packed_session_tickets),
    "key updates": (tls13, key_updates),
    "hello requests": (tls12, hello_requests),
    "records of one byte, TLS 1.2": (tls12, one_byte_records),
    "records of one byte, TLS 1.3": (tls13, one_byte_records),
}
BEFORE_THE_HANDSHAKE = "hello requests before the handshake"

type Scripted = Callable[[str, Callable[[Connection, Iterator[bytes]], None]], Script]


@pytest.fixture
def useless(authority: trustme.CA, tmp_path: Path) -> Scripted:
    """A script that sends, in its way, the useless records of a name."""
    issued = authority.issue_cert("127.0.0.1")

    def scripted(name: str, sends: Callable[[Connection, Iterator[bytes]], None]) -> Script:
        def script(peer: Connection) -> None:
            if name not in AFTER_THE_HANDSHAKE:
                peer.sock.recv(65536)
                sends(peer, hello_requests_before_the_handshake())
                return
            server, records = AFTER_THE_HANDSHAKE[name]
            taken_over = TakenOver(peer.sock, server(issued, tmp_path / "keys"))
            peer.endpoint.note(taken_over.read())
            sends(peer, records(taken_over))

        return script

    return scripted


def floods(peer: Connection, records: Iterator[bytes]) -> None:
    """As fast as the client takes them, and long after it should have gone."""
    until = time.monotonic() + FLOOD_SECONDS
    for some in itertools.batched(records, 200, strict=False):
        peer.send(b"".join(some))
        if time.monotonic() > until:
            return


def drips(peer: Connection, records: Iterator[bytes]) -> None:
    for record in records:
        peer.send(record)
        peer.wait(STEP_SECONDS)


@pytest.mark.parametrize("name", [BEFORE_THE_HANDSHAKE, *AFTER_THE_HANDSHAKE])
def test_a_flood_of_records_without_an_answer_is_cut_off(
    name: str, useless: Scripted, ca_file: str
) -> None:
    with Endpoint(useless(name, floods)) as endpoint, sender(ca_file=ca_file) as http:
        tracemalloc.start()
        try:
            with Stopwatch() as watch:
                outcome = http.send(post(url(endpoint)))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        endpoint.join()
        assert error_of(outcome) is TransportError.TLS
        assert watch.seconds < 4  # of the five that an answer would have
        assert peak < 2_000_000
        assert endpoint.connections[0].sent < 10_000_000  # what the kernel's buffers took


@pytest.mark.parametrize("sends", [floods, drips])
@pytest.mark.parametrize(
    "name",
    [
        BEFORE_THE_HANDSHAKE,
        "session tickets",
        "session tickets, packed",
        "key updates",
        "hello requests",
    ],
)
def test_records_without_an_answer_do_not_move_the_deadline(
    name: str,
    sends: Callable[[Connection, Iterator[bytes]], None],
    useless: Scripted,
    ca_file: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tls, "MAX_HANDSHAKE_BYTES", 1 << 40)
    monkeypatch.setattr(tls, "MAX_RECEIVED_BYTES", 1 << 40)
    with (
        Endpoint(useless(name, sends)) as endpoint,
        sender(ca_file=ca_file, timeout_seconds=DEADLINE) as http,
        Stopwatch() as watch,
    ):
        outcome = http.send(post(url(endpoint)))
    assert error_of(outcome) is TransportError.TIMEOUT
    assert DEADLINE <= watch.seconds < DEADLINE + SLACK


def test_a_handshake_that_comes_after_the_deadline_is_not_answered(
    authority: trustme.CA, ca_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "MAX_HANDSHAKE_BYTES", 1 << 40)
    context = tls12(authority.issue_cert("127.0.0.1"), tmp_path / "keys")
    written = b""

    def script(peer: Connection) -> None:
        nonlocal written
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(peer.sock.recv(65536))
        with contextlib.suppress(ssl.SSLWantReadError):
            server.do_handshake()
        with contextlib.suppress(ConnectionError):
            until = time.monotonic() + 2 * DEADLINE
            while time.monotonic() < until:
                peer.send(HELLO_REQUEST_RECORD * 200)
        peer.send(outgoing.read())
        written = peer.sock.recv(65536)

    with Endpoint(script) as endpoint, sender(ca_file=ca_file, timeout_seconds=DEADLINE) as http:
        outcome = http.send(post(url(endpoint)))
        endpoint.join()
    assert error_of(outcome) is TransportError.TIMEOUT
    assert written == b""


def test_a_flood_does_not_hold_up_the_other_nine(useless: Scripted, ca_file: str) -> None:
    def timed(http: HttpSender, url: str) -> tuple[Outcome, float]:
        with Stopwatch() as watch:
            outcome = http.send(post(url))
        return outcome, watch.seconds

    with (
        Endpoint(answers(answer())) as well,
        Endpoint(useless(BEFORE_THE_HANDSHAKE, floods)) as flooding,
        sender(ca_file=ca_file, timeout_seconds=2 * DEADLINE) as http,
        ThreadPoolExecutor(10) as threads,
    ):
        urls = [url(flooding), *[well.url()] * 9]
        (flooded, _), *others = threads.map(functools.partial(timed, http), urls)
        assert error_of(flooded) is TransportError.TLS
        assert [status_of(outcome) for outcome, _ in others] == [200] * 9
        assert max(seconds for _, seconds in others) < DEADLINE


def test_no_second_handshake_is_begun(authority: trustme.CA, ca_file: str, tmp_path: Path) -> None:
    """The request to begin one comes before the answer."""
    context = tls12(authority.issue_cert("127.0.0.1"), tmp_path / "keys")
    kinds: list[int] = []

    def script(peer: Connection) -> None:
        taken_over = TakenOver(peer.sock, context)
        taken_over.read()
        peer.send(taken_over.seal(HANDSHAKE, HELLO_REQUEST))
        kinds.append(peer.sock.recv(65536)[0])
        peer.send(taken_over.seal(DATA, answer()))
        while record := peer.sock.recv(65536):
            kinds.append(record[0])

    with Endpoint(script) as endpoint, sender(ca_file=ca_file) as http:
        outcome = http.send(post(url(endpoint)))
        http.close()
        endpoint.join()
    assert status_of(outcome) == 200
    assert kinds == [21]  # an alert: no renegotiation


@pytest.mark.parametrize("server", [tls12, tls13])
def test_tickets_and_key_updates_before_an_answer_do_no_harm(
    server: Server, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    context = server(authority.issue_cert("127.0.0.1"), tmp_path / "keys")

    def script(peer: Connection) -> None:
        taken_over = TakenOver(peer.sock, context)
        while request := taken_over.read():
            peer.endpoint.note(request)
            if server is tls13:
                peer.send(taken_over.seal(HANDSHAKE, NEW_SESSION_TICKET))
                peer.send(taken_over.seal_key_update())
            for byte in answer(b"ok"):
                peer.send(taken_over.seal(DATA, bytes([byte])))

    with Endpoint(script) as endpoint, sender(ca_file=ca_file) as http:
        outcomes = [http.send(post(url(endpoint))) for _ in range(3)]
        assert [status_of(outcome) for outcome in outcomes] == [200] * 3
        assert len(endpoint.connections) == 1


AHEAD = answer(b"ahead", b"299 Ahead")
READ_AT_ONCE = 8192


def one_record(peer: TakenOver) -> bytes:
    return peer.seal(DATA, answer(b"own") + AHEAD)


def one_record_read_in_two(peer: TakenOver) -> bytes:
    """The answer is just what the reader takes at once; the rest is left decrypted."""
    own = answer(b"own", extra=b"X: \r\n")
    padding = b"p" * (READ_AT_ONCE - len(own))
    return peer.seal(DATA, answer(b"own", extra=b"X: " + padding + b"\r\n") + AHEAD)


def two_records(peer: TakenOver) -> bytes:
    return peer.seal(DATA, answer(b"own")) + peer.seal(DATA, AHEAD)


def a_part_of_a_record(peer: TakenOver) -> bytes:
    return peer.seal(DATA, answer(b"own")) + peer.seal(DATA, AHEAD)[:3]


@pytest.mark.parametrize(
    "sealed", [one_record, one_record_read_in_two, two_records, a_part_of_a_record]
)
@pytest.mark.parametrize("server", [tls12, tls13])
def test_a_connection_on_which_bytes_came_ahead_is_not_used_again(
    server: Server,
    sealed: Callable[[TakenOver], bytes],
    authority: trustme.CA,
    ca_file: str,
    tmp_path: Path,
) -> None:
    context = server(authority.issue_cert("127.0.0.1"), tmp_path / "keys")

    def script(peer: Connection) -> None:
        taken_over = TakenOver(peer.sock, context)
        while request := taken_over.read():
            peer.endpoint.note(request)
            peer.send(sealed(taken_over))

    with Endpoint(script) as endpoint, sender(ca_file=ca_file) as http:
        for _ in range(2):
            outcome = http.send(post(url(endpoint)))
            assert (status_of(outcome), getattr(outcome, "snippet", None)) == (200, "own")
        assert len(endpoint.connections) == 2
        assert len(endpoint.requests) == 2


@pytest.mark.parametrize(("certificates", "accepted"), [(145, True), (170, False)])
def test_a_chain_of_certificates_may_be_as_long_as_openssl_takes(
    certificates: int, accepted: bool, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    """It takes 100 kB, whatever of them is of use."""
    issued = authority.issue_cert("127.0.0.1")
    useless = trustme.CA(organization_name="x" * 64, organization_unit_name="x" * 64)
    chain = tmp_path / "chain.pem"
    chain.write_bytes(
        issued.private_key_and_cert_chain_pem.bytes() + useless.cert_pem.bytes() * certificates
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    size = len(ssl.PEM_cert_to_DER_cert(useless.cert_pem.bytes().decode())) * certificates
    assert (size < 102_400) is accepted
    with Endpoint(answers(answer()), tls=context) as endpoint, sender(ca_file=ca_file) as http:
        outcome = http.send(post(endpoint.url()))
    if accepted:
        assert size > 90_000
        assert status_of(outcome) == 200
    else:
        assert error_of(outcome) is TransportError.TLS


def test_an_endpoint_that_is_not_trusted_is_told_why(ca_file: str) -> None:
    context = server_tls(trustme.CA().issue_cert("127.0.0.1"))
    alerts: list[str] = []

    def script(peer: Connection) -> None:
        try:
            peer.start_tls(context)
            peer.read_request()
        except ssl.SSLError as error:
            alerts.append(str(error.reason))

    with Endpoint(script) as endpoint, sender(ca_file=ca_file) as http:
        assert error_of(http.send(post(url(endpoint)))) is TransportError.TLS
        endpoint.join()
    assert alerts == ["TLSV1_ALERT_UNKNOWN_CA"]


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (hangs_up, TransportError.RESET),
        (resets, TransportError.RESET),
        (says(b"SMTP ready\r\n\r\n"), TransportError.BAD_ANSWER),
    ],
)
def test_an_answer_that_breaks_has_the_error_that_it_has_without_tls(
    script: Script, error: TransportError, authority: trustme.CA, ca_file: str
) -> None:
    context = server_tls(authority.issue_cert("127.0.0.1"))
    with Endpoint(script, tls=context) as endpoint, sender(ca_file=ca_file) as http:
        assert error_of(http.send(post(endpoint.url()))) is error
    with Endpoint(script) as endpoint, sender() as http:
        assert error_of(http.send(post(endpoint.url()))) is error


def test_a_body_of_many_records_arrives_whole(authority: trustme.CA, ca_file: str) -> None:
    body = bytes(range(256)) * 4000
    context = server_tls(authority.issue_cert("127.0.0.1"))
    with Endpoint(answers(answer()), tls=context) as endpoint, sender(ca_file=ca_file) as http:
        assert status_of(http.send(post(endpoint.url(), body))) == 200
        [request] = endpoint.requests
    assert request.endswith(b"\r\n\r\n" + body)


def test_keys_are_agreed_on_with_elliptic_curves_and_new_for_each_connection() -> None:
    """With DHE the endpoint says how large the numbers are that we have to compute with."""
    context = tls_context(None)
    assert {suite["kea"] for suite in context.get_ciphers()} == {"kx-any", "kx-ecdhe"}
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_no_keys_are_logged_where_the_environment_says(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    context = server_tls(authority.issue_cert("127.0.0.1"))
    with Endpoint(answers(answer()), tls=context) as endpoint, sender(ca_file=str(ca_file)) as http:
        assert status_of(http.send(post(endpoint.url()))) == 200
    assert not log.exists()
