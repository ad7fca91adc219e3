import pytest

from perkwire.primitives.problem import (
    MOST_ERRORS,
    FieldError,
    Problem,
    conflict,
    forbidden,
    invalid,
    malformed,
    not_found,
    too_large,
    too_many,
    unavailable,
)

PROBLEMS = {
    malformed("why"): 400,
    forbidden("why"): 403,
    not_found("webhook"): 404,
    conflict("why"): 409,
    too_large("why"): 413,
    invalid([FieldError("url", "is wrong")]): 422,
    too_many("why", retry_after_seconds=7): 429,
    unavailable("why"): 503,
}


@pytest.mark.parametrize(("problem", "status"), PROBLEMS.items())
def test_a_problem_is_a_document_of_rfc_9457(problem: Problem, status: int) -> None:
    document = problem.document()

    assert document["status"] == problem.status == status
    assert str(document["type"]).startswith("urn:perkwire:problem:")
    assert str(document["title"]).endswith(".")


def test_each_kind_of_problem_has_a_type_of_its_own() -> None:
    assert len({str(problem.document()["type"]) for problem in PROBLEMS}) == len(PROBLEMS)


def test_wrong_fields_are_named_in_their_order() -> None:
    problem = invalid([FieldError("b", "is wrong"), FieldError("a", "is required")])

    assert problem.document()["errors"] == [
        {"field": "b", "detail": "is wrong"},
        {"field": "a", "detail": "is required"},
    ]


@pytest.mark.parametrize(("number", "more"), [(MOST_ERRORS, 0), (MOST_ERRORS + 1, 1), (1_000, 900)])
def test_of_many_wrong_fields_the_first_are_named_and_the_others_counted(
    number: int, more: int
) -> None:
    document = invalid([FieldError(str(n), "is wrong") for n in range(number)]).document()

    assert document["errors"] == [
        {"field": str(n), "detail": "is wrong"} for n in range(MOST_ERRORS)
    ]
    assert document.get("detail") == (f"There are {more} more errors than these." if more else None)


def test_only_what_may_be_sent_again_later_says_when() -> None:
    for problem in PROBLEMS:
        assert problem.headers() == ({"retry-after": "7"} if problem.status == 429 else {})


def test_what_there_is_nothing_to_say_about_is_left_out() -> None:
    assert not_found("event").document().keys() == {"type", "title", "status"}


def test_more_may_be_said() -> None:
    assert unavailable("why", {"events": []}).document()["events"] == []
