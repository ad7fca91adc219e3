"""Schedules in the console's form: presets, delays as people write them, and time lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.http.form import Form
from console.http.spans import span
from console.views import schedules
from console.views.schedules import PRESETS, asked, filled, own_delays, time_line
from perkwire.managing.webhook_draft import EndpointRules, parse_webhook
from perkwire.model.endpoint import EndpointPolicy
from tests.builders import a_webhook, webhook_body
from tests.template.test_coverage import retry_rules

RULES = EndpointRules(EndpointPolicy.PUBLIC, max_attempts=13)
DELAYS = st.none() | st.lists(st.integers(1, 43_200), max_size=12).map(tuple)


def chosen(schedule: str, delays: str = "", pause: str = "") -> Form:
    return Form(
        {
            "schedule": [schedule],
            "retry_delays_seconds": [delays],
            "pause_when_exhausted": [pause],
        }
    )


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_a_preset_is_what_the_api_takes(preset: schedules.Preset) -> None:
    draft = parse_webhook(webhook_body(**asked(chosen(preset.key))), RULES)

    assert (draft.retry_delays_seconds, draft.pause_when_exhausted) == (
        preset.delays,
        preset.pause,
    )


@pytest.mark.parametrize("product", ["Zinrelo", "Qualifio", "Voucherify"])
def test_a_products_preset_is_the_rule_that_the_page_of_products_has(product: str) -> None:
    rule = retry_rules()[product]

    said = asked(chosen(product.lower()))

    assert said == {"pause_when_exhausted": None, **rule}


@given(DELAYS, st.sampled_from([None, True, False]))
def test_a_stored_webhook_that_is_saved_as_it_is_stays_as_it_is(
    delays: tuple[int, ...] | None, pause: bool | None
) -> None:
    _stays(delays, pause)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
@pytest.mark.parametrize("pause", [None, True, False])
def test_so_does_one_with_a_presets_delays(preset: schedules.Preset, pause: bool | None) -> None:
    _stays(preset.delays, pause)


def _stays(delays: tuple[int, ...] | None, pause: bool | None) -> None:
    webhook = a_webhook(retry_delays_seconds=delays, pause_when_exhausted=pause)

    said = asked(Form(filled(webhook)))

    assert said == {
        "retry_delays_seconds": None if delays is None else [*delays],
        "pause_when_exhausted": pause,
    }


def test_a_persons_own_word_about_pausing_wins_over_the_presets() -> None:
    assert asked(chosen("qualifio", pause="no"))["pause_when_exhausted"] is False


@pytest.mark.parametrize(
    ("text", "delays"),
    [
        ("", []),
        ("60", [60]),
        ("5 min", [300]),
        ("60, 5 min, 2h ; 1 d", [60, 300, 7_200, 86_400]),
        ("60\n600", [60, 600]),
        ("soon", ["soon"]),
        ("60, 1.5 h", [60, "1.5 h"]),
        ("-1", ["-1"]),
        ("9" * 20, ["9" * 20]),
        ("٣", ["٣"]),
    ],
)
def test_delays_are_written_as_people_write_them(text: str, delays: list[object]) -> None:
    assert own_delays(chosen("own", text)) == delays


def test_what_is_no_delay_has_no_time_line() -> None:
    assert schedules.own_time_line(chosen("own", "60, soon")) == []


def test_a_time_line_counts_from_the_first_attempt() -> None:
    assert time_line((5, 300, 1_800, 36_000)) == [
        "5 s",
        "5 min 5 s",
        "35 min 5 s",
        "10 h 35 min 5 s",
    ]


@given(st.integers(1, 172_800))
def test_a_span_says_every_second(seconds: int) -> None:
    units = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
    words = span(seconds).split()

    assert sum(int(n) * units[u] for n, u in zip(words[::2], words[1::2], strict=True)) == seconds
