"""Ingest: POST /v1/events, answered 202 once SQS holds the events; and the inbox's messages."""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from perkwire.accepting.acceptance import Acceptance
from perkwire.adapters import aws
from perkwire.adapters.data_schemas import DataSchemas
from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.claim_table import ClaimTable
from perkwire.adapters.dynamodb.config_items import CONFIG_ITEMS
from perkwire.adapters.dynamodb.event_table import EVENT_TABLE_ITEMS, EventReader
from perkwire.adapters.dynamodb.webhook_lookup import WebhookLookup
from perkwire.adapters.http_api import (
    HttpEvent,
    HttpResponse,
    body_of,
    caller_of,
    json_response,
    respond,
)
from perkwire.adapters.initialising import while_initialising
from perkwire.adapters.sqs.event_source import batch_item_failures
from perkwire.adapters.sqs.queues import SqsQueue
from perkwire.adapters.telemetry import LambdaContext, Telemetry
from perkwire.model.account_rates import AccountRates
from perkwire.model.messages import Received
from perkwire.primitives.timestamps import now
from perkwire.settings.ingest import IngestSettings

if TYPE_CHECKING:
    from pynamodb.connection import Connection

    from perkwire.accepting.inbox import Inbox

_RESERVE_MS = 5_000  # for the message under way and the answer


@cache
def _telemetry() -> Telemetry:
    return Telemetry("ingest")


@cache
def _settings() -> IngestSettings:
    return IngestSettings.from_env(os.environ)


@cache
def _rates() -> AccountRates:
    settings = _settings()
    return AccountRates(settings.account_rate_limit, settings.account_burst_limit, now)


@cache
def _connection() -> "Connection":
    settings = _settings()
    # Of the inbox each event is claimed: many at the API have no id.
    claimed = ("put_item", "batch_write_item") if settings.inbox_queue_url else ()
    connection = tables.connect(*claimed)
    tables.bind(connection, settings.config_table, *CONFIG_ITEMS)
    tables.bind(connection, settings.event_table, *EVENT_TABLE_ITEMS)
    return connection


@cache
def _check_data() -> DataSchemas:
    return DataSchemas()


@cache
def _acceptance() -> Acceptance:
    settings, connection = _settings(), _connection()
    return Acceptance(
        claims=ClaimTable(
            connection, event_retention_days=settings.event_retention_days, clock=now
        ),
        kept_events=EventReader(),
        accounts=WebhookLookup(),
        queue=SqsQueue(aws.sqs(connection), settings.event_queue_url, _telemetry()),
        check_data=_check_data(),
        journal=_telemetry(),
        clock=now,
    )


@cache
def _inbox() -> "Inbox":
    # Imported here, as a stack without an inbox would wait for it in vain.
    from perkwire.accepting.inbox import Inbox
    from perkwire.adapters.dynamodb.rejected_events import (
        REJECTED_ITEMS,
        RejectedEventTable,
    )
    from perkwire.adapters.signals import signals_to

    settings, connection = _settings(), _connection()
    tables.bind_beside(connection, settings.event_table, *REJECTED_ITEMS)
    return Inbox(
        acceptance=_acceptance(),
        rejected=RejectedEventTable(event_retention_days=settings.event_retention_days, clock=now),
        check_data=_check_data(),
        journal=_telemetry(),
        signals=signals_to(settings.signal_bus_name, connection, _telemetry()),
        signal_interval_minutes=settings.notice_interval_minutes,
        clock=now,
    )


def _inbox_if_there_is_one() -> None:
    if _settings().inbox_queue_url:
        _inbox()


def handler(event: HttpEvent, context: LambdaContext) -> HttpResponse:
    """Accept a request's events, or say what is wrong with them; or take the inbox's messages."""
    telemetry = _telemetry()
    telemetry.begin(context.aws_request_id)
    if "Records" in event:
        return _take(event, context)
    result = respond(telemetry, lambda: _accept(event))
    telemetry.flush()
    return result


def _accept(event: HttpEvent) -> HttpResponse:
    caller = caller_of(event)
    _rates().count(caller)
    accepted = _acceptance().accept(caller, body_of(event), event.get("headers", {}))
    return json_response(202, accepted)


def _take(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    def take(received: Sequence[Received]) -> Sequence[str]:
        return _inbox().take(received, lambda: context.get_remaining_time_in_millis() > _RESERVE_MS)

    return batch_item_failures(event, _telemetry(), take)


while_initialising(_rates, _acceptance, _inbox_if_there_is_one)
