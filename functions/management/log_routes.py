"""/v1/deliveries and /v1/events/{id}: what became of events."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, page_response
from perkwire.managing.webhooks import WebhookManagement
from perkwire.primitives.ids import AccountId, DeliveryId, EventId
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json
from perkwire.reading.event_listing import EventListing
from perkwire.reading.log import LogReader, as_listed, parse_filter
from perkwire.reading.member_listing import MemberListing

_EVENT_FILTERS = ("type", "member", "since", "until")
_FILTERS = ("status", "answer", "webhook_id", "event_type", "since", "until")


def add(
    resolver: APIGatewayHttpResolver,
    management: WebhookManagement,
    log: LogReader,
    events: EventListing,
    members: MemberListing,
) -> None:
    """Add the routes to the resolver."""

    def account(call: Call) -> AccountId:
        return management.account(call.caller, call.named_account)

    @resolver.get("/v1/deliveries")
    def list_deliveries() -> Response[str]:
        call = Call(resolver)
        account_id = account(call)
        limit, cursor = call.page(*_FILTERS)
        wanted = parse_filter(call.query)

        def read(limit: int) -> Page[dict[str, Json]]:
            page = log.list(account_id, wanted, limit, cursor)
            return Page([as_listed(one) for one in page.items], page.next_cursor)

        return page_response(limit, read)

    @resolver.get("/v1/deliveries/<delivery_id>")
    def get_delivery(delivery_id: str) -> Response[str]:
        account_id = account(Call(resolver))
        return json_response(200, log.delivery(account_id, DeliveryId(delivery_id)))

    @resolver.get("/v1/events")
    def list_events() -> Response[str]:
        call = Call(resolver)
        account_id = account(call)
        limit, cursor = call.page(*_EVENT_FILTERS)
        listing = members if "member" in call.query else events
        return page_response(
            limit, lambda limit: listing.list(account_id, call.query, limit, cursor)
        )

    @resolver.get("/v1/events/<event_id>")
    def get_event(event_id: str) -> Response[str]:
        account_id = account(Call(resolver))
        return json_response(200, log.event(account_id, EventId(event_id)))
