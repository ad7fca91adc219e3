"""What the front door lets in: the emulator asks nobody for credentials."""

import asyncio
from typing import Any

import pytest

from infra.local.front_door import FrontDoor

EMULATOR = ("/_ministack/health", "")
SIGNED = ("/", "X-Amz-Signature=0")


def status(path: str, query: str = "", kind: str = "http", **headers: str) -> int | str:
    """What a request is answered, by an emulator that answers 200 to all that reaches it."""
    sent: list[dict[str, Any]] = []

    async def emulator(_scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:  # noqa: ANN401
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    named = {"host": "127.0.0.1:4566"} | headers
    scope = {
        "type": kind,
        "path": path,
        "query_string": query.encode(),
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in named.items()
        ],
    }
    asyncio.run(FrontDoor(emulator)(scope, receive, send))
    found: int | str = sent[0].get("status", sent[0]["type"])
    return found


@pytest.mark.parametrize("host", ["127.0.0.1:4566", "localhost:4566", "localhost"])
def test_this_machines_own_names_are_let_in(host: str) -> None:
    assert status("/v1/events", host=host) == 200
    assert status(*EMULATOR, host=host) == 200


@pytest.mark.parametrize("host", ["evil.example:4566", "127.0.0.1.evil.example", "", "[::1]"])
@pytest.mark.parametrize("path", ["/console", "/v1/events", "/_ministack/reset"])
def test_another_hosts_name_is_not(host: str, path: str) -> None:
    assert status(path, host=host) == 403


@pytest.mark.parametrize("place", [EMULATOR, SIGNED])
@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec_fetch_site": "same-origin"}],
)
def test_no_web_page_calls_the_emulator(place: tuple[str, str], headers: dict[str, str]) -> None:
    assert status(*place, **headers) == 403


def test_the_consoles_own_pages_and_calls_of_the_api_come_from_pages_too() -> None:
    assert status("/console/sign-in", origin="http://127.0.0.1:4566") == 200
    assert status("/v1/events", sec_fetch_site="cross-site") == 200


def test_a_websocket_from_elsewhere_is_closed() -> None:
    assert status("/", kind="websocket", host="evil.example") == "websocket.close"
