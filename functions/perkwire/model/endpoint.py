"""What an endpoint may be: the rules for its URL and its custom headers.

The URL's are applied when a webhook is saved and again when a request is sent, so that a rule made
stricter later acts on stored webhooks too. Of the headers', sending asks for no more than that they
break no request (`unsendable`): nothing that is stored is left out, and nothing fails for a name.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import quote

from perkwire.model.address import EndpointPolicy, is_allowed
from perkwire.model.header_rules import CONNECTION, SIGNATURE, broken_rule, folded
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import compact_ascii

__all__ = [
    "EndpointPolicy",
    "Refusal",
    "check_header_name",
    "check_headers",
    "check_url",
    "host_of",
    "origin",
    "target_of",
    "unsendable",
]

MAX_URL_CHARACTERS = 2048
MAX_HEADERS = 20
MAX_HEADER_BYTES = 3072  # KMS encrypts 4096 bytes at most, and they are stored as JSON

_PUBLIC_PORTS = frozenset({443, 8443})
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not accepted: the rest of a sentence that begins with the field's name."""

    detail: str


# A parser of our own: the standard library's drops tabs and line breaks, keeps user info and takes
# characters in a host on which HTTP clients disagree.
_URL = regex(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)"
    r"(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)
_AUTHORITY = regex(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[1-9][0-9]{0,4}))?")
_UNSAFE = regex(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]|\s")
_PERCENT = regex(r"%(?:[0-9A-Fa-f]{2})?")
_LABEL = regex(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = regex(r"[0-9]+|0x[0-9a-f]*")

# IDNA 2003, which Python has, and IDNA 2008 send these to different hosts: sharp s, final sigma,
# and the zero-width joiners.
_AMBIGUOUS = frozenset("\u00df\u1e9e\u03c2\u200c\u200d")

# They mean something inside a network only; the address rule would refuse them when dialling.
_INSIDE_NAMES = frozenset({"localhost", "local", "internal"})

_QUOTED_SAFE = "/:@!$&'()*+,;=~-._?%"


def check_url(
    url: str, policy: EndpointPolicy, *, denied_ports: frozenset[int] = frozenset()
) -> str | Refusal:
    """The URL in normal form, or why an endpoint must not have it.

    https only, ports 443 and 8443, no user info, no fragment, at most 2048 characters. `local` also
    allows http, any port and loopback. `denied_ports` are refused under either policy, whatever the
    host. The normal form has scheme and host in lower case, the host in ASCII (IDNA) without a
    trailing dot, no default port, a path, and percent-encoding with capitals; it is a fixed point.
    A host given as an address is judged here; a name's addresses are judged when dialled.
    """
    if len(url) > MAX_URL_CHARACTERS:
        return _TOO_LONG
    if _UNSAFE.search(url):
        return Refusal("must not contain spaces, control characters or backslashes")
    parts = _URL.fullmatch(url)
    if parts is None:
        return Refusal("must be an absolute URL such as https://example.com/hook")
    scheme = parts["scheme"].lower()
    if scheme != "https" and not (scheme == "http" and policy is EndpointPolicy.LOCAL):
        return Refusal("must use https")
    if parts["fragment"] is not None:
        return Refusal("must not have a fragment (#)")
    if "@" in parts["authority"]:
        return Refusal(
            "must not hold a user name or password: they go into the header Authorization, as "
            "Basic and the base64 of user:password"
        )
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        return Refusal("must have a host name and, if any, a port number")
    host = _check_host(authority["host"], policy)
    if isinstance(host, Refusal):
        return host
    port = int(authority["port"] or _DEFAULT_PORTS[scheme])
    if refusal := _check_port(port, policy, denied_ports):
        return refusal
    target = _check_target(parts["path"] or "/", parts["query"] or "")
    if isinstance(target, Refusal):
        return target
    suffix = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
    normal = f"{scheme}://{host}{suffix}{target}"
    return normal if len(normal) <= MAX_URL_CHARACTERS else _TOO_LONG


def origin(url: str) -> str:
    """Scheme, host and port of a URL in normal form: who gets what is sent to it."""
    return "/".join(url.split("/", 3)[:3])


def host_of(url: str) -> str:
    """The header Host of requests to a URL in normal form: with its port, but for the default."""
    return url.split("/", 3)[2]


def target_of(url: str) -> str:
    """What is asked for of the host, in the very letters of a URL in normal form."""
    return f"/{url.split('/', 3)[3]}"


_TOO_LONG = Refusal(f"must have at most {MAX_URL_CHARACTERS} characters")
_BAD_HOST = Refusal("must have a valid host name")
_BAD_ADDRESS = Refusal("must not point to a private or special address")


def _check_port(port: int, policy: EndpointPolicy, denied: frozenset[int]) -> Refusal | None:
    if policy is EndpointPolicy.PUBLIC and port not in _PUBLIC_PORTS:
        return Refusal("must use port 443 or 8443")
    if port > 65535 or port in denied:
        return Refusal("must use another port")
    return None


def _check_host(host: str, policy: EndpointPolicy) -> str | Refusal:
    if host.startswith("["):
        return _check_ipv6(host[1:-1], policy)
    if not host.isascii():
        if not _AMBIGUOUS.isdisjoint(host):
            return Refusal("must give this international host name in its xn-- form")
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return _BAD_HOST
    host = host.lower().removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return _BAD_HOST
    if _NUMBER.fullmatch(labels[-1]):
        # No top-level domain is a number: clients read such a host as an IPv4 address, each in
        # its own way (octal, hexadecimal, fewer than four parts). Only the plain form is accepted.
        try:
            host = str(ipaddress.IPv4Address(host))
        except ValueError:
            return Refusal("must write an IPv4 address as four decimal numbers")
        return host if is_allowed(host, policy) else _BAD_ADDRESS
    if policy is EndpointPolicy.PUBLIC and (len(labels) == 1 or labels[-1] in _INSIDE_NAMES):
        return Refusal("must have a public host name")
    return host


def _check_ipv6(text: str, policy: EndpointPolicy) -> str | Refusal:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return _BAD_HOST
    return f"[{address.compressed}]" if is_allowed(str(address), policy) else _BAD_ADDRESS


def _check_target(path: str, query: str) -> str | Refusal:
    if any(len(found) == 1 for found in _PERCENT.findall(path + query)):
        return Refusal("must have two hexadecimal digits after each %")
    quoted = quote(path + query, safe=_QUOTED_SAFE)
    return _PERCENT.sub(lambda found: found[0].upper(), quoted)


_TOKEN = regex(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.6.2
_VALUE = regex(r"[!-~]+(?:[ \t]+[!-~]+)*")  # RFC 9110 §5.5 without obs-text


def check_header_name(name: str, *, signs: bool = False, kept: bool = False) -> str | None:
    """What is wrong with the name of a header that a webhook sends, or None.

    One that `signs` carries the webhook's own signature. One that is `kept` was saved under the
    rules of its day, and is refused only if it would break a request. `Authorization` and `Cookie`
    may be sent: they go to the owner's own endpoint only, and the sender keeps no cookies.
    """
    if not _TOKEN.fullmatch(name):
        return "is not a valid header name"
    if kept:
        return CONNECTION.detail if CONNECTION.covers(name) else None
    rule = broken_rule(name)
    return None if rule is None or (signs and rule is SIGNATURE) else rule.detail


def unsendable(headers: Mapping[str, str]) -> bool:
    """Whether stored headers would break a request, or forge what frames it.

    Less than `check_headers`: what was saved under the rules of an earlier release is still sent.
    """
    return any(
        not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value) or CONNECTION.covers(name)
        for name, value in headers.items()
    )


def check_headers(headers: Mapping[str, str]) -> dict[str, str] | list[tuple[str, str]]:
    """The custom headers as they are to be sent, or what is wrong: (header name, detail) pairs,
    with an empty name for what is wrong with all of them together.

    At most 20 headers and 3072 bytes of them as JSON, quotes and all. Names are RFC 9110 tokens
    that no rule of header_rules refuses; values are visible ASCII with spaces and tabs inside only.
    No detail holds a value: they are secrets.
    """
    wrong: list[tuple[str, str]] = []
    seen: set[str] = set()
    for name, value in headers.items():
        key = folded(name)
        if detail := check_header_name(name):
            wrong.append((name, detail))
        elif key in seen:
            wrong.append((name, "is there twice, differing only in case, or in _ and -"))
        elif not _VALUE.fullmatch(value):
            wrong.append((name, "must be visible ASCII, with spaces and tabs inside only"))
        seen.add(key)
    if len(headers) > MAX_HEADERS:
        wrong.append(("", f"must be at most {MAX_HEADERS}"))
    if len(compact_ascii(dict(headers))) > MAX_HEADER_BYTES:
        wrong.append(("", f"must have at most {MAX_HEADER_BYTES} bytes in all"))
    return wrong or dict(headers)
