"""/v1/event-types: the catalogue, for anyone with a key."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, page_response
from perkwire.reading.type_listing import list_types, show_type


def add(resolver: APIGatewayHttpResolver) -> None:
    """Add the routes to the resolver."""

    @resolver.get("/v1/event-types")
    def list_event_types() -> Response[str]:
        limit, cursor = Call(resolver).page()
        return page_response(limit, lambda limit: list_types(limit, cursor))

    @resolver.get("/v1/event-types/<event_type>")
    def get_event_type(event_type: str) -> Response[str]:
        Call(resolver)
        return json_response(200, show_type(event_type))
