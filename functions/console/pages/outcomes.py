"""How a test went, as the part of a page that the script asks for."""

from console.http.visit import HtmlResponse, Visit
from console.views.failures import failure_of
from console.views.wording import came_back
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json

OUTCOME = "outcome"
"""What the field `part` of a form then holds."""


def outcome_part(
    visit: Visit,
    outcome: dict[str, Json] | None,
    problem: Problem | None,
    *,
    is_made_up: bool = False,
) -> HtmlResponse:
    """The outcome or the problem, and nothing around it."""
    return visit.page(
        "test_outcome.html",
        problem=problem,
        outcome=outcome,
        is_made_up=is_made_up,
        came_back=came_back,
        failure_of=failure_of,
    )
