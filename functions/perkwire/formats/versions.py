"""Names of formats with versions, `name@version`, and which version is newer."""

from perkwire.primitives.regexes import regex

VERSION = "@"
_PARTS = regex(r"[0-9]+|[a-z]+")


def product(format_name: str) -> str:
    """A format's name without its version."""
    return format_name.partition(VERSION)[0]


def age(format_name: str) -> tuple[tuple[bool, int, str], ...]:
    """What is greater for a newer version: numbers count as numbers, so that 10 follows 2.

    A letter stands before a number, and what begins like another and goes on is the newer one; a
    name without a version is older than any.
    """
    version = format_name.partition(VERSION)[2].lower()
    return tuple(
        (part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in _PARTS.findall(version)
    )
