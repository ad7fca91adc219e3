"""A webhook's history as charts, and in words: what is drawn is also said."""

from collections.abc import Callable, Iterator, Sequence

from console.http.rendering import count
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.timestamps import to_rfc3339
from perkwire.reading.history import DAY, WEEK, Figures, History, Period, Slice

COLUMN = 10
HEIGHT = 100
_GAP = 2
_SHORTEST = 2
_MARK = 3
"""At the base line, where the rate is 0."""
_NONE = "\N{EN DASH}"

PERIODS: dict[str, tuple[str, Period, tuple[str, ...]]] = {
    "24h": ("24 hours", DAY, ("24 h ago", "18 h", "12 h", "6 h", "now")),
    "7d": ("7 days", WEEK, ("7 d ago", "6", "5", "4", "3", "2", "1", "now")),
}
"""What there is to choose from: its name, its length, and what stands below a chart."""

type Bars = Iterator[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a chart, in the chart's own units."""

    kind: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Column:
    """A slice's place in a chart: what is drawn there, and what is said of it."""

    x: int
    said: str
    bars: Sequence[Bar]
    is_pale: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its columns, and what stands at the top and the bottom of its axis."""

    title: str
    top: str
    bottom: str
    columns: Sequence[Column]


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A slice with deliveries, as a table has it; times in RFC 3339."""

    since: str
    deliveries: str
    rate: str
    took: str


def charts(history: History) -> list[Chart]:
    """Deliveries, success rate and answer time."""
    known = [one.figures for one in history.slices if one.figures is not None]
    most = nice(max((one.deliveries for one in known), default=0))
    slowest = nice(max((one.most_ms or 0 for one in known), default=0))

    def deliveries(one: Figures) -> Bars:
        parts = {
            "bad": one.failed,
            "warn": one.retrying,
            "off": one.cancelled,
            "good": one.succeeded,
        }
        return ((kind, _scaled(many, most)) for kind, many in parts.items() if many)

    def rate(one: Figures) -> Bars:
        if one.success_rate is not None:
            # The column is as high as the rate; what failed would look like a rate of its own.
            if one.succeeded:
                highest = HEIGHT - (_SHORTEST if one.failed else 0)
                yield "good", min(_scaled_part(one.success_rate), highest)
            else:
                yield "bad", _MARK

    def took(one: Figures) -> Bars:
        if one.median_ms is not None and one.most_ms is not None:
            median = _scaled(one.median_ms, slowest)
            yield "half", median
            yield "most", max(_scaled(one.most_ms, slowest) - median, 0)

    return [
        Chart("Deliveries", count(most), "0", _columns(history, deliveries, deliveries_said)),
        Chart("Success rate", "100 %", "0 %", _columns(history, rate, rate_said)),
        Chart("Answer time", f"{count(slowest)} ms", "0 ms", _columns(history, took, took_said)),
    ]


def rows(history: History) -> list[HistoryRow]:
    """The slices that have deliveries, newest first."""
    return [
        HistoryRow(
            to_rfc3339(one.since),
            deliveries_said(one),
            rate_said(one),
            took_said(one),
        )
        for one in reversed(history.slices)
        if one.figures is None or one.figures.deliveries
    ]


def deliveries_said(one: Slice) -> str:
    """`12 deliveries: 11 succeeded, 1 failed`."""
    figures = one.figures
    if figures is None:
        return "no longer kept"
    if not figures.deliveries:
        return "none"
    parts = {
        "succeeded": figures.succeeded,
        "failed": figures.failed,
        "being retried": figures.retrying,
        "cancelled": figures.cancelled,
    }
    told = ", ".join(f"{count(many)} {word}" for word, many in parts.items() if many)
    if one.is_capped:
        return f"at least {count(figures.deliveries)}; of the newest {told}"
    return told


def rate_said(one: Slice) -> str:
    """`98.5 %`, of nothing but failures how many; or that there is none."""
    rate = None if one.figures is None else one.figures.success_rate
    if one.figures is None or rate is None:
        return _NONE
    said = percent(rate) if rate else f"0 %: none succeeded, {count(one.figures.failed)} failed"
    return said + _of_newest(one, one.figures)


def took_said(one: Slice) -> str:
    """`typical 80 ms, slow ones 300 ms`, or that there is none."""
    figures = one.figures
    if figures is None or figures.median_ms is None or figures.most_ms is None:
        return _NONE
    said = f"typical {count(figures.median_ms)} ms, slow ones {count(figures.most_ms)} ms"
    return said + _of_newest(one, figures)


def percent(part: float) -> str:
    """`98.5 %`, cut, not rounded: only all are 100 %, and only none are 0 %."""
    tenths = int(part * 1000)
    if part and not tenths:
        return "under 0.1 %"
    return f"{tenths / 10:.1f} %".replace(".0 %", " %")


def nice(most: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50 … that is not less: where an axis ends."""
    size = 1
    while True:
        for step in (1, 2, 5):
            if step * size >= most:
                return step * size
        size *= 10


def _columns(
    history: History, drawn: Callable[[Figures], Bars], said: Callable[[Slice], str]
) -> list[Column]:
    columns = []
    for place, one in enumerate(history.slices):
        x, top = place * COLUMN, HEIGHT
        bars = []
        for kind, wanted in drawn(one.figures) if one.figures is not None else ():
            height = min(wanted, top)
            top -= height
            bars.append(Bar(kind, x + _GAP // 2, top, COLUMN - _GAP, height))
        columns.append(Column(x, said(one), bars, one.is_capped))
    return columns


def _scaled(value: int, most: int) -> int:
    """So that one failure among a thousand is still to be seen."""
    return _scaled_part(value / most) if value else 0


def _scaled_part(part: float) -> int:
    return max(round(part * HEIGHT), _SHORTEST)


def _of_newest(one: Slice, figures: Figures) -> str:
    return f" (of the newest {count(figures.deliveries)})" if one.is_capped else ""
