"""The resolver that all routes of management share: how a request is read and answered."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from perkwire.adapters.http_api import (
    body_of,
    caller_of,
    console_url_of,
    header_of,
    problem_of,
)
from perkwire.adapters.telemetry import Telemetry
from perkwire.model.account import Caller, Scope
from perkwire.primitives.fields import parse_object, parse_optional_object
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, Problem, invalid, not_found
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json, carried

DEFAULT_LIMIT = 50
HIGHEST_LIMIT = 100
LONGEST_ID = 128

_ANY_VERSION = "*"
_VERSIONS = regex(r'(?:W/)?"?([0-9]{1,18})"?')
"""How one of If-Match is written: as ETag has it, and without its quotes."""

MOST_PAGE_BYTES = 2_000_000
"""Of a list; Lambda answers with 6 MB at most. No single item of a list comes near it."""


def http_resolver(telemetry: Telemetry) -> APIGatewayHttpResolver:
    """A resolver without routes, that answers every exception as a problem."""
    resolver = APIGatewayHttpResolver()

    def problem_response(error: Exception) -> Response[str]:
        return _problem(problem_of(error, telemetry))

    def no_route(_error: Exception) -> Response[str]:
        return _problem(not_found("call"))

    resolver.exception_handler(Exception)(problem_response)
    resolver.not_found(no_route)
    return resolver


class Call:
    """The request under way."""

    def __init__(self, resolver: APIGatewayHttpResolver) -> None:
        self._event: dict[str, Any] = resolver.current_event.raw_event
        ids = [*(self._event.get("pathParameters") or {}).values(), self.named_account or ""]
        if any(len(one) > LONGEST_ID for one in ids):
            raise not_found("resource")

    @property
    def caller(self) -> Caller:
        """Whose API key it came with."""
        return caller_of(self._event)

    @property
    def operator(self) -> Caller:
        """As `caller`, if it is an operator; else raises the 403 problem, before anything is read.

        A body may have 6 MB, and reading it is dear.
        """
        self.caller.require(Scope.OPERATOR)
        return self.caller

    @property
    def named_account(self) -> str | None:
        """The account that an operator named."""
        return header_of(self._event, "perkwire-account")

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the URL."""
        return self._event.get("queryStringParameters") or {}

    def object(self) -> dict[str, Json]:
        """The JSON object in the body; raises Problem."""
        return parse_object(body_of(self._event))

    def optional_object(self) -> dict[str, Json]:
        """As `object`, but no body at all, or null, is an empty object."""
        return parse_optional_object(body_of(self._event))

    def read_versions(self, value: dict[str, Json] | None = None) -> Collection[int] | None:
        """The versions that the caller has read, by If-Match, or the member `version` of `value`.

        Takes the member out. None: nothing is said, and any version will do. Raises the 422
        problem.
        """
        given = header_of(self._event, "if-match")
        named = None if value is None else value.pop("version", None)
        if named is not None:
            if isinstance(named, bool) or not isinstance(named, int) or named < 0:
                raise invalid([FieldError("version", "must be a whole number, as it was read")])
            return {named}
        if given is None or given.strip() == _ANY_VERSION:
            return None
        found = [_VERSIONS.fullmatch(one.strip()) for one in given.split(",")]
        versions = {int(one[1]) for one in found if one is not None}
        if len(found) != sum(one is not None for one in found):
            raise invalid([FieldError("If-Match", "must be an ETag as it was read, or *")])
        return versions

    def flag(self, name: str) -> bool:
        """A parameter of the URL, the only one, that is `true` or `false`; raises Problem."""
        errors = [
            FieldError(other, "is not a known parameter") for other in self.query if other != name
        ]
        text = self.query.get(name, "false")
        if text not in ("true", "false"):
            errors.append(FieldError(name, "must be true or false"))
        if errors:
            raise invalid(errors)
        return text == "true"

    def console_url(self, configured: str) -> str:
        """Where the console of this stack is."""
        return console_url_of(self._event, configured)

    def page(self, *parameters: str) -> tuple[int, str | None]:
        """`limit` and `cursor`; raises Problem, also for parameters other than those named."""
        errors = [
            FieldError(name, "is not a known parameter")
            for name in self.query
            if name not in ("limit", "cursor", *parameters)
        ]
        text = self.query.get("limit", str(DEFAULT_LIMIT))
        limit = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
        if not 1 <= limit <= HIGHEST_LIMIT:
            detail = f"must be a whole number from 1 to {HIGHEST_LIMIT}"
            errors.append(FieldError("limit", detail))
        if errors:
            raise invalid(errors)
        return limit, self.query.get("cursor")


def json_response(status: int, value: Json, version: int | None = None) -> Response[str]:
    """A JSON answer; with the ETag of what has a version."""
    return Response(
        status_code=status,
        content_type="application/json",
        body=json.dumps(value),
        headers={} if version is None else {"etag": f'"{version}"'},
    )


def no_content() -> Response[str]:
    """The answer that has nothing to say."""
    return Response(status_code=204, body="")


def page_response(limit: int, read: Callable[[int], Page[dict[str, Json]]]) -> Response[str]:
    """A page of a list, of at most MOST_PAGE_BYTES: one that would be longer is read shorter.

    `read` gives the first so many items of the list. The page has one item at least.
    """
    page = read(limit)
    fitting = _fitting(page.items)
    if fitting < len(page.items):
        page = read(max(fitting, 1))
    return json_response(200, {"data": [*page.items], "next_cursor": page.next_cursor})


def _fitting(items: Sequence[Json]) -> int:
    """How many of the first items a page has room for."""
    room = MOST_PAGE_BYTES
    for position, item in enumerate(items):
        room -= carried(item)
        if room < 0:
            return position
    return len(items)


def _problem(problem: Problem) -> Response[str]:
    return Response(
        status_code=problem.status,
        content_type="application/problem+json",
        body=json.dumps(problem.document()),
        headers={**problem.headers()},
    )
