"""What failures mean: a sentence for each, here and in docs/receiving.md alike."""

from typing import Any

import pytest

from console.views.failures import FAILURES, failure_of, title_of
from console.views.runs import runs_of
from perkwire.model.sending import ErrorDetail, TransportError
from tests.template.stack import ROOT


@pytest.mark.parametrize("word", [*TransportError, *ErrorDetail])
def test_every_class_of_errors_has_a_sentence_of_its_own(word: str) -> None:
    (found,) = [one for one in FAILURES if one.word == word]

    assert found.sentence.endswith(".")


@pytest.mark.parametrize("status", range(300, 600))
def test_every_status_that_fails_has_one(status: int) -> None:
    assert failure_of({"status_code": status}) is not None


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        ({"status_code": 401}, "401"),
        ({"status_code": 418}, "4xx"),
        ({"status_code": 599}, "5xx"),
        ({"status_code": 301}, "3xx"),
        ({"status_code": 204}, "2xx"),
        ({"error": "timeout"}, "timeout"),
        ({"error": "tls", "error_detail": "expired"}, "expired"),
        ({"error": "tls", "error_detail": "of a later release"}, "tls"),
        ({"error": "of a later release"}, None),
    ],
)
def test_a_failure_has_the_nearest(attempt: dict[str, Any], word: str | None) -> None:
    found = failure_of(attempt)

    assert (found and found.word) == word
    assert failure_of(attempt, is_taken=True) is None


@pytest.mark.parametrize(
    ("answer", "is_of_secret"),
    [("Invalid SIGNATURE", True), ("who are you?", False), ("", False), (None, False)],
)
def test_a_401_that_speaks_of_a_signature_is_of_the_secret(
    answer: str | None, *, is_of_secret: bool
) -> None:
    found = failure_of({"status_code": 401, "response": answer})

    assert found
    assert (found.word, found.is_of_secret) == ("401", is_of_secret)


def test_the_page_for_receivers_says_the_same() -> None:
    page = (ROOT / "docs" / "receiving.md").read_text(encoding="utf-8")
    rows = page.partition("## What a failure means")[2].partition("\n## ")[0].splitlines()
    told = [tuple(row.strip("| ").split(" | ")) for row in rows if row.startswith("| ")][1:]

    assert [sentence for _, sentence in told] == [one.sentence for one in FAILURES]
    assert [name.strip("`").removeprefix("any other ") for name, _ in told] == [
        title_of(one) for one in FAILURES
    ]


def test_attempts_stand_by_the_run_that_they_are_of() -> None:
    attempts = [{"number": 1}, {"number": 2}, {"number": 3, "run": 1}, {"number": 4, "run": 2}]

    assert [(run.number, [one["number"] for one in run.attempts]) for run in runs_of(attempts)] == [
        (2, [4]),
        (1, [3]),
        (0, [2, 1]),
    ]
