"""JSON as people read it."""

import json

from perkwire.primitives.strict_json import Json

MOST_CHARACTERS = 300_000
"""An answer of Lambda has at most 6 MB, and each character may take several as HTML."""


def indented_json(value: Json) -> str:
    """Indented; if that is too long, compact, and cut with a line that says so."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if len(text) <= MOST_CHARACTERS:
        return text
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}\n… cut after {MOST_CHARACTERS} of {len(text)} characters"
