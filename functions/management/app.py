"""Management: /v1/accounts, /v1/webhooks and the logs, for account admins and operators."""

import os
from functools import cache

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from management import (
    account_routes,
    activity_routes,
    brand_routes,
    erasure_routes,
    format_routes,
    job_routes,
    log_routes,
    own_account_routes,
    pull_routes,
    rejected_event_routes,
    retry_routes,
    trial_routes,
    type_routes,
    webhook_routes,
)
from management.resolver import http_resolver
from perkwire.adapters.http_api import HttpEvent, HttpResponse, caller_of, respond
from perkwire.adapters.initialising import while_initialising
from perkwire.adapters.telemetry import Telemetry
from perkwire.adapters.wiring import UseCases
from perkwire.model.activity import by_key
from perkwire.settings.environment import emulator_ports
from perkwire.settings.management import ManagementSettings


@cache
def _telemetry() -> Telemetry:
    return Telemetry("management")


@cache
def _settings() -> ManagementSettings:
    return ManagementSettings.from_env(os.environ)


@cache
def _use_cases() -> UseCases:
    return UseCases(_settings(), emulator_ports(os.environ), _telemetry())


@cache
def _resolver() -> APIGatewayHttpResolver:
    use_cases = _use_cases()
    console_url = _settings().console_url
    webhooks = use_cases.webhooks
    resolver = http_resolver(_telemetry())
    account_routes.add(resolver, use_cases.accounts, use_cases.signing_in, console_url)
    brand_routes.add(resolver, use_cases.branding)
    own_account_routes.add(resolver, use_cases.accounts)
    webhook_routes.add(resolver, webhooks, use_cases.slots, use_cases.pulling)
    pull_routes.add(resolver, webhooks, use_cases.pulling)
    trial_routes.add(resolver, webhooks, use_cases.trying, use_cases.filter_previews)
    log_routes.add(resolver, webhooks, use_cases.log, use_cases.events, use_cases.members)
    type_routes.add(resolver, use_cases.contracts, use_cases.formats)
    format_routes.add(resolver, use_cases.contracts, use_cases.formats)
    retry_routes.add(
        resolver, webhooks, use_cases.retrying, use_cases.sending_on, use_cases.redriving
    )
    job_routes.add(resolver, webhooks, use_cases.jobs)
    activity_routes.add(resolver, use_cases.activity)
    erasure_routes.add(resolver, webhooks, use_cases.erasures)
    rejected_event_routes.add(resolver, use_cases.mending)
    return resolver


def handler(event: HttpEvent, context: LambdaContext) -> HttpResponse:
    """Answer one request."""
    telemetry = _telemetry()
    telemetry.begin(context.aws_request_id)
    result = respond(telemetry, lambda: _answer(event, context))
    telemetry.flush()
    return result


def _answer(event: HttpEvent, context: LambdaContext) -> HttpResponse:
    use_cases, caller = _use_cases(), caller_of(event)
    use_cases.rates.count(caller)
    use_cases.acting.actor = by_key(caller)
    return _resolver().resolve(event, context)


while_initialising(_resolver)
