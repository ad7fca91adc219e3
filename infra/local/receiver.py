"""Receivers of webhooks as our users would write them: nothing of Perkwire's is used.

Every endpoint verifies as the receivers of its product do. It may ask for headers of its own too,
and be told to fail its first requests, to show what retries look like.
"""

import hmac
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from infra.local.verifying import PRODUCTS, Headers, Product

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request that arrived, and what it was answered.

    `event_names` are the product's; there are none if the request was not verified. It is a
    `repeat` if the endpoint had taken the same delivery before.
    """

    at: datetime
    endpoint: str
    delivery_id: str
    event_names: tuple[str, ...]
    number: int
    verified: bool
    status: HTTPStatus
    repeat: bool


@dataclass(slots=True)
class _Endpoint:
    name: str
    product: Product
    secret: str
    headers: Headers
    failures_left: int

    def is_genuine(self, headers: Headers, body: bytes) -> bool:
        return self.product.is_genuine(self.secret, headers, body) and all(
            hmac.compare_digest(value.encode(), headers.get(name, "").encode())
            for name, value in self.headers.items()
        )


class Receiver:
    """An HTTP server on a free loopback port; `on_attempt` is called for each request, in turn."""

    def __init__(self, on_attempt: Callable[[Attempt], None]) -> None:
        self._on_attempt = on_attempt
        self._endpoints: dict[str, _Endpoint] = {}
        self._attempts: Counter[str] = Counter()
        self._taken: set[tuple[str, str]] = set()
        self._turn = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            # Kept connections, as most receivers behind a load balancer have.
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = receiver._answer(self.path, headers, body)
                self.send_response(status)
                if status != HTTPStatus.NO_CONTENT:
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

    def add(
        self,
        name: str,
        secret: str,
        *,
        product: str = "standard",
        headers: Mapping[str, str] | None = None,
        failures: int = 0,
    ) -> None:
        """Answer requests to `url(name)` from now on, as a receiver of `product` does.

        It refuses those without `headers`, and the first `failures` of the others with 503.
        """
        self._endpoints[f"/{name}"] = _Endpoint(
            name=name,
            product=PRODUCTS[product],
            secret=secret,
            headers={name.lower(): value for name, value in (headers or {}).items()},
            failures_left=failures,
        )

    def _answer(self, path: str, headers: Headers, body: bytes) -> HTTPStatus:
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            return HTTPStatus.NOT_FOUND
        verified = endpoint.is_genuine(headers, body)
        names = endpoint.product.event_names(json.loads(body)) if verified else []
        delivery_id = headers.get("webhook-id", "")
        with self._turn:
            if not verified:
                status = HTTPStatus.UNAUTHORIZED
            elif endpoint.failures_left > 0:
                endpoint.failures_left -= 1
                status = HTTPStatus.SERVICE_UNAVAILABLE
            else:
                status = endpoint.product.taken
            self._attempts[delivery_id] += 1
            delivery = (endpoint.name, delivery_id)
            attempt = Attempt(
                at=datetime.now(UTC),
                endpoint=endpoint.name,
                delivery_id=delivery_id,
                event_names=tuple(names),
                number=self._attempts[delivery_id],
                verified=verified,
                status=status,
                repeat=delivery in self._taken,
            )
            if status.is_success:
                self._taken.add(delivery)
            self._on_attempt(attempt)
            return status
