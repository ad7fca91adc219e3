"""A message is delayed by fifteen minutes at most.

SendMessage takes a DelaySeconds from 0 to 900
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html). The
emulator takes any number.
"""

from collections.abc import Mapping
from typing import Any

from infra.local.patches import upstream

_LONGEST_SECONDS = 900


def apply() -> None:
    """Refuse what is to be delayed for longer; of a batch, that message alone."""
    from ministack.services import sqs

    name = "_act_send_message"  # for each message of a batch, too
    send = upstream.lookup(sqs, name)
    queue_error = upstream.lookup(sqs, "_Err")

    def send_within_bounds(request: Mapping[str, Any], queue_url: str) -> Any:  # noqa: ANN401
        delay = request.get("DelaySeconds")
        if delay is not None and not 0 <= int(delay) <= _LONGEST_SECONDS:
            raise queue_error(
                "InvalidParameterValue",
                f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must "
                f"be >= 0 and <= {_LONGEST_SECONDS}.",
            )
        return send(request, queue_url)

    upstream.replace(sqs, name, send_within_bounds)
    upstream.queue_actions()["SendMessage"] = send_within_bounds
