"""/v1/activity: who changed what."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, page_response
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json
from perkwire.reading.activity import ActivityListing, parse_activity_filter


def add(resolver: APIGatewayHttpResolver, listing: ActivityListing) -> None:
    """Add the routes to the resolver."""

    @resolver.get("/v1/activity")
    def list_activity() -> Response[str]:
        call = Call(resolver)
        owner = listing.owner(call.caller, call.named_account)
        limit, cursor = call.page("subject")
        wanted = parse_activity_filter(call.query)

        def read(limit: int) -> Page[dict[str, Json]]:
            page = listing.list(owner, wanted, limit, cursor)
            return Page([one.to_json() for one in page.items], page.next_cursor)

        return page_response(limit, read)
