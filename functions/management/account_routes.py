"""/v1/accounts: accounts, their API keys and console links."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, no_content, page_response
from perkwire.managing.accounts import AccountManagement
from perkwire.managing.signing_in import SigningIn
from perkwire.model.account import Account
from perkwire.primitives.ids import AccountId, KeyId
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json


def add(
    resolver: APIGatewayHttpResolver,
    management: AccountManagement,
    signing_in: SigningIn,
    console_url: str,
) -> None:
    """Add the routes to the resolver."""

    def shown(account: Account) -> Response[str]:
        told = account.to_json_with(management.confirmed(account))
        return json_response(200, told, account.version)

    @resolver.post("/v1/accounts")
    def create() -> Response[str]:
        call = Call(resolver)
        account = management.create(call.operator, call.object())
        return json_response(201, account.to_json_with(confirmed=()), account.version)

    @resolver.get("/v1/accounts")
    def list_accounts() -> Response[str]:
        call = Call(resolver)
        limit, cursor = call.page()

        def read(limit: int) -> Page[dict[str, Json]]:
            page = management.list(call.caller, limit, cursor)
            return Page([account.to_json() for account in page.items], page.next_cursor)

        return page_response(limit, read)

    @resolver.get("/v1/accounts/<account_id>")
    def get(account_id: str) -> Response[str]:
        return shown(management.get(Call(resolver).operator, AccountId(account_id)))

    @resolver.patch("/v1/accounts/<account_id>")
    def change(account_id: str) -> Response[str]:
        call = Call(resolver)
        caller, value = call.operator, call.object()
        read = call.read_versions(value)
        account = management.change(caller, AccountId(account_id), value, read)
        return shown(account)

    @resolver.post("/v1/accounts/<account_id>/api-keys")
    def create_key(account_id: str) -> Response[str]:
        call = Call(resolver)
        api_key, key = management.create_key(call.operator, AccountId(account_id), call.object())
        return json_response(201, api_key.to_json() | {"key": key})

    @resolver.get("/v1/accounts/<account_id>/api-keys")
    def list_keys(account_id: str) -> Response[str]:
        call = Call(resolver)
        operator = call.operator
        limit, cursor = call.page()

        def read(limit: int) -> Page[dict[str, Json]]:
            page = management.list_keys(operator, AccountId(account_id), limit, cursor)
            return Page([api_key.to_json() for api_key in page.items], page.next_cursor)

        return page_response(limit, read)

    @resolver.get("/v1/accounts/<account_id>/api-keys/<key_id>")
    def get_key(account_id: str, key_id: str) -> Response[str]:
        caller = Call(resolver).operator
        api_key = management.get_key(caller, AccountId(account_id), KeyId(key_id))
        return json_response(200, api_key.to_json())

    @resolver.delete("/v1/accounts/<account_id>/api-keys/<key_id>")
    def remove_key(account_id: str, key_id: str) -> Response[str]:
        management.remove_key(Call(resolver).operator, AccountId(account_id), KeyId(key_id))
        return no_content()

    @resolver.post("/v1/accounts/<account_id>/console-links")
    def create_link(account_id: str) -> Response[str]:
        call = Call(resolver)
        link, token = signing_in.create_link(
            call.operator, AccountId(account_id), call.optional_object()
        )
        return json_response(201, link.to_json(call.console_url(console_url), token))

    @resolver.delete("/v1/accounts/<account_id>/console-links")
    def end_links(account_id: str) -> Response[str]:
        signing_in.end_links(Call(resolver).operator, AccountId(account_id))
        return no_content()

    @resolver.delete("/v1/accounts/<account_id>/console-links/<link_id>")
    def end_link(account_id: str, link_id: str) -> Response[str]:
        signing_in.end_link(Call(resolver).operator, AccountId(account_id), link_id)
        return no_content()
