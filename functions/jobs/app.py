"""Jobs: job messages in, pages of deliveries out; and watches of what is pulled."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from perkwire.adapters import aws
from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.config_items import CONFIG_ITEMS
from perkwire.adapters.dynamodb.delivery_items import DELIVERY_TABLE_ITEMS
from perkwire.adapters.dynamodb.delivery_table import RetryableDeliveries
from perkwire.adapters.dynamodb.erasing import (
    ErasedAccounts,
    EventErasing,
    LogErasing,
    RejectedErasing,
)
from perkwire.adapters.dynamodb.erasure_store import ERASURE_ITEMS, ErasureTable
from perkwire.adapters.dynamodb.event_index import EventIndex
from perkwire.adapters.dynamodb.event_table import EVENT_TABLE_ITEMS, EventReader
from perkwire.adapters.dynamodb.job_store import JOB_ITEMS, JobTable
from perkwire.adapters.dynamodb.notice_counter import NoticeCounter
from perkwire.adapters.dynamodb.rejected_events import REJECTED_ITEMS
from perkwire.adapters.dynamodb.slot_counter import SlotCounter
from perkwire.adapters.dynamodb.waiting_table import WaitingTable
from perkwire.adapters.dynamodb.webhook_lookup import WebhookLookup
from perkwire.adapters.initialising import while_initialising
from perkwire.adapters.signals import signals_to
from perkwire.adapters.sqs.event_source import batch_item_failures
from perkwire.adapters.sqs.queues import SqsQueue, delivery_queues
from perkwire.adapters.telemetry import LambdaContext, Telemetry
from perkwire.adapters.topics import NoticePublisher
from perkwire.jobs.erasing import ErasureWorker
from perkwire.jobs.job import JobKind
from perkwire.jobs.pages import ReplayPages, RetryPages
from perkwire.jobs.selecting import EventSelection, FailedSelection
from perkwire.jobs.watching import Watcher
from perkwire.jobs.working import JobWorker, KindWorker
from perkwire.model.hand_over import HandOver
from perkwire.model.notices import NoticeSender
from perkwire.model.waiting import WaitingList
from perkwire.primitives.timestamps import now
from perkwire.recovering.retrying import Retrying
from perkwire.settings.jobs import JobsSettings


@cache
def _telemetry() -> Telemetry:
    return Telemetry("jobs")


@cache
def _work() -> JobWorker:
    settings = JobsSettings.from_env(os.environ)
    telemetry = _telemetry()
    connection = tables.connect()
    tables.bind(connection, settings.config_table, *CONFIG_ITEMS, *JOB_ITEMS, *ERASURE_ITEMS)
    tables.bind(connection, settings.event_table, *EVENT_TABLE_ITEMS, *REJECTED_ITEMS)
    tables.bind(connection, settings.delivery_table, *DELIVERY_TABLE_ITEMS)
    sqs = aws.sqs(connection)
    signals = signals_to(settings.signal_bus_name, connection, telemetry)
    deliveries = RetryableDeliveries(telemetry)
    events = EventReader()
    webhooks = WebhookLookup()
    lists = WaitingTable(connection, log_retention_days=settings.log_retention_days)
    job_queue = SqsQueue(sqs, settings.job_queue_url, telemetry)
    hand_over = HandOver(
        delivery_queues=delivery_queues(
            sqs,
            prompt_url=settings.delivery_queue_url,
            slow_url=settings.slow_delivery_queue_url,
            journal=telemetry,
        ),
        pacing_queue=SqsQueue(sqs, settings.pacing_queue_url, telemetry),
        slots=SlotCounter(),
        waiting=WaitingList(lists, job_queue),
        journal=telemetry,
        clock=now,
    )
    interval = settings.retry_interval_seconds
    retrying = Retrying(
        deliveries=deliveries,
        events=events,
        webhooks=webhooks,
        hand_over=hand_over,
        retry_interval_seconds=interval,
        clock=now,
    )
    return JobWorker(
        jobs=JobTable(),
        webhooks=webhooks,
        kinds={
            JobKind.RETRY_FAILED: KindWorker(
                FailedSelection(deliveries, retry_interval_seconds=interval, clock=now),
                RetryPages(
                    deliveries=deliveries,
                    retrying=retrying,
                    retry_interval_seconds=interval,
                    clock=now,
                ),
            ),
            JobKind.REPLAY: KindWorker(
                EventSelection(EventIndex()), ReplayPages(events=events, hand_over=hand_over)
            ),
        },
        erasing=ErasureWorker(
            erasures=ErasureTable(),
            accounts=ErasedAccounts(),
            index=EventIndex(),
            events=events,
            erasable=EventErasing(),
            log=LogErasing(),
            rejected=RejectedErasing(),
            queue=job_queue,
            journal=telemetry,
            signals=signals,
            clock=now,
        ),
        watching=Watcher(
            lists=lists,
            webhooks=webhooks,
            accounts=ErasedAccounts(),
            notices=NoticeSender(
                bound=NoticeCounter(),
                publisher=NoticePublisher(lambda: aws.sns(connection)),
                journal=telemetry,
            ),
            queue=job_queue,
            journal=telemetry,
            kept_days=min(settings.event_retention_days, settings.log_retention_days),
            console_url=settings.console_url,
            clock=now,
        ),
        queue=job_queue,
        journal=telemetry,
        signals=signals,
        clock=now,
    )


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take one turn of each job; the partial batch response names those that SQS brings again."""
    _telemetry().begin(context.aws_request_id)
    # Half of the time is for turns; a page that begins at its end has the other half.
    reserve_ms = context.get_remaining_time_in_millis() // 2
    return batch_item_failures(
        event,
        _telemetry(),
        lambda received: _work().work(
            received, lambda: context.get_remaining_time_in_millis() > reserve_ms
        ),
    )


while_initialising(_work)
