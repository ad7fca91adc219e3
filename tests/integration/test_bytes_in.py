"""Bodies as bytes: what is UTF-8 is taken as it was sent, everything else refused, on every call.

API Gateway hands text types over as text, in which U+FFFD stands for what is not UTF-8, and other
types as base64. `as_text` is a request after the first, `as_bytes` after the second.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

import ingest.app
import management.app
from tests.aws_events import AwsEvent, Context, http_api_event
from tests.integration.system import System, Tenant
from tests.integration.test_bad_input import PLACES, Place
from tests.receiver import Receiver

# Not UTF-8: Latin-1, a sequence cut off, one too long, a surrogate, a byte that never comes.
NOT_UTF8 = [b"Zo\xeb", b"\xc3", b"\xf0\x9f\x8e", b"\xc0\xaf", b"\xed\xa0\x80", b"\xff"]
A_TEXT = '{"type":"custom.x","data":{"n":"%s"}}'
MALFORMED = "urn:perkwire:problem:malformed"


class Caller:
    """Requests of the account or the operator, handed over in one of the gateway's two ways."""

    def __init__(self, system: System, tenant: Tenant, operator_key: str, webhook_id: str) -> None:
        self._operator_key = operator_key
        self._system = system
        self._tenant = tenant
        self._webhook_id = webhook_id

    def post(
        self, place: Place, event_body: str, *, is_base64: bool, headers: Mapping[str, str]
    ) -> tuple[int, Any, dict[str, str]]:
        path = place.path.format(webhook=self._webhook_id, account=self._tenant.id)
        context = {"account_id": self._tenant.id, "scopes": "events webhooks"}
        if place.by_operator:
            context = {"account_id": "", "scopes": "operator"}
        event: AwsEvent = http_api_event(place.method, path, headers=headers, authorizer=context)
        event |= {"body": event_body, "isBase64Encoded": is_base64}
        app = ingest.app if path == "/v1/events" else management.app
        answer = app.handler(event, Context())
        given = {name.lower(): str(value) for name, value in answer["headers"].items()}
        return answer["statusCode"], json.loads(answer["body"]), given

    def as_text(
        self, place: Place, body: bytes, *, length: int | str | None = -1, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if length is not None:
            sent["content-length"] = str(len(body) if length == -1 else length)
        text = body.decode(errors="replace")
        return self.post(place, text, is_base64=False, headers=sent)

    def as_bytes(
        self, place: Place, body: bytes, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.post(place, base64.b64encode(body).decode(), is_base64=True, headers=sent)


@pytest.fixture
def caller(system: System, tenant: Tenant, operator_key: str, receiver: Receiver) -> Caller:
    webhook = tenant.webhook(receiver.endpoint().url)
    return Caller(system, tenant, operator_key, webhook["id"])


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("bad", NOT_UTF8, ids=repr)
def test_what_is_not_utf8_is_refused_as_the_gateway_hands_it_over(
    place: Place, bad: bytes, caller: Caller
) -> None:
    body = b'{"name":"' + bad + b'"}'

    status, answer, _ = caller.as_bytes(place, body)
    assert (status, answer["type"], answer["detail"]) == (400, MALFORMED, "The body is not UTF-8.")
    if len(body.decode(errors="replace").encode()) != len(body):
        status, answer, _ = caller.as_text(place, body)
        assert (status, answer["type"]) == (400, MALFORMED)
        assert answer["detail"] == "The body is not UTF-8."


@pytest.mark.parametrize("length", [-1, None, "", "7, 7"], ids=["said", "chunked", "empty", "two"])
def test_a_replacement_character_that_was_sent_is_taken(
    length: int | str | None, caller: Caller, tenant: Tenant
) -> None:
    body = (A_TEXT % "a\ufffdb").encode()

    assert caller.as_text(PLACES["events"], body, length=length)[0] == 202
    assert caller.as_bytes(PLACES["events"], body)[0] == 202
    queued = [json.loads(message)["events"][0]["data"] for message in tenant.waiting()]
    assert queued == [{"n": "a\ufffdb"}] * 2


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    "coding", ["gzip", "GZIP", "br", "deflate", "gzip, identity", "aws-chunked"]
)
def test_a_content_coding_is_refused_with_what_is_taken(
    place: Place, coding: str, caller: Caller
) -> None:
    status, answer, headers = caller.as_bytes(place, b"\x1f\x8b\x08", content_encoding=coding)

    assert (status, answer["type"]) == (415, "urn:perkwire:problem:unsupported-coding")
    assert answer["detail"] == f"Content-Encoding {coding} is not taken; send the body as it is."
    assert headers["accept-encoding"] == "identity"
    assert headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("coding", ["identity", "Identity", " identity ", ""])
def test_no_coding_is_taken(coding: str, caller: Caller) -> None:
    body = (A_TEXT % "x").encode()

    assert caller.as_bytes(PLACES["events"], body, content_encoding=coding)[0] == 202


def test_a_byte_order_mark_is_taken(caller: Caller, tenant: Tenant) -> None:
    body = b"\xef\xbb\xbf" + (A_TEXT % "Zoë").encode()

    assert caller.as_text(PLACES["events"], body)[0] == 202
    assert caller.as_bytes(PLACES["events"], body)[0] == 202
    queued = [json.loads(message)["events"][0]["data"] for message in tenant.waiting()]
    assert queued == [{"n": "Zoë"}] * 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_utf16_is_told_to_be_sent_as_utf8(place: Place, encoding: str, caller: Caller) -> None:
    body = '{"name": "Zoë"}'.encode(encoding)

    for ask in (caller.as_bytes, caller.as_text):
        status, answer, _ = ask(place, body)
        assert (status, answer["type"]) == (400, MALFORMED)
        assert answer["detail"] in (
            "The body is UTF-16 or UTF-32; send UTF-8.",
            "The body is not UTF-8.",  # of altered text its first bytes are not known
        )
    assert caller.as_bytes(place, body)[1]["detail"].startswith("The body is UTF-16")


def test_a_bare_list_of_events_is_told_what_to_send(caller: Caller) -> None:
    for body in (b"[]", b'[{"type":"custom.x","data":{}}]'):
        status, answer, _ = caller.as_text(PLACES["events"], body)
        assert (status, answer["detail"]) == (
            400,
            'The body must be a JSON object, not a list: send {"events": […]}.',
        )
    status, answer, _ = caller.as_text(PLACES["webhook"], b"[]")
    assert (status, answer["detail"]) == (400, "The body must be a JSON object, not a list.")


PARSERS_WORDS = ("expecting", "delimiter", "unterminated", "extra data", "utf-8-sig", "decode")


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"a" 1}',
        b"{} {}",
        b'{"a',
        b'{"a":"\\q"}',
        b"a=b",
        b"\x1f\x8b",
        b'{"a":1,}',
    ],
)
def test_no_answer_repeats_a_parsers_own_words(place: Place, body: bytes, caller: Caller) -> None:
    for ask in (caller.as_bytes, caller.as_text):
        status, answer, _ = ask(place, body)
        if body or status == 400:
            assert (status, answer["type"]) == (400, MALFORMED)
            assert not any(word in answer["detail"].lower() for word in PARSERS_WORDS), answer


LINK = Place("POST", "/v1/accounts/{account}/console-links", by_operator=True)


@pytest.mark.parametrize("place", [PLACES["rotation"], LINK], ids=["rotation", "console link"])
@pytest.mark.parametrize("body", [b"null", b"", b" null\n", b"{}"], ids=repr)
def test_a_body_that_may_be_left_out_may_be_null(place: Place, body: bytes, caller: Caller) -> None:
    assert caller.as_text(place, body)[0] in (200, 201)
    assert caller.as_bytes(place, body)[0] in (200, 201)


@pytest.mark.parametrize("name", ["events", "webhook", "change", "replay", "retry", "redrive"])
def test_a_body_that_must_be_there_may_not_be_null(name: str, caller: Caller) -> None:
    status, answer, _ = caller.as_text(PLACES[name], b"null")

    assert (status, answer["detail"]) == (400, "The body must be a JSON object.")
