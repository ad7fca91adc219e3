"""Forty accounts, ten webhooks each at most, some hundred failures: for reviews of the console.

python -m tests.browser.crowd --port 4566

works on the system that `make run PORT=4566` has started, through its API alone, and answers for
the endpoints until Ctrl-C (`--leave`: only until all has arrived). Each run adds accounts of its
own. One endpoint among the healthy is badly broken: `BROKEN` says which, for whoever judges how
fast it is found.
"""

# ruff: noqa: T201 - a command-line program

import argparse
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local import runs
from infra.local.demo_calls import Api, DemoError

BRANDS = (
    *("Alder Bakery", "Beacon Outdoor", "Birch Pharmacy", "Blue Door Books", "Bright Optics"),
    *("Cedar Hotels", "Cinder Coffee", "Clover Pets", "Copper Kitchen", "Dune Surf"),
    *("Ember Pizza", "Fern Garden", "Field Cycles", "Fjord Fashion", "Flint Tools"),
    *("Gale Airlines", "Glen Toys", "Grove Market", "Harbour Coffee", "Hazel Beauty"),
    *("Iris Flowers", "Juniper Spa", "Kestrel Sports", "Larch Furniture", "Lantern Cinema"),
    *("Linden Grocers", "Maple Diner", "Meadow Dairy", "Mint Mobile Repair", "North Ferries"),
    *("Oak Barbers", "Orchard Juice", "Pebble Shoes", "Quill Stationery", "Reed Fitness"),
    *("Sable Jewellers", "Thistle Tea", "Umber Art", "Vale Fuel", "Willow Baby"),
)
BROKEN = ("Harbour Coffee", "Till backend")
"""The account and the webhook with by far the most failures."""

_PURPOSES = (
    *("CRM", "Mailing", "Data lake", "App push", "Ledger"),
    *("Support desk", "Fraud checks", "Partner feed", "Store displays", "Analytics"),
)
_EVENT: dict[str, Any] = {
    "type": "points.earned",
    "data": {"member": {"id": "m-1"}, "transaction": {"id": "t-1", "points": 50}},
}
_EVENTS_OF_THE_HEALTHY = 3
_ONCE: dict[str, Any] = {"retry_delays_seconds": []}
"""One attempt: what fails is failed, and a dead letter, at once."""
_PATIENCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Trouble:
    """A webhook that does not work: how its endpoint answers, to how many events."""

    account: str
    webhook: str
    status: int
    events: int
    after_seconds: float = 0
    body: str = ""
    fields: dict[str, Any] = field(default_factory=lambda: _ONCE)


TROUBLES = (
    Trouble(*BROKEN, 500, 160, body='{"error": "relation \\"points\\" does not exist"}'),
    Trouble("Cedar Hotels", "Guest book", 401, 24, body='{"error": "invalid signature"}'),
    Trouble("Fjord Fashion", "Shop sync", 301, 18),
    Trouble("Maple Diner", "Kitchen screen", 503, 40, body="upstream connect error"),
    Trouble("Pebble Shoes", "Returns", 500, 9, fields={}),
    Trouble("Birch Pharmacy", "Old till", 410, 6, body="This till is closed.", fields={}),
    Trouble("Vale Fuel", "Pump board", 410, 3, fields={}),
    Trouble("Thistle Tea", "Tasting notes", 204, 14, after_seconds=2.4, fields={}),
    Trouble("Quill Stationery", "Orders", 404, 12),
    Trouble("Willow Baby", "Nursery", 422, 2, fields={}),
)


class Endpoints(ThreadingHTTPServer):
    """The endpoints of all webhooks: those that `answers` does not name take what comes."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.answers: dict[str, Trouble] = {}
        self.seen: dict[str, int] = {}

    def url(self, path: str) -> str:
        """The URL of an endpoint."""
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Endpoints

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        trouble = self.server.answers.get(self.path)
        self.server.seen[self.path] = self.server.seen.get(self.path, 0) + 1
        if trouble is not None:
            time.sleep(trouble.after_seconds)
        status = 204 if trouble is None else trouble.status
        body = b"" if trouble is None else trouble.body.encode()
        self.send_response(status)
        if status == 301:
            self.send_header("Location", self.server.url("/moved"))
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The console of the review has better to show."""


