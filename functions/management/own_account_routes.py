"""/v1/account: what an account's own admin sets: who gets its notices, and its API keys."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, no_content, page_response
from perkwire.managing.accounts import AccountManagement
from perkwire.model.account import Account
from perkwire.primitives.ids import AccountId, KeyId
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json

_EVEN_IF_LAST = "even_if_last"


def add(resolver: APIGatewayHttpResolver, management: AccountManagement) -> None:
    """Add the routes to the resolver."""

    def own(call: Call) -> AccountId:
        return management.own(call.caller, call.named_account)

    def shown(account: Account) -> Response[str]:
        told = account.to_json_with(management.confirmed(account))
        return json_response(200, told, account.version)

    @resolver.get("/v1/account")
    def get() -> Response[str]:
        call = Call(resolver)
        return shown(management.get(call.caller, own(call)))

    @resolver.patch("/v1/account")
    def change() -> Response[str]:
        call = Call(resolver)
        account_id = own(call)
        even_if_last = call.flag(_EVEN_IF_LAST)
        value = call.object()
        read = call.read_versions(value)
        account = management.change(call.caller, account_id, value, read, even_if_last=even_if_last)
        return shown(account)

    @resolver.post("/v1/account/api-keys")
    def create_key() -> Response[str]:
        call = Call(resolver)
        account_id = own(call)
        api_key, key = management.create_key(call.caller, account_id, call.object())
        return json_response(201, api_key.to_json() | {"key": key})

    @resolver.get("/v1/account/api-keys")
    def list_keys() -> Response[str]:
        call = Call(resolver)
        account_id = own(call)
        limit, cursor = call.page()

        def read(limit: int) -> Page[dict[str, Json]]:
            page = management.list_keys(call.caller, account_id, limit, cursor)
            return Page([api_key.to_json() for api_key in page.items], page.next_cursor)

        return page_response(limit, read)

    @resolver.get("/v1/account/api-keys/<key_id>")
    def get_key(key_id: str) -> Response[str]:
        call = Call(resolver)
        api_key = management.get_key(call.caller, own(call), KeyId(key_id))
        return json_response(200, api_key.to_json())

    @resolver.delete("/v1/account/api-keys/<key_id>")
    def remove_key(key_id: str) -> Response[str]:
        call = Call(resolver)
        account_id = own(call)
        even_if_last = call.flag(_EVEN_IF_LAST)
        management.remove_key(call.caller, account_id, KeyId(key_id), even_if_last=even_if_last)
        return no_content()
