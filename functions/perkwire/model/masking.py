"""Masking: secrets cut out of what endpoints answer, as many echo what they get.

The answer is read as plainly as its endpoint may have meant it: without the escapes of JSON, HTML
and URLs, and without case. What of it is in a secret is not shown. This is no wall against an
endpoint that means to hide it: other encodings are not undone.
"""

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

_SHORTEST_SECRET = 4  # replacing less would leave little of an answer
_LONGEST_RUN = 7  # of a secret, that may stand alone
_PASSES = 4  # a JSON text within JSON within a page; who goes deeper means to
_SCHEMES = frozenset({"basic", "bearer"})
_BLANKS = str.maketrans("+\t", "  ")  # a plus is one in a URL's query
MASK = "…"

_ESCAPE = re.compile(
    r"\\+u(?P<json>00[0-7][0-9a-f])|\\+x(?P<script>[0-7][0-9a-f])|%(?P<url>[0-7][0-9a-f])"
    r"|(?P<html>&(?:#0*[0-9]{1,3}|#x0*[0-9a-f]{1,2}|[a-z]{2,8});)|(?P<tab>\\+t)|\\+",
    re.IGNORECASE,
)
_CUT_ESCAPE = re.compile(r"(?:[%&ux][%&#0-9a-z]{0,10})?")


def masked(snippet: str, secrets: Iterable[str]) -> str:
    """The snippet without the secrets of at least four characters, and without longer parts of one.

    Nor is there what its end leaves of one. A secret of several words is one for each of them too.
    """
    hidden = bytearray(len(snippet))
    parts = {part for secret in secrets for part in _parts(secret)}
    for read in (_as_it_is, _plain):
        text, places = read(snippet)
        for wanted, _ in map(read, parts):
            for start, end in _found(wanted, text):
                first, last = places[start], places[end]
                hidden[first:last] = b"\x01" * (last - first)
    shown, rest = [], 0
    for run in re.finditer(rb"\x01+", hidden):
        shown += [snippet[rest : run.start()], MASK]
        rest = run.end()
    return "".join([*shown, snippet[rest:]])


def _parts(secret: str) -> Iterator[str]:
    """What of a header's value is a secret in itself."""
    first, _, rest = secret.partition(" ")
    has_scheme = bool(rest) and first.lower() in _SCHEMES
    credentials = rest.strip() if has_scheme else secret
    yield credentials
    yield from credentials.split()
    if not credentials.isascii():  # of what is not, escapes are not undone
        yield json.dumps(credentials)[1:-1]
        yield quote(credentials)
    if has_scheme and first.lower() == "basic":
        try:
            user_and_password = base64.b64decode(credentials).decode()
        except (binascii.Error, UnicodeDecodeError):
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


def _found(secret: str, text: str) -> Iterator[tuple[int, int]]:
    """Where the secret is in the text, and where more than a few characters of it are."""
    if len(secret) < _SHORTEST_SECRET:
        return
    size = min(len(secret), _LONGEST_RUN + 1)
    for run in {secret[start : start + size] for start in range(len(secret) - size + 1)}:
        start = text.find(run)
        while start >= 0:
            yield start, start + size
            start = text.find(run, start + 1)
    for length in range(_SHORTEST_SECRET, size + 1):
        start = text.rfind(secret[:length])
        if start >= 0 and _CUT_ESCAPE.fullmatch(text, start + length):
            yield start, len(text)
