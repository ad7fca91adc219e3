"""What evaluation may cost: whoever writes a contract is a tenant of everybody's dispatcher.

Steps are counted while an expression runs, and whatever grows is measured before it is built. So
neither `[@,@]|[@,@]|…`, which doubles with each pipe, nor a loop over a loop takes more than a
moment or a megabyte, whatever the event.
"""

import math

from perkwire.primitives.strict_json import Json

STEPS_OF_AN_EVENT = 20_000
MOST_STEPS = 200_000
"""Of a body, whatever the number of its events."""
LARGEST_BODY = 1_500_000
"""In characters, before it is written as JSON: a delivery message has at most 900 kB of events."""
DEEPEST = 48
"""Levels of a body. An event has 32 at most."""

_LETTERS_OF_A_STEP = 64
_LETTERS_OF_A_NUMBER = 8


class Unsayable(Exception):
    """An expression has no value for this event; the message holds nothing of the event.

    `place` is where in the contract, once that is known.
    """

    place: str | None = None

    def __str__(self) -> str:
        return " ".join(filter(None, (self.place, *map(str, self.args))))


class TooMuch(Unsayable):
    """Evaluation would take more steps, letters or levels than it may."""


class Allowance:
    """The steps that are left for one body, and the letters that it may still have."""

    __slots__ = ("_letters", "_steps")

    def __init__(self, events: int = 1) -> None:
        self._steps = min(events * STEPS_OF_AN_EVENT, MOST_STEPS)
        self._letters = LARGEST_BODY

    def spend(self, steps: int) -> None:
        """Take steps; raises TooMuch."""
        self._steps -= steps
        if self._steps < 0:
            raise TooMuch("takes too many steps")

    def spend_letters(self, letters: int) -> None:
        """Take the steps that a text of this length costs, before it is made; raises TooMuch."""
        if letters > LARGEST_BODY:
            raise TooMuch("makes too long a text")
        self.spend(letters // _LETTERS_OF_A_STEP)

    def pass_on(self, value: Json) -> None:
        """Take what a value will need once it is written; raises TooMuch.

        A value may hold another many times over while it is in memory once: what counts is what
        would be written.
        """
        self._measure(value, DEEPEST)

    def _measure(self, value: Json, levels: int) -> None:
        letters = _LETTERS_OF_A_NUMBER
        if isinstance(value, str):
            letters = len(value) + 3
        elif isinstance(value, dict | list):
            if levels == 0:
                raise TooMuch("nests too deeply")
            letters = 2
            if isinstance(value, dict):
                letters += sum(map(len, value)) + 4 * len(value)
            for item in value.values() if isinstance(value, dict) else value:
                self._measure(item, levels - 1)
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise Unsayable("makes a number that JSON cannot say")
        elif isinstance(value, int):
            letters += value.bit_length() // 3
        self._letters -= letters
        if self._letters < 0:
            raise TooMuch("makes too large a body")
