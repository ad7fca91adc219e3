"""Changing when SQS brings messages again, in as few calls as its limits allow."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import batched
from typing import TYPE_CHECKING

from perkwire.adapters.aws import FAILURES, failure
from perkwire.dispatching.next_receive import NextReceive
from perkwire.primitives.journal import Journal

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef

_MOST_ENTRIES = 10


class SqsVisibility:
    """Fulfils dispatching.Visibility. The client is made with the first call."""

    def __init__(self, make_client: "Callable[[], SQSClient]", journal: Journal) -> None:
        self._make_client = make_client
        self._journal = journal

    @cached_property
    def _client(self) -> "SQSClient":
        return self._make_client()

    def hide(self, receives: Sequence[NextReceive]) -> None:
        """Have SQS bring each again at its own time: a call for ten messages of a queue."""
        by_queue: defaultdict[str, list[NextReceive]] = defaultdict(list)
        for receive in receives:
            by_queue[receive.received.queue_arn].append(receive)
        for arn, own in by_queue.items():
            for batch in batched(own, _MOST_ENTRIES, strict=False):
                self._hide_batch(arn, batch)

    def _hide_batch(self, arn: str, batch: Sequence[NextReceive]) -> None:
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {
                "Id": str(position),
                "ReceiptHandle": receive.received.receipt,
                "VisibilityTimeout": receive.seconds,
            }
            for position, receive in enumerate(batch)
        ]
        try:
            answer = self._client.change_message_visibility_batch(
                QueueUrl=self._url(arn), Entries=entries
            )
        except FAILURES as error:
            self._journal.fault("delay_not_set", detail=failure(error))
            return
        # The answer is 200 whatever becomes of its entries.
        for failed in answer.get("Failed", []):
            message_id = batch[int(failed["Id"])].received.message_id
            self._journal.fault("delay_not_set", message_id=message_id, detail=failed["Code"])

    def _url(self, arn: str) -> str:
        """A queue's URL is where its service is, with the account and name that its ARN ends in."""
        account, name = arn.split(":")[-2:]
        return f"{self._client.meta.endpoint_url}/{account}/{name}"
