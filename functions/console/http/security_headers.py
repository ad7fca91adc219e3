"""What every answer of the console carries, whatever became of the request."""

from perkwire.adapters.http_api import HttpResponse

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
_HEADERS = {
    "content-security-policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Not no-referrer: with that, browsers send `Origin: null` with the console's own forms.
    "referrer-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_NOT_KEPT = "no-store"


def with_security_headers(answer: HttpResponse) -> HttpResponse:
    """The answer with the headers that keep its page to itself; not kept, unless it says so."""
    given = {name.lower(): value for name, value in (answer.get("headers") or {}).items()}
    return {**answer, "headers": {"cache-control": _NOT_KEPT, **given, **_HEADERS}}
