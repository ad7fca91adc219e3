"""A receiver to look at: prints each request that arrives, and answers 200.

python -m infra.local.inspector --port 9000 [--secret whsec_…]

With the webhook's secret it verifies each signature, with the `standardwebhooks` package. A GET
says that it is there.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

_HOST = "127.0.0.1"
_SHOWN = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "user-agent")


class Inspector(ThreadingHTTPServer):
    """Answers every POST with 200, or 401 if a secret was given and the signature is wrong."""

    daemon_threads = True

    def __init__(self, port: int, secret: str | None) -> None:
        super().__init__((_HOST, port), _Handler)
        self.webhook = Webhook(secret) if secret else None


class _Handler(BaseHTTPRequestHandler):
    server: Inspector

    def do_GET(self) -> None:
        said = b"Waiting for webhooks.\n"
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, verdict = self._verify(body)
        print(f"\nPOST {self.path}  {verdict}")
        for name in _SHOWN:
            if value := self.headers.get(name):
                print(f"  {name}: {value}")
        print(f"  {_pretty(body)}", flush=True)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _verify(self, body: bytes) -> tuple[HTTPStatus, str]:
        if self.server.webhook is None:
            return HTTPStatus.OK, "signature not verified: no --secret"
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            self.server.webhook.verify(body, headers)
        except (WebhookVerificationError, ValueError) as error:  # ValueError: not base64
            return HTTPStatus.UNAUTHORIZED, f"signature refused: {error}"
        return HTTPStatus.OK, "signature verified"

    def log_message(self, *_: object) -> None:
        """Leave the output to what is printed above."""


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False).replace("\n", "\n  ")
    except ValueError:
        return repr(body)


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer until Ctrl-C; the exit status is 1 if the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.inspector")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--secret", help="the webhook's, to verify with")
    options = parser.parse_args(arguments)
    try:
        inspector = Inspector(options.port, options.secret)
    except OSError as error:
        print(f"inspector: port {options.port}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"Waiting for webhooks at http://{_HOST}:{options.port}/ (Ctrl-C ends)", flush=True)
    try:
        inspector.serve_forever()
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
