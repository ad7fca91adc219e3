"""/v1/deliveries/retry and /v1/redrives: sending again."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response
from perkwire.jobs.sending_on import SendingOn
from perkwire.managing.webhooks import WebhookManagement
from perkwire.recovering.redriving import Redriving
from perkwire.recovering.retrying import Retrying, parse_retry


def add(
    resolver: APIGatewayHttpResolver,
    management: WebhookManagement,
    retrying: Retrying,
    sending_on: SendingOn,
    redriving: Redriving,
) -> None:
    """Add the routes to the resolver."""

    @resolver.post("/v1/deliveries/retry")
    def retry() -> Response[str]:
        call = Call(resolver)
        account_id = management.account(call.caller, call.named_account)
        asked = parse_retry(call.object())
        if asked.webhook_id is None:
            results = retrying.retry(account_id, asked.ids, resend=asked.resend)
        else:
            results = sending_on.send(account_id, asked.ids, asked.webhook_id)
        return json_response(200, {"data": [result.to_json() for result in results]})

    @resolver.post("/v1/redrives")
    def start_redrive() -> Response[str]:
        call = Call(resolver)
        return json_response(201, redriving.start(call.operator, call.object()).to_json())

    @resolver.get("/v1/redrives")
    def list_redrives() -> Response[str]:
        redrives = redriving.list(Call(resolver).caller)
        return json_response(
            200, {"data": [redrive.to_json() for redrive in redrives], "next_cursor": None}
        )

    @resolver.delete("/v1/redrives")
    def cancel_redrive() -> Response[str]:
        call = Call(resolver)
        return json_response(200, redriving.cancel(call.caller, call.query.get("queue")).to_json())
