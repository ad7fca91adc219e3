"""One event to receivers of six kinds, through the public API; then samples of the catalogue.

Each run makes an account of its own, so that it works on data that has survived earlier runs.
"""

import argparse
import secrets
import signal
import sys
import threading
import time
import urllib.error
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "functions"))

from infra.local import inbox_demo, listen_demo, runs
from infra.local.arrivals import WIDTH, Arrivals, listed
from infra.local.demo_calls import Api, Browser, DemoError
from infra.local.receiver import Receiver
from infra.local.verifying import prepare
from perkwire.dispatching.strain import RECOVERED_AFTER, STRAINED_AFTER
from perkwire.model.lanes import Lane

# The values that Zoho Thrive's page prints for a tier upgrade.
TIER_UPGRADE: dict[str, Any] = {
    "type": "tier.upgraded",
    "data": {
        "member": {
            "id": "826000000272053",
            "membership_id": "826000000272057",
            "email": "michael@zylker.com",
            "points": {"balance": 100},
        },
        "tier": {"previous": {"name": "silver"}, "current": {"name": "gold"}},
    },
}

# Each product has a word for some of them. For the last, only one has: the log shows the others.
SAMPLES = (
    "member.enrolled",
    "points.earned",
    "points.added",
    "points.deducted",
    "points.expired",
    "tier.downgraded",
    "reward.redeemed",
    "referral.completed",
    "purchase.created",
    "review.created",
    "voucher.redeemed",
    "social.instagram.followed",
)

_MENDS = "mends"  # of the format `standard`
_MENDING_TYPE = "custom.demo"
_MENDING_EVENTS = STRAINED_AFTER
"""Of each of two posts: all of the first fail once, and ten successes lead back."""
_PATIENCE_SECONDS = 60
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """A kind of receiver, and what it asks of its webhook."""

    product: str
    headers: tuple[str, ...] = ()
    batch_size: int = 1


# Zoho and Qualifio let their receivers ask for a header of their own.
_ENDPOINTS = (
    _Endpoint("standard"),
    _Endpoint("zinrelo", batch_size=10),
    _Endpoint("zoho-thrive", headers=("x-thrive-token",)),
    _Endpoint("qualifio", headers=("x-loyalty-token",), batch_size=10),
    _Endpoint("okendo"),
    _Endpoint("voucherify"),
)


@contextmanager
def running(local: Mapping[str, str], home: Path) -> Iterator[None]:
    """Play the demonstration, then show each further attempt while the block runs.

    `local` has the system's addresses and an operator's key; `home` is its folder.
    """
    api_url, operator_key = local["api_url"], local["operator_key"]
    prepare()
    arrivals = Arrivals()
    with Receiver(arrivals.note) as receiver:
        operator = Api(api_url, operator_key)
        account_id, key = _account(operator)
        api = Api(api_url, key)
        webhooks = [_webhook(api, receiver, endpoint) for endpoint in _ENDPOINTS]
        mending = _mending_webhook(api, receiver)
        _play_tier_upgrade(api, arrivals, webhooks)
        _play_samples(api, arrivals, webhooks)
        names = [webhook.name for webhook in webhooks]
        inbox_demo.play(operator.call, local, arrivals, names, account_id, TIER_UPGRADE)
        browser = Browser(api_url)
        browser.sign_in(_console_link(operator, account_id))
        listen_demo.play(api, browser, arrivals, receiver, names, TIER_UPGRADE, home)
        _play_mending(api, arrivals, mending)
        print(f"\n{arrivals.summary()}\n")
        link = _console_link(operator, account_id)
        print(_NEXT.format(api_url=api_url, key=key, link=link), flush=True)
        arrivals.show_all_from_now_on()
        yield


_NEXT = """\
Look at it in the console (the link signs in once, within the hour; after that, the key does):

  {link}

Try next (the key is the demo account's own):

  curl -X POST {api_url}/v1/events \\
    -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"type": "points.earned", "data": {{"member": {{"id": "m-1"}},
         "transaction": {{"id": "t-1", "points": 50}}}}}}'
"""


@dataclass(frozen=True, slots=True)
class _Webhook:
    """A webhook as the API has made it. `format` is the format's name with its version."""

    id: str
    name: str
    format: str


def _play_tier_upgrade(api: Api, arrivals: Arrivals, webhooks: Sequence[_Webhook]) -> None:
    print("\nPosting one event, tier.upgraded: michael@zylker.com from silver to gold, 100 points.")
    print(f"It arrives at {len(webhooks)} receivers, in the words and signed in the way of each:\n")
    arrivals.show(*(webhook.name for webhook in webhooks))
    api.call("POST", "/v1/events", TIER_UPGRADE)
    arrivals.wait_for({webhook.name: 1 for webhook in webhooks})
    arrivals.show()


