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
_LETTERS_AROUND = 3
"""Quotes, a colon, a comma, brackets: about so many for each text, member and container."""


class Unsayable(Exception):
    """An expression has no value for this event; the message holds nothing of the event.

    `place` is where in the contract, once that is known, and `pointer` the same as a JSON pointer.
    """

    place: str | None = None
    pointer: str | None = None

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
        letters, left = 0, self._letters
        level: list[Json] = [value]
        for _ in range(DEEPEST):
            below: list[Json] = []
            for one in level:
                if isinstance(one, str):
                    letters += len(one) + _LETTERS_AROUND
                elif isinstance(one, dict | list):
                    letters += _LETTERS_AROUND + _LETTERS_AROUND * len(one)
                    if isinstance(one, dict):
                        letters += sum(map(len, one))
                    if letters > left:
                        raise TooMuch("makes too large a body")
                    below += one.values() if isinstance(one, dict) else one
                else:
                    letters += _letters_of(one)
            if not below:
                break
            level = below
        else:
            raise TooMuch("nests too deeply")
        self._letters = left - letters
        if letters > left:
            raise TooMuch("makes too large a body")


def _letters_of(value: float | bool | None) -> int:
    if isinstance(value, float) and not math.isfinite(value):
        raise Unsayable("makes a number that JSON cannot say")
    if type(value) is int:
        return _LETTERS_OF_A_NUMBER + value.bit_length() // 3
    return _LETTERS_OF_A_NUMBER
