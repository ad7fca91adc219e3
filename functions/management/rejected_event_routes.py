"""/v1/rejected-events: what the inbox would not take."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, no_content, page_response
from perkwire.accepting.mending import Mending
from perkwire.primitives.ids import RejectedEventId
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json


def add(resolver: APIGatewayHttpResolver, mending: Mending) -> None:
    """Add the routes to the resolver."""

    @resolver.get("/v1/rejected-events")
    def list_rejected_events() -> Response[str]:
        call = Call(resolver)
        operator = call.operator
        limit, cursor = call.page()

        def read(limit: int) -> Page[dict[str, Json]]:
            page = mending.list(operator, limit, cursor)
            return Page([heading.to_json() for heading in page.items], page.next_cursor)

        return page_response(limit, read)

    @resolver.get("/v1/rejected-events/<rejected_event_id>")
    def get(rejected_event_id: str) -> Response[str]:
        found = mending.get(Call(resolver).operator, RejectedEventId(rejected_event_id))
        return json_response(200, found.to_json())

    @resolver.post("/v1/rejected-events/<rejected_event_id>/send")
    def send(rejected_event_id: str) -> Response[str]:
        call = Call(resolver)
        operator = call.operator
        asked = call.optional_object()
        accepted = mending.send(operator, RejectedEventId(rejected_event_id), asked)
        return json_response(202, accepted)

    @resolver.delete("/v1/rejected-events/<rejected_event_id>")
    def dismiss(rejected_event_id: str) -> Response[str]:
        mending.dismiss(Call(resolver).operator, RejectedEventId(rejected_event_id))
        return no_content()
