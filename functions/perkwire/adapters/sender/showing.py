"""What is shown of an answer: a bounded, printable beginning, whatever its coding."""

import zlib
from collections.abc import Mapping
from urllib.parse import urljoin

from perkwire.model.endpoint import MAX_URL_CHARACTERS

MAX_SNIPPET_BYTES = 512

_INFLATED_BYTES = 4096
_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32
_INFLATING = {
    "gzip": (_ZLIB_OR_GZIP,),
    "x-gzip": (_ZLIB_OR_GZIP,),
    "deflate": (_ZLIB_OR_GZIP, -zlib.MAX_WBITS),  # some send it without the wrapper of zlib
}


def shown(body: bytes, headers: Mapping[str, str], *, is_whole: bool) -> str:
    """At most 512 bytes of the body as text, control characters removed.

    A coded body, which nobody asked for, is shown inflated, and as its coding and size if it cannot
    be. `is_whole` says that there is no more of it than `body`.
    """
    coding = headers.get("content-encoding", "").strip().lower()
    if not body or coding in ("", "identity"):
        return printable(body)
    for window_bits in _INFLATING.get(coding, ()):
        try:
            text = zlib.decompressobj(window_bits).decompress(body, _INFLATED_BYTES)
        except zlib.error:
            continue
        if text:
            return printable(text)
    size = headers.get("content-length", "")
    if is_whole or not size.isdecimal():
        size = f"{len(body)}" if is_whole else f"more than {len(body)}"
    return printable(f"{coding}, {size} bytes".encode())


def printable(said: bytes, most: int = MAX_SNIPPET_BYTES) -> str:
    """At most so many bytes of the text that was said, control characters removed."""
    text = said[:most].decode("utf-8", "replace")
    if not text.isprintable():
        text = "".join(
            character if character.isprintable() else " " if character.isspace() else ""
            for character in text
        )
    return text.encode()[:most].decode("utf-8", "ignore")


def pointed_to(location: str, url: str) -> str:
    """Where a redirect of `url` points: an absolute URL, or what it says if that is none."""
    said = printable(location.encode("latin-1", "replace"), MAX_URL_CHARACTERS)
    try:
        return urljoin(url, said)[:MAX_URL_CHARACTERS]
    except ValueError:
        return said
