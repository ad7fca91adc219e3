"""What is shown of an answer, how long it is read, and where a redirect points."""

import gzip
import zlib
from collections.abc import Callable

import pytest

from perkwire.adapters.sender.http import BODY_SECONDS
from perkwire.model.sending import Response
from tests.hostile_endpoints import Endpoint, Script, answer, answers, drips, says, stalls_after
from tests.integration.sending import SLACK, Stopwatch, post, sender

pytestmark = pytest.mark.measures_time

HEAD = b"HTTP/1.1 200 OK\r\n"
TEXT = "Zoë: no such member. " * 20


def sent(script: Script) -> Response:
    with Endpoint(script) as endpoint, sender() as http:
        outcome = http.send(post(endpoint.url()))
    assert isinstance(outcome, Response)
    return outcome


BODIES: dict[str, Script] = {
    "stalls": stalls_after(HEAD + b"Content-Length: 100\r\n\r\nhello"),
    "drips": drips(b"x" * 100, after=HEAD + b"Content-Length: 105\r\n\r\nhello"),
    "drips without length": drips(b"x" * 100, after=HEAD + b"\r\nhello"),
    "stalls within a chunk": stalls_after(HEAD + b"Transfer-Encoding: chunked\r\n\r\n20\r\nhello"),
}


@pytest.mark.parametrize("name", BODIES)
def test_an_answer_is_over_soon_after_its_head(name: str) -> None:
    with Stopwatch() as watch:
        outcome = sent(BODIES[name])

    assert outcome.status == 200
    assert outcome.snippet.startswith("hello")
    assert BODY_SECONDS <= watch.seconds < BODY_SECONDS + SLACK
    assert outcome.duration_ms < SLACK * 1000


def deflated_raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


CODED: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"gzip", gzip.compress),
    "gzip in capitals": (b"GZIP", gzip.compress),
    "x-gzip": (b"x-gzip", gzip.compress),
    "deflate": (b"deflate", zlib.compress),
    "deflate without a wrapper": (b"deflate", deflated_raw),
    "identity": (b"identity", bytes),
}


@pytest.mark.parametrize("name", CODED)
def test_a_coded_answer_is_shown_inflated(name: str) -> None:
    coding, coded = CODED[name]
    extra = b"Content-Encoding: %b\r\n" % coding
    outcome = sent(answers(answer(coded(TEXT.encode()), b"500 No", extra=extra)))
    assert outcome.snippet == TEXT.encode()[:512].decode("utf-8", "ignore")


def test_the_part_of_a_coded_answer_that_came_is_shown_inflated() -> None:
    body = gzip.compress("".join(f"{number} " for number in range(40_000)).encode())
    extra = b"Content-Encoding: gzip\r\n"
    assert len(body) > 4096
    assert sent(answers(answer(body, extra=extra))).snippet.startswith("0 1 2 3 4")


@pytest.mark.parametrize(
    ("coding", "body", "shown"),
    [
        (b"br", b"\x0b\x02\x80ok\x03", "br, 6 bytes"),
        (b"zstd", b"x" * 5000, "zstd, 5000 bytes"),
        (b"gzip", b"no gzip at all", "gzip, 14 bytes"),
        (b"gzip, gzip", gzip.compress(gzip.compress(b"ok", mtime=0), mtime=0), None),
        (b"gzip", gzip.compress(b"ok", mtime=0)[:4], "gzip, 4 bytes"),
        (b"b\xe9r", b"\x0b\x02", None),
        (b"x" * 600, b"\x0b\x02", "x" * 512),
        (b"br", b"", ""),
    ],
)
def test_what_cannot_be_inflated_is_shown_as_its_coding_and_size(
    coding: bytes, body: bytes, shown: str | None
) -> None:
    outcome = sent(answers(answer(body, extra=b"Content-Encoding: %b\r\n" % coding)))
    if shown is None:
        assert outcome.snippet.endswith(f", {len(body)} bytes")
    else:
        assert outcome.snippet == shown


def test_of_a_coded_answer_of_no_known_length_it_is_said_how_much_came() -> None:
    head = HEAD + b"Content-Encoding: br\r\n\r\n"
    assert sent(says(head + b"x" * 100)).snippet == "br, 100 bytes"
    assert sent(says(head + b"x" * 9000)).snippet == "br, more than 4096 bytes"


def test_a_bomb_is_inflated_within_bounds() -> None:
    extra = b"Content-Encoding: gzip\r\n"
    bomb = gzip.compress(b"x" * 50_000_000)
    assert sent(answers(answer(bomb, extra=extra))).snippet == "x" * 512


# Where a redirect points


@pytest.mark.parametrize(
    ("location", "pointed_to"),
    [
        (b"https://new.example/hook?a=b", "https://new.example/hook?a=b"),
        (b"/other", "{origin}/other"),
        (b"//new.example/", "http://new.example/"),
        (b"?x", "{origin}/hook?x"),
        ("https://zoë.example/".encode(), "https://zoë.example/"),
        (b"https://new.example/\x1b[31m", "https://new.example/[31m"),
        (b"http://[", "http://["),
        (b"https://new.example/" + b"x" * 4000, "https://new.example/" + "x" * 2028),
        (b"", None),
    ],
)
def test_it_is_said_where_a_redirect_points(location: bytes, pointed_to: str | None) -> None:
    extra = b"Location: %b\r\n" % location
    with Endpoint(answers(answer(b"", b"301 Moved", extra))) as endpoint, sender() as http:
        outcome = http.send(post(endpoint.url()))
    assert isinstance(outcome, Response)
    origin = f"http://127.0.0.1:{endpoint.port}"
    assert outcome.location == (pointed_to and pointed_to.replace("{origin}", origin))


@pytest.mark.parametrize("status", [b"200 OK", b"201 Created", b"400 Bad Request"])
def test_no_other_answer_points_anywhere(status: bytes) -> None:
    outcome = sent(answers(answer(b"", status, b"Location: https://new.example/\r\n")))
    assert outcome.location is None
