"""Over TLS nothing is sent to whom cannot be trusted; what makes a handshake fail."""

import datetime
import socket
import ssl
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme

from perkwire.adapters.sender.tls import _tls_context
from perkwire.model.sending import TransportError
from tests.hostile_endpoints import Connection, Endpoint, Script, answer, answers, says
from tests.integration.sending import NAMES, error_of, post, sender, server_tls, status_of

pytestmark = pytest.mark.measures_time


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
