"""/v1/erasures: members whose data is taken away."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, page_response
from perkwire.jobs.asking import ErasureManagement
from perkwire.managing.webhooks import WebhookManagement
from perkwire.primitives.ids import AccountId, JobId
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json


def add(
    resolver: APIGatewayHttpResolver, management: WebhookManagement, erasures: ErasureManagement
) -> None:
    """Add the routes to the resolver."""

    def account(call: Call) -> AccountId:
        return management.account(call.caller, call.named_account)

    @resolver.post("/v1/erasures")
    def ask() -> Response[str]:
        call = Call(resolver)
        return json_response(202, erasures.ask(account(call), call.object()).to_json())

    @resolver.get("/v1/erasures")
    def list_erasures() -> Response[str]:
        call = Call(resolver)
        account_id = account(call)
        limit, cursor = call.page()

        def read(limit: int) -> Page[dict[str, Json]]:
            page = erasures.list(account_id, limit, cursor)
            return Page([one.to_json() for one in page.items], page.next_cursor)

        return page_response(limit, read)

    @resolver.get("/v1/erasures/<erasure_id>")
    def get(erasure_id: str) -> Response[str]:
        call = Call(resolver)
        return json_response(200, erasures.get(account(call), JobId(erasure_id)).to_json())
