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
    type_routes,
    webhook_routes,
)
from management.resolver import http_resolver
from perkwire.adapters.http_api import HttpEvent, HttpResponse, respond
from perkwire.adapters.telemetry import Telemetry
from perkwire.adapters.wiring import UseCases
from perkwire.settings.environment import emulator_ports
from perkwire.settings.management import ManagementSettings


@cache
def _telemetry() -> Telemetry:
    return Telemetry("management")


@cache
def _resolver() -> APIGatewayHttpResolver:
    settings = ManagementSettings.from_env(os.environ)
    telemetry = _telemetry()
    use_cases = UseCases(settings, emulator_ports(os.environ), telemetry)
    webhooks = use_cases.webhooks
    resolver = http_resolver(telemetry)
    account_routes.add(resolver, use_cases.accounts, use_cases.signing_in, settings.console_url)
    webhook_routes.add(resolver, webhooks)
    trial_routes.add(resolver, webhooks, use_cases.trying)
    log_routes.add(resolver, webhooks, use_cases.log, use_cases.events)
    type_routes.add(resolver)
    retry_routes.add(resolver, webhooks, use_cases.retrying, use_cases.redriving)
    job_routes.add(resolver, webhooks, use_cases.jobs)
    return resolver


def handler(event: HttpEvent, context: LambdaContext) -> HttpResponse:
    """Answer one request."""
    telemetry = _telemetry()
    telemetry.begin(context.aws_request_id)
    result = respond(telemetry, lambda: _resolver().resolve(event, context))
    telemetry.flush()
    return result
