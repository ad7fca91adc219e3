"""What the inbox costs: a million events on their way to EventQueue, and a month at rest."""

from math import ceil

from infra import cpu
from infra.calls import inbox
from infra.cost_model import CALL_SECONDS, CHUNK_KB, EVENT_KB, ROOT, Invocation, memories
from infra.cost_rest import MONTH_SECONDS, POLL_SECONDS, POLLERS
from infra.parameters import load_template
from infra.prices import (
    ALARM_MONTH,
    DASHBOARD_MONTH,
    MILLION,
    READ_UNIT,
    SQS_REQUEST,
    WRITE_UNIT,
)
from infra.tables import table

_CASES = (("ten messages of one event", 10, 1), ("a message of 100", 1, 100))
_LOADS = {1: "quiet", 100: "lists"}


def way_in() -> str:
    """Dollars for a million events from their senders to EventQueue."""
    columns = [_dollars(messages, events) for _, messages, events in _CASES]
    rows = [(part, *(f"{column[part]:.2f}" for column in columns)) for part in columns[0]]
    rows.append(("**total**", *(f"**{sum(column.values()):.2f}**" for column in columns)))
    heads = ("an invocation of ingest has", *(said for said, _, _ in _CASES))
    return table(heads, rows)


def _dollars(messages: int, events: int) -> dict[str, float]:
    calls = inbox(messages, events)
    # No less than for a request of as many events, whose CPU is measured.
    spent = messages * cpu.measured()[_LOADS[events]]["1"]["ingest"] / 1e3
    waits = CALL_SECONDS * sum(count.calls for count in calls.values())
    invocation = Invocation(calls, waits, spent).dollars(memories()["ingest"])
    chunks = ceil(events * EVENT_KB / CHUNK_KB)
    received = ceil(messages * events * EVENT_KB / CHUNK_KB)
    sent_on = calls["SendMessageBatch"].calls * chunks
    sqs = messages * chunks + received + 1 + sent_on
    taken = "PutItem" if events == 1 else "TransactWriteItems"
    writes = calls[taken].items * (1 if events == 1 else 2) + calls["BatchWriteItem"].items
    share = MILLION / (messages * events)
    return {
        "Lambda": share * invocation,
        "SQS": share * sqs * SQS_REQUEST,
        "DynamoDB": share * (writes * WRITE_UNIT + calls["BatchGetItem"].items * READ_UNIT),
    }


def at_rest() -> str:
    """Part by part, without a free tier."""
    resources = load_template(ROOT / "infra" / "inbox.yaml")["Resources"].values()
    metrics = sum(
        sum("MetricStat" in metric for metric in resource["Properties"].get("Metrics", [])) or 1
        for resource in resources
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    )
    polls = POLLERS * MONTH_SECONDS / POLL_SECONDS
    parts = {
        f"polling: {polls / MILLION:.2f} million SQS requests": polls * SQS_REQUEST,
        f"alarms on {metrics} metrics": metrics * ALARM_MONTH,
        "a dashboard": DASHBOARD_MONTH,
    }
    rows = [(said, f"{dollars:.2f}") for said, dollars in parts.items()]
    rows.append(("**total**", f"**{sum(parts.values()):.2f}**"))
    return table(("dollars a month", ""), rows)
