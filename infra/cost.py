"""Write the tables of docs/cost.md: `python -m infra.cost [--check]`.

They are made of the calls of infra/calls.py and of list prices. `--check` writes nothing and fails
if the page has other numbers.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from math import ceil

from infra import cost_inbox, cost_pulled, cpu
from infra.calls import (
    EXHAUSTED,
    FAILED,
    FAN_OUTS,
    GONE,
    LOADS,
    RECOVERED,
    SCHEDULED,
    SIGNING,
    SPENT,
    WATCH,
    Calls,
    handed_on,
    inbox,
    ingest,
    log_page,
    member_page,
    paced,
    paused,
    pull,
    router,
    waited,
    waiting,
)
from infra.cost_beside import beside, beside_prices
from infra.cost_memory import by_memory, provisioned
from infra.cost_model import (
    CALL_SECONDS,
    CHUNK_KB,
    ROOT,
    Event,
    Invocation,
    dispatcher_of,
    memories,
)
from infra.cost_rest import at_rest_table
from infra.prices import (
    ALARM_MONTH,
    API_REQUEST,
    DASHBOARD_MONTH,
    DECRYPTION,
    GB_SECOND,
    INVOCATION,
    KEY_MONTH,
    LOG_GB,
    MILLION,
    READ_UNIT,
    SQS_REQUEST,
    STORED_GB,
    TRAFFIC_GB,
    WRITE_UNIT,
)
from infra.tables import table

PAGE = ROOT / "docs" / "cost.md"


def tables() -> Mapping[str, str]:
    """Every table of the page, by its name there."""
    return {
        "invocations": _invocations(),
        "what else": _what_else(),
        "per event": _per_event(),
        "cpu": _cpu(),
        "memory": by_memory(),
        "dollars": _dollars(),
        "members": _members(),
        "provisioned": provisioned(),
        "beside": beside(),
        "beside prices": beside_prices(),
        "paced": _paced(),
        "at rest": at_rest_table(),
        "pulled": cost_pulled.from_the_queue(),
        "readers": cost_pulled.readers(),
        "inbox": cost_inbox.way_in(),
        "inbox at rest": cost_inbox.at_rest(),
        "prices": _prices(),
    }


def with_tables(page: str) -> str:
    """The page with the tables as they should be; raises ValueError if one has no place."""
    for name, filling in tables().items():
        begin, end = f"<!-- infra.cost: {name} -->", "<!-- end -->"
        place = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        filled = f"{begin}\n{filling}\n{end}"
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
                *(_said(dispatcher_of(load, fan_out)) for fan_out in FAN_OUTS),
            ),
        ]
    return table(("calls (items)", *(f"F = {fan_out}" for fan_out in FAN_OUTS)), rows)


def _what_else() -> str:
    cases = {
        "ingest, one event with an `id` or `Idempotency-Key`": ingest(1, with_ids=True),
        "ingest, 100 such events": ingest(100, with_ids=True),
        "ingest, ten messages of the inbox of one event": inbox(10, 1),
        "ingest, a message of the inbox of 100 events": inbox(1, 100),
        "router, one event, the account's webhook paused": paused(1, 1),
        "router, 100 events, the account's webhook paused": paused(100, 1),
        "router, one event, the account's webhook with a pace": paced(1),
        "router, 100 events, the account's webhook with a pace": paced(100),
        "router, 100 deliveries handed on towards far slots": handed_on(100, near=False),
        "router, 100 deliveries handed on whose slots are near": handed_on(100, near=True),
        "router, one event, the account's webhook pulled": waiting(1),
        "router, 100 events, the account's webhook pulled": waiting(100),
        "a pull that gives 100 deliveries, and takes those before": pull(100, takes=True),
        "the dispatcher, which signs them": SIGNING,
        "jobs, a turn of a watch": WATCH,
        "a pull of nothing": pull(0, takes=False),
        "a pull of nothing that has waited for 20 seconds": waited(20),
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
    return table(("", "calls (items)"), [(case, _said(calls)) for case, calls in cases.items()])


def _said(calls: Calls) -> str:
    return ", ".join(
        f"{count.calls} `{name}`" + (f" ({count.items})" if count.items > count.calls else "")
        for name, count in calls.items()
    )


_LONGEST_DELAY_SECONDS = 900
# A full invocation with deliveries from PacingQueue: sent, received and deleted ten at a time.
_PACED_BATCH = 100
_HANDED_ON = handed_on(_PACED_BATCH, near=False)
_HAND_OVER = (
    3 / 10 * SQS_REQUEST
    + Invocation(
        _HANDED_ON,
        CALL_SECONDS * _HANDED_ON["SendMessageBatch"].calls,
        # No more than routing as many new ones.
        cpu.measured()["lists"]["1"]["router"] / 1e3,
    ).dollars(memories()["router"])
    / _PACED_BATCH
)


def _per_event() -> str:
    names = {
        "SQS requests": "sqs",
        "DynamoDB calls": "dynamodb",
        "DynamoDB write units": "writes",
        "DynamoDB read units": "reads",
        "invocations": "invocations",
    }
    rows = [
        (f"{said}, {load.name}", *(_short(getattr(Event.of(load, one), name)) for one in FAN_OUTS))
        for said, name in names.items()
        for load in LOADS
    ]
    return table(("per event, at fan-out F", *(f"F = {one}" for one in FAN_OUTS)), rows)


def _cpu() -> str:
    rows = [
        (f"{load}, F = {fan_out}", *(f"{spent[name]:.1f}" for name in cpu.FUNCTIONS), total)
        for load, fan_outs in cpu.measured().items()
        for fan_out, spent in fan_outs.items()
        for total in [f"{Event.of(_LOAD[load], int(fan_out)).cpu_milliseconds:.2f}"]
    ]
    heads = (
        "ms of CPU",
        *(f"{name}, an invocation" for name in cpu.FUNCTIONS),
        "all, an event",
    )
    return table(heads, rows)


_LOAD = {load.name: load for load in LOADS}


def _dollars() -> str:
    cases = [(load, fan_out) for fan_out in FAN_OUTS for load in LOADS]
    columns = [Event.of(load, fan_out).dollars() for load, fan_out in cases]
    rows = [(part, *(f"{column[part]:.2f}" for column in columns)) for part in columns[0]]
    rows.append(("**total**", *(f"**{sum(column.values()):.2f}**" for column in columns)))
    heads = [f"F = {fan_out} {load.name}" for load, fan_out in cases]
    return table(("", *heads), rows)


def _members() -> str:
    """What MemberIndex costs, of events that name one person by id and address."""
    fan_out = 3
    rows = []
    for index, names in (("none", 0), ("ids", 1), ("ids-and-emails", 2)):
        totals = [sum(Event.of(load, fan_out, names).dollars().values()) for load in LOADS]
        rows.append((f"`{index}`", str(names), *(f"{total:.2f}" for total in totals)))
    heads = ("`MemberIndex`", "write units more", *(f"F = 3 {load.name}" for load in LOADS))
    return table(heads, rows)


def _paced() -> str:
    rows = []
    for per_second in (1_000, 100, 10, 1):
        seconds = MILLION // per_second
        times = sum(_hand_overs(second) for second in range(seconds)) / seconds
        rows.append(
            (
                f"{per_second:,} a second",
                f"{seconds / 3600:,.1f} hours",
                f"{times:,.1f}",
                f"{MILLION * times * _HAND_OVER:,.2f}",
            )
        )
    heads = ("a million at once, at a pace of", "last", "handed on, each on average", "dollars")
    return table(heads, rows)


def _hand_overs(seconds: int) -> int:
    """How often a delivery whose slot is so far away comes through PacingQueue."""
    return max(0, ceil(seconds / _LONGEST_DELAY_SECONDS) - 1)


def _prices() -> str:
    rows = [
        ("HTTP API", f"{MILLION * API_REQUEST:.2f} per million requests of up to 512 kB"),
        (
            "Lambda, arm64",
            f"{MILLION * INVOCATION:.2f} per million invocations, {GB_SECOND:.10f} per GB-second",
        ),
        (
            "SQS, standard queues",
            f"{MILLION * SQS_REQUEST:.2f} per million requests of up to {CHUNK_KB} kB",
        ),
        (
            "DynamoDB on demand",
            f"{MILLION * WRITE_UNIT:.3f} per million write units, {MILLION * READ_UNIT:.3f} per "
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
    return table(("", "dollars"), rows)


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


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
