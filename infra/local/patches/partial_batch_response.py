"""A malformed partial batch response fails the whole batch.

With ReportBatchItemFailures, Lambda treats a batch as a complete success when the answer is null,
empty, or has no failures in it, and as a complete failure when the answer cannot be read: not an
object, an item without an identifier, an identifier that is empty or not in the batch
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html). The emulator
deletes the messages of such a batch.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from infra.local.patches import upstream

type Message = Mapping[str, Any]


def apply() -> None:
    """Replace what the emulator does with the answer of a function to a batch of messages."""
    from ministack.services import lambda_svc, sqs

    execute = upstream.lookup(lambda_svc, "_execute_function")
    pause_until = upstream.lookup(lambda_svc, "_esm_backoff_until")
    pause_seconds = upstream.lookup(lambda_svc, "_ESM_BACKOFF_SECONDS")
    delete = upstream.lookup(sqs, "_delete_messages_for_esm")

    def run_batch(
        mapping: dict[str, Any],
        function: Mapping[str, Any],
        event: Mapping[str, Any],
        messages: Sequence[Message],
        queue_url: str,
        queue_name: str,
    ) -> None:
        result = execute(function, event)
        reports = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
        done = [] if result.get("error") else _succeeded(messages, result.get("body"), reports)
        log = lambda_svc.logger.info if len(done) == len(messages) else lambda_svc.logger.warning
        log(
            "%s: %d of %d messages of %s succeeded%s",
            mapping["FunctionName"],
            len(done),
            len(messages),
            queue_name,
            "".join(f"\n  {line}" for line in result.get("log", "").splitlines()),
        )
        if result.get("error"):
            # Lambda backs off too; without a pause a broken function would spin.
            pause_until[mapping["UUID"]] = time.time() + pause_seconds
        delete(queue_url, {message["receipt_handle"] for message in done})

    upstream.replace(lambda_svc, "_run_sqs_batch", run_batch)


def _succeeded(messages: Sequence[Message], answer: object, reports: bool) -> Sequence[Message]:
    if not reports or answer in (None, "", {}):
        return messages
    if not isinstance(answer, Mapping):
        return []
    failures = answer.get("batchItemFailures")
    if failures is None:
        return messages
    if not isinstance(failures, list):
        return []
    failed = {
        failure.get("itemIdentifier") if isinstance(failure, Mapping) else None
        for failure in failures
    }
    if not failed <= {message["id"] for message in messages}:
        return []
    return [message for message in messages if message["id"] not in failed]
