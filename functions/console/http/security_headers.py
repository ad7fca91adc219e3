"""What every answer of the console carries, whatever became of the request."""

from perkwire.adapters.http_api import HttpResponse

NOBODY = "'none'"
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
}
_HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Not no-referrer: with that, browsers send `Origin: null` with the console's own forms.
    "referrer-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
}
_NOT_KEPT = "no-store"


def with_security_headers(answer: HttpResponse, embedding_hosts: str) -> HttpResponse:
    """The answer with the headers that keep its page to itself; not kept, unless it says so.

    `embedding_hosts` are origins whose pages may frame it, one blank apart; empty: none.
    """
    given = {name.lower(): value for name, value in (answer.get("headers") or {}).items()}
    return {
        **answer,
        "headers": {"cache-control": _NOT_KEPT, **given, **_HEADERS, **_framing(embedding_hosts)},
    }


def _framing(embedding_hosts: str) -> dict[str, str]:
    policy = {**_POLICY, "frame-ancestors": embedding_hosts or NOBODY}
    joined = "; ".join(f"{name} {value}" for name, value in policy.items())
    # X-Frame-Options can name no other host: where there is one, browsers go by the policy alone.
    others = {} if embedding_hosts else {"x-frame-options": "DENY"}
    return {"content-security-policy": joined, **others}
