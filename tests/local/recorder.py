"""What functions under test report to, and the type of the fixture that deploys them."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

type Deploy = Callable[[dict[str, Any]], dict[str, str]]


class Recorder:
    """What functions have posted to `url`, in order, each with the time of its arrival."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.posts: list[tuple[float, Any]] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with recorder._changed:
                    recorder.posts.append((time.monotonic(), content))
                    recorder._changed.notify_all()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count: int, seconds: float = 15) -> list[tuple[float, Any]]:
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.posts) >= count, seconds)
            assert arrived, f"{len(self.posts)} of {count} posts within {seconds} s"
            return list(self.posts)
