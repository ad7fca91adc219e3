"""A visibility time-out is changed within the limits of SQS.

It is 0 to 43,200 seconds, and a message is hidden for twelve hours at most from the receive on, in
all: what would go beyond is refused whole, so that 43,200 always is. Only a message that is in
flight by the given receipt handle can be changed
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html).
The emulator takes any number, at any time.
"""

import time
from collections.abc import Mapping
from typing import Any

from infra.local.patches import upstream

_MOST_SECONDS = 43_200
_CODE = "InvalidParameterValue"
_RECEIVED_AT = "received_at"


def apply() -> None:
    """Refuse what SQS refuses, alone and as an entry of a batch."""
    from ministack.services import sqs

    actions = upstream.queue_actions()
    change = actions["ChangeMessageVisibility"]
    change_batch = actions["ChangeMessageVisibilityBatch"]
    collect = upstream.lookup(sqs, "_collect_msgs")
    queue_of = upstream.lookup(sqs, "_get_q")
    queue_error = upstream.lookup(sqs, "_Err")

    def collect_noting(*arguments: Any) -> Any:  # noqa: ANN401
        messages = collect(*arguments)
        for message in messages:
            message[_RECEIVED_AT] = time.time()
        return messages

    def change_within(request: Mapping[str, Any], queue_url: str) -> Any:  # noqa: ANN401
        queue = queue_of(request.get("QueueUrl", queue_url))
        if reason := _refusal(queue["messages"], request):
            raise queue_error(_CODE, reason)
        return change(request, queue_url)

    def change_batch_within(request: Mapping[str, Any], queue_url: str) -> Any:  # noqa: ANN401
        queue = queue_of(request.get("QueueUrl", queue_url))
        entries = request.get("Entries", [])
        reasons = [_refusal(queue["messages"], entry) for entry in entries]
        taken = [entry for entry, reason in zip(entries, reasons, strict=True) if not reason]
        if entries and not taken:
            answer: dict[str, Any] = {"Successful": [], "Failed": []}
        else:
            answer = change_batch({**request, "Entries": taken}, queue_url)
        refused = [
            {"Id": entry["Id"], "Code": _CODE, "Message": reason, "SenderFault": True}
            for entry, reason in zip(entries, reasons, strict=True)
            if reason
        ]
        return {**answer, "Failed": [*answer["Failed"], *refused]}

    upstream.replace(sqs, "_collect_msgs", collect_noting)
    actions["ChangeMessageVisibility"] = change_within
    actions["ChangeMessageVisibilityBatch"] = change_batch_within


def _refusal(messages: list[dict[str, Any]], asked: Mapping[str, Any]) -> str | None:
    """Why SQS would not change a message's time-out; None if it would."""
    handle, seconds = asked.get("ReceiptHandle"), int(asked.get("VisibilityTimeout", 0))
    if not 0 <= seconds <= _MOST_SECONDS:
        return _said("VisibilityTimeout", seconds, f"Must be between 0 and {_MOST_SECONDS}")
    message = next((one for one in messages if handle and one["receipt_handle"] == handle), None)
    if message is None:
        return None  # the emulator's own answer
    now = time.time()
    if message["visible_at"] <= now:
        return _said(
            "ReceiptHandle",
            handle,
            "Message does not exist or is not available for visibility timeout change",
        )
    if now - message[_RECEIVED_AT] + seconds > _MOST_SECONDS:
        return _said(
            "VisibilityTimeout",
            seconds,
            "Total VisibilityTimeout for the message is beyond the limit "
            f"[{_MOST_SECONDS} seconds]",
        )
    return None


def _said(parameter: str, value: object, reason: str) -> str:
    return f"Value {value} for parameter {parameter} is invalid. Reason: {reason}."
