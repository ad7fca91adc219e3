"""What a function's memory, and another way to pay for DynamoDB, would change."""

from infra import cpu
from infra.calls import LOADS
from infra.cost_model import Event
from infra.prices import (
    MILLION,
    PROVISIONED_READ_HOUR,
    PROVISIONED_WRITE_HOUR,
    READ_UNIT,
    WRITE_UNIT,
)
from infra.tables import table

FAN_OUT = 3
_SIZES = (128, 256, 512, 1024, cpu.WHOLE_MB)
_USED = (0.7, 0.35, 0.2)
_HOUR = 3600


def by_memory() -> str:
    """Dollars of a million events, and milliseconds of an invocation, of each function."""
    rows = []
    for function in cpu.FUNCTIONS:
        for load in LOADS:
            invocation, share = Event.of(load, FAN_OUT).invoked[function]
            cells = [
                f"{MILLION * share * invocation.dollars(size):.2f}, "
                f"{1e3 * invocation.seconds(size):.0f} ms"
                for size in _SIZES
            ]
            rows.append((f"{function}, {load.name}", *cells))
    return table(("", *(f"{size:,} MB" for size in _SIZES)), rows)


def provisioned() -> str:
    """DynamoDB's units of a million events, on demand and provisioned."""
    heads = ("", "on demand", *(f"provisioned, {used:.0%} of it used" for used in _USED))
    rows = []
    for load in LOADS:
        event = Event.of(load, FAN_OUT)
        on_demand = event.writes * WRITE_UNIT + event.reads * READ_UNIT
        whole = event.writes * PROVISIONED_WRITE_HOUR + event.reads * PROVISIONED_READ_HOUR
        rows.append(
            (
                load.name,
                f"{MILLION * on_demand:.2f}",
                *(f"{MILLION * whole / _HOUR / used:.2f}" for used in _USED),
            )
        )
    return table(heads, rows)