@contextmanager
def endpoints() -> Iterator[Endpoints]:
    """Endpoints that answer while the block runs."""
    with Endpoints() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()


def add_account(operator: Api, url: str, name: str) -> tuple[str, Api]:
    """A new account's id, and the API with a key of its own."""
    account_id: str = operator.call("POST", "/v1/accounts", {"name": name})["id"]
    request = {"name": "Platform", "scopes": ["events", "webhooks"]}
    key = operator.call("POST", f"/v1/accounts/{account_id}/api-keys", request)["key"]
    return account_id, Api(url, key)


def settle_in(operator: Api, url: str, receiving: Endpoints, brand: str, healthy: int) -> int:
    """An account with so many healthy webhooks and its troubles; how many events it posts."""
    _, api = add_account(operator, url, brand)
    slug = brand.lower().replace(" ", "-")
    for purpose in _PURPOSES[:healthy]:
        path = f"/{slug}/{purpose.lower().replace(' ', '-')}"
        webhook = {"name": purpose, "url": receiving.url(path), "event_types": ["points.earned"]}
        api.call("POST", "/v1/webhooks", webhook)
    events = [_EVENT] * _EVENTS_OF_THE_HEALTHY
    for number, trouble in enumerate(one for one in TROUBLES if one.account == brand):
        path = f"/{slug}/{trouble.webhook.lower().replace(' ', '-')}"
        receiving.answers[path] = trouble
        event_type = f"custom.part_{'abcdefgh'[number]}"
        webhook = {"name": trouble.webhook, "url": receiving.url(path)}
        api.call("POST", "/v1/webhooks", {**webhook, "event_types": [event_type], **trouble.fields})
        events += [{"type": event_type, "data": _EVENT["data"]}] * trouble.events
    for start in range(0, len(events), 100):
        api.call("POST", "/v1/events", {"events": events[start : start + 100]})
    return len(events)


def populate(operator: Api, url: str, receiving: Endpoints, brands: Sequence[str]) -> int:
    """All of the accounts, and how many events they have posted."""
    posted = 0
    for number, brand in enumerate(brands):
        troubled = sum(one.account == brand for one in TROUBLES)
        posted += settle_in(
            operator, url, receiving, brand, min(1 + number * 3 % 10, 10 - troubled)
        )
        print(f"\r{number + 1} of {len(brands)} accounts, {posted} events", end="", flush=True)
    print(flush=True)
    return posted


def wait_for(receiving: Endpoints, brands: Sequence[str]) -> None:
    """Until each broken endpoint has been asked as often as it will be at once; or a while."""
    wanted = {
        path: trouble.events
        for path, trouble in receiving.answers.items()
        if trouble.status != 410 and trouble.account in brands
    }
    end = time.monotonic() + _PATIENCE_SECONDS
    while any(receiving.seen.get(path, 0) < events for path, events in wanted.items()):
        if time.monotonic() > end:
            print("Some have not arrived yet; they still may.", flush=True)
            return
        time.sleep(0.5)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill a running system; the exit status is 1 if there is none."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.crowd", description=__doc__)
    parser.add_argument("--port", default="4566", help="of `make run`, in this folder")
    parser.add_argument("--url", help="of an API elsewhere, with --key")
    parser.add_argument("--key", help="an operator's, for --url")
    parser.add_argument("--accounts", type=int, default=len(BRANDS))
    parser.add_argument("--leave", action="store_true", help="end once all has arrived")
    options = parser.parse_args(arguments)
    try:
        local = runs.addresses(runs.WORK / str(runs.read_port(options.port)))
        url, key = options.url or local.get("api_url"), options.key or local.get("operator_key")
        if not url or not key:
            raise DemoError(f"nothing is running at port {options.port}: `make run` starts it")
        brands = BRANDS[: options.accounts]
        with endpoints() as receiving:
            populate(Api(url, key), url, receiving, brands)
            wait_for(receiving, brands)
            print(f"Ready: {url}/console, with the operator key {key}", flush=True)
            if not options.leave:
                print("The endpoints answer until Ctrl-C.", flush=True)
                threading.Event().wait()
    except KeyboardInterrupt:
        print()
    except (DemoError, runs.RunError, urllib.error.URLError) as error:
        print(f"crowd: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
