"""The oracle's own understanding of messages, matching and signatures, and its notes."""

import base64
import hashlib
import hmac
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from perkwire.model.delivery import Delivery
from perkwire.model.sending import Request
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from tests.builders import SECRET
from tests.simulation.world import Invocation

RETRY_INTERVAL_SECONDS = 300
NOT_IN_FORMAT = "not_in_format"
FILTERED = "filtered"
LATER_FORMAT = "later@2099-01-01"
"""A format of a release that is not this one, as a deployment that was taken back leaves it."""

type Key = tuple[WebhookId, tuple[EventId, ...]]
"""A webhook and the events of one request to it, in their order."""

type EventKey = tuple[AccountId, EventId]

_KEY = base64.b64decode(SECRET.removeprefix("whsec_"))
_SAID_BY_ZOHO = ("tier.upgraded",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The stack's, as a function has them from its environment."""

    max_attempts: int
    pause_after_failures: int
    pause_when_exhausted: bool
    notice_interval_minutes: int


@dataclass(eq=False)
class Notes:
    """What one invocation was given, and was seen to do."""

    invocation: Invocation
    since: int
    parameters: Parameters
    batch: dict[str, dict[str, Any] | None]
    told: dict[str, int]
    entries: dict[DeliveryId, Delivery]
    matched: dict[str, dict[Key, Webhook]] = field(default_factory=dict)
    foreign: dict[str, set[tuple[WebhookId, EventId]]] = field(default_factory=dict)
    filtered: dict[str, set[tuple[WebhookId, EventId]]] = field(default_factory=dict)
    requests: Counter[DeliveryId] = field(default_factory=Counter)
    stored: dict[DeliveryId, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    unstored: set[DeliveryId] = field(default_factory=set)
    streaks: dict[WebhookId, tuple[int, int]] = field(default_factory=dict)
    crashed: bool = False


def most_attempts(webhook: Webhook, parameters: Parameters) -> int:
    """How many attempts a delivery of the webhook has: its own, within the stack's."""
    delays = webhook.retry_delays_seconds
    most = parameters.max_attempts
    return most if delays is None or len(delays) >= most else len(delays) + 1


def members(body: str) -> dict[str, Any] | None:
    """A message's members; None if it is none of ours."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) and value.get("v") == 1 and _is_sane(value) else None


def _is_sane(message: dict[str, Any]) -> bool:
    """Whether all of it is what any version of ours would have written."""
    return message.get("run", 0) < 2**31 and all(
        len(event["id"]) <= 128 and 0 <= event["accepted_at"] < 253_402_300_800_000_000
        for event in message.get("events", ())
    )


def event_ids(message: dict[str, Any]) -> tuple[EventId, ...]:
    return tuple(EventId(event["id"]) for event in message["events"])


def matches(webhook: Webhook, event: dict[str, Any]) -> bool:
    types, programmes = webhook.event_types, webhook.program_ids
    return (types == ("*",) or event["type"] in types) and (
        programmes is None or event["program_id"] in programmes
    )


def passes(pattern: str | None, data: dict[str, Any]) -> bool:
    """Whether an event with such data gets through one of the filters of the simulation."""
    wanted = None if pattern is None else json.loads(pattern)["data"]["transaction"]["id"]
    return wanted is None or data["transaction"]["id"] in wanted


def is_known(webhook: Webhook, event_type: str) -> bool:
    """Whether the router sends such events there; a format that nobody knows may know any type."""
    return webhook.format == LATER_FORMAT or can_say(webhook, [event_type])


def can_say(webhook: Webhook, types: Sequence[str]) -> bool:
    """Whether the webhook's format has words for a request with events of these types."""
    match webhook.format:
        case "standard":
            return True
        case "zoho-thrive":
            return len(types) == 1 and types[0] in _SAID_BY_ZOHO
    return False


def is_signed(request: Request) -> bool:
    headers = request.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    wanted = "v1," + base64.b64encode(hmac.digest(_KEY, signed, hashlib.sha256)).decode()
    return wanted in headers["webhook-signature"].split()
