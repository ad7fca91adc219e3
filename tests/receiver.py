"""A receiver of webhooks on a real socket, that answers as a script says and records everything.

Signatures are checked by the package `standardwebhooks`, never by our own code.
"""

import json
import socket
import struct
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook

_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """An answer to one request, given after a while. Status 0 resets the connection instead."""

    status: int = 200
    body: bytes = b""
    after_seconds: float = 0
    headers: tuple[tuple[str, str], ...] = ()


DROP = Answer(status=0)


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as it came: header names in lower case, the body's very bytes.

    `at` is when, in seconds since the epoch.
    """

    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    json: Any = field(repr=False)
    at: float = field(default_factory=time.time)

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status <= 299

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in the body, alone or in a batch's envelope."""
        if self.json["type"] == "batch":
            return list(self.json["data"]["events"])
        return [self.json]

    @property
    def event_ids(self) -> tuple[str, ...]:
        return tuple(event["id"] for event in self.events)

    def verified(self, secret: str) -> Any:  # noqa: ANN401 - the JSON that was signed
        """The body, read; raises what `standardwebhooks` raises for a wrong signature."""
        return Webhook(secret).verify(self.body, self.headers)


class Endpoint:
    """One URL of a receiver. Each request takes the next answer; the last one serves the rest."""

    def __init__(self, receiver: "Receiver", path: str, answers: Sequence[Answer]) -> None:
        self._receiver = receiver
        self._path = path
        self._answers = list(answers)
        self._requests: list[ReceivedRequest] = []

    @property
    def url(self) -> str:
        return f"{self._receiver.url}{self._path}"

    @property
    def requests(self) -> list[ReceivedRequest]:
        with self._receiver.changed:
            return list(self._requests)

    def answer(self, *answers: Answer | int) -> None:
        """Replace the script, from the next request on."""
        with self._receiver.changed:
            self._answers = _script(answers)

    def wait_for(self, count: int, seconds: float = _PATIENCE_SECONDS) -> list[ReceivedRequest]:
        """The requests once there are that many; fails when they do not come in time."""
        with self._receiver.changed:
            came = self._receiver.changed.wait_for(lambda: len(self._requests) >= count, seconds)
            assert came, f"{len(self._requests)} of {count} requests within {seconds} s"
            return list(self._requests)

    def wait_for_events(
        self, event_ids: Sequence[str], seconds: float = _PATIENCE_SECONDS
    ) -> list[ReceivedRequest]:
        """The requests once each of the events has been answered with success."""

        def missing() -> set[str]:
            taken = {one for each in self._requests if each.succeeded for one in each.event_ids}
            return set(event_ids) - taken

        with self._receiver.changed:
            came = self._receiver.changed.wait_for(lambda: not missing(), seconds)
            assert came, f"{len(missing())} of {len(event_ids)} events missing after {seconds} s"
            return list(self._requests)

    def take(self, headers: dict[str, str], body: bytes) -> Answer:
        """Record a request and tell its answer."""
        with self._receiver.changed:
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            request = ReceivedRequest(self._path, headers, body, answer.status, json.loads(body))
            self._requests.append(request)
            self._receiver.changed.notify_all()
            return answer


class Receiver:
    """A server on a free port of loopback for the length of a `with`, with many endpoints."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._over = threading.Event()
        self._endpoints: dict[str, Endpoint] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = receiver._endpoints[self.path].take(headers, body)
                if answer.after_seconds:
                    receiver._over.wait(answer.after_seconds)
                if not answer.status:
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """A sender that has gone meanwhile is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def endpoint(self, *answers: Answer | int) -> Endpoint:
        """A new URL; it answers 200 if no answers are given."""
        path = f"/hooks/{uuid.uuid4().hex}"
        endpoint = Endpoint(self, path, _script(answers or (200,)))
        self._endpoints[path] = endpoint
        return endpoint

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _script(answers: Sequence[Answer | int]) -> list[Answer]:
    return [Answer(answer) if isinstance(answer, int) else answer for answer in answers]
