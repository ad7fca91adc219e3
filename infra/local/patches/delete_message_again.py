"""Deleting a message twice succeeds.

DeleteMessage with a receipt handle that was valid once succeeds, whether the message is gone or
has been received again since
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html).
The emulator answers ReceiptHandleIsInvalid.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from infra.local.patches import upstream

_INVALID = "ReceiptHandleIsInvalid"


def apply() -> None:
    """Accept every receipt handle that the emulator could have issued."""
    from ministack.services import sqs

    actions = upstream.queue_actions()
    delete, delete_batch = actions["DeleteMessage"], actions["DeleteMessageBatch"]
    queue_error = upstream.lookup(sqs, "_Err")

    def delete_again(request: Mapping[str, Any], queue_url: str) -> Any:  # noqa: ANN401
        try:
            return delete(request, queue_url)
        except queue_error as error:
            if error.code == _INVALID and _was_issued(request.get("ReceiptHandle", "")):
                return {}
            raise

    def delete_batch_again(request: Mapping[str, Any], queue_url: str) -> Any:  # noqa: ANN401
        answer = delete_batch(request, queue_url)
        handles = {entry["Id"]: entry.get("ReceiptHandle", "") for entry in request["Entries"]}
        harmless = [
            failure["Id"]
            for failure in answer["Failed"]
            if failure["Code"] == _INVALID and _was_issued(handles[failure["Id"]])
        ]
        return {
            "Successful": [*answer["Successful"], *({"Id": entry_id} for entry_id in harmless)],
            "Failed": [failure for failure in answer["Failed"] if failure["Id"] not in harmless],
        }

    actions["DeleteMessage"] = delete_again
    actions["DeleteMessageBatch"] = delete_batch_again


def _was_issued(receipt_handle: str) -> bool:
    try:
        return str(UUID(receipt_handle)) == receipt_handle
    except ValueError:
        return False
