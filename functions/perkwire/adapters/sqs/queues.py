"""Sending to SQS, in as few calls as its limits allow."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from perkwire.adapters.aws import FAILURES, failure
from perkwire.model.lanes import DeliveryQueues, Lane
from perkwire.primitives.journal import Journal
from perkwire.primitives.queueing import Outgoing

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_MOST_ENTRIES = 10
_MOST_BYTES = 1_048_576  # of a message and of a whole batch
_TRIES = 2


class SqsQueue:
    """Fulfils queueing.Queue. A message's group makes a standard queue fair, not ordered."""

    def __init__(self, client: "SQSClient", url: str, journal: Journal) -> None:
        self._client = client
        self._url = url
        self._journal = journal

    def send(self, messages: Sequence[Outgoing]) -> list[bool]:
        """Whether SQS holds each of them now; what failed is tried once more."""
        held = [False] * len(messages)
        for _ in range(_TRIES):
            left = [position for position, done in enumerate(held) if not done]
            for batch in _batches(messages, left):
                for position in self._send_batch(messages, batch):
                    held[position] = True
        return held

    def _send_batch(self, messages: Sequence[Outgoing], batch: Sequence[int]) -> list[int]:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(position),
                "MessageBody": messages[position].body,
                "MessageGroupId": messages[position].group,
                "DelaySeconds": messages[position].delay_seconds,
            }
            for position in batch
        ]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        except FAILURES as error:
            self._journal.fault("sqs_failing", detail=failure(error))
            return []
        for failed in answer.get("Failed", []):
            self._journal.fault("sqs_refused_message", detail=failed["Code"])
        return [int(sent["Id"]) for sent in answer.get("Successful", [])]


def delivery_queues(
    client: "SQSClient", *, prompt_url: str, slow_url: str, journal: Journal
) -> DeliveryQueues:
    """The delivery queues of these addresses, each for its lane."""
    urls = {Lane.PROMPT: prompt_url, Lane.SLOW: slow_url}
    return DeliveryQueues({lane: SqsQueue(client, url, journal) for lane, url in urls.items()})


def _batches(messages: Sequence[Outgoing], positions: Sequence[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for position in positions:
        length = len(messages[position].body)  # bodies are ASCII
        if batch and (len(batch) == _MOST_ENTRIES or size + length > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(position)
        size += length
    if batch:
        yield batch
