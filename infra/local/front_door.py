"""The stack's own HTTP API, served at the root of the emulator's address.

API Gateway gives every HTTP API a host of its own, which needs a name server. Here the requests
that no AWS client has signed belong to the one HTTP API of the stack, so that its address is
simply `http://127.0.0.1:4566`.

The emulator asks nobody for credentials and lets any origin in. A web page that is open on this
machine must not reach it: what names another host, as a name that was made to lead here does, is
refused, and so is what a browser sends to the emulator itself, as all of it is until the stack has
its HTTP API.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from infra.local.patches import upstream

type Scope = dict[str, Any]
type Receive = Callable[[], Awaitable[Any]]
type Send = Callable[[Any], Awaitable[None]]
type Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

# Each request that waits for a function holds a process of its own.
_MAX_CONCURRENT_REQUESTS = 6
_HOSTS = (b"127.0.0.1", b"localhost")


class FrontDoor:
    """An ASGI application in front of the emulator's."""

    def __init__(self, emulator: Asgi) -> None:
        self._emulator = emulator
        self._places = asyncio.Semaphore(_MAX_CONCURRENT_REQUESTS)
        self.requests_under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, to the stack's HTTP API when it is not for the emulator itself."""
        if scope["type"] == "lifespan":
            await self._emulator(scope, receive, send)
            return
        prefix = None if _is_for_emulator(scope) else _api_prefix()
        if _names_another_host(scope) or (prefix is None and _is_from_page(scope)):
            await _refuse(scope, send)
            return
        if prefix is None:
            await self._emulator(scope, receive, send)
            return
        self.requests_under_way += 1
        try:
            async with self._places:
                await self._emulator(_under(prefix, scope), receive, send)
        finally:
            self.requests_under_way -= 1


def _names_another_host(scope: Scope) -> bool:
    headers = {name.lower(): value for name, value in scope["headers"]}
    host, _, _ = headers.get(b"host", b"").partition(b":")
    return host not in _HOSTS


def _is_from_page(scope: Scope) -> bool:
    """Whether a browser sends it for a web page."""
    names = {name.lower() for name, _ in scope["headers"]}
    return b"origin" in names or b"sec-fetch-site" in names


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": 403, "headers": []})
    await send({"type": "http.response.body", "body": b"Not from here."})


def _is_for_emulator(scope: Scope) -> bool:
    # The stack has no WebSocket API. The emulator's own paths are /_aws, /_ministack and the like.
    return (
        scope["type"] != "http"
        or scope["path"].startswith("/_")
        or b"X-Amz-Signature=" in scope.get("query_string", b"")
        or any(
            name.lower() == b"authorization" and value.startswith(b"AWS4-HMAC-SHA256")
            for name, value in scope["headers"]
        )
    )


def _api_prefix() -> str | None:
    from ministack.services import apigateway

    for api_id in upstream.lookup(apigateway, "_apis"):
        return f"/_aws/execute-api/{api_id}/$default"
    return None


def _under(prefix: str, scope: Scope) -> Scope:
    raw_path = scope.get("raw_path") or quote(scope["path"]).encode()
    return {**scope, "path": prefix + scope["path"], "raw_path": prefix.encode() + raw_path}
