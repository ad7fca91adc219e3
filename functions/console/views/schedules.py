"""Schedules of webhooks: those that products have, by name, and any as a time line."""

import re
from collections.abc import Sequence
from itertools import accumulate

from console.http.form import Form
from console.http.spans import span
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json

STACK, OWN = "stack", "own"
_UNITS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
_DELAY = regex(r"(\d{1,6})\s*([a-z]*)", re.ASCII | re.IGNORECASE)
_SEPARATORS = regex(r"[,;\n]")
_PAUSE = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Preset:
    """A schedule that people know: what it does, and whose it is."""

    key: str
    name: str
    whose: str
    delays: tuple[int, ...]
    pause: bool | None = None


PRESETS = (
    Preset("zinrelo", "Every 5 minutes, five times", "Zinrelo", (300,) * 5),
    Preset(
        "qualifio",
        "Every 5 minutes, seven times, then blocked",
        "Qualifio Loyalty",
        (300,) * 7,
        pause=True,
    ),
    Preset(
        "voucherify",
        "Doubling from a minute, twelve times within a day, then disabled",
        "Voucherify",
        (60, *(60 * 2**power for power in range(10)), 24_960),
        pause=True,
    ),
    Preset(
        "svix",
        "Seven times, ever more slowly",
        "Svix",
        (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000),
    ),
)
_BY_KEY = {preset.key: preset for preset in PRESETS}


def time_line(delays: Sequence[int]) -> list[str]:
    """When each attempt after the first is, counted from that one, without what spreads them."""
    return [span(seconds) for seconds in accumulate(delays)]


def delays_of(webhook: Webhook, max_attempts: int, interval: int) -> Sequence[int]:
    """What is between its attempts, in seconds: its own delays, or those of the stack."""
    if webhook.retry_delays_seconds is None:
        return (interval,) * (max_attempts - 1)
    return webhook.retry_delays_seconds[: max_attempts - 1]


def schedule_words(webhook: Webhook, max_attempts: int, interval: int) -> str:
    """How often a delivery is tried, for how long, and what becomes of it after that."""
    delays = delays_of(webhook, max_attempts, interval)
    then = "Then it has failed, can be retried from the log, and waits to be redriven."
    if not delays:
        return f"One attempt, at once. {then}"
    return f"{len(delays) + 1} attempts within {span(sum(delays))}, the first at once. {then}"


def preset_name(delays: tuple[int, ...] | None) -> str | None:
    """The name of a schedule that is one of the presets."""
    return next((f"{one.name} ({one.whose})" for one in PRESETS if one.delays == delays), None)


def filled(webhook: Webhook) -> dict[str, Sequence[str]]:
    """The form's fields of a stored webhook's schedule."""
    delays, pause = webhook.retry_delays_seconds, webhook.pause_when_exhausted
    chosen, said = STACK, pause
    if delays is not None:
        same = (one for one in PRESETS if one.delays == delays)
        # A preset that pauses says so itself; a webhook that leaves it open has none of those.
        found = next((one for one in same if one.pause is None or pause is not None), None)
        chosen = OWN if found is None else found.key
        said = None if found is not None and found.pause is pause else pause
    return {
        "schedule": [chosen],
        "retry_delays_seconds": [", ".join(map(str, delays or ()))],
        "pause_when_exhausted": ["" if said is None else "yes" if said else "no"],
    }


def asked(form: Form) -> dict[str, Json]:
    """What is chosen, as the API takes it; null is the stack's rule."""
    preset = _BY_KEY.get(form.text("schedule", STACK))
    delays: list[Json] | None = None
    if preset is not None:
        delays = [*preset.delays]
    elif form.text("schedule") == OWN:
        delays = own_delays(form)
    presets_own = None if preset is None else preset.pause
    pause = _PAUSE.get(form.text("pause_when_exhausted"), presets_own)
    return {"retry_delays_seconds": delays, "pause_when_exhausted": pause}


def own_delays(form: Form) -> list[Json]:
    """The delays that are filled in: `60, 5 min, 2 h`; what is none stays, for the API to name."""
    text = form.text("retry_delays_seconds")
    parts = _SEPARATORS.split(text) if _SEPARATORS.search(text) else [text]
    return [_delay(part.strip()) for part in parts if part.strip()]


def own_time_line(form: Form) -> list[str]:
    """The time line of the delays that are filled in; empty if one of them is none."""
    delays = own_delays(form)
    known = [one for one in delays if isinstance(one, int)]
    return time_line(known) if len(known) == len(delays) else []


def _delay(text: str) -> int | str:
    found = _DELAY.fullmatch(text)
    unit = _UNITS.get(found[2].lower()) if found else None
    return text if found is None or unit is None else int(found[1]) * unit
