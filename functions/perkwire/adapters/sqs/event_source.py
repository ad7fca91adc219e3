"""SQS event source mappings: messages in, the ids of those left for SQS out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from perkwire.adapters.telemetry import Telemetry
from perkwire.model.messages import Received

_MILLISECOND = 1_000  # in microseconds


def batch_item_failures(
    event: Mapping[str, Any],
    telemetry: Telemetry,
    work: Callable[[Sequence[Received]], Sequence[str]],
) -> dict[str, Any]:
    """The partial batch response for what `work` leaves.

    Never raises: an exception would make Lambda poll the queue more slowly, for every webhook. If
    `work` does, all messages are left.
    """
    received = [
        Received(
            message_id=record["messageId"],
            body=record["body"],
            receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
            receipt=record["receiptHandle"],
            queue_arn=record["eventSourceARN"],
            sent_at=int(record["attributes"].get("SentTimestamp", 0)) * _MILLISECOND,
            sender=record["attributes"].get("SenderId", ""),
        )
        for record in event["Records"]
    ]
    try:
        left = work(received)
    except Exception as error:
        telemetry.crash("batch_crashed", error)
        left = [one.message_id for one in received]
    telemetry.flush()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in left]}
