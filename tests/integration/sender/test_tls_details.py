"""Which of its many reasons TLS has failed for, and plain HTTP and TLS that meet each other."""

import datetime
import ssl
import warnings
from collections.abc import Callable

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from perkwire.model.sending import ErrorDetail, NoResponse, TransportError
from tests.hostile_endpoints import Connection, Endpoint, Script, answer, answers
from tests.integration.sending import NAMES, post, sender, server_tls

pytestmark = pytest.mark.measures_time

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC)
HOST = "hook.example"


def self_signed(_authority: trustme.CA) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return server_tls(
        trustme.LeafCert(pem, certificate.public_bytes(serialization.Encoding.PEM), [])
    )


def expired(authority: trustme.CA) -> ssl.SSLContext:
    return server_tls(authority.issue_cert(HOST, not_before=NOW - 2 * DAY, not_after=NOW - DAY))


def not_yet_valid(authority: trustme.CA) -> ssl.SSLContext:
    return server_tls(authority.issue_cert(HOST, not_before=NOW + DAY, not_after=NOW + 2 * DAY))


def wrong_host(authority: trustme.CA) -> ssl.SSLContext:
    return server_tls(authority.issue_cert("other.example"))


def unknown_issuer(_authority: trustme.CA) -> ssl.SSLContext:
    return server_tls(trustme.CA().issue_cert(HOST))


def missing_intermediate(authority: trustme.CA) -> ssl.SSLContext:
    issued = authority.create_child_ca().issue_cert(HOST)
    (leaf, *_) = issued.cert_chain_pems
    return server_tls(trustme.LeafCert(issued.private_key_pem.bytes(), leaf.bytes(), []))


def unknown_root_sent_along(_authority: trustme.CA) -> ssl.SSLContext:
    root = trustme.CA()
    issued = root.issue_cert(HOST)
    chain = [root.cert_pem.bytes()]
    return server_tls(
        trustme.LeafCert(issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes(), chain)
    )


def too_old(authority: trustme.CA) -> ssl.SSLContext:
    context = server_tls(authority.issue_cert(HOST))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def no_cipher_in_common(authority: trustme.CA) -> ssl.SSLContext:
    context = server_tls(authority.issue_cert(HOST))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES256-SHA")
    return context


def wants_client_certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = server_tls(authority.issue_cert(HOST))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def unknown_name(authority: trustme.CA) -> ssl.SSLContext:
    context = server_tls(authority.issue_cert("other.example"))
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return context


TLS: dict[Callable[[trustme.CA], ssl.SSLContext], ErrorDetail] = {
    self_signed: ErrorDetail.SELF_SIGNED,
    expired: ErrorDetail.EXPIRED,
    not_yet_valid: ErrorDetail.NOT_YET_VALID,
    wrong_host: ErrorDetail.WRONG_HOST,
    unknown_name: ErrorDetail.WRONG_HOST,
    unknown_issuer: ErrorDetail.UNKNOWN_ISSUER,
    missing_intermediate: ErrorDetail.UNKNOWN_ISSUER,
    unknown_root_sent_along: ErrorDetail.UNKNOWN_ISSUER,
    too_old: ErrorDetail.PROTOCOL,
    no_cipher_in_common: ErrorDetail.PROTOCOL,
    wants_client_certificate: ErrorDetail.CLIENT_CERTIFICATE,
}


@pytest.mark.parametrize("tls", TLS, ids=lambda tls: tls.__name__)
def test_tls_that_fails_says_why(
    tls: Callable[[trustme.CA], ssl.SSLContext], authority: trustme.CA, ca_file: str
) -> None:
    with Endpoint(answers(answer()), tls=tls(authority)) as endpoint:
        with sender(ca_file=ca_file, resolver=NAMES) as http:
            outcome = http.send(post(endpoint.url(HOST)))
        assert endpoint.requests == []
    assert isinstance(outcome, NoResponse)
    assert (outcome.error, outcome.detail) == (TransportError.TLS, TLS[tls])


def test_an_address_that_is_not_in_the_certificate_is_another_host(
    authority: trustme.CA, ca_file: str
) -> None:
    tls = server_tls(authority.issue_cert(HOST))
    with Endpoint(answers(answer()), tls=tls) as endpoint, sender(ca_file=ca_file) as http:
        outcome = http.send(post(endpoint.url()))
    assert isinstance(outcome, NoResponse)
    assert (outcome.error, outcome.detail) == (TransportError.TLS, ErrorDetail.WRONG_HOST)


def says_at_once(said: bytes) -> Script:
    def script(peer: Connection) -> None:
        peer.sock.recv(65536)
        peer.send(said)
        peer.wait()

    return script


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", ErrorDetail.PLAIN_HTTP),
        (b"<html><body>400</body></html>", ErrorDetail.PLAIN_HTTP),
        (b"\n<!DOCTYPE HTML>", ErrorDetail.PLAIN_HTTP),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ErrorDetail.PROTOCOL),
        (b"220 mail.example ESMTP\r\n", ErrorDetail.PROTOCOL),
    ],
)
def test_what_is_not_tls_at_all_is_told_apart(said: bytes, detail: ErrorDetail) -> None:
    with Endpoint(says_at_once(said)) as endpoint, sender(timeout_seconds=2) as http:
        outcome = http.send(post(f"https://127.0.0.1:{endpoint.port}/"))
    assert isinstance(outcome, NoResponse)
    assert (outcome.error, outcome.detail) == (TransportError.TLS, detail)


def test_plain_http_to_a_port_of_tls_is_told_apart(authority: trustme.CA) -> None:
    def alerts(peer: Connection) -> None:
        peer.read_request()
        peer.send(b"\x15\x03\x01\x00\x02\x02\x46")

    with Endpoint(alerts) as endpoint, sender() as http:
        outcome = http.send(post(endpoint.url()))
    assert isinstance(outcome, NoResponse)
    assert (outcome.error, outcome.detail) == (TransportError.BAD_ANSWER, ErrorDetail.TLS_EXPECTED)


@pytest.mark.parametrize("said", [b"SMTP ready\r\n\r\n", b"\x15\x02"])
def test_of_other_noise_nothing_more_is_said(said: bytes) -> None:
    def script(peer: Connection) -> None:
        peer.read_request()
        peer.send(said)

    with Endpoint(script) as endpoint, sender() as http:
        outcome = http.send(post(endpoint.url()))
    assert isinstance(outcome, NoResponse)
    assert (outcome.error, outcome.detail) == (TransportError.BAD_ANSWER, None)
