"""What went wrong with a request: RFC 9457 problem details, raised as one exception."""

from collections.abc import Mapping, Sequence

from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS

MOST_ERRORS = 100
_MINUTE_SECONDS = 60
_LONGEST_FIELD = 256  # a field's name is the caller's own, and may be as long as a request


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: where (`events[3].type`, `url`, a header's name) and why, a sentence.

    `pointer` says where as a JSON pointer (RFC 6901) into the body, for what lies deep in it.
    """

    field: str
    detail: str
    pointer: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The error as a problem shows it."""
        shown: dict[str, Json] = {"field": self.field[:_LONGEST_FIELD], "detail": self.detail}
        return shown if self.pointer is None else shown | {"pointer": self.pointer}


class Problem(Exception):
    """A request that cannot be granted; nothing was stored because of it.

    `document()` is the answer's body, with type `urn:perkwire:problem:<name>`, `headers()` what
    goes beside it.
    """

    def __init__(
        self,
        status: int,
        name: str,
        title: str,
        *,
        detail: str | None = None,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Json] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self._name = name
        self._title = title
        self._detail = detail
        self._errors = tuple(errors)
        self._extra = dict(extra or {})
        self._headers = dict(headers or {})

    def document(self) -> dict[str, Json]:
        """The problem details as a JSON object."""
        document: dict[str, Json] = {
            "type": f"urn:perkwire:problem:{self._name}",
            "title": self._title,
            "status": self.status,
        }
        if self._detail:
            document["detail"] = self._detail
        if self._errors:
            document["errors"] = [error.to_json() for error in self._errors]
        return document | self._extra

    def headers(self) -> dict[str, str]:
        """The answer's headers beside its content type."""
        return dict(self._headers)


def malformed(detail: str) -> Problem:
    """400: the body is not the JSON that it must be."""
    return Problem(400, "malformed", "The request body is malformed.", detail=detail)


def invalid(errors: Sequence[FieldError], detail: str | None = None) -> Problem:
    """422: the body is JSON, but fields of it are wrong; the first MOST_ERRORS are named."""
    more = len(errors) - MOST_ERRORS
    return Problem(
        422,
        "invalid",
        "The request has invalid fields.",
        detail=f"There are {more} more errors than these." if more > 0 else detail,
        errors=errors[:MOST_ERRORS],
    )


def unsupported_coding(coding: str) -> Problem:
    """415: the body is compressed, or coded otherwise."""
    return Problem(
        415,
        "unsupported-coding",
        "The request's content coding is not taken.",
        detail=f"Content-Encoding {coding[:_LONGEST_FIELD]} is not taken; send the body as it is.",
        headers={"accept-encoding": "identity"},
    )


def unsupported_media_type(media_type: str, taken: Sequence[str]) -> Problem:
    """415: the body is of a content type that is not read; `taken` are those that are."""
    return Problem(
        415,
        "unsupported-media-type",
        "The request's content type is not taken.",
        detail=f"{media_type[:_LONGEST_FIELD]} is not taken; send {' or '.join(taken)}.",
        headers={"accept": ", ".join(taken)},
    )


def too_large(detail: str) -> Problem:
    """413: the body is over a documented limit."""
    return Problem(413, "too-large", "The request is too large.", detail=detail)


def forbidden(detail: str, errors: Sequence[FieldError] = ()) -> Problem:
    """403: the API key may not do this."""
    return Problem(
        403, "forbidden", "The API key does not allow this.", detail=detail, errors=errors
    )


def not_found(what: str) -> Problem:
    """404: no such thing in this account."""
    return Problem(404, "not-found", f"There is no such {what}.")


def conflict(detail: str, errors: Sequence[FieldError] = ()) -> Problem:
    """409: what is there does not allow it."""
    return Problem(
        409, "conflict", "The request conflicts with what is stored.", detail=detail, errors=errors
    )


def too_many(detail: str, *, retry_after_seconds: int) -> Problem:
    """429: allowed, but not that often; `retry_after_seconds` says when it is again."""
    return Problem(
        429,
        "too-many-requests",
        "There were too many such requests.",
        detail=detail,
        headers={"retry-after": str(retry_after_seconds)},
    )


def too_many_this_minute(detail: str, now: int) -> Problem:
    """429 until the minute of `now`, microseconds since the epoch, is over."""
    left = _MINUTE_SECONDS - now // MICROSECONDS % _MINUTE_SECONDS
    return too_many(detail, retry_after_seconds=left)


def unavailable(detail: str, extra: Mapping[str, Json] | None = None) -> Problem:
    """503: nothing is wrong with the request; send it again."""
    return Problem(
        503,
        "unavailable",
        "The request could not be completed; send it again.",
        detail=detail,
        extra=extra,
    )
