"""Write the tables of docs/cost.md: `python -m infra.cost [--check]`.

They are made of the calls of infra/calls.py and of list prices. `--check` writes nothing and fails
if the page has other numbers.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from infra.calls import (
    EXHAUSTED,
    FAILED,
    FAN_OUTS,
    GONE,
    LOADS,
    NAMES,
    RECOVERED,
    SCHEDULED,
    SPENT,
    Calls,
    Load,
    dispatcher,
    handed_on,
    ingest,
    log_page,
    member_page,
    paced,
    paused,
    router,
)
from infra.parameters import load_template

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "cost.md"
_MILLION = 1_000_000

# Dollars, list prices of us-east-1: docs/cost.md says where and when they were read.
API_REQUEST = 1.00 / _MILLION
INVOCATION = 0.20 / _MILLION
GB_SECOND = 0.0000133334
SQS_REQUEST = 0.40 / _MILLION
WRITE_UNIT = 0.625 / _MILLION
READ_UNIT = 0.125 / _MILLION
LOG_GB = 0.50
TRAFFIC_GB = 0.09
KEY_MONTH = 1.00
ALARM_MONTH = 0.10  # for each metric of an alarm
DASHBOARD_MONTH = 3.00
FREE_ALARMS, FREE_DASHBOARDS = 10, 3
STORED_GB = 0.25
DECRYPTION = 0.03 / 10_000

# Assumed, not measured; the page says so.
_MEMORY_GB = 0.5
_OWN_SECONDS = 0.006
_CALL_SECONDS = 0.006
_ENDPOINT_SECONDS = 0.25
_EVENT_KB = 1.2  # of a message: 1 kB of data and its envelope
_CHUNK_KB = 64
_LINE_KB = 0.3  # of the access log, and of the router for each message
_REQUEST_KB = 1.7
_POLLERS, _POLL_SECONDS, _MONTH_SECONDS = 5, 20, 30 * 24 * 3600


def tables() -> Mapping[str, str]:
    """Every table of the page, by its name there."""
    return {
        "invocations": _invocations(),
        "what else": _what_else(),
        "per event": _per_event(),
        "dollars": _dollars(),
        "members": _members(),
        "paced": _paced(),
        "at rest": _at_rest(),
        "prices": _prices(),
    }


def with_tables(page: str) -> str:
    """The page with the tables as they should be; raises ValueError if one has no place."""
    for name, table in tables().items():
        begin, end = f"<!-- infra.cost: {name} -->", "<!-- end -->"
        place = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        filled = f"{begin}\n{table}\n{end}"
        page, found = place.subn(lambda _, filled=filled: filled, page)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"{PAGE.name} needs {begin} and {end} once")
    return page


def _invocations() -> str:
    rows = []
    for load in LOADS:
        events = load.events * load.messages
        rows += [
            (f"{load.name}: ingest, a request", *(_said(ingest(load.events)) for _ in FAN_OUTS)),
            (
                f"{load.name}: router, an invocation",
                *(_said(router(events, fan_out)) for fan_out in FAN_OUTS),
            ),
            (
                f"{load.name}: dispatcher, an invocation",
                *(_said(_dispatcher_of(load, fan_out)) for fan_out in FAN_OUTS),
            ),
        ]
    return _table(("calls (items)", *(f"F = {fan_out}" for fan_out in FAN_OUTS)), rows)


def _what_else() -> str:
    cases = {
        "ingest, one event with an `id` or `Idempotency-Key`": ingest(1, with_ids=True),
        "ingest, 100 such events": ingest(100, with_ids=True),
        "router, one event, the account's webhook paused": paused(1, 1),
        "router, 100 events, the account's webhook paused": paused(100, 1),
        "router, one event, the account's webhook with a pace": paced(1),
        "router, 100 events, the account's webhook with a pace": paced(100),
        "router, 100 deliveries handed on towards far slots": handed_on(100, near=False),
        "router, 100 deliveries handed on whose slots are near": handed_on(100, near=True),
        "dispatcher, one attempt that fails": FAILED,
        "dispatcher, one that fails under a schedule of the webhook's own": SCHEDULED,
        "dispatcher, a receive that is spent after its last attempt": SPENT,
        "dispatcher, the success after it": RECOVERED,
        "dispatcher, a last attempt that fails, with admins to tell": EXHAUSTED,
        "dispatcher, a 410, which pauses the webhook": GONE,
        "a page of `GET /v1/deliveries`, one webhook": log_page(1),
        "a page of `GET /v1/deliveries`, ten webhooks": log_page(10),
        "the same with `status=failed`": log_page(10, unsettled=50),
        "a page of `GET /v1/events?member=…`, 50 events at a webhook each": member_page(50, 50),
    }
    return _table(("", "calls (items)"), [(case, _said(calls)) for case, calls in cases.items()])


def _said(calls: Calls) -> str:
    return ", ".join(
        f"{count.calls} `{name}`" + (f" ({count.items})" if count.items > count.calls else "")
        for name, count in calls.items()
    )


def _dispatcher_of(load: Load, fan_out: int) -> Calls:
    """With as many different webhooks among its deliveries as there can be."""
    return dispatcher(load.deliveries, min(fan_out, load.deliveries))


_LONGEST_DELAY_SECONDS = 900
# A full invocation with deliveries from PacingQueue: sent, received and deleted ten at a time.
_PACED_BATCH = 100
_HAND_OVER = (
    3 / 10 * SQS_REQUEST
    + INVOCATION / _PACED_BATCH
    + (_OWN_SECONDS + _CALL_SECONDS * handed_on(_PACED_BATCH, near=False)["SendMessageBatch"].calls)
    / _PACED_BATCH
    * _MEMORY_GB
    * GB_SECOND
)


@dataclass(frozen=True)
class _Event:
    """What one event causes, in its share of all calls."""

    sqs: float
    dynamodb: float
    writes: float
    reads: float
    invocations: float
    seconds: float

    @classmethod
    def of(cls, load: Load, fan_out: int, names: int = NAMES) -> "_Event":
        taken = ingest(load.events)
        routed = router(load.events * load.messages, fan_out, names=names)
        sent = _dispatcher_of(load, fan_out)
        # The share of one event in a request, in a router's and in a dispatcher's invocation.
        shares = (
            1 / load.events,
            1 / (load.events * load.messages),
            fan_out / load.deliveries,
        )
        each = tuple(zip(shares, (taken, routed, sent), strict=True))
        chunks = ceil(load.events * _EVENT_KB / _CHUNK_KB)
        # Of each message, or batch of them, the polls and the deletion are SQS requests too.
        event_queue = chunks / load.events + (chunks + 1) * shares[1]
        delivery_queue = routed["SendMessageBatch"].calls * shares[1] + 2 * shares[2]
        return cls(
            sqs=event_queue + delivery_queue,
            dynamodb=sum(
                share * count.calls
                for share, calls in each
                for name, count in calls.items()
                if name != "SendMessageBatch"
            ),
            writes=2 + names + fan_out,  # an event has an entry in the index by time, too
            reads=sum(
                share * calls[name].items
                for share, calls in each
                for name in ("Query", "BatchGetItem")
                if name in calls
            ),
            invocations=sum(shares),
            seconds=shares[2] * _ENDPOINT_SECONDS
            + sum(
                share * (_OWN_SECONDS + _CALL_SECONDS * sum(one.calls for one in calls.values()))
                for share, calls in each
            ),
        )

    def dollars(self, load: Load, fan_out: int) -> dict[str, float]:
        """For a million of them."""
        logged = (1 / load.events) * 2 * _LINE_KB  # successes are no lines
        return {
            "API Gateway": _MILLION * API_REQUEST / load.events,
            "Lambda": _MILLION
            * (self.invocations * INVOCATION + self.seconds * _MEMORY_GB * GB_SECOND),
            "SQS": _MILLION * self.sqs * SQS_REQUEST,
            "DynamoDB": _MILLION * (self.writes * WRITE_UNIT + self.reads * READ_UNIT),
            "logs": logged * LOG_GB,  # a million kB are a GB
            "traffic out": fan_out * _REQUEST_KB * TRAFFIC_GB,
        }


def _per_event() -> str:
    names = {
        "SQS requests": "sqs",
        "DynamoDB calls": "dynamodb",
        "DynamoDB write units": "writes",
        "DynamoDB read units": "reads",
        "invocations": "invocations",
    }
    rows = [
        (f"{said}, {load.name}", *(_short(getattr(_Event.of(load, one), name)) for one in FAN_OUTS))
        for said, name in names.items()
        for load in LOADS
    ]
    return _table(("per event, at fan-out F", *(f"F = {one}" for one in FAN_OUTS)), rows)


def _dollars() -> str:
    cases = [(load, fan_out) for fan_out in FAN_OUTS for load in LOADS]
    columns = [_Event.of(load, fan_out).dollars(load, fan_out) for load, fan_out in cases]
    rows = [(part, *(f"{column[part]:.2f}" for column in columns)) for part in columns[0]]
    rows.append(("**total**", *(f"**{sum(column.values()):.2f}**" for column in columns)))
    heads = [f"F = {fan_out} {load.name}" for load, fan_out in cases]
    return _table(("", *heads), rows)


def _members() -> str:
    """What MemberIndex costs, of events that name one person by id and address."""
    fan_out = 3
    rows = []
    for index, names in (("none", 0), ("ids", 1), ("ids-and-emails", 2)):
        totals = [
            sum(_Event.of(load, fan_out, names).dollars(load, fan_out).values()) for load in LOADS
        ]
        rows.append((f"`{index}`", str(names), *(f"{total:.2f}" for total in totals)))
    heads = ("`MemberIndex`", "write units more", *(f"F = 3 {load.name}" for load in LOADS))
    return _table(heads, rows)


def _paced() -> str:
    rows = []
    for per_second in (1_000, 100, 10, 1):
        seconds = _MILLION // per_second
        times = sum(_hand_overs(second) for second in range(seconds)) / seconds
        rows.append(
            (
                f"{per_second:,} a second",
                f"{seconds / 3600:,.1f} hours",
                f"{times:,.1f}",
                f"{_MILLION * times * _HAND_OVER:,.2f}",
            )
        )
    heads = ("a million at once, at a pace of", "last", "handed on, each on average", "dollars")
    return _table(heads, rows)


def _hand_overs(seconds: int) -> int:
    """How often a delivery whose slot is so far away comes through PacingQueue."""
    return max(0, ceil(seconds / _LONGEST_DELAY_SECONDS) - 1)


def _at_rest() -> str:
    resources = load_template(ROOT / "infra" / "observability.yaml")["Resources"].values()
    metrics = [
        sum("MetricStat" in metric for metric in resource["Properties"].get("Metrics", [])) or 1
        for resource in resources
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    ]
    dashboards = sum(resource["Type"] == "AWS::CloudWatch::Dashboard" for resource in resources)
    mappings = sum(
        event["Type"] == "SQS"
        for resource in load_template(ROOT / "template.yaml")["Resources"].values()
        for event in resource.get("Properties", {}).get("Events", {}).values()
    )
    polls = mappings * _POLLERS * _MONTH_SECONDS / _POLL_SECONDS
    parts = {
        "KMS key": KEY_MONTH,
        f"polling: {mappings} event source mappings, {_POLLERS} pollers each, one receive in "
        f"{_POLL_SECONDS} s: {polls / _MILLION:.1f} million SQS requests": polls * SQS_REQUEST,
        f"{len(metrics)} alarms on {sum(metrics)} metrics": sum(metrics) * ALARM_MONTH,
        f"dashboards: {dashboards}": dashboards * DASHBOARD_MONTH,
    }
    total = sum(parts.values())
    free = min(sum(metrics), FREE_ALARMS) * ALARM_MONTH
    free += min(dashboards, FREE_DASHBOARDS) * DASHBOARD_MONTH
    rows = [(said, f"{dollars:.2f}") for said, dollars in parts.items()]
    rows.append(("**total**", f"**{total:.2f}**"))
    rows.append(("within CloudWatch's free tier", f"{total - free:.2f}"))
    return _table(("dollars a month", ""), rows)


def _prices() -> str:
    rows = [
        ("HTTP API", f"{_MILLION * API_REQUEST:.2f} per million requests of up to 512 kB"),
        (
            "Lambda, arm64",
            f"{_MILLION * INVOCATION:.2f} per million invocations, {GB_SECOND:.10f} per GB-second",
        ),
        (
            "SQS, standard queues",
            f"{_MILLION * SQS_REQUEST:.2f} per million requests of up to {_CHUNK_KB} kB",
        ),
        (
            "DynamoDB on demand",
            f"{_MILLION * WRITE_UNIT:.3f} per million write units, {_MILLION * READ_UNIT:.3f} per "
            f"million read units, {STORED_GB:.2f} per GB and month",
        ),
        ("KMS", f"{KEY_MONTH:.2f} per key and month, {10_000 * DECRYPTION:.2f} per 10,000 calls"),
        (
            "CloudWatch",
            f"logs {LOG_GB:.2f} per GB; a month {ALARM_MONTH:.2f} for each metric of an alarm, "
            f"{DASHBOARD_MONTH:.2f} for a dashboard",
        ),
        ("traffic out", f"{TRAFFIC_GB:.2f} per GB"),
    ]
    return _table(("", "dollars"), rows)


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(line)} |" for line in (heads, *rows)]
    return "\n".join([lines[0], "|---" * len(heads) + "|", *lines[1:]])


def main() -> int:
    """Write the tables into the page, or check them."""
    parser = argparse.ArgumentParser(description="Write the tables of docs/cost.md.")
    parser.add_argument("--check", action="store_true", help="fail on drift, write nothing")
    check: bool = parser.parse_args().check
    text = PAGE.read_text(encoding="utf-8")
    wanted = with_tables(text)
    if not check:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if text != wanted:
        print(f"{PAGE} has other numbers: run `python -m infra.cost`", file=sys.stderr)
    return int(text != wanted)


if __name__ == "__main__":
    sys.exit(main())
