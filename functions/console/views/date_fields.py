"""Times that people type: a browser's date and time field knows no zone, so it is UTC here.

The page's script shows these fields in the viewer's zone, and sends RFC 3339.
"""

import re

from perkwire.primitives.regexes import regex
from perkwire.primitives.timestamps import parse_rfc3339, to_rfc3339

_FIELD = regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)
_TO_THE_SECOND = 19


def from_date_field(text: str) -> str:
    """RFC 3339 for what a date and time field holds; other text as it is, for the library."""
    if not _FIELD.fullmatch(text):
        return text
    seconds = "" if text.count(":") > 1 else ":00"
    return f"{text.replace(' ', 'T')}{seconds}Z"


def to_date_field(text: str) -> str:
    """What a date and time field holds for a time, in UTC; other text as it is."""
    moment = parse_rfc3339(from_date_field(text))
    return text if moment is None else to_rfc3339(moment)[:_TO_THE_SECOND]
