"""Bodies through the local gateway: their very bytes, however they are sent and called."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.local.emulator import Emulator
from tests.local.recorder import Deploy
from tests.local.test_http_api import TEMPLATE, function

CODE = """
import json

def handler(event, context):
    if event["rawPath"] == "/nothing":
        return {"statusCode": 204, "body": ""}
    headers = {"content-type": "text/x-event"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(event)}
"""

TEXT_TYPES = ["application/json", "text/plain", "application/json; charset=iso-8859-1"]
OTHER_TYPES = ["application/octet-stream", "application/x-www-form-urlencoded", None]


@pytest.fixture
def api(deploy: Deploy, emulator: Emulator) -> str:
    echo = function("handler", Events={"All": {"Type": "HttpApi", "Properties": {
        "ApiId": {"Ref": "Api"}, "Method": "ANY", "Path": "/{proxy+}",
    }}})  # fmt: skip
    echo["Properties"]["InlineCode"] = CODE
    api = {"Type": "AWS::Serverless::HttpApi", "Properties": {}}
    deploy({"Transform": TEMPLATE["Transform"], "Resources": {"Api": api, "Echo": echo}})
    return emulator.url


def sent(
    api: str, body: bytes, content_type: str | None, *, chunked: bool = False, path: str = "/echo"
) -> tuple[http.client.HTTPResponse, Any]:
    """The answer, and the event that the function got."""
    connection = http.client.HTTPConnection(urlsplit(api).netloc, timeout=20)
    headers = {} if content_type is None else {"content-type": content_type}

    def pieces() -> Iterator[bytes]:
        yield body[:3]
        yield body[3:]

    content = pieces() if chunked else body
    connection.request("POST", path, content, headers, encode_chunked=chunked)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return answer, json.loads(said) if said else None


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_bytes_that_are_not_utf8_reach_the_function_as_they_are(api: str, chunked: bool) -> None:
    for content_type in (*TEXT_TYPES, *OTHER_TYPES):
        _, event = sent(api, b"Zo\xeb\xff", content_type, chunked=chunked)
        assert (event["body"], event["isBase64Encoded"]) == ("Wm/r/w==", True), content_type


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_utf8_of_a_text_type_reaches_the_function_as_text(api: str, chunked: bool) -> None:
    for content_type in TEXT_TYPES:
        _, event = sent(api, "Zoë \ufffd".encode(), content_type, chunked=chunked)
        assert (event["body"], event["isBase64Encoded"]) == ("Zoë \ufffd", False), content_type


def test_utf8_of_another_type_reaches_the_function_as_base64(api: str) -> None:
    for content_type in OTHER_TYPES:
        _, event = sent(api, "Zoë".encode(), content_type)
        assert (event["body"], event["isBase64Encoded"]) == ("Wm/Dqw==", True), content_type


def test_an_answer_without_content_has_no_content_type(api: str) -> None:
    answer, said = sent(api, b"{}", "application/json", path="/nothing")

    assert (answer.status, said) == (204, None)
    assert answer.getheader("content-type") is None
    assert sent(api, b"{}", "application/json")[0].getheader("content-type") == "text/x-event"
