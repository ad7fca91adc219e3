"""/v1/brand: the platform's own name, colour and logo in the console."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response
from perkwire.managing.branding import Branding


def add(resolver: APIGatewayHttpResolver, branding: Branding) -> None:
    """Add the routes to the resolver."""

    @resolver.get("/v1/brand")
    def get() -> Response[str]:
        brand = branding.get(Call(resolver).operator)
        return json_response(200, brand.to_json(), brand.version)

    @resolver.put("/v1/brand")
    def replace() -> Response[str]:
        call = Call(resolver)
        operator, value = call.operator, call.object()
        brand = branding.set(operator, value, call.read_versions(value))
        return json_response(200, brand.to_json(), brand.version)
