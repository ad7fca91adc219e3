"""The keys of a contract's events: a type, a group such as `points.*`, or `*`."""

from collections.abc import Collection

ANY = "*"


def matching(keys: Collection[str], event_type: str) -> str | None:
    """The key that is a type's: the type itself, else the longest `….*`, else `*`."""
    if event_type in keys:
        return event_type
    parts = event_type.split(".")
    for length in range(len(parts) - 1, 0, -1):
        pattern = f"{'.'.join(parts[:length])}.{ANY}"
        if pattern in keys:
            return pattern
    return ANY if ANY in keys else None
