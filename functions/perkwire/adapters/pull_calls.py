"""What is pulled on its way from management to the dispatcher, which signs it, and back.

| | |
|---|---|
| asked | `{"pull": [<bodies of delivery messages of one webhook>]}` |
| answered | `{"signed": [{"headers", "body", "left_out"}, or {"unsigned": <why>}]}`, in order |
| or | `{"failed": <what>}` |

Headers hold signatures and the webhook's own headers: whoever pulls is their receiver.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from perkwire.adapters.aws import failing_as_unavailable
from perkwire.adapters.telemetry import Telemetry
from perkwire.dispatching.signing import Signed, SignedAs, Unsigned
from perkwire.model.messages import DeliveryMessage, read_delivery_message, write_delivery_message
from perkwire.primitives.ids import EventId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.strict_json import compact

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class SigningFunction:
    """Management's side. Fulfils pulling.Signer."""

    def __init__(self, client: "LambdaClient", name: str) -> None:
        self._client = client
        self._name = name

    def sign(self, messages: Sequence[DeliveryMessage]) -> list[SignedAs]:
        """Invoke the dispatcher and wait; raises Unavailable."""
        asked = {"pull": [write_delivery_message(message) for message in messages]}
        with failing_as_unavailable("Lambda"):
            answer = self._client.invoke(
                FunctionName=self._name,
                InvocationType="RequestResponse",
                Payload=compact(asked),  # type: ignore[arg-type]
            )
            payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise Unavailable("Lambda: the dispatcher crashed or timed out")
        value = json.loads(payload)
        if "failed" in value:
            raise Unavailable(f"dispatcher: {value['failed']}")
        return [_read(one) for one in value["signed"]]


def is_pull(event: Mapping[str, Any]) -> bool:
    """Whether management has invoked the dispatcher to have something signed."""
    return "pull" in event


def answer_pull(
    event: Mapping[str, Any],
    telemetry: Telemetry,
    sign: Callable[[Sequence[DeliveryMessage]], Sequence[SignedAs]],
) -> dict[str, Any]:
    """The dispatcher's side.

    Never raises: Lambda would log the exception's message, which may hold what it was raised over.
    """
    try:
        signed = sign([read_delivery_message(body) for body in event["pull"]])
        answer: dict[str, Any] = {"signed": [_write(one) for one in signed]}
    except Unavailable as error:
        telemetry.fault("pull_unavailable", detail=str(error))
        answer = {"failed": "unavailable"}
    except Exception as error:
        telemetry.crash("pull_crashed", error)
        answer = {"failed": "crashed"}
    telemetry.flush()
    return answer


def _write(signed: SignedAs) -> dict[str, Any]:
    if isinstance(signed, Unsigned):
        return {"unsigned": signed}
    return {
        "headers": {**signed.headers},
        "body": signed.body,
        "left_out": [*signed.left_out],
    }


def _read(value: Mapping[str, Any]) -> SignedAs:
    if "unsigned" in value:
        return Unsigned(value["unsigned"])
    left_out = tuple(EventId(one) for one in value["left_out"])
    return Signed(value["headers"], value["body"], left_out)
