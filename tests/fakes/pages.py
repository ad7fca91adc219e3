"""Pages as DynamoDB gives them, with adapters.pages' cursors."""

import base64
from collections.abc import Iterable

from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid


def page_of[T](items: Iterable[tuple[str, T]], limit: int, cursor: str | None) -> Page[T]:
    after = "" if cursor is None else read_cursor(cursor)
    listed = sorted(((key, item) for key, item in items if key > after), key=lambda one: one[0])
    page = listed[:limit]
    # DynamoDB says that there may be more whenever it stopped at the limit.
    full = len(page) == limit
    return Page([item for _, item in page], write_cursor(page[-1][0]) if full else None)


def write_cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        raise invalid(
            [FieldError("cursor", "must be the next_cursor of an earlier page")]
        ) from None
