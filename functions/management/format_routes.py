"""/v1/formats: what receivers can be sent, for anyone with a key."""

from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, page_response
from perkwire.reading.format_listing import list_formats, show_format


def add(resolver: APIGatewayHttpResolver) -> None:
    """Add the routes to the resolver."""

    @resolver.get("/v1/formats")
    def list_all_formats() -> Response[str]:
        limit, cursor = Call(resolver).page()
        return page_response(limit, lambda limit: list_formats(limit, cursor))

    @resolver.get("/v1/formats/<format_name>")
    def get_format(format_name: str) -> Response[str]:
        Call(resolver)
        return json_response(200, show_format(unquote(format_name)))
