"""Charts of a webhook's history: their scales, their words, and what is never a number."""

import pytest

from console.views.history_charts import HEIGHT, charts, nice, percent, rows
from perkwire.reading.health import Unsettled
from perkwire.reading.history import Figures, History, Slice


def figures(succeeded: int = 0, failed: int = 0, *durations: int) -> Figures:
    return Figures(
        succeeded=succeeded, failed=failed, retrying=0, cancelled=0, durations=tuple(durations)
    )


def a_history(*slices: Figures | None, is_capped: bool = False) -> History:
    return History(
        slices=[
            Slice(since=place, until=place + 1, figures=one, is_capped=is_capped)
            for place, one in enumerate(slices)
        ],
        figures=figures(),
        is_capped=is_capped,
        unsettled=Unsettled(0, 0, is_capped=False),
        newest=[],
    )


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (1, "100 %"),
        (0, "0 %"),
        (0.9999, "99.9 %"),
        (0.0001, "under 0.1 %"),
        (0.5, "50 %"),
        (0.985, "98.5 %"),
    ],
)
def test_only_all_are_a_hundred_percent_and_only_none_are_none(part: float, said: str) -> None:
    assert percent(part) == said


@pytest.mark.parametrize(
    ("most", "end"), [(0, 1), (1, 1), (3, 5), (11, 20), (500, 500), (501, 1000)]
)
def test_an_axis_ends_at_a_round_number(most: int, end: int) -> None:
    assert nice(most) == end


def test_one_failure_among_a_thousand_is_seen_and_nothing_leaves_the_chart() -> None:
    drawn = charts(a_history(figures(999, 1, 5), figures(), figures(3, 0, 5, 80)))

    for chart in drawn:
        for column in chart.columns:
            assert all(bar.height >= 1 and bar.y >= 0 for bar in column.bars if bar.height)
            assert sum(bar.height for bar in column.bars) <= HEIGHT
    assert [bar.kind for bar in drawn[0].columns[0].bars] == ["bad", "good"]
    assert [bar.kind for bar in drawn[2].columns[2].bars] == ["half", "most"]
    assert not drawn[0].columns[1].bars


@pytest.mark.parametrize(
    ("succeeded", "failed", "drawn"),
    [
        (0, 3, [("bad", 3)]),
        (1, 3, [("good", 25)]),
        (1, 999, [("good", 2)]),
        (999, 1, [("good", 98)]),
        (4, 0, [("good", 100)]),
        (0, 0, []),
    ],
)
def test_the_column_of_a_rate_is_as_high_as_the_rate(
    succeeded: int, failed: int, drawn: list[tuple[str, int]]
) -> None:
    _, rate, _ = charts(a_history(figures(succeeded, failed, 5)))

    assert [(bar.kind, bar.height) for bar in rate.columns[0].bars] == drawn
    assert all(bar.y + bar.height == HEIGHT for bar in rate.columns[0].bars)


def test_a_rate_of_nothing_says_how_many_failed() -> None:
    _, rate, _ = charts(a_history(figures(0, 3, 5)))

    assert rate.columns[0].said == "0 %: none succeeded, 3 failed"


def test_what_is_drawn_is_said() -> None:
    deliveries, rate, took = charts(a_history(figures(2, 1, 5, 80), None, figures()))

    assert [one.said for one in deliveries.columns] == [
        "2 succeeded, 1 failed",
        "no longer kept",
        "none",
    ]
    assert rate.columns[0].said == "66.6 %"
    assert took.columns[0].said == "typical 5 ms, slow ones 80 ms"
    none = "\N{EN DASH}"
    assert {one.said for chart in (rate, took) for one in chart.columns[1:]} == {none}


def test_of_more_than_were_looked_at_no_number_stands_for_all() -> None:
    drawn = charts(a_history(figures(49, 1, 5), is_capped=True))

    assert [chart.columns[0].said for chart in drawn] == [
        "at least 50; of the newest 49 succeeded, 1 failed",
        "98 % (of the newest 50)",
        "typical 5 ms, slow ones 5 ms (of the newest 50)",
    ]
    assert all(chart.columns[0].is_pale for chart in drawn)


def test_the_table_has_the_newest_first_and_leaves_out_what_has_none() -> None:
    told = rows(a_history(figures(1, 0, 5), figures(), None, figures(0, 1, 9)))

    assert [one.deliveries for one in told] == ["1 failed", "no longer kept", "1 succeeded"]
