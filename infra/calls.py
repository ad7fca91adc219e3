"""What each function calls of AWS, by the limits of SQS and DynamoDB: a contract.

tests/integration/test_calls.py counts what the real functions call and compares; docs/cost.md is
made of these numbers by `python -m infra.cost`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

FAN_OUTS = (1, 3, 10)
"""The numbers of webhooks that an event matches for which the page has figures."""

NAMES = 1
"""Of each event that are kept by default: its member's id (MemberIndex is `ids`)."""

# The most items of SendMessageBatch, BatchWriteItem and BatchExecuteStatement, BatchGetItem, and
# TransactWriteItems.
_SENDS, _WRITES, _READS, _TRANSACTION = 10, 25, 100, 100

PAGE = _TRANSACTION - 2
"""The most deliveries that begin to wait in one transaction, with their page and the list's end."""


class Count(NamedTuple):
    """How many calls of an operation, and how many items in all of them together."""

    calls: int
    items: int


type Calls = Mapping[str, Count]


@dataclass(frozen=True)
class Load:
    """How full the batches are: events of a request, messages of an invocation of each."""

    name: str
    events: int
    messages: int
    deliveries: int


QUIET = Load("quiet", 1, 1, 1)
BUSY = Load("busy", 1, 10, 10)
LISTS = Load("lists", 100, 1, 10)
LOADS = (QUIET, BUSY, LISTS)


def ingest(events: int, *, with_ids: bool = False) -> Calls:
    """Of one request of an account's key."""
    calls = {"SendMessageBatch": Count(1, 1)}
    if with_ids:
        calls["BatchGetItem"] = _batches(events, _READS)
        calls["BatchWriteItem"] = _batches(events, _WRITES)
        take = "PutItem" if events == 1 else "TransactWriteItems"
        calls[take] = Count(1, events)
    return calls


def inbox(messages: int, events: int) -> Calls:
    """Of one invocation of ingest with messages of so many events each, without ids, all good.

    Each event is claimed, as one with an id is at the API. The accounts of a message are looked up
    together.
    """
    of_one = ingest(events, with_ids=True)
    read = of_one["BatchGetItem"]
    of_one = {**of_one, "BatchGetItem": Count(read.calls + 1, read.items + 1)}
    return {
        name: Count(messages * count.calls, messages * count.items)
        for name, count in of_one.items()
    }


def router(events: int, fan_out: int, *, names: int = NAMES) -> Calls:
    """Of one invocation, whose messages are of one account and hold events that are new.

    `names` are those of each event that are kept to find it by.
    """
    return {
        "Query": Count(1, 1),
        **_kept(events, names),
        "SendMessageBatch": _batches(events * fan_out, _SENDS),
    }


def _kept(events: int, names: int) -> Calls:
    """One by itself is put with its names, and read only if another is kept under its id."""
    if events == 1:
        return {"BatchExecuteStatement": _batches(1 + names, _WRITES)}
    written = _batches(events * (1 + names), _WRITES)
    return {"BatchGetItem": _batches(events, _READS), "BatchWriteItem": written}


def dispatcher(deliveries: int, webhooks: int) -> Calls:
    """Of one invocation whose deliveries, of one account, succeed at once, secrets known.

    Reads the account, each webhook with its health and the log, together. A healthy webhook's
    health is never written.
    """
    return {
        "BatchGetItem": Count(1, 1 + 2 * webhooks + deliveries),
        "BatchWriteItem": _batches(deliveries, _WRITES),
    }


FAILED: Calls = {"BatchGetItem": Count(1, 4), "UpdateItem": Count(2, 2)}
"""A dispatcher's invocation with one attempt that fails: the log and the webhook's streak."""

SCHEDULED: Calls = {**FAILED, "ChangeMessageVisibilityBatch": Count(1, 1)}
"""The same at a webhook with a schedule of its own: SQS is told when to bring the message again."""

STRAINED = SCHEDULED
"""The same at a strained webhook under the stack's rule: it comes later by up to a tenth."""

SPENT: Calls = {"BatchGetItem": Count(1, 4), "ChangeMessageVisibilityBatch": Count(1, 1)}
"""With one receive after such a webhook's last attempt: nothing is sent and nothing written."""

