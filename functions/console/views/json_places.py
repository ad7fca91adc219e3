"""Where in a text of JSON a pointer points to, as people count lines."""

import json
from json.decoder import scanstring  # type: ignore[attr-defined]

from perkwire.primitives.regexes import regex

_BLANK = regex(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def line_of(text: str, pointer: str) -> int | None:
    """The line of what the pointer names, or of the nearest that is there; None if it is no JSON.

    The text was read before, so it nests no deeper than may be.
    """
    try:
        begins = position = _after_blank(text, 0)
        for step in pointer.split("/")[1:]:
            found = _inside(text, position, step.replace("~1", "/").replace("~0", "~"))
            if found is None:
                break
            begins, position = found
    except (ValueError, IndexError, RecursionError):
        return None
    return text.count("\n", 0, begins) + 1


def _inside(text: str, position: int, step: str) -> tuple[int, int] | None:
    """Where the member or element of this name begins, and its value; None if there is none."""
    opening = text[position]
    if opening not in "{[":
        return None
    place = _after_blank(text, position + 1)
    number = 0
    while text[place] not in "}]":
        name, begins = str(number), place
        if opening == "{":
            name, place = scanstring(text, place + 1, True)
            place = _after_blank(text, _after_blank(text, place) + 1)
        if name == step:
            return begins, place
        _, place = _DECODER.raw_decode(text, place)
        place = _after_blank(text, place)
        if text[place] == ",":
            place = _after_blank(text, place + 1)
        number += 1
    return None


def _after_blank(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position
