"""What is pulled on its way from management to the dispatcher, which signs it, and back.

| | |
|---|---|
| asked | `{"pull": [<bodies of delivery messages of one webhook>], "most_bytes"}` |
| answered | `{"signed": [{"headers", "body", "left_out"}, or {"unsigned": <why>}]}`, in order |
| or | `{"failed": <what>}` |

It is answered of the first of them only, if all would take more than `most_bytes` of management's
answer. Headers hold signatures and the webhook's own headers: whoever pulls is their receiver.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from perkwire.adapters.dispatcher_calls import answer_management, invoke_dispatcher
from perkwire.adapters.telemetry import Telemetry
from perkwire.dispatching.signing import Signed, SignedAs, Unsigned
from perkwire.model.messages import DeliveryMessage, read_delivery_message, write_delivery_message
from perkwire.primitives.ids import EventId

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class SigningFunction:
    """Management's side. Fulfils pulling.Signer."""

    def __init__(self, client: "LambdaClient", name: str) -> None:
        self._client = client
        self._name = name

    def sign(self, messages: Sequence[DeliveryMessage], most_bytes: int) -> list[SignedAs]:
        """Invoke the dispatcher and wait; raises Unavailable."""
        asked = {
            "pull": [write_delivery_message(message) for message in messages],
            "most_bytes": most_bytes,
        }
        value = invoke_dispatcher(self._client, self._name, asked)
        return [_read(one) for one in value["signed"]]


def is_pull(event: Mapping[str, Any]) -> bool:
    """Whether management has invoked the dispatcher to have something signed."""
    return "pull" in event


def answer_pull(
    event: Mapping[str, Any],
    telemetry: Telemetry,
    sign: Callable[[Sequence[DeliveryMessage], int | None], Sequence[SignedAs]],
) -> dict[str, Any]:
    """The dispatcher's side. Never raises. Management of a release before says no `most_bytes`."""

    def answer() -> dict[str, Any]:
        messages = [read_delivery_message(body) for body in event["pull"]]
        signed = sign(messages, event.get("most_bytes"))
        return {"signed": [_write(one) for one in signed]}

    return answer_management(telemetry, answer, "pull_unavailable", "pull_crashed")


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
