"""What an event costs: AWS's units by the calls of infra/calls.py, and Lambda's seconds.

A function's seconds are what it waits for, and the CPU that infra/cpu.json has of it, divided by
the share of a CPU that its memory buys.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from infra import cpu
from infra.calls import NAMES, Calls, Load, dispatcher, ingest, router
from infra.parameters import load_template
from infra.prices import (
    API_REQUEST,
    GB_SECOND,
    INVOCATION,
    LOG_GB,
    MILLION,
    READ_UNIT,
    SQS_REQUEST,
    TRAFFIC_GB,
    WRITE_UNIT,
)

ROOT = Path(__file__).resolve().parent.parent
CHUNK_KB = 64

# Assumed, not measured; the page says so.
CALL_SECONDS = 0.006  # that AWS takes to answer; the CPU for asking is measured
ENDPOINT_SECONDS = 0.25
EVENT_KB = 1.2  # of a message: 1 kB of data and its envelope
LINE_KB = 0.3  # of the access log, and of the router for each message
REQUEST_KB = 1.7


def memories() -> Mapping[str, int]:
    """Megabytes of each function of the data path, as the template has them by default."""
    return {name: memory_of(name) for name in cpu.FUNCTIONS}


def memory_of(function: str) -> int:
    """Megabytes of one function, as the template has them by default."""
    template: Mapping[str, Any] = load_template(ROOT / "template.yaml")
    whole = template["Globals"]["Function"]["MemorySize"]
    properties = template["Resources"][f"{function.capitalize()}Function"]["Properties"]
    match properties.get("MemorySize", whole):
        case {"Ref": str(parameter)}:
            return int(template["Parameters"][parameter]["Default"])
        case size:
            return int(size)


@dataclass(frozen=True)
class Invocation:
    """One of a function: what it calls, how long its endpoints take, its CPU in seconds."""

    calls: Calls
    waits: float
    cpu: float

    def seconds(self, memory_mb: int) -> float:
        """From its beginning to its end."""
        return self.waits + self.cpu / cpu.share(memory_mb)

    def dollars(self, memory_mb: int) -> float:
        """Of the invocation itself and its time."""
        return INVOCATION + self.seconds(memory_mb) * memory_mb / 1024 * GB_SECOND


def waits(calls: Calls) -> float:
    """Seconds that AWS takes to answer these calls."""
    return CALL_SECONDS * sum(count.calls for count in calls.values())


def items_read(calls: Calls) -> int:
    """Items of a kB or so that these calls read, each a read unit."""
    return sum(calls[name].items for name in ("GetItem", "Query", "BatchGetItem") if name in calls)


def dispatcher_of(load: Load, fan_out: int) -> Calls:
    """With as many different webhooks among its deliveries as there can be."""
    return dispatcher(load.deliveries, min(fan_out, load.deliveries))


@dataclass(frozen=True)
class Event:
    """What one event causes, in its share of all calls."""

    load: Load
    fan_out: int
    sqs: float
    dynamodb: float
    writes: float
    reads: float
    # By function: its invocation, and how many of them an event causes.
    invoked: Mapping[str, tuple[Invocation, float]]

    @classmethod
    def of(cls, load: Load, fan_out: int, names: int = NAMES) -> "Event":
        """With this load, at this fan-out, and so many names of each event kept.

        The CPU is that of the default number.
        """
        called = {
            "ingest": ingest(load.events),
            "router": router(load.events * load.messages, fan_out, names=names),
            "dispatcher": dispatcher_of(load, fan_out),
        }
        shares = {
            "ingest": 1 / load.events,
            "router": 1 / (load.events * load.messages),
            "dispatcher": fan_out / load.deliveries,
        }
        spent = cpu.measured()[load.name][str(fan_out)]
        chunks = ceil(load.events * EVENT_KB / CHUNK_KB)
        # Of each message, or batch of them, the polls and the deletion are SQS requests too.
        event_queue = chunks / load.events + (chunks + 1) * shares["router"]
        sends = called["router"]["SendMessageBatch"].calls * shares["router"]
        return cls(
            load,
            fan_out,
            sqs=event_queue + sends + 2 * shares["dispatcher"],
            dynamodb=sum(
                shares[function] * count.calls
                for function, calls in called.items()
                for name, count in calls.items()
                if name != "SendMessageBatch"
            ),
            writes=2 + names + fan_out,  # an event has an entry in the index by time, too
            reads=sum(shares[function] * items_read(calls) for function, calls in called.items()),
            invoked={
                function: (
                    Invocation(
                        calls,
                        waits(calls) + (ENDPOINT_SECONDS if function == "dispatcher" else 0),
                        spent[function] / 1e3,
                    ),
                    shares[function],
                )
                for function, calls in called.items()
            },
        )

    @property
    def invocations(self) -> float:
        """Of all functions."""
        return sum(share for _, share in self.invoked.values())

    @property
    def cpu_milliseconds(self) -> float:
        """Of all functions."""
        return sum(1e3 * one.cpu * share for one, share in self.invoked.values())

    def lambda_dollars(self, memory: Mapping[str, int]) -> float:
        """Of its invocations and their time."""
        return sum(
            share * one.dollars(memory[function]) for function, (one, share) in self.invoked.items()
        )

    def dollars(self) -> dict[str, float]:
        """For a million of them."""
        logged = (1 / self.load.events) * 2 * LINE_KB  # successes are no lines
        return {
            "API Gateway": MILLION * API_REQUEST / self.load.events,
            "Lambda": MILLION * self.lambda_dollars(memories()),
            "SQS": MILLION * self.sqs * SQS_REQUEST,
            "DynamoDB": MILLION * (self.writes * WRITE_UNIT + self.reads * READ_UNIT),
            "logs": logged * LOG_GB,  # a million kB are a GB
            "traffic out": self.fan_out * REQUEST_KB * TRAFFIC_GB,
        }
