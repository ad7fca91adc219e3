"""A receiver of webhooks as one of our users would write it: nothing of Perkwire's is used.

Every request is verified with the `standardwebhooks` package. An endpoint may be told to fail its
first requests, to show what retries look like.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request that arrived, and what it was answered."""

    at: datetime
    endpoint: str
    delivery_id: str
    event_types: tuple[str, ...]
    number: int
    verified: bool
    status: int


@dataclass(slots=True)
class _Endpoint:
    name: str
    webhook: Webhook
    failures_left: int


class Receiver:
    """An HTTP server on a free loopback port; `on_attempt` is called for each request, in turn."""

    def __init__(self, on_attempt: Callable[[Attempt], None]) -> None:
        self._on_attempt = on_attempt
        self._endpoints: dict[str, _Endpoint] = {}
        self._attempts: Counter[str] = Counter()
        self._turn = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            # Kept connections, as most receivers behind a load balancer have.
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = receiver._answer(self.path, dict(self.headers.items()), body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Leave the output to `on_attempt`."""

        self._server = ThreadingHTTPServer((_HOST, 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, name: str) -> str:
        """Return the address of an endpoint, which answers 404 until it is added."""
        return f"http://{_HOST}:{self._server.server_port}/{name}"

    def add(self, name: str, secret: str, *, failures: int = 0) -> None:
        """Answer requests to `url(name)` from now on, the first `failures` of them with 503."""
        self._endpoints[f"/{name}"] = _Endpoint(name, Webhook(secret), failures)

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> HTTPStatus:
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            return HTTPStatus.NOT_FOUND
        with self._turn:
            verified = _verified(endpoint.webhook, headers, body)
            if not verified:
                status = HTTPStatus.UNAUTHORIZED
            elif endpoint.failures_left > 0:
                endpoint.failures_left -= 1
                status = HTTPStatus.SERVICE_UNAVAILABLE
            else:
                status = HTTPStatus.OK
            delivery_id = _header(headers, "webhook-id")
            self._attempts[delivery_id] += 1
            self._on_attempt(
                Attempt(
                    at=datetime.now(UTC),
                    endpoint=endpoint.name,
                    delivery_id=delivery_id,
                    event_types=_event_types(body) if verified else (),
                    number=self._attempts[delivery_id],
                    verified=verified,
                    status=status,
                )
            )
            return status


def _verified(webhook: Webhook, headers: dict[str, str], body: bytes) -> bool:
    try:
        webhook.verify(body, {name.lower(): value for name, value in headers.items()})
    except WebhookVerificationError:
        return False
    return True


def _header(headers: dict[str, str], wanted: str) -> str:
    return next((value for name, value in headers.items() if name.lower() == wanted), "")


def _event_types(body: bytes) -> tuple[str, ...]:
    content: dict[str, Any] = json.loads(body)
    events = content["data"]["events"] if content["type"] == "batch" else [content]
    return tuple(event["type"] for event in events)
