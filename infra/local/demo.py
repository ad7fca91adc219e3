"""Sample events of five loyalty products, through the public API, to a receiver that checks them.

Each run makes an account of its own, so that it works on data that has survived earlier runs.
"""

import json
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from infra.local.emulator import ROOT
from infra.local.receiver import Attempt, Receiver

SAMPLES = Path(__file__).parent / "samples"

_NAME_WIDTH = 17
_TYPES_WIDTH = 44
_PATIENCE_SECONDS = 60


class DemoError(RuntimeError):
    """The API did not do what the demo asked for; the message is one line."""


def samples() -> list[dict[str, Any]]:
    """Return the sample events of the five products: what each posts to `/v1/events`."""
    return [
        event
        for path in sorted(SAMPLES.glob("*.json"))
        for event in json.loads(path.read_text(encoding="utf-8"))["events"]
    ]


@contextmanager
def running(api_url: str, operator_key: str) -> Iterator[None]:
    """Play the samples until all are taken, then show each further attempt while the block runs."""
    progress = _Progress()
    with Receiver(progress.show) as receiver:
        key = _account_key(api_url, operator_key)
        _webhook(api_url, key, receiver, "crm", event_types=["*"])
        _webhook(api_url, key, receiver, "warehouse", event_types=["*"], batch_size=10)
        _webhook(
            api_url, key, receiver, "fails-and-mends", event_types=["tier.upgraded"], failures=2
        )
        events = samples()
        print(f"\nPosting {len(events)} sample events of five loyalty products to three webhooks:")
        print("  crm takes every event, warehouse takes them in batches of up to 10,")
        print("  fails-and-mends answers its first two requests with 503, then recovers.\n")
        _call(api_url, "POST", "/v1/events", key, {"events": events})
        upgrades = sum(event["type"] == "tier.upgraded" for event in events)
        print(f"\n{progress.wait_for(2 * len(events) + upgrades)}\n")
        print(_NEXT.format(api_url=api_url, key=key), flush=True)
        yield


class _Progress:
    """Shows attempts, and knows when all events have been taken."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = self._attempts = self._verified = 0

    def show(self, attempt: Attempt) -> None:
        print(_line(attempt), flush=True)
        with self._changed:
            self._attempts += 1
            self._verified += attempt.verified
            self._taken += len(attempt.event_types) if attempt.status == HTTPStatus.OK else 0
            self._changed.notify()

    def wait_for(self, expected: int) -> str:
        """Return one line on what has arrived, when all has or a minute is over."""
        with self._changed:
            complete = self._changed.wait_for(lambda: self._taken >= expected, _PATIENCE_SECONDS)
            taken = f"All {expected}" if complete else f"Only {self._taken} of {expected}"
            return (
                f"{taken} events taken, in {self._attempts} attempts, "
                f"{self._verified} signatures verified."
            )


_NEXT = """\
Try next (the key is the demo account's own):

  curl -X POST {api_url}/v1/events \\
    -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    -d '{{"type": "points.earned", "data": {{"member": {{"id": "m-1"}}, "points": 50}}}}'
"""


def _account_key(api_url: str, operator_key: str) -> str:
    name = f"Demo of {datetime.now().astimezone():%d %B, %H:%M:%S}"
    account = _call(api_url, "POST", "/v1/accounts", operator_key, {"name": name})
    path = f"/v1/accounts/{account['id']}/api-keys"
    request = {"name": "demo", "scopes": ["events", "webhooks"]}
    return cast(str, _call(api_url, "POST", path, operator_key, request)["key"])


def _webhook(
    api_url: str,
    key: str,
    receiver: Receiver,
    name: str,
    *,
    failures: int = 0,
    **settings: Any,  # noqa: ANN401 - fields of the API's resource
) -> None:
    request = {"name": name, "url": receiver.url(name), **settings}
    created = _call(api_url, "POST", "/v1/webhooks", key, request)
    receiver.add(name, created["secret"], failures=failures)


def _line(attempt: Attempt) -> str:
    answer = {200: "200 taken", 503: "503 will be retried"}.get(
        attempt.status, str(int(attempt.status))
    )
    return (
        f"{attempt.at.astimezone():%H:%M:%S}  {attempt.endpoint:<{_NAME_WIDTH}}"
        f"{_types(attempt.event_types):<{_TYPES_WIDTH}}attempt {attempt.number}  "
        f"signature {'verified' if attempt.verified else 'WRONG'}  {answer}"
    )


def _types(event_types: tuple[str, ...]) -> str:
    if len(event_types) < 2:
        return "".join(event_types)
    (most_common, _count), *others = Counter(event_types).most_common()
    more = f" and {len(others)} more types" if others else ""
    return f"{len(event_types)} events: {most_common}{more}"


def _call(
    api_url: str, method: str, path: str, key: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - our own API's address
        api_url + path,
        data=json.dumps(body).encode(),
        method=method,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return cast(dict[str, Any], json.load(answer))
    except urllib.error.HTTPError as error:
        detail = error.read().decode(errors="replace")[:300]
        raise DemoError(f"{method} {path} was answered {error.code}: {detail}") from None


def main(local_json: Path = ROOT / ".perkwire" / "local.json") -> int:
    """Play the demonstration against the system that `make run` has started, until Ctrl-C."""
    try:
        local = json.loads(local_json.read_text(encoding="utf-8"))
        with running(local["api_url"], local["operator_key"]):
            threading.Event().wait()
    except KeyboardInterrupt:
        print()
    except (FileNotFoundError, urllib.error.URLError):
        print("make demo: nothing is running here, start it with `make run`", file=sys.stderr)
        return 1
    except DemoError as error:
        print(f"make demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