def _play_samples(api: Api, arrivals: Arrivals, webhooks: Sequence[_Webhook]) -> None:
    types = [api.call("GET", f"/v1/event-types/{event_type}") for event_type in SAMPLES]
    print(f"\nPosting {len(types)} more, the examples of GET /v1/event-types/{{type}}.")
    print("A receiver on * gets those that its product has a word for:\n")
    before = {webhook.name: len(arrivals.taken(webhook.name)) for webhook in webhooks}
    events = [{"type": found["type"], "data": found["example"]} for found in types]
    accepted = api.call("POST", "/v1/events", {"events": events})["events"]
    known = {
        webhook.name: sum(webhook.format in found["names"] for found in types)
        for webhook in webhooks
    }
    arrivals.wait_for(known)
    for webhook in webhooks:
        names = arrivals.taken(webhook.name)[before[webhook.name] :]
        start = f"  {webhook.name:<13}{len(names):>2}  "
        print(start + listed(names, WIDTH - len(start)))
    print(f"\n{_not_in_format(api, accepted[-1]['id'], webhooks)}", flush=True)


def _not_in_format(api: Api, event_id: str, webhooks: Sequence[_Webhook]) -> str:
    """One line of what the log says of an event that some of the formats cannot say."""
    event = api.call("GET", f"/v1/events/{event_id}")
    names = {webhook.id: webhook.name for webhook in webhooks}
    without = sorted(
        names[delivery["webhook_id"]]
        for delivery in event["deliveries"]
        if delivery["status"] == "not_in_format"
    )
    start = f"In the log, {event['type']} is not_in_format for "
    return start + listed(without, WIDTH - len(start))


def _play_mending(api: Api, arrivals: Arrivals, webhook_id: str) -> None:
    events = [{"type": _MENDING_TYPE, "data": {"number": n}} for n in range(_MENDING_EVENTS)]
    print(
        f"\nAnother webhook, for {_MENDING_TYPE} only, fails with each of {len(events)} events:\n"
    )
    arrivals.show(_MENDS)
    api.call("POST", "/v1/events", {"events": events})
    if _gets_into(api, webhook_id, Lane.SLOW):
        print(
            f"\n{STRAINED_AFTER} failed attempts in a row: the console calls it strained now. What"
            "\nis new travels in the slow lane, so that no other webhook waits for it. Its endpoint"
            "\nis well again: what is new arrives, and after it the retries.\n",
            flush=True,
        )
    api.call("POST", "/v1/events", {"events": events})
    arrivals.wait_for({_MENDS: 2 * len(events)})
    if _gets_into(api, webhook_id, Lane.PROMPT):
        print(
            f"\n{RECOVERED_AFTER} fast successes in a row: it is well, and back in the prompt lane."
        )


def _gets_into(api: Api, webhook_id: str, lane: Lane) -> bool:
    """Whether the webhook is in this lane by the end of a minute."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while api.call("GET", f"/v1/webhooks/{webhook_id}")["lane"] != lane:
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _account(operator: Api) -> tuple[str, str]:
    """A new account's id and API key."""
    name = f"Demo of {datetime.now().astimezone():%d %B, %H:%M:%S}"
    account = operator.call("POST", "/v1/accounts", {"name": name})
    path = f"/v1/accounts/{account['id']}/api-keys"
    request = {"name": "demo", "scopes": ["events", "webhooks"]}
    return account["id"], operator.call("POST", path, request)["key"]


def _console_link(operator: Api, account_id: str) -> str:
    """A link that signs in once, within the hour."""
    path = f"/v1/accounts/{account_id}/console-links"
    link: str = operator.call("POST", path, {"expires_in_minutes": 60})["url"]
    return link


def _webhook(api: Api, receiver: Receiver, endpoint: _Endpoint) -> _Webhook:
    product = endpoint.product
    headers = {name: secrets.token_urlsafe(12) for name in endpoint.headers}
    request = {
        "name": product,
        "url": receiver.url(product),
        "event_types": ["*"],
        "format": product,
        "headers": headers,
        "batch_size": endpoint.batch_size,
    }
    created = api.call("POST", "/v1/webhooks", request)
    receiver.add(product, created["secret"], product=product, headers=headers)
    return _Webhook(created["id"], product, created["format"])


def _mending_webhook(api: Api, receiver: Receiver) -> str:
    """The id of one whose endpoint fails with its first requests, and is then well."""
    request = {"name": _MENDS, "url": receiver.url(_MENDS), "event_types": [_MENDING_TYPE]}
    created = api.call("POST", "/v1/webhooks", request)
    receiver.add(_MENDS, created["secret"], failures=_MENDING_EVENTS)
    webhook_id: str = created["id"]
    return webhook_id


def main(arguments: Sequence[str] | None = None, work: Path = runs.WORK) -> int:
    """Play the demonstration against the system that `make run` has started, until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.demo")
    parser.add_argument("--port", default="4566")
    options = parser.parse_args(arguments)
    try:
        home = work / str(runs.read_port(options.port))
        local = runs.addresses(home)
        if not local:
            raise DemoError(_NOTHING.format(port=options.port))
        with running(local, home):
            threading.Event().wait()
    except KeyboardInterrupt:
        print()
    except urllib.error.URLError:
        print(f"make demo: {_NOTHING.format(port=options.port)}", file=sys.stderr)
        return 1
    except (DemoError, runs.RunError) as error:
        print(f"make demo: {error}", file=sys.stderr)
        return 1
    return 0


_NOTHING = (
    "nothing is running at port {port}: start it with `make run`, "
    "or say where it runs, e.g. `make demo PORT=4570`"
)


if __name__ == "__main__":
    # So that listen.py ends with it, also where a shell has begun it in the background, deaf to
    # Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
