"""Masking: secrets cut out of what endpoints answer, as many echo what they get.

The answer is read as plainly as its endpoint may have meant it: without the escapes of JSON, HTML
and URLs, and without case. What of it is in a secret is not shown. This is no wall against an
endpoint that means to hide it: other encodings are not undone.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.regexes import regex

_SHORTEST_SECRET = 4  # replacing less would leave little of an answer
_LONGEST_RUN = 7  # of a secret, that may stand alone
_WORD = regex(r"[A-Za-z]{1,11}|[0-9]{1,7}")
_DATE_OR_VERSION = regex(r"[0-9]{1,4}(?:[-./][0-9]{1,2}){1,2}")
_BETWEEN_WORDS = regex(r"[^A-Za-z0-9]+")
_PASSES = 4  # a JSON text within JSON within a page; who goes deeper means to
_SCHEMES = frozenset({"basic", "bearer"})
_BLANKS = str.maketrans("+\t", "  ")  # a plus is one in a URL's query
MASK = "…"

_ESCAPE = regex(
    r"\\+u(?P<json>00[0-7][0-9a-f])|\\+x(?P<script>[0-7][0-9a-f])|%(?P<url>[0-7][0-9a-f])"
    r"|(?P<html>&(?:#0*[0-9]{1,3}|#x0*[0-9a-f]{1,2}|[a-z]{2,8});)|(?P<tab>\\+t)|\\+",
    re.IGNORECASE,
)
_CUT_ESCAPE = regex(r"(?:[%&ux][%&#0-9a-z]{0,10})?")


@dataclass(frozen=True, slots=True)
class _Secret:
    """What is not shown: all of it, or, if not `whole`, more than a few characters of it too.

    `cut` is the least of its beginning that is not shown at the end of an answer. With `has_words`
    one plain word of several stays.
    """

    text: str
    whole: bool
    cut: int = _SHORTEST_SECRET
    has_words: bool = False

    def is_word(self, part: str) -> bool:
        """Whether a part of it is of one plain word, which is no secret in itself."""
        words = [one for one in _BETWEEN_WORDS.split(self.text) if one]
        plain = _BETWEEN_WORDS.sub("", part)
        if not plain or len(words) == 1:
            return False
        return any(plain in one for one in words if _WORD.fullmatch(one))


def masked(snippet: str, values: Iterable[str], credentials: Iterable[str] = ()) -> str:
    """The snippet without the values and credentials of at least four characters.

    A value that is one plain word, a short number, a date or a version is no secret: `true` and
    `prod` are what answers are made of. One of several words is one as a whole. Of credentials each
    word is one, plain or not. What has fewer than eight characters is found where it stands alone,
    not within a longer word; of what has more, and has no blanks, no longer part is shown, nor what
    the snippet's end leaves of it: but for one plain word of it, `production` of `production-eu`.
    """
    hidden = bytearray(len(snippet))
    secrets = {*_of_values(values), *(one for each in credentials for one in _parts(each))}
    for read in (_as_it_is, _plain):
        text, places = read(snippet)
        for secret in secrets:
            wanted, _ = read(secret.text)
            for start, end in _spans(replace(secret, text=wanted), text):
                first, last = places[start], places[end]
                hidden[first:last] = b"\x01" * (last - first)
    shown, rest = [], 0
    for run in re.finditer(rb"\x01+", hidden):
        shown += [snippet[rest : run.start()], MASK]
        rest = run.end()
    return "".join([*shown, snippet[rest:]])


def _of_values(values: Iterable[str]) -> Iterator[_Secret]:
    """What of values that need not be secret is."""
    for value in values:
        if value.partition(" ")[0].lower() in _SCHEMES:
            yield from _parts(value)
        elif not _WORD.fullmatch(value) and not _DATE_OR_VERSION.fullmatch(value):
            has_blanks = len(value.split()) > 1
            for spelling in _spellings(value):
                # The beginning of a sentence is no secret.
                cut = _LONGEST_RUN + 1 if has_blanks else _SHORTEST_SECRET
                whole = has_blanks or len(value) <= _LONGEST_RUN
                yield _Secret(spelling, whole, cut, has_words=not whole)


def _parts(credential: str) -> Iterator[_Secret]:
    """What of a credential is a secret in itself."""
    for part in _words(credential):
        yield _Secret(part, whole=len(part) <= _LONGEST_RUN)


def _spellings(text: str) -> Iterator[str]:
    yield text
    if not text.isascii():  # of what is not, escapes are not undone
        yield json.dumps(text)[1:-1]
        yield quote(text)


def _words(credential: str) -> Iterator[str]:
    first, _, rest = credential.partition(" ")
    has_scheme = bool(rest) and first.lower() in _SCHEMES
    credentials = rest.strip() if has_scheme else credential
    yield from _spellings(credentials)
    yield from credentials.split()
    if has_scheme and first.lower() == "basic":
        try:
            user_and_password = base64.b64decode(credentials).decode()
        except ValueError:  # of text that is not ASCII, too
            return
        yield user_and_password
        yield from user_and_password.split(":", 1)


def _as_it_is(text: str) -> tuple[str, Sequence[int]]:
    """The text without case, and where each of its characters, and its end, is in the given."""
    return _lower(text), range(len(text) + 1)


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """The text without escapes either."""
    places = [*range(len(text) + 1)]
    for _ in range(_PASSES):
        if not _ESCAPE.search(text):
            break
        text, places = _unescaped(text, places)
    return _lower(text).translate(_BLANKS), places


def _unescaped(text: str, places: list[int]) -> tuple[str, list[int]]:
    parts: list[str] = []
    begins: list[int] = []
    last = 0
    for escape in _ESCAPE.finditer(text):
        start, end = escape.span()
        meant = _meant(escape)
        parts += [text[last:start], meant]
        begins += places[last:start]
        begins += [places[start]] * len(meant)
        last = end
    parts.append(text[last:])
    begins += places[last:]
    return "".join(parts), begins


def _meant(escape: re.Match[str]) -> str:
    """The one character that an escape stands for; none for what only escapes the next."""
    match escape.lastgroup:
        case "html":
            # Upper case may be the endpoint's doing.
            meant = html.unescape(escape[0].lower())
            return meant if len(meant) == 1 else escape[0]
        case "tab":
            return "\t"
        case None:
            return ""
        case group:
            return chr(int(escape[group], 16))


def _lower(text: str) -> str:
    """Of what is not ASCII, lower case may have another length."""
    if text.isascii():
        return text.lower()
    return "".join(one.lower() if one.isascii() else one for one in text)


def _spans(sought: _Secret, text: str) -> list[tuple[int, int]]:
    """Where the text must not be shown."""
    found = sorted(_found(sought, text))
    if not sought.has_words:
        return found
    joined: list[tuple[int, int]] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [(start, end) for start, end in joined if not sought.is_word(text[start:end])]


def _found(sought: _Secret, text: str) -> Iterator[tuple[int, int]]:
    """Where the secret is in the text, and, if not `whole`, where much of it is."""
    secret, whole = sought.text, sought.whole
    if len(secret) < _SHORTEST_SECRET:
        return
    size = len(secret) if whole else min(len(secret), _LONGEST_RUN + 1)
    for run in {secret[start : start + size] for start in range(len(secret) - size + 1)}:
        start = text.find(run)
        while start >= 0:
            if not whole or _stands_alone(text, start, start + size):
                yield start, start + size
            start = text.find(run, start + 1)
    for length in range(sought.cut, size if whole else size + 1):
        start = text.rfind(secret[:length])
        if whole and not _stands_alone(text, start, len(text)):
            continue
        if start >= 0 and _CUT_ESCAPE.fullmatch(text, start + length):
            yield start, len(text)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no letter or digit goes on where it begins and ends with one."""
    begins_within = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
    return not begins_within and not (
        end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
    )
