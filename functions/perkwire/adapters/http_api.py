"""API Gateway's HTTP API, payload format 2.0: what a request says, and how it is answered."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from perkwire.adapters.telemetry import Telemetry
from perkwire.model.account import Caller, Scope
from perkwire.primitives.ids import AccountId, KeyId, WebhookId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem, malformed, unavailable, unsupported_coding
from perkwire.primitives.strict_json import Json, not_utf8

type HttpEvent = Mapping[str, Any]
type HttpResponse = dict[str, Any]

_JSON = "application/json"
_PROBLEM_JSON = "application/problem+json"


def caller_context(caller: Caller) -> dict[str, str]:
    """What the authorizer passes on about a caller; `caller_of` reads it."""
    context = {
        "account_id": caller.account_id or "",
        "scopes": " ".join(sorted(caller.scopes)),
        "key_id": caller.key_id or "",
    }
    return context if caller.webhook_id is None else {**context, "webhook_id": caller.webhook_id}


def caller_of(event: HttpEvent) -> Caller:
    """Whom the authorizer let in."""
    context = event["requestContext"]["authorizer"]["lambda"]
    return Caller(
        AccountId(context["account_id"]) if context["account_id"] else None,
        frozenset(Scope(scope) for scope in context["scopes"].split()),
        # An authorizer of the release before passes none on, and its answers are cached.
        KeyId(context["key_id"]) if context.get("key_id") else None,
        WebhookId(context["webhook_id"]) if context.get("webhook_id") else None,
    )


def body_of(event: HttpEvent) -> bytes:
    """The body's very bytes; raises the 415 problem if they are coded, 400 if they were altered.

    API Gateway hands some content types over as text, in which U+FFFD stands for bytes that are not
    UTF-8. One that was sent has its three bytes in the length of the request; where that is not
    said, a U+FFFD is taken for sent.
    """
    coding = (header_of(event, "content-encoding") or "identity").strip()
    if coding.lower() != "identity":
        raise unsupported_coding(coding)
    body: str = event.get("body") or ""
    if event.get("isBase64Encoded"):
        return base64.b64decode(body)
    text = body.encode(errors="surrogatepass")
    length = (header_of(event, "content-length") or "").strip()
    is_said = length.isascii() and length.isdecimal()
    if "\ufffd" in body and is_said and length.lstrip("0") != str(len(text)):
        raise malformed(not_utf8(text))
    return text


def header_of(event: HttpEvent, name: str) -> str | None:
    """A header, by its lower-case name."""
    value: str | None = event.get("headers", {}).get(name)
    return value


def console_url_of(event: HttpEvent, configured: str) -> str:
    """Where the console is: as configured, else on the host that this request came to."""
    return configured or f"https://{event['requestContext']['domainName']}/console"


def json_response(status: int, value: Json) -> HttpResponse:
    """A JSON answer."""
    return _answer(status, value, _JSON)


def problem_response(problem: Problem) -> HttpResponse:
    """A problem as RFC 9457 has it answered."""
    answer = _answer(problem.status, problem.document(), _PROBLEM_JSON)
    return answer | {"headers": answer["headers"] | problem.headers()}


def respond(telemetry: Telemetry, work: Callable[[], HttpResponse]) -> HttpResponse:
    """What `work` answers, or the problem that stopped it; what nobody foresaw is a 500."""
    try:
        return work()
    except Exception as error:
        return problem_response(problem_of(error, telemetry))


def problem_of(error: Exception, telemetry: Telemetry) -> Problem:
    """The problem to answer for an exception; an unforeseen one goes to the log, not outside."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Unavailable):
        telemetry.fault("request_unavailable", detail=str(error))
        return unavailable("A service that this one stands on does not answer.")
    telemetry.crash("request_crashed", error)
    return Problem(500, "internal", "Something went wrong on our side.")


def _answer(status: int, value: Json, content_type: str) -> HttpResponse:
    return {
        "statusCode": status,
        "headers": {"content-type": content_type},
        "body": json.dumps(value),
    }
