"""/v1/event-types: the catalogue, for anyone with a key."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, page_response
from perkwire.formats.lookup import FormatLookup
from perkwire.managing.contracts import ContractManagement
from perkwire.reading.type_listing import list_types, show_type, told_contracts


def add(
    resolver: APIGatewayHttpResolver, contracts: ContractManagement, formats: FormatLookup
) -> None:
    """Add the routes to the resolver."""

    @resolver.get("/v1/event-types")
    def list_event_types() -> Response[str]:
        call = Call(resolver)
        limit, cursor = call.page()
        told = told_contracts(contracts.visible(call.caller, call.named_account), formats)
        return page_response(limit, lambda limit: list_types(limit, cursor, told))

    @resolver.get("/v1/event-types/<event_type>")
    def get_event_type(event_type: str) -> Response[str]:
        call = Call(resolver)
        stored = contracts.visible(call.caller, call.named_account)
        told = told_contracts(stored, formats, event_type)
        return json_response(200, show_type(event_type, told))
