"""The dispatcher as management invokes it directly, and as it answers: `{"failed": <what>}` or not.

What is asked and answered beside that is trial_calls' and pull_calls' own.
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from perkwire.adapters.aws import failing_as_unavailable
from perkwire.adapters.telemetry import Telemetry
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.strict_json import compact

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def invoke_dispatcher(client: "LambdaClient", name: str, asked: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Invoke it and wait; what it answered. Raises Unavailable, also if it says that it failed."""
    with failing_as_unavailable("Lambda"):
        answer = client.invoke(
            FunctionName=name,
            InvocationType="RequestResponse",
            Payload=compact(asked),  # type: ignore[arg-type]
        )
        payload = answer["Payload"].read()
    if "FunctionError" in answer:
        raise Unavailable("Lambda: the dispatcher crashed or timed out")
    value = json.loads(payload)
    if "failed" in value:
        raise Unavailable(f"dispatcher: {value['failed']}")
    return value


def answer_management(
    telemetry: Telemetry, answer: Callable[[], dict[str, Any]], unavailable: str, crashed: str
) -> dict[str, Any]:
    """What `answer` makes, or that it failed, which the log says under one of the two names.

    Never raises: Lambda would log the exception's message, which may hold what it was raised over.
    """
    try:
        made = answer()
    except Unavailable as error:
        telemetry.fault(unavailable, detail=str(error))
        made = {"failed": "unavailable"}
    except Exception as error:
        telemetry.crash(crashed, error)
        made = {"failed": "crashed"}
    telemetry.flush()
    return made
