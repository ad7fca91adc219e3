"""Regular expressions that are compiled at their first use."""

import re

import pytest

from perkwire.primitives.regexes import regex


def test_it_answers_as_the_compiled_one_does() -> None:
    lazy, compiled = regex(r"(a+)b", re.IGNORECASE), re.compile(r"(a+)b", re.IGNORECASE)

    for text in ("AAb", "xaab", "c", "ab ab"):
        for method in ("fullmatch", "match", "search"):
            ours, theirs = getattr(lazy, method)(text), getattr(compiled, method)(text)
            assert (ours and ours.groups()) == (theirs and theirs.groups())
        assert lazy.sub("-", text) == compiled.sub("-", text)
        assert lazy.split(text) == compiled.split(text)
        assert lazy.findall(text) == compiled.findall(text)
        assert [found.span() for found in lazy.finditer(text)] == [
            found.span() for found in compiled.finditer(text)
        ]


def test_bytes_too() -> None:
    assert regex(rb"[0-9]+").search(b"a12") is not None


def test_nothing_is_compiled_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    compiles = re.compile

    def noting(text: str, flags: int) -> re.Pattern[str]:
        compiled.append(text)
        return compiles(text, flags)

    monkeypatch.setattr(re, "compile", noting)

    made = regex("x")
    assert compiled == []

    assert made.search("x")
    assert made.fullmatch("x")
    assert compiled == ["x"]
