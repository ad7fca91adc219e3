"""The sender: one signed request to one endpoint that may be hostile."""

import functools
import re
import time
from http import HTTPStatus

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util import parse_url

from perkwire import VERSION
from perkwire.adapters.sender.connection import (
    Current,
    Guard,
    KeptConnectionEnded,
    PlainPool,
    TlsPool,
)
from perkwire.adapters.sender.deadline import Deadline
from perkwire.adapters.sender.dialling import Dialler, Resolver, TransportFailure, system_resolver
from perkwire.adapters.sender.showing import pointed_to, shown
from perkwire.model.endpoint import EndpointPolicy, Refusal, check_url, target_of
from perkwire.model.sending import NoResponse, Request, Response, TransportError

MAX_BODY_BYTES = 4096
BODY_SECONDS = 1.0
"""For the rest of an answer after its head."""

_MOST_HOSTS = 64
_MOST_KEPT_PER_HOST = 10  # with the above, 640 sockets: well under a function's 1024 descriptors
_URLS_REMEMBERED = 256

_FRAMING = frozenset({"connection", "content-length", "host", "transfer-encoding"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t -~]*")


class HttpSender:
    """Sends requests through `requests`. Safe to use from many threads; nothing happens before use.

    Each `send` is back within `timeout_seconds` (and the blink that the last step takes), whatever
    the endpoint does; nothing of it runs on afterwards. It puts one request on the wire; and one
    more, on a new connection, only if a kept one ended before a byte of the answer.
    The URL rule of `policy` and `denied_ports`, and the address rule, are applied to every request.
    Redirects are answers like others; there are no proxies, cookies, netrc or environment. TLS is
    verified by host name against `ca_file`, or certifi's bundle. After a failure the endpoint gets
    nothing more of the request, not even what the kernel holds of it.

    Once an answer's head has come, the endpoint has answered: a body that never ends, stalls or
    breaks off does not change that, and is read for a second and 4096 bytes at most. Connections
    are kept for four idle seconds, or for less as the endpoint says, and only if the answer was
    read to its end and nothing came after it.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float,
        policy: EndpointPolicy,
        denied_ports: frozenset[int] = frozenset(),
        ca_file: str | None = None,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._current = Current()
        guard = Guard(Dialler(policy, resolver), ca_file, self._current)
        self._session = _Session(_Adapter(guard))
        self._check_url = functools.lru_cache(_URLS_REMEMBERED)(
            functools.partial(check_url, policy=policy, denied_ports=denied_ports)
        )
        self._check_url("https://endpoint.example/")  # compiles what the first one would wait for

    def send(self, request: Request) -> Response | NoResponse:
        """Send and wait for the answer.

        Raises ValueError, without any value in it, for headers that cannot be sent: those are our
        own, or were checked when the webhook was saved.
        """
        started = time.monotonic()
        deadline = self._current.deadline = Deadline(self._timeout_seconds)
        self._current.on_a_new_connection = False
        try:
            try:
                answer = self._answer(request)
            except KeptConnectionEnded:
                self._current.on_a_new_connection = True
                answer = self._answer(request.anew() if request.anew else request)
        except TransportFailure as failure:
            return NoResponse(failure.error, _ms_since(started), failure.detail)
        duration_ms = _ms_since(started)
        deadline.shorten(BODY_SECONDS)
        body, is_whole = _read_body(answer)
        snippet = shown(body, answer.headers, is_whole=is_whole)
        return Response(
            answer.status,
            snippet,
            duration_ms,
            location=_location(answer, request.url),
            retry_after=answer.headers.get("retry-after"),
        )

    def _answer(self, request: Request) -> BaseHTTPResponse:
        """The answer, its body unread; raises TransportFailure and KeptConnectionEnded."""
        url = self._check_url(request.url)
        if isinstance(url, Refusal):
            raise TransportFailure(TransportError.BAD_URL)
        response = self._session.send(
            _prepare(url, request),
            stream=True,
            timeout=self._timeout_seconds,
            allow_redirects=False,
        )
        answer: BaseHTTPResponse = response.raw
        return answer

    def close(self) -> None:
        """Close the connections that are kept."""
        self._session.close()


class _NoCookies(RequestsCookieJar):
    """Takes nothing in; a jar would grow for as long as the function lives."""

    def extract_cookies(self, response: object, request: object) -> None:
        pass


class _Session(requests.Session):
    def __init__(self, adapter: HTTPAdapter) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies = _NoCookies()
        self.adapters.clear()
        self.mount("https://", adapter)
        self.mount("http://", adapter)


class _Adapter(HTTPAdapter):
    def __init__(self, guard: Guard) -> None:
        super().__init__(pool_connections=_MOST_HOSTS, pool_maxsize=_MOST_KEPT_PER_HOST)
        self.poolmanager.pool_classes_by_scheme = {
            "http": functools.partial(PlainPool, guard=guard),
            "https": functools.partial(TlsPool, guard=guard),
        }

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: object,
        proxies: object = None,
        cert: object = None,
    ) -> HTTPConnectionPool:
        """The pool of the request's scheme, host and port."""
        url = parse_url(str(request.url))
        pool: HTTPConnectionPool = self.poolmanager.connection_from_host(
            url.host, url.port, url.scheme
        )
        return pool

    def request_url(self, request: requests.PreparedRequest, _proxies: object) -> str:
        """The target as the URL has it: requests would take `?` away, and squeeze slashes once."""
        return target_of(str(request.url))

    def build_response(
        self, req: requests.PreparedRequest, resp: BaseHTTPResponse
    ) -> requests.Response:
        """The status and the unread body.

        Without headers it is no redirect to requests, which reads those to their end even if told
        not to follow them.
        """
        response = requests.Response()
        response.status_code = resp.status
        response.raw = resp
        return response


def _prepare(url: str, request: Request) -> requests.PreparedRequest:
    prepared = requests.PreparedRequest()
    prepared.method = "POST"
    prepared.url = url
    prepared.body = request.body
    prepared.headers = _headers(request)
    return prepared


def _headers(request: Request) -> CaseInsensitiveDict[str]:
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    headers["User-Agent"] = f"Perkwire/{VERSION}"
    for name, value in request.headers.items():
        if name.lower() in _FRAMING or not (
            _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)
        ):
            raise ValueError(f"The header {name!r} cannot be sent.")
        headers[name] = value
    headers["Content-Length"] = str(len(request.body))
    return headers


def _read_body(raw: BaseHTTPResponse) -> tuple[bytes, bool]:
    """At most 4096 bytes of the body, and whether that was all of it.

    The connection is kept only if it was.
    """
    body, is_whole = b"", False
    try:
        while part := raw.read1(MAX_BODY_BYTES - len(body), decode_content=False):
            body += part
        is_whole = raw.closed
    except (HTTPError, OSError, ValueError):
        pass  # What came before it broke off is all that there is to show.
    finally:
        raw.close()
    return body, is_whole


def _location(answer: BaseHTTPResponse, url: str) -> str | None:
    said = answer.headers.get("location")
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST
    return pointed_to(said, url) if said and is_redirect else None


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
