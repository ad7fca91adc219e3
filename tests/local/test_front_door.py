"""What the front door lets in, and where to: the emulator asks nobody for credentials."""

from collections.abc import Coroutine
from typing import Any

import pytest
from ministack.services import apigateway

from infra.local.front_door import FrontDoor

API = "/_aws/execute-api/a1b2c3/$default"
EMULATOR = ("/_ministack/health", "")
SIGNED = ("/", "X-Amz-Signature=0")
RAW = ("/2015-03-31/functions", "")
FROM_A_PAGE = (
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec_fetch_site": "same-origin"},
)


@pytest.fixture
def _deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack has its HTTP API."""
    monkeypatch.setattr(apigateway, "_apis", {"a1b2c3": {}})


@pytest.fixture
def _deploying(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack has no HTTP API yet."""
    monkeypatch.setattr(apigateway, "_apis", {})


def answer(path: str, query: str = "", kind: str = "http", **headers: str) -> int | str:
    """The path by which a request reaches the emulator, or the status that it is refused with."""
    reached: list[str] = []
    sent: list[dict[str, Any]] = []

    async def emulator(scope: Any, _receive: Any, _send: Any) -> None:  # noqa: ANN401
        reached.append(scope["path"])

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
    _run(FrontDoor(emulator)(scope, receive, send))
    if reached:
        assert not sent
        return reached[0]
    found: int | str = sent[0].get("status", sent[0]["type"])
    return found


def _run(steps: Coroutine[Any, Any, None]) -> None:
    """To their end, which waits for nothing: a browser's tests may have an event loop running."""
    with pytest.raises(StopIteration):
        steps.send(None)


@pytest.mark.usefixtures("_deployed")
@pytest.mark.parametrize("host", ["127.0.0.1:4566", "localhost:4566", "localhost"])
def test_this_machines_own_names_are_let_in(host: str) -> None:
    assert answer("/v1/events", host=host) == f"{API}/v1/events"
    assert answer(*EMULATOR, host=host) == EMULATOR[0]


@pytest.mark.usefixtures("_deployed")
@pytest.mark.parametrize("host", ["evil.example:4566", "127.0.0.1.evil.example", "", "[::1]"])
@pytest.mark.parametrize("path", ["/console", "/v1/events", "/_ministack/reset"])
def test_another_hosts_name_is_not(host: str, path: str) -> None:
    assert answer(path, host=host) == 403


@pytest.mark.usefixtures("_deployed")
@pytest.mark.parametrize("place", [EMULATOR, SIGNED])
@pytest.mark.parametrize("headers", FROM_A_PAGE)
def test_no_web_page_calls_the_emulator(place: tuple[str, str], headers: dict[str, str]) -> None:
    assert answer(*place, **headers) == 403


@pytest.mark.usefixtures("_deploying")
@pytest.mark.parametrize("place", [EMULATOR, SIGNED, RAW, ("/", ""), ("/v1/events", "")])
@pytest.mark.parametrize("headers", FROM_A_PAGE)
def test_nor_does_one_while_the_stack_is_being_deployed(
    place: tuple[str, str], headers: dict[str, str]
) -> None:
    assert answer(*place, **headers) == 403


@pytest.mark.usefixtures("_deploying")
@pytest.mark.parametrize("place", [EMULATOR, SIGNED, RAW])
def test_an_aws_client_reaches_it_then(place: tuple[str, str]) -> None:
    assert answer(*place) == place[0]


@pytest.mark.usefixtures("_deployed")
def test_the_consoles_own_pages_and_calls_of_the_api_come_from_pages_too() -> None:
    sign_in = answer("/console/sign-in", origin="http://127.0.0.1:4566")

    assert sign_in == f"{API}/console/sign-in"
    assert answer("/v1/events", sec_fetch_site="cross-site") == f"{API}/v1/events"
    # What only the emulator would know is asked of the API, which has no such route.
    assert answer(*RAW, origin="https://evil.example") == f"{API}{RAW[0]}"


@pytest.mark.usefixtures("_deployed")
def test_a_websocket_from_elsewhere_is_closed() -> None:
    assert answer("/", kind="websocket", host="evil.example") == "websocket.close"


@pytest.mark.usefixtures("_deployed")
@pytest.mark.parametrize("headers", FROM_A_PAGE)
def test_so_is_one_of_a_web_page(headers: dict[str, str]) -> None:
    """The stack has none: it would reach the emulator."""
    assert answer("/", kind="websocket", **headers) == "websocket.close"
