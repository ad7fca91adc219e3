"""Management: /v1/accounts, /v1/webhooks and the logs, for account admins and operators."""

import os
from functools import cache

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from management import account_routes, log_routes, webhook_routes
from management.resolver import http_resolver
from perkwire.adapters import aws, tables
from perkwire.adapters.account_store import AccountStore, KeyStore
from perkwire.adapters.config_items import CONFIG_ITEMS
from perkwire.adapters.delivery_table import DeliveryItem, DeliveryReader
from perkwire.adapters.event_table import EVENT_TABLE_ITEMS, EventReader
from perkwire.adapters.http_api import HttpAnswer, HttpEvent, answered
from perkwire.adapters.telemetry import Telemetry
from perkwire.adapters.vault import Sealer
from perkwire.adapters.webhook_lookup import WebhookLookup
from perkwire.adapters.webhook_store import WebhookStore
from perkwire.managing import AccountManagement, WebhookManagement
from perkwire.reading import LogReading
from perkwire.settings import ManagementSettings, emulator_ports
from perkwire.timestamps import now
from perkwire.webhook import EndpointRules


@cache
def _telemetry() -> Telemetry:
    return Telemetry("management")


@cache
def _resolver() -> APIGatewayHttpResolver:
    settings = ManagementSettings.from_env(os.environ)
    connection = tables.connect()
    tables.bind(connection, settings.config_table, *CONFIG_ITEMS)
    tables.bind(connection, settings.event_table, *EVENT_TABLE_ITEMS)
    tables.bind(connection, settings.delivery_table, DeliveryItem)
    telemetry = _telemetry()
    accounts = AccountStore(connection)
    lookup = WebhookLookup()
    webhooks = WebhookManagement(
        accounts=accounts,
        webhooks=WebhookStore(connection, lookup, tombstone_days=settings.event_retention_days),
        sealer=Sealer(aws.kms(connection), settings.secret_key_id),
        rules=EndpointRules(settings.endpoint_policy, emulator_ports(os.environ)),
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
        AccountManagement(accounts=accounts, api_keys=KeyStore(connection), clock=now),
    )
    webhook_routes.add(resolver, webhooks)
    log_routes.add(resolver, webhooks, log)
    return resolver


def handler(event: HttpEvent, context: LambdaContext) -> HttpAnswer:
    """Answer one request."""
    telemetry = _telemetry()
    telemetry.begin(context.aws_request_id)
    result = answered(telemetry, lambda: _resolver().resolve(event, context))
    telemetry.flush()
    return result
