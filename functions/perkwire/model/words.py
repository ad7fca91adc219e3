"""Whatever in a text could be a name: of JSON, of what is broken of it, and of what is none.

A name may be written with escapes, have blanks, stand in JSON that is a string of other JSON, as
EventBridge's and SNS's is, or in the base64 of a CloudEvent. What is before a colon as a member of
an object names no member of a programme.
"""

import base64
import json
from collections.abc import Iterator

from perkwire.primitives.regexes import regex

_WORDS = regex(r"""[^\s"'`,;{}\[\]()<>\\=]+""")
_QUOTES = regex(r"""(?<!\\)(?:\\\\)*\"""")
_ESCAPE = regex(r"\\u([0-9a-fA-F]{4})")
_BASE64 = regex(r"[A-Za-z0-9+/\s]{16,}={0,2}\s*")
_DEEPEST = 3
"""An event in a notification in a message, and a string of JSON in that."""


def words_of(text: str) -> Iterator[str]:
    """Each string and number of its JSON, whole, and each of its words; some more than once."""
    yield from _words_of(text, _DEEPEST)


def _words_of(text: str, depth: int) -> Iterator[str]:
    for one in _strings_of(text):
        yield one
        if depth and one != text and ('"' in one or "\\" in one):
            yield from _words_of(one, depth - 1)
            continue
        yield from _plain_words(one)
        if depth and (decoded := _decoded(one)) is not None:
            yield from _words_of(decoded, depth - 1)


def _strings_of(text: str) -> Iterator[str]:
    try:
        left = [json.loads(text)]
    except (ValueError, RecursionError):
        yield from _pieces_of(text)
        return
    while left:
        match left.pop():
            case dict() as members:
                left += members.values()
            case list() as items:
                left += items
            case str() as string:
                yield string
            case bool():
                pass
            case int() as number:
                yield str(number)


def _pieces_of(text: str) -> Iterator[str]:
    """Of what is no JSON all that is between two quotes, whichever of them begin a string."""
    pieces = _QUOTES.split(text)
    for place, piece in enumerate(pieces):
        is_key = place + 1 < len(pieces) and pieces[place + 1].lstrip().startswith(":")
        if not is_key:
            yield _unescaped(piece)


def _unescaped(piece: str) -> str:
    try:
        return str(json.loads(f'"{piece}"'))
    except ValueError:
        return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), piece)


def _plain_words(text: str) -> Iterator[str]:
    """With and without what ends in a colon before it."""
    for found in _WORDS.finditer(text):
        word = found[0]
        yield word
        yield word.strip(":.")
        yield word.rpartition(":")[2]


def _decoded(text: str) -> str | None:
    if not _BASE64.fullmatch(text):
        return None
    try:
        return base64.b64decode(text).decode()
    except ValueError:
        return None
