"""Router: event messages in, delivery messages out; those that wait for their slots handed on."""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from perkwire.adapters import aws
from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.config_items import CONFIG_ITEMS
from perkwire.adapters.dynamodb.delivery_items import DELIVERY_TABLE_ITEMS
from perkwire.adapters.dynamodb.delivery_table import DeliveryTable
from perkwire.adapters.dynamodb.event_table import EVENT_TABLE_ITEMS, EventTable
from perkwire.adapters.dynamodb.slot_counter import SlotCounter
from perkwire.adapters.dynamodb.waiting_table import WaitingTable
from perkwire.adapters.dynamodb.webhook_lookup import WebhookLookup
from perkwire.adapters.initialising import while_initialising
from perkwire.adapters.sqs.event_source import batch_item_failures
from perkwire.adapters.sqs.queues import SqsQueue, delivery_queues
from perkwire.adapters.telemetry import LambdaContext, Telemetry
from perkwire.model.hand_over import HandOver
from perkwire.model.messages import Received
from perkwire.model.waiting import WaitingList
from perkwire.primitives.timestamps import now
from perkwire.routing.router import Router
from perkwire.settings.router import RouterSettings

_RESERVE_MS = 5_000  # for the calls under way and the answer


@cache
def _telemetry() -> Telemetry:
    return Telemetry("router")


@cache
def _routing() -> Router:
    settings = RouterSettings.from_env(os.environ)
    telemetry = _telemetry()
    connection = tables.connect("query", "batch_execute_statement")
    tables.bind(connection, settings.config_table, *CONFIG_ITEMS)
    tables.bind(connection, settings.event_table, *EVENT_TABLE_ITEMS)
    tables.bind(connection, settings.delivery_table, *DELIVERY_TABLE_ITEMS)
    sqs = aws.sqs(connection)
    return Router(
        webhooks=WebhookLookup(),
        events=EventTable(telemetry, event_retention_days=settings.event_retention_days, clock=now),
        paused=DeliveryTable(connection, telemetry, log_retention_days=settings.log_retention_days),
        hand_over=HandOver(
            delivery_queues=delivery_queues(
                sqs,
                prompt_url=settings.delivery_queue_url,
                slow_url=settings.slow_delivery_queue_url,
                journal=telemetry,
            ),
            pacing_queue=SqsQueue(sqs, settings.pacing_queue_url, telemetry),
            slots=SlotCounter(),
            waiting=WaitingList(
                WaitingTable(connection, log_retention_days=settings.log_retention_days),
                SqsQueue(sqs, settings.job_queue_url, telemetry),
            ),
            journal=telemetry,
            clock=now,
        ),
        journal=telemetry,
        member_index=settings.member_index,
        clock=now,
    )


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Route each message; the partial batch response names those that SQS is to bring again."""
    _telemetry().begin(context.aws_request_id)

    def route(received: Sequence[Received]) -> Sequence[str]:
        return _routing().route(
            received, lambda: context.get_remaining_time_in_millis() > _RESERVE_MS
        )

    return batch_item_failures(event, _telemetry(), route)


while_initialising(_routing)
