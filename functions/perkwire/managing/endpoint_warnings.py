"""What may come of an endpoint that is allowed: said while a webhook is saved or tested."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from perkwire.primitives.regexes import regex

_TLS_PORTS = frozenset({443, 8443})
_PLAIN_PORTS = frozenset({80, 8080})
_SECRET_NAME = regex(r"(?:.*[._-])?(?:token|secret|passw(?:or)?d|api_?-?key|key)", re.IGNORECASE)


def url_warnings(url: str) -> Iterator[str]:
    """Of a URL in normal form, each as the rest of a sentence that begins with the field's name."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.port in _TLS_PORTS:
        yield "is http on a port where servers speak TLS: is https meant?"
    if parts.scheme == "https" and parts.port in _PLAIN_PORTS:
        yield "is https on a port where servers speak plain HTTP: is http, or another port, meant?"
    if parts.scheme == "https" and _is_address(parts.hostname or ""):
        yield "names an address, for which few certificates are valid: a host name is safer"
    if any(_SECRET_NAME.fullmatch(name) for name, _ in parse_qsl(parts.query)):
        yield (
            "holds what looks like a secret, and is shown to everyone who sees the webhook: "
            "headers are not"
        )


def header_warning(name: str) -> str | None:
    """What may come of a custom header of this name, as the rest of a sentence."""
    if "_" not in name:
        return None
    return "has _ in its name, and nginx and others drop such headers unless told not to"


def redirect_warning(location: str) -> str:
    """What a test says of an endpoint that has redirected it."""
    return f"redirects to {location}: redirects are not followed, so give that URL if it is right"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
