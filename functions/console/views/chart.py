"""The health of a webhook as the bars of a small chart."""

from collections.abc import Iterator

from perkwire.primitives.dataclass import dataclass
from perkwire.reading.health import HOURS, Health, Hour

BAR_WIDTH = 5
_GAP = 1
HEIGHT = 28
WIDTH = HOURS * (BAR_WIDTH + _GAP) - _GAP
_SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of an hour's bar, in the chart's own units; `kind` is a badge's."""

    x: int
    y: int
    height: int
    kind: str


def bars(health: Health) -> list[Bar]:
    """The bars, each hour's parts above each other; an hour without deliveries has none."""
    tallest = max(sum(_parts(hour).values()) for hour in health.hours)
    return [
        bar for position, hour in enumerate(health.hours) for bar in _bar(position, hour, tallest)
    ]


def _bar(position: int, hour: Hour, tallest: int) -> Iterator[Bar]:
    bottom = HEIGHT
    for kind, count in _parts(hour).items():
        if count:
            # So that one failure among a thousand is still to be seen.
            height = min(max(round(count / tallest * HEIGHT), _SHORTEST), bottom)
            bottom -= height
            yield Bar(position * (BAR_WIDTH + _GAP), bottom, height, kind)


def _parts(hour: Hour) -> dict[str, int]:
    """From the bottom up."""
    return {
        "bad": hour.failed,
        "warn": hour.retrying,
        "off": hour.cancelled,
        "good": hour.succeeded,
    }
