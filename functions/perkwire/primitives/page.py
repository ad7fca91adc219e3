"""A list is read a page at a time."""

from perkwire.primitives.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Page[T]:
    """A part of a list; `next_cursor` None says that it is the last."""

    items: list[T]
    next_cursor: str | None
