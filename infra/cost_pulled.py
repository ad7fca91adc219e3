"""What a webhook that is pulled costs: a million of its events, and a month of its reader."""

from math import ceil

from infra import cpu
from infra.calls import (
    LISTS,
    NAMES,
    PAGE,
    QUIET,
    SIGNING,
    WATCH,
    Calls,
    Load,
    pull,
    waited,
    waiting,
)
from infra.cost_model import (
    CHUNK_KB,
    EVENT_KB,
    LINE_KB,
    REQUEST_KB,
    Event,
    Invocation,
    items_read,
    memories,
    memory_of,
    waits,
)
from infra.cost_rest import MONTH_SECONDS
from infra.prices import (
    API_REQUEST,
    LOG_GB,
    MILLION,
    READ_UNIT,
    SQS_REQUEST,
    TRAFFIC_GB,
    WRITE_UNIT,
)
from infra.tables import table

PLACE_KB = 0.12  # of a page, for each delivery: its id, its run, its event
_IN_TRANSACTION = 2  # units for each, where others cost one
_LONGEST_WAIT = 20
_TURN_SECONDS = 900  # of a watch: the longest that SQS delays a message
_READERS = (
    ("who always waits, for 20 seconds each time", _LONGEST_WAIT, 20),
    ("who asks every ten seconds", 0, 10),
    ("who asks every minute", 0, 60),
)


def from_the_queue() -> str:
    """Dollars for a million events in EventQueue, up to whoever pulls them, beside posting them."""
    loads = (QUIET, LISTS)
    columns = [_dollars(load) for load in loads]
    rows = [(part, *(f"{column[part]:.2f}" for column in columns)) for part in columns[0]]
    rows.append(("**total**", *(f"**{sum(column.values()):.2f}**" for column in columns)))
    posted = [_posted(load) for load in loads]
    rows.append(("posted to one webhook instead", *(f"{dollars:.2f}" for dollars in posted)))
    return table(
        ("", "events one by one, each pulled alone", "lists of 100, each pulled at once"), rows
    )


def _dollars(load: Load) -> dict[str, float]:
    events = load.events
    routed, pulled = waiting(events), pull(events, takes=True)
    spent = cpu.measured()[load.name]["1"]
    chunks = ceil(events * EVENT_KB / CHUNK_KB)
    # Of the CPU of management nothing is measured: no more than the router's, which reads, makes
    # and writes as much. For signing no more than for sending.
    signs = _invocation(SIGNING, spent["dispatcher"] * events / load.deliveries)
    lasts = signs.seconds(memories()["dispatcher"])
    of_management = Invocation(pulled, waits(pulled) + lasts, spent["router"] / 1e3)
    of_router = _invocation(routed, spent["router"])
    reads = [routed, pulled, SIGNING]
    parts = {
        "API Gateway": API_REQUEST,
        "Lambda": of_router.dollars(memories()["router"])
        + of_management.dollars(memory_of("management"))
        + signs.dollars(memories()["dispatcher"]),
        "SQS": (2 * chunks + 1) * SQS_REQUEST,
        "DynamoDB": _written(events) * WRITE_UNIT + sum(map(items_read, reads)) * READ_UNIT,
        # The line of the call in the access log, and the router's; a million kB are a GB.
        "logs": 2 * LINE_KB * LOG_GB / MILLION,
        "traffic out": events * REQUEST_KB * TRAFFIC_GB / MILLION,
    }
    return {part: MILLION / events * dollars for part, dollars in parts.items()}


def _written(events: int) -> int:
    """Units: events with their entry by time and names, entries, pages, ends, what is taken."""
    pages = [min(PAGE, events - begin) for begin in range(0, events, PAGE)]
    of_pages = sum(ceil(many * PLACE_KB) + 1 for many in pages)
    return events * (2 + NAMES) + _IN_TRANSACTION * (events + of_pages) + 1


def _posted(load: Load) -> float:
    """A million events at one webhook, from EventQueue to its endpoint."""
    event = Event.of(load, 1)
    parts = event.dollars()
    of_ingest, share = event.invoked["ingest"]
    way_in = MILLION * share * of_ingest.dollars(memories()["ingest"]) + parts["logs"] / 2
    return sum(parts.values()) - parts["API Gateway"] - way_in


def readers() -> str:
    """Dollars a month of one who pulls while nothing comes."""
    rows = [
        (said, f"{MONTH_SECONDS / every / MILLION:.2f} million", f"{_reader(seconds, every):.2f}")
        for said, seconds, every in _READERS
    ]
    return table(("a reader", "calls", "dollars a month"), rows)


def _reader(seconds: int, every: int) -> float:
    calls = waited(seconds) if seconds else pull(0, takes=False)
    spent = cpu.measured()[QUIET.name]["1"]["router"] / 1e3
    lasts = Invocation(calls, max(seconds, waits(calls)), spent).dollars(memory_of("management"))
    writes = calls["UpdateItem"].items if "UpdateItem" in calls else 0
    call = API_REQUEST + lasts + items_read(calls) * READ_UNIT + writes * WRITE_UNIT
    return MONTH_SECONDS / every * call


def watch() -> float:
    """Dollars a month of the watch of one webhook for which something always waits.

    Of the CPU of jobs nothing is measured: as much as the router's for one event.
    """
    turns = MONTH_SECONDS / _TURN_SECONDS
    turn = _invocation(WATCH, cpu.measured()[QUIET.name]["1"]["router"])
    of_sqs = 3 * SQS_REQUEST  # its message is received, deleted and sent anew
    return turns * (turn.dollars(memory_of("jobs")) + of_sqs + items_read(WATCH) * READ_UNIT)


def _invocation(calls: Calls, milliseconds: float) -> Invocation:
    return Invocation(calls, waits(calls), milliseconds / 1e3)