RECOVERED = FAILED
"""With one that succeeds after another that failed: the log, and the end of the streak."""

GONE = FAILED
"""With one that is answered 410: the log and the webhook, which is paused."""

CANCELLED: Calls = {"BatchGetItem": Count(1, 4), "UpdateItem": Count(1, 1)}
"""With one that is not sent any more, as its member has been erased: the log alone."""

EXHAUSTED: Calls = {"BatchGetItem": Count(1, 4), "UpdateItem": Count(5, 5), "Publish": Count(1, 1)}
"""With a last attempt that fails, and admins to tell: failures, notice and hour are counted."""


def erased(events: int) -> Calls:
    """A router's invocation with one message, all its events of erased members: nothing is sent."""
    return {"Query": Count(1, 1), **_kept(events, 0)}


def paused(events: int, webhooks: int, *, names: int = NAMES) -> Calls:
    """A router's invocation with one message, all its account's webhooks paused."""
    return {
        "Query": Count(1, 1),
        **_kept(events, names),
        "TransactWriteItems": _batches(events * webhooks, _TRANSACTION),
    }


def waiting(events: int, *, names: int = NAMES) -> Calls:
    """A router's invocation with one account's events for one webhook that is pulled.

    Each page is a transaction with the entries of its deliveries, and where the list ends is read
    before.
    """
    pages = ceil(events / PAGE)
    return {
        "Query": Count(1, 1),
        **_kept(events, names),
        "GetItem": Count(pages, pages),
        "TransactWriteItems": Count(pages, events + 2 * pages),
    }


def pull(deliveries: int, *, takes: bool) -> Calls:
    """GET …/pull with so many deliveries of one event each, in management.

    `takes`: the cursor says that something more has been taken.
    """
    took = 1 if takes else 0
    calls = {
        "GetItem": Count(2 + took, 2 + took),
        "Query": Count(1, 1),
        **({"UpdateItem": Count(1, 1)} if takes else {}),
    }
    if deliveries:
        # The account, the log entries, the events.
        calls["BatchGetItem"] = Count(3, 1 + 2 * deliveries)
    return calls


def waited(seconds: int) -> Calls:
    """The same where nothing comes for so long: a look a second, and two places to wait at."""
    return {
        "GetItem": Count(3 + seconds, 3 + seconds),
        "Query": Count(2, 2),
        "UpdateItem": Count(4, 4),
    }


WATCH: Calls = {
    "GetItem": Count(1, 1),
    "BatchGetItem": Count(1, 3),
    "SendMessageBatch": Count(1, 1),
}
"""A turn of a watch that is not to look yet: the list's end; account, webhook and tombstone."""

SIGNING: Calls = {"BatchGetItem": Count(1, 3)}
"""The dispatcher's invocation that signs them: the account, the webhook and its health."""


def paced(events: int) -> Calls:
    """A router's invocation with one account's events for one webhook with a pace.

    The execution environment has taken slots of it before, or it is quiet: else one update more.
    """
    return {**router(events, 1), "UpdateItem": Count(1, 1)}


def handed_on(deliveries: int, *, near: bool) -> Calls:
    """A router's invocation with one account's deliveries that wait for slots, all near or all far.

    Those that are near go into the lane that their webhook is in now.
    """
    sends = {"SendMessageBatch": _batches(deliveries, _SENDS)}
    return {"Query": Count(1, 1), **sends} if near else sends


def member_page(events: int, outcomes: int) -> Calls:
    """GET /v1/events?member=…: the account, the names, the events, and what became of them."""
    return {
        "GetItem": Count(1, 1),
        "Query": Count(1, 1),
        "BatchGetItem": Count(ceil(events / _READS) + ceil(outcomes / _READS), events + outcomes),
    }


def log_page(webhooks: int, *, unsettled: int = 0) -> Calls:
    """GET /v1/deliveries, whatever the log's length: webhooks, tombstones, a query for each.

    With a status of failed or retrying these find ids, and one batch reads the page's.
    """
    calls = {"Query": Count(2 + webhooks, 2 + webhooks)}
    if unsettled:
        calls["BatchGetItem"] = Count(1, unsettled)
    return calls


def _batches(items: int, limit: int) -> Count:
    return Count(ceil(items / limit), items)
