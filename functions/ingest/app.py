"""Ingest: POST /v1/events, answered 202 once SQS holds the events."""

import os
from functools import cache

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
from perkwire.adapters.sqs.queues import SqsQueue
from perkwire.adapters.telemetry import LambdaContext, Telemetry
from perkwire.model.account_rates import AccountRates
from perkwire.primitives.timestamps import now
from perkwire.settings.ingest import IngestSettings


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
def _acceptance() -> Acceptance:
    settings = _settings()
    connection = tables.connect()
    tables.bind(connection, settings.config_table, *CONFIG_ITEMS)
    tables.bind(connection, settings.event_table, *EVENT_TABLE_ITEMS)
    return Acceptance(
        claims=ClaimTable(
            connection, event_retention_days=settings.event_retention_days, clock=now
        ),
        kept_events=EventReader(),
        accounts=WebhookLookup(),
        queue=SqsQueue(aws.sqs(connection), settings.event_queue_url, _telemetry()),
        check_data=DataSchemas(),
        journal=_telemetry(),
        clock=now,
    )


def handler(event: HttpEvent, context: LambdaContext) -> HttpResponse:
    """Accept the request's events, or say what is wrong with them."""
    telemetry = _telemetry()
    telemetry.begin(context.aws_request_id)
    result = respond(telemetry, lambda: _accept(event))
    telemetry.flush()
    return result


def _accept(event: HttpEvent) -> HttpResponse:
    caller = caller_of(event)
    _rates().count(caller)
    accepted = _acceptance().accept(caller, body_of(event), event.get("headers", {}))
    return json_response(202, accepted)


while_initialising(_rates, _acceptance)
