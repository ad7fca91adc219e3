"""The invariant: what must hold, after any fault, for every event that was answered 202.

For each webhook that matched it (type, programme and filter), the event has succeeded, or it is on
its way (a message in EventQueue, PacingQueue or a delivery queue), or it waits to be pulled or has
been, or it has failed in the log and,
unless the webhook is paused, rests in the dead-letter queue, or a person has cancelled it. Every
repeat at an endpoint has the same `webhook-id` and the same event ids.
"""

import json
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.receiver import ReceivedRequest


class Evidence(Protocol):
    """Where the truth is looked up, of one account."""

    def event(self, event_id: str) -> dict[str, Any] | None:
        """What `GET /v1/events/{id}` answers; None for 404."""
        ...

    def delivery(self, delivery_id: str) -> dict[str, Any] | None:
        """What `GET /v1/deliveries/{id}` answers; None for 404."""
        ...

    def waiting(self) -> list[str]:
        """The bodies of all messages in those queues, those in flight too."""
        ...

    def dead(self) -> list[str]:
        """The bodies of all messages in DeadLetterQueue."""
        ...


@dataclass(frozen=True)
class _Queued:
    """The ids in some messages: of events still to be routed, and of deliveries."""

    events: frozenset[str]
    deliveries: frozenset[str]

    @classmethod
    def of(cls, bodies: Iterable[str]) -> "_Queued":
        messages = [json.loads(body) for body in bodies]
        return cls(
            frozenset(
                event["id"]
                for message in messages
                if "delivery_id" not in message
                for event in message["events"]
            ),
            frozenset(message["delivery_id"] for message in messages if "delivery_id" in message),
        )


def violations(
    evidence: Evidence,
    accepted: Mapping[str, Collection[str]],
    requests: Iterable[ReceivedRequest] = (),
) -> list[str]:
    """Every way in which the invariant does not hold; none is what a test wants.

    `accepted` names, by event id, the webhooks that matched; `requests` are what all endpoints got.
    """
    requests = list(requests)
    # The queues first: what has left them by the time the log is read is in the log.
    waiting, dead = _Queued.of(evidence.waiting()), _Queued.of(evidence.dead())
    arrived = {
        (request.webhook_id, event_id)
        for request in requests
        if request.succeeded
        for event_id in request.event_ids
    }
    found = list(_repeats(requests))
    for event_id, webhook_ids in accepted.items():
        event = evidence.event(event_id)
        became: dict[str, dict[str, Any]] = {}
        for one in event["deliveries"] if event else []:
            became.setdefault(one["webhook_id"], one)  # replays stand behind what was routed
        for webhook_id in webhook_ids:
            place = f"{event_id} at {webhook_id}"
            if webhook_id not in became:
                if event_id not in waiting.events:
                    found.append(f"{place} is neither routed nor queued")
                continue
            if "id" not in became[webhook_id]:
                found.append(f"{place} was to be sent and reads {became[webhook_id]['status']}")
                continue
            delivery_id = became[webhook_id]["id"]
            on_its_way = event_id in waiting.events or delivery_id in waiting.deliveries
            status = became[webhook_id]["status"]
            if status in ("pending", "retrying") and not on_its_way:
                found.append(f"{place} is {status} and in no queue")
            if status == "succeeded" and requests and (delivery_id, event_id) not in arrived:
                found.append(f"{place} is logged as succeeded and has not arrived")
            if status == "failed":
                entry = evidence.delivery(delivery_id) or {}
                # One that a person has sent again is in its queue, not among the dead.
                resting = delivery_id in dead.deliveries or on_its_way
                if entry.get("reason") != "paused" and not resting:
                    found.append(f"{place} has failed and is in no dead-letter queue")
    return found


def check(
    evidence: Evidence,
    accepted: Mapping[str, Collection[str]],
    requests: Iterable[ReceivedRequest] = (),
) -> None:
    """Fail if the invariant does not hold."""
    found = violations(evidence, accepted, requests)
    assert found == [], found


def bodies_in(endpoint_url: str, queue_url: str) -> list[str]:
    """The bodies of all messages in a queue of the emulator, received by no one, in flight or not.

    Receiving them would count as an attempt, so the emulator is asked in its own way.
    """
    query = urllib.parse.urlencode({"QueueUrl": queue_url})
    url = f"{endpoint_url}/_ministack/sqs/messages?{query}"
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - always the emulator
        return list(_bodies(json.load(answer)))


def _bodies(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(body := value.get("Body"), str):
            yield body
        for member in value.values():
            yield from _bodies(member)
    elif isinstance(value, list):
        for item in value:
            yield from _bodies(item)


def _repeats(requests: Iterable[ReceivedRequest]) -> Iterator[str]:
    carried: defaultdict[tuple[str, str], set[tuple[str, tuple[str, ...]]]] = defaultdict(set)
    for request in requests:
        for event_id in request.event_ids:
            carried[request.path, event_id].add((request.webhook_id, request.event_ids))
    for (path, event_id), ways in carried.items():
        if len(ways) > 1:
            yield f"{event_id} came to {path} in different deliveries: {sorted(ways)}"
