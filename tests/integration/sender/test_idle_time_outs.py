"""Servers that close idle connections: what `bench.bench_idle` measures, in a few seconds."""

import pytest

from bench.bench_idle import attempts

pytestmark = pytest.mark.measures_time


@pytest.mark.parametrize("one_way_seconds", [0.0, 0.04])
def test_no_attempt_is_lost_to_a_connection_that_a_server_has_closed(
    one_way_seconds: float,
) -> None:
    tally = attempts(0.3, one_way_seconds, count=120, senders=20)
    assert tally.attempts == 120
    assert tally.lost == 0
    if one_way_seconds:  # without a way the end of a connection is mostly seen in time
        assert tally.twice > 0
