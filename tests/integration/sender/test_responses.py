"""How much of a response is read, and what is kept of it."""

import gzip
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perkwire.model.sending import NoResponse, Response, TransportError
from tests.hostile_endpoints import Endpoint, Script, answer, answers, floods, says
from tests.integration.sending import (
    CHUNKED,
    HEAD,
    Stopwatch,
    error_of,
    post,
    send_once,
    sender,
    status_of,
)

pytestmark = pytest.mark.measures_time

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
        assert watch.seconds < 4  # of the five that an answer would have
        assert peak < 2_000_000
        assert endpoint.connections[0].sent < 30_000_000  # what the kernel's buffers took


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
