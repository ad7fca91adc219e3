"""Lists a page at a time. A cursor holds a sort key; the partition is always the caller's own."""

import base64
import binascii

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from perkwire.adapters.dynamodb.tables import failing_as_unavailable
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid
from perkwire.primitives.regexes import regex

_CURSOR = regex(r"[A-Za-z0-9_-]{1,400}")
_SORT_KEY = regex(r"[\x21-\x7e]{1,300}")


def page[M: Model](
    model: type[M],
    pk: str,
    limit: int,
    cursor: str | None,
    *,
    prefix: str = "",
    forward: bool = True,
) -> Page[M]:
    """Up to `limit` items of a partition in the order of their sort keys, after the cursor's.

    Not `forward` turns the order around. Read consistently. Raises the 422 problem for a cursor
    that no page gave, and Unavailable.
    """
    start = None
    if cursor is not None:
        start = {"pk": {"S": pk}, "sk": {"S": prefix + _read(cursor)}}
    sort_key: UnicodeAttribute = model.sk  # type: ignore[attr-defined]
    with failing_as_unavailable():
        results = model.query(
            pk,
            sort_key.startswith(prefix) if prefix else None,
            limit=limit,
            page_size=limit,
            last_evaluated_key=start,
            consistent_read=True,
            scan_index_forward=forward,
        )
        items = list(results)
    last = results.last_evaluated_key
    if last is None:
        return Page(items, None)
    return Page(items, _write(last["sk"]["S"].removeprefix(prefix)))


def _write(sort_key: str) -> str:
    return base64.urlsafe_b64encode(sort_key.encode()).decode().rstrip("=")


def _read(cursor: str) -> str:
    if _CURSOR.fullmatch(cursor):
        try:
            sort_key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            sort_key = ""
        if _SORT_KEY.fullmatch(sort_key):
            return sort_key
    raise invalid([FieldError("cursor", "must be the next_cursor of an earlier page")])
