"""A proxy before the API that holds what passes through it against docs/openapi.yaml, both ways.

A request has to be one that the contract allows; an answer has to have a status, a content type and
a body of the contract, without a field that it does not name.
"""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.template.contract import contract, operations, resolved

type Object = dict[str, Any]

_HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


@dataclass(frozen=True)
class Exchange:
    """A request that passed, and what the contract has against it or its answer."""

    operation: str | None
    status: int
    against: tuple[str, ...]


class ContractProxy:
    """Listens on loopback for the length of a `with`; `exchanges` has all that has passed."""

    def __init__(self, api_url: str) -> None:
        self._api = urlsplit(api_url)
        self._checked = threading.Lock()
        self.exchanges: list[Exchange] = []

    def __enter__(self) -> Self:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def __getattr__(self, name: str) -> Any:  # noqa: ANN401
                if name.startswith("do_"):
                    return lambda: proxy._pass(self)
                raise AttributeError(name)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The base address for clients."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def against(self) -> list[str]:
        """All that the contract has against what has passed."""
        return [one for exchange in self.exchanges for one in exchange.against]

    def _pass(self, handler: BaseHTTPRequestHandler) -> None:
        body = _body(handler)
        own = {*_HOP_BY_HOP, "host", "content-length"}
        headers = {n: v for n, v in handler.headers.items() if n.lower() not in own}
        headers |= {"Host": self._api.netloc, "Content-Length": str(len(body))}
        connection = http.client.HTTPConnection(self._api.netloc, timeout=60)
        connection.request(handler.command, handler.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        with self._checked:
            self.exchanges.append(_checked(handler, body, answer, content))
        handler.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {*_HOP_BY_HOP, "content-length"}:
                handler.send_header(name, value)
        if answer.status != 204:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if "chunked" not in (handler.headers.get("Transfer-Encoding") or ""):
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    parts = []
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        parts.append(handler.rfile.read(size))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(parts)


def _checked(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    answer: http.client.HTTPResponse,
    content: bytes,
) -> Exchange:
    url = urlsplit(handler.path)
    call = f"{handler.command} {url.path}"
    for name, (method, path, operation, parameters) in operations().items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        if method == handler.command and re.fullmatch(pattern, unquote(url.path)):
            found = [*_of_request(operation, parameters, url.query, handler.headers, body)]
            # What is asked to see it refused may be anything.
            if 400 <= answer.status < 500:
                found = []
            found += _of_answer(operation, answer, content)
            return Exchange(name, answer.status, tuple(f"{call}: {one}" for one in found))
    return Exchange(None, answer.status, (f"{call} is not in the contract",))


def _of_request(
    operation: Object,
    parameters: list[Object],
    query: str,
    headers: Message,
    body: bytes,
) -> Iterator[str]:
    known = {each["name"]: each for each in parameters if each["in"] == "query"}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            yield f"the parameter {name} is unknown"
        else:
            schema = known[name]["schema"]
            typed: object = value
            if resolved(schema).get("type") == "integer" and value.isdecimal():
                typed = int(value)
            yield from _errors(_open(), schema, typed, f"parameter {name}")
    for each in parameters:
        if each["in"] == "header" and each["name"] in headers:
            yield from _errors(_open(), each["schema"], headers[each["name"]], each["name"])
    if "requestBody" not in operation:
        if body:
            yield "it has a body"
        return
    if not body or (body == b"null" and not operation["requestBody"]["required"]):
        if operation["requestBody"]["required"]:
            yield "it has no body"
        return
    kind = (headers.get("Content-Type") or "").partition(";")[0]
    if kind != "application/json":
        yield f"the body is {kind or 'of no type'}"
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    yield from _errors(_open(), schema, json.loads(body), "request")


def _of_answer(
    operation: Object, answer: http.client.HTTPResponse, content: bytes
) -> Iterator[str]:
    status = str(answer.status)
    if status not in operation["responses"]:
        yield f"the status {status} is not in the contract"
        return
    media = resolved(operation["responses"][status]).get("content", {})
    kind = (answer.getheader("Content-Type") or "").partition(";")[0]
    if not content and not media:
        if kind:
            yield f"an answer without content is {kind}"
        return
    if kind not in media:
        yield f"an answer {status} is {kind}"
        return
    yield from _errors(_closed(), media[kind]["schema"], json.loads(content), f"answer {status}")


def _errors(registry: "Registry[Any]", schema: Object, value: object, what: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = {"$ref": f"urn:contract{schema['$ref']}"}
    checker = Draft202012Validator.FORMAT_CHECKER
    validator = Draft202012Validator(schema, registry=registry, format_checker=checker)
    for error in validator.iter_errors(value):
        yield f"{what} {error.json_path}: {error.message[:300]}"


def _registry(document: Object) -> "Registry[Any]":
    resource = DRAFT202012.create_resource(document)
    found: Registry[Any] = Registry().with_resource("urn:contract", resource)
    return found


_cached: dict[str, "Registry[Any]"] = {}


def _open() -> "Registry[Any]":
    return _cached.setdefault("open", _registry(contract()))


def _closed() -> "Registry[Any]":
    """The contract, but that a field that a schema does not name is an error."""
    if "closed" not in _cached:
        document = deepcopy(contract())
        for schema in document["components"]["schemas"].values():
            _close(schema)
        _cached["closed"] = _registry(document)
    return _cached["closed"]


def _close(schema: object) -> None:
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for member in schema.values():
            _close(member)
    elif isinstance(schema, list):
        for member in schema:
            _close(member)
