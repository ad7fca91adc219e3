"""What has arrived at the demonstration's receivers, and how a terminal shows it."""

import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus

from infra.local.receiver import Attempt

WIDTH = 100

_ENDPOINT_WIDTH = 13
_NAMES_WIDTH = 40
_PATIENCE_SECONDS = 60


class Arrivals:
    """Keeps the attempts that arrive, and prints those of the endpoints that are shown."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._attempts: list[Attempt] = []
        self._unshown: list[Attempt] = []
        self._shown: Collection[str] | None = ()
        self._expected: Counter[str] = Counter()

    def note(self, attempt: Attempt) -> None:
        """Keep one that has arrived just now."""
        with self._changed:
            self._attempts.append(attempt)
            self._unshown.append(attempt)
            self._print()
            self._changed.notify_all()

    def show(self, *endpoints: str) -> None:
        """Print attempts at these endpoints only: those not printed yet, then each that arrives."""
        with self._changed:
            self._shown = endpoints
            self._print()

    def show_from_now_on(self, *endpoints: str) -> None:
        """Print each attempt that arrives at these endpoints, and none that has arrived."""
        with self._changed:
            self._unshown.clear()
            self._shown = endpoints

    def show_all_from_now_on(self) -> None:
        """Print each attempt that arrives, at any endpoint."""
        with self._changed:
            self._unshown.clear()
            self._shown = None

    def wait_for(self, expected: Mapping[str, int]) -> None:
        """Wait until each endpoint has taken so many more events than all calls before said.

        Comes back after a minute in any case: the summary tells what is missing.
        """
        with self._changed:
            self._expected.update(expected)
            self._changed.wait_for(
                lambda: all(len(self._taken(name)) >= self._expected[name] for name in expected),
                _PATIENCE_SECONDS,
            )

    def taken(self, endpoint: str) -> list[str]:
        """The names of the events that an endpoint has taken, each once, in order of arrival."""
        with self._changed:
            return self._taken(endpoint)

    def summary(self) -> str:
        """One line of counts."""
        with self._changed:
            wanted = self._expected.total()
            taken = sum(
                min(expected, len(self._taken(name))) for name, expected in self._expected.items()
            )
            verified = sum(attempt.verified for attempt in self._attempts)
            return (
                f"{f'All {wanted}' if taken == wanted else f'Only {taken} of {wanted}'} events "
                f"taken, in {len(self._attempts)} attempts{self._repeats()}, "
                f"{verified} signatures verified."
            )

    def _repeats(self) -> str:
        repeats = sum(attempt.repeat for attempt in self._attempts)
        if not repeats:
            return ""
        return f" ({repeats} of them {'a repeat' if repeats == 1 else 'repeats'})"

    def _taken(self, endpoint: str) -> list[str]:
        return [
            name
            for attempt in self._attempts
            if attempt.endpoint == endpoint and attempt.status.is_success and not attempt.repeat
            for name in attempt.event_names
        ]

    def _print(self) -> None:
        left = []
        for attempt in self._unshown:
            if self._shown is None or attempt.endpoint in self._shown:
                print(line(attempt), flush=True)
            else:
                left.append(attempt)
        self._unshown = left


def line(attempt: Attempt) -> str:
    """What a terminal shows of an attempt, in at most WIDTH columns."""
    names = attempt.event_names
    said = names[0] if len(names) == 1 else f"{len(names)} events" if names else "-"
    outcome = str(attempt.status.value)
    if attempt.repeat:
        outcome += "  a repeat"
    elif attempt.number > 1 or attempt.status == HTTPStatus.SERVICE_UNAVAILABLE:
        outcome += f"  attempt {attempt.number}"
    return (
        f"{attempt.at.astimezone():%H:%M:%S}  {attempt.endpoint:<{_ENDPOINT_WIDTH}}"
        f"{cut(said, _NAMES_WIDTH - 2):<{_NAMES_WIDTH}}"
        f"signature {'verified' if attempt.verified else 'WRONG   '}  {outcome}"
    )


def listed(names: Sequence[str], width: int) -> str:
    """The distinct names, as many as fit, and how many more there are."""
    distinct = [*dict.fromkeys(names)]
    for shown in range(len(distinct), 0, -1):
        more = len(distinct) - shown
        text = ", ".join(distinct[:shown]) + (f" and {more} more" if more else "")
        if len(text) <= width:
            return text
    return cut(distinct[0], width) if distinct else "-"


def cut(text: str, width: int) -> str:
    """The text in so many columns at most, with … where some is left out."""
    return text if len(text) <= width else f"{text[: width - 1]}…"
