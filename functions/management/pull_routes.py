"""/v1/webhooks/{id}/pull: what waits for a webhook that nobody can call."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, page_response
from perkwire.dispatching.pulling import LONGEST_WAIT_SECONDS, Pull, Pulling
from perkwire.managing.webhooks import WebhookManagement
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid
from perkwire.primitives.strict_json import Json

_DIGITS = 18  # of a place
_MOST_DIGITS = 2


def add(resolver: APIGatewayHttpResolver, management: WebhookManagement, pulling: Pulling) -> None:
    """Add the route to the resolver."""

    @resolver.get("/v1/webhooks/<webhook_id>/pull")
    def pull(webhook_id: str) -> Response[str]:
        call = Call(resolver)
        wanted = WebhookId(webhook_id)
        account_id = management.account_that_pulls(call.caller, call.named_account, wanted)
        limit, _ = call.page("after", "wait_seconds")
        after, wait_seconds = _after(call), _wait_seconds(call)
        webhook = management.get(account_id, wanted)
        pulled = pulling.pull(webhook, Pull(after, limit, wait_seconds))

        def read(limit: int) -> Page[dict[str, Json]]:
            some = pulled.first(limit)
            return Page(some.items(), str(some.through))

        return page_response(limit, read)


def _after(call: Call) -> int | None:
    text = call.query.get("after")
    if "cursor" in call.query:
        raise invalid([FieldError("cursor", "is called after here")])
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise invalid([FieldError("after", "must be the next_cursor of an earlier pull")])
    return int(text)


def _wait_seconds(call: Call) -> int:
    text = call.query.get("wait_seconds", "0")
    is_whole = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    if not is_whole or int(text) > LONGEST_WAIT_SECONDS:
        detail = f"must be a whole number from 0 to {LONGEST_WAIT_SECONDS}"
        raise invalid([FieldError("wait_seconds", detail)])
    return int(text)
