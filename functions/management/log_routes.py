"""/v1/deliveries and /v1/events/{id}: what became of events."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, page_response
from perkwire.managing.webhooks import WebhookManagement
from perkwire.primitives.ids import AccountId, DeliveryId, EventId
from perkwire.reading.event_listing import EventListing
from perkwire.reading.log import LogReader, parse_filter

_EVENT_FILTERS = ("type", "since", "until")
_FILTERS = ("status", "webhook_id", "event_type", "since", "until")


def add(
    resolver: APIGatewayHttpResolver,
    management: WebhookManagement,
    log: LogReader,
    events: EventListing,
) -> None:
    """Add the routes to the resolver."""

    def account(call: Call) -> AccountId:
        return management.account(call.caller, call.named_account)

    @resolver.get("/v1/deliveries")
    def list_deliveries() -> Response[str]:
        call = Call(resolver)
        account_id = account(call)
        limit, cursor = call.page(*_FILTERS)
        return page_response(log.list(account_id, parse_filter(call.query), limit, cursor))

    @resolver.get("/v1/deliveries/<delivery_id>")
    def get_delivery(delivery_id: str) -> Response[str]:
        account_id = account(Call(resolver))
        return json_response(200, log.delivery(account_id, DeliveryId(delivery_id)))

    @resolver.get("/v1/events")
    def list_events() -> Response[str]:
        call = Call(resolver)
        account_id = account(call)
        limit, cursor = call.page(*_EVENT_FILTERS)
        return page_response(events.list(account_id, call.query, limit, cursor))

    @resolver.get("/v1/events/<event_id>")
    def get_event(event_id: str) -> Response[str]:
        account_id = account(Call(resolver))
        return json_response(200, log.event(account_id, EventId(event_id)))
