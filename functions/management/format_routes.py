"""/v1/formats: what receivers can be sent, for anyone with a key, and contracts to be stored."""

from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, no_content, page_response
from perkwire.formats.lookup import FormatLookup
from perkwire.managing.contracts import ContractManagement
from perkwire.primitives.problem import not_found
from perkwire.reading.format_listing import list_formats, show_format


def add(
    resolver: APIGatewayHttpResolver, contracts: ContractManagement, formats: FormatLookup
) -> None:
    """Add the routes to the resolver."""

    @resolver.get("/v1/formats")
    def list_all_formats() -> Response[str]:
        call = Call(resolver)
        limit, cursor = call.page()
        stored = contracts.visible(call.caller, call.named_account)
        return page_response(limit, lambda limit: list_formats(stored, limit, cursor))

    @resolver.post("/v1/formats")
    def create() -> Response[str]:
        call = Call(resolver)
        owner = contracts.owner(call.caller, call.named_account)
        return json_response(201, show_format(contracts.create(owner, call.object())))

    @resolver.get("/v1/formats/<format_name>")
    def get_format(format_name: str) -> Response[str]:
        call = Call(resolver)
        found = contracts.find(call.caller, call.named_account, unquote(format_name), formats)
        if found is None:
            raise not_found("format")
        return json_response(200, show_format(found))

    @resolver.delete("/v1/formats/<format_name>")
    def delete(format_name: str) -> Response[str]:
        call = Call(resolver)
        owner = contracts.owner(call.caller, call.named_account)
        contracts.delete(owner, unquote(format_name))
        return no_content()
