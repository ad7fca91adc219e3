"""/v1/webhooks: the webhooks of one account."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, no_content, page_response
from perkwire.managing.webhooks import WebhookManagement
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json


def add(resolver: APIGatewayHttpResolver, management: WebhookManagement) -> None:
    """Add the routes to the resolver."""

    def account(call: Call) -> AccountId:
        return management.account(call.caller, call.named_account)

    @resolver.post("/v1/webhooks")
    def create() -> Response[str]:
        call = Call(resolver)
        return json_response(201, management.create(account(call), call.object()).to_json())

    @resolver.get("/v1/webhooks")
    def list_webhooks() -> Response[str]:
        call = Call(resolver)
        account_id = account(call)
        limit, cursor = call.page()

        def read(limit: int) -> Page[dict[str, Json]]:
            page = management.list(account_id, limit, cursor)
            return Page([webhook.to_json() for webhook in page.items], page.next_cursor)

        return page_response(limit, read)

    @resolver.get("/v1/webhooks/<webhook_id>")
    def get(webhook_id: str) -> Response[str]:
        webhook = management.get(account(Call(resolver)), WebhookId(webhook_id))
        return json_response(200, webhook.to_json())

    @resolver.patch("/v1/webhooks/<webhook_id>")
    def change(webhook_id: str) -> Response[str]:
        call = Call(resolver)
        changed = management.change(account(call), WebhookId(webhook_id), call.object())
        return json_response(200, changed.to_json())

    @resolver.delete("/v1/webhooks/<webhook_id>")
    def delete(webhook_id: str) -> Response[str]:
        management.delete(account(Call(resolver)), WebhookId(webhook_id))
        return no_content()

    @resolver.post("/v1/webhooks/<webhook_id>/enable")
    def enable(webhook_id: str) -> Response[str]:
        webhook = management.switch(account(Call(resolver)), WebhookId(webhook_id), enabled=True)
        return json_response(200, webhook.to_json())

    @resolver.post("/v1/webhooks/<webhook_id>/disable")
    def disable(webhook_id: str) -> Response[str]:
        webhook = management.switch(account(Call(resolver)), WebhookId(webhook_id), enabled=False)
        return json_response(200, webhook.to_json())

    @resolver.post("/v1/webhooks/<webhook_id>/rotate-secret")
    def rotate_secret(webhook_id: str) -> Response[str]:
        call = Call(resolver)
        rotated = management.rotate_secret(
            account(call), WebhookId(webhook_id), call.optional_object()
        )
        return json_response(200, rotated.to_json())
