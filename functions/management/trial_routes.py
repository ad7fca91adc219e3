"""/v1/webhooks/test, /v1/webhooks/{id}/test and /v1/webhooks/filter-preview: before it is used."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response
from perkwire.managing.webhooks import WebhookManagement
from perkwire.primitives.ids import WebhookId
from perkwire.reading.filter_previewing import FilterPreviewing
from perkwire.trials.runner import TrialRunner


def add(
    resolver: APIGatewayHttpResolver,
    management: WebhookManagement,
    trying: TrialRunner,
    filters: FilterPreviewing,
) -> None:
    """Add the routes to the resolver."""

    @resolver.post("/v1/webhooks/test")
    def test_unsaved() -> Response[str]:
        call = Call(resolver)
        account_id = management.account(call.caller, call.named_account)
        return json_response(200, trying.test_unsaved(account_id, call.object()))

    @resolver.post("/v1/webhooks/<webhook_id>/test")
    def test(webhook_id: str) -> Response[str]:
        call = Call(resolver)
        account_id = management.account(call.caller, call.named_account)
        return json_response(
            200, trying.test(account_id, WebhookId(webhook_id), call.optional_object())
        )

    @resolver.post("/v1/webhooks/filter-preview")
    def preview_filter() -> Response[str]:
        call = Call(resolver)
        account_id = management.account(call.caller, call.named_account)
        return json_response(200, filters.preview(account_id, call.object()).to_json())
