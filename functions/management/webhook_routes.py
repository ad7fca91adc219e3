"""/v1/webhooks: the webhooks of one account."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, no_content, page_response
from perkwire.dispatching.pulling import Pulling
from perkwire.managing.webhooks import GivenWebhook, WebhookManagement
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import now
from perkwire.reading.pacing import SlotReader, with_slots


def add(
    resolver: APIGatewayHttpResolver,
    management: WebhookManagement,
    slots: SlotReader,
    pulling: Pulling,
) -> None:
    """Add the routes to the resolver."""

    def account(call: Call) -> AccountId:
        return management.account(call.caller, call.named_account)

    @resolver.post("/v1/webhooks")
    def create() -> Response[str]:
        call = Call(resolver)
        return _given(201, management.create(account(call), call.object()))

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
        standing = pulling.standing(webhook)
        pull = None if standing is None else standing.to_json()
        shown = with_slots(slots, webhook, now()) | {"pull": pull}
        return json_response(200, shown, webhook.version)

    @resolver.patch("/v1/webhooks/<webhook_id>")
    def change(webhook_id: str) -> Response[str]:
        call = Call(resolver)
        account_id, value = account(call), call.object()
        read = call.read_versions(value)
        return _given(200, management.change(account_id, WebhookId(webhook_id), value, read))

    @resolver.delete("/v1/webhooks/<webhook_id>")
    def delete(webhook_id: str) -> Response[str]:
        call = Call(resolver)
        management.delete(account(call), WebhookId(webhook_id), call.read_versions())
        return no_content()

    @resolver.post("/v1/webhooks/<webhook_id>/enable")
    def enable(webhook_id: str) -> Response[str]:
        return switch(webhook_id, enabled=True)

    @resolver.post("/v1/webhooks/<webhook_id>/disable")
    def disable(webhook_id: str) -> Response[str]:
        return switch(webhook_id, enabled=False)

    def switch(webhook_id: str, *, enabled: bool) -> Response[str]:
        call = Call(resolver)
        return _shown(
            management.switch(
                account(call), WebhookId(webhook_id), enabled=enabled, read=call.read_versions()
            )
        )

    @resolver.post("/v1/webhooks/<webhook_id>/rotate-secret")
    def rotate_secret(webhook_id: str) -> Response[str]:
        call = Call(resolver)
        account_id, value = account(call), call.optional_object()
        read = call.read_versions()
        return _given(200, management.rotate_secret(account_id, WebhookId(webhook_id), value, read))


def _shown(webhook: Webhook) -> Response[str]:
    return json_response(200, webhook.to_json(), webhook.version)


def _given(status: int, given: GivenWebhook) -> Response[str]:
    return json_response(status, given.to_json(), given.webhook.version)
