"""The console: what account admins and operators see and do, in a browser."""

import os
from functools import cache

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from console.http import brand_files
from console.http.assets import Assets
from console.http.brand_files import ShownBrand
from console.http.registry import Pages
from console.http.rendering import Templates
from console.http.security_headers import with_security_headers
from console.pages import (
    accounts,
    activity,
    branding,
    contracts,
    erasures,
    events,
    helping,
    inbox,
    jobs,
    listening,
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
    listening,
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
    inbox,
    activity,
    branding,
    helping,
)


@cache
def _telemetry() -> Telemetry:
    return Telemetry("console")


@cache
def _settings() -> ConsoleSettings:
    return ConsoleSettings.from_env(os.environ)


@cache
def _resolver() -> APIGatewayHttpResolver:
    settings, telemetry = _settings(), _telemetry()
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
        everywhere=lambda: {
            "mails_links": bool(settings.mail_sender),
            "brand": ShownBrand.of(use_cases.branding.shown()),
        },
        may_be_framed=bool(settings.embedding_hosts),
    )
    static_files.add(resolver, assets)
    brand_files.add(resolver, use_cases.branding)
    for module in _PAGE_MODULES:
        module.add(pages, use_cases, settings)
    return resolver


def handler(event: HttpEvent, context: LambdaContext) -> HttpResponse:
    """Answer one request."""
    telemetry = _telemetry()
    telemetry.begin(context.aws_request_id)
    answer = respond(telemetry, lambda: _resolver().resolve(event, context))
    result = with_security_headers(answer, _settings().embedding_hosts)
    telemetry.flush()
    return result


while_initialising(_resolver)
