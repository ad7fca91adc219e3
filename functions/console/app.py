"""The console: what account admins and operators see and do, in a browser."""

import os
from functools import cache

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from console.http.assets import Assets
from console.http.registry import Pages
from console.http.rendering import Templates
from console.http.security_headers import with_security_headers
from console.pages import (
    accounts,
    activity,
    contracts,
    erasures,
    events,
    helping,
    jobs,
    log,
    mailed_links,
    overview,
    own_account,
    queues,
    samples,
    sign_in,
    static_files,
    types,
    webhook_form,
    webhooks,
)
from perkwire.adapters.http_api import HttpEvent, HttpResponse, respond
from perkwire.adapters.initialising import while_initialising
from perkwire.adapters.telemetry import Telemetry
from perkwire.adapters.wiring import UseCases
from perkwire.settings.console import ConsoleSettings
from perkwire.settings.environment import emulator_ports

# The navigation has its entries in this order.
_PAGE_MODULES = (
    sign_in,
    mailed_links,
    webhooks,
    webhook_form,
    log,
    jobs,
    samples,
    events,
    erasures,
    types,
    contracts,
    own_account,
    overview,
    accounts,
    queues,
    activity,
    helping,
)


@cache
def _telemetry() -> Telemetry:
    return Telemetry("console")


@cache
def _resolver() -> APIGatewayHttpResolver:
    settings = ConsoleSettings.from_env(os.environ)
    telemetry = _telemetry()
    use_cases = UseCases(settings, emulator_ports(os.environ), telemetry)
    assets = Assets()
    resolver = APIGatewayHttpResolver()
    pages = Pages(
        resolver,
        signing_in=use_cases.signing_in,
        accounts=use_cases.account_store,
        templates=Templates(assets),
        telemetry=telemetry,
        rates=use_cases.rates,
        acting=use_cases.acting,
        console_url=settings.console_url,
        everywhere=lambda: {"mails_links": bool(settings.mail_sender)},
    )
    static_files.add(resolver, assets)
    for module in _PAGE_MODULES:
        module.add(pages, use_cases, settings)
    return resolver


def handler(event: HttpEvent, context: LambdaContext) -> HttpResponse:
    """Answer one request."""
    telemetry = _telemetry()
    telemetry.begin(context.aws_request_id)
    result = with_security_headers(respond(telemetry, lambda: _resolver().resolve(event, context)))
    telemetry.flush()
    return result


while_initialising(_resolver)
