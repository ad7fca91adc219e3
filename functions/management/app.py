"""Management: /v1/accounts, /v1/webhooks and the logs, for account admins and operators."""

import os
from functools import cache

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from management import (
    account_routes,
    job_routes,
    log_routes,
    retry_routes,
    trial_routes,
    webhook_routes,
)
from management.resolver import http_resolver
from perkwire.adapters import aws, tables
from perkwire.adapters.account_store import AccountStore, KeyStore
from perkwire.adapters.config_items import CONFIG_ITEMS
from perkwire.adapters.delivery_table import (
    DeliveryItem,
    DeliveryReader,
    RetryableDeliveries,
)
from perkwire.adapters.event_index import EventIndex
from perkwire.adapters.event_table import EVENT_TABLE_ITEMS, EventReader
from perkwire.adapters.http_api import HttpAnswer, HttpEvent, answered
from perkwire.adapters.job_store import JOB_ITEMS, JobStore
from perkwire.adapters.move_tasks import SqsMoveTasks
from perkwire.adapters.queues import SqsQueue
from perkwire.adapters.telemetry import Telemetry
from perkwire.adapters.topics import NoticeTopics
from perkwire.adapters.trial_calls import DispatcherFunction
from perkwire.adapters.trial_counter import TrialCounter
from perkwire.adapters.vault import Sealer
from perkwire.adapters.webhook_lookup import WebhookLookup
from perkwire.adapters.webhook_store import WebhookStore
from perkwire.event_listing import EventListing
from perkwire.jobs.job import JobKind
from perkwire.jobs.selecting import EventSelection, FailedSelection
from perkwire.jobs.starting import JobManagement
from perkwire.managing import AccountManagement, WebhookManagement
from perkwire.reading import LogReading
from perkwire.redriving import RedriveQueue, Redriving
from perkwire.retrying import Retrying
from perkwire.settings import ManagementSettings, emulator_ports
from perkwire.timestamps import now
from perkwire.trials.trying import Trying
from perkwire.webhook import EndpointRules


@cache
def _telemetry() -> Telemetry:
    return Telemetry("management")


@cache
def _resolver() -> APIGatewayHttpResolver:
    settings = ManagementSettings.from_env(os.environ)
    connection = tables.connect()
    tables.bind(connection, settings.config_table, *CONFIG_ITEMS, *JOB_ITEMS)
    tables.bind(connection, settings.event_table, *EVENT_TABLE_ITEMS)
    tables.bind(connection, settings.delivery_table, DeliveryItem)
    telemetry = _telemetry()
    accounts = AccountStore(connection)
    lookup = WebhookLookup()
    rules = EndpointRules(settings.endpoint_policy, emulator_ports(os.environ))
    webhooks = WebhookManagement(
        accounts=accounts,
        webhooks=WebhookStore(connection, lookup, tombstone_days=settings.event_retention_days),
        sealer=Sealer(aws.kms(connection), settings.secret_key_id),
        rules=rules,
        most_webhooks=settings.max_webhooks_per_account,
        clock=now,
    )
    log = LogReading(
        deliveries=DeliveryReader(),
        events=EventReader(),
        webhooks=lookup,
        retry_interval_seconds=settings.retry_interval_seconds,
        clock=now,
    )
    resolver = http_resolver(telemetry)
    account_routes.add(
        resolver,
        AccountManagement(
            accounts=accounts,
            api_keys=KeyStore(connection),
            topics=NoticeTopics(lambda: aws.sns(connection), settings.stack_name),
            clock=now,
        ),
    )
    webhook_routes.add(resolver, webhooks)
    trying = Trying(
        webhooks=webhooks,
        rules=rules,
        counter=TrialCounter(),
        dispatcher=DispatcherFunction(aws.functions(connection), settings.dispatcher_function),
        clock=now,
    )
    trial_routes.add(resolver, webhooks, trying)
    events = EventListing(
        EventIndex(), event_retention_days=settings.event_retention_days, clock=now
    )
    log_routes.add(resolver, webhooks, log, events)
    sqs = aws.sqs(connection)
    retrying = Retrying(
        deliveries=RetryableDeliveries(telemetry),
        events=EventReader(),
        webhooks=lookup,
        queue=SqsQueue(sqs, settings.delivery_queue_url, telemetry),
        retry_interval_seconds=settings.retry_interval_seconds,
        clock=now,
    )
    move_tasks = SqsMoveTasks(
        sqs,
        {
            RedriveQueue.DELIVERIES: settings.dead_letter_queue_arn,
            RedriveQueue.EVENTS: settings.event_dead_letter_queue_arn,
        },
    )
    retry_routes.add(resolver, webhooks, retrying, Redriving(move_tasks, now))
    jobs = JobManagement(
        jobs=JobStore(connection),
        webhooks=webhooks,
        selections={
            JobKind.RETRY_FAILED: FailedSelection(
                DeliveryReader(),
                retry_interval_seconds=settings.retry_interval_seconds,
                clock=now,
            ),
            JobKind.REPLAY: EventSelection(EventIndex()),
        },
        queue=SqsQueue(sqs, settings.job_queue_url, telemetry),
        event_retention_days=settings.event_retention_days,
        clock=now,
    )
    job_routes.add(resolver, webhooks, jobs)
    return resolver


def handler(event: HttpEvent, context: LambdaContext) -> HttpAnswer:
    """Answer one request."""
    telemetry = _telemetry()
    telemetry.begin(context.aws_request_id)
    result = answered(telemetry, lambda: _resolver().resolve(event, context))
    telemetry.flush()
    return result
