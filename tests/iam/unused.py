"""Rights of the template's roles that no test uses: each has a reason, or is one too many."""

from collections.abc import Iterator
from pathlib import Path

from tests.iam.evaluator import as_list
from tests.iam.judging import Right, lines
from tests.iam.roles import policies

# The variable that names the folder in which all processes of a run write what they have used.
FOLDER = "PERKWIRE_RIGHTS_USED"

_LAMBDAS_LOG = "Lambda writes the log with the function's role; the function calls nothing."
_LAMBDAS_QUEUE = "Lambda's mapping takes messages with the function's role."
_TAKES = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")

EXPLAINED: dict[Right, str] = {
    **{
        (function, "WriteLog", action): _LAMBDAS_LOG
        for function in (
            "authorizer",
            "ingest",
            "router",
            "dispatcher",
            "jobs",
            "management",
            "console",
        )
        for action in ("logs:CreateLogStream", "logs:PutLogEvents")
    },
    **{
        (function, sid, action): _LAMBDAS_QUEUE
        for function, sid in (
            ("router", "TakeEvents"),
            ("dispatcher", "TakeDeliveries"),
            ("jobs", "TakeJobs"),
            ("ingest", "TakeFromInbox"),
        )
        for action in _TAKES
    },
}


def complaints(folder: Path) -> list[str]:
    """What is wrong with the rights, after all tests have left in a folder what they used."""
    used = {(function, sid, action) for function, sid, action in lines(folder, "used")}
    return [*_complaints(granted(), used)]


def granted() -> set[Right]:
    """Every action of every statement."""
    from tests.template.stack import transformed

    found = policies(transformed(), lambda logical_id: f"arn:aws:x:::{logical_id}", "stack")
    return {
        (function, str(statement["Sid"]), action)
        for function, statements in found.items()
        for statement in statements
        for action in as_list(statement["Action"])
    }


def _complaints(given: set[Right], used: set[Right]) -> Iterator[str]:
    for right in sorted(given - used - EXPLAINED.keys()):
        yield f"{' '.join(right)}: no test uses it. Take it away, or say why in tests/iam/unused.py"
    for right in sorted(EXPLAINED.keys() & used):
        yield f"{' '.join(right)}: tests use it, and tests/iam/unused.py says that none does"
    for right in sorted(EXPLAINED.keys() - given):
        yield f"{' '.join(right)}: no role has it, and tests/iam/unused.py speaks of it"
