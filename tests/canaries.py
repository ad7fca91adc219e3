"""What nobody may ever read in an output: each secret that a test has had in hand."""

from collections.abc import Iterator, Mapping
from typing import Any

# Shorter ones stand in many a line by chance.
_SHORTEST = 8
# The members of an answer that are shown once, and of a request that are kept sealed.
_SHOWN_ONCE = ("secret", "key")


class Canaries:
    """The secrets and header values of the requests and answers that it was told of."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, *values: object) -> None:
        """Remember what is secret in the JSON of a request or an answer."""
        for value in values:
            self._known.update(one for one in _secrets(value) if len(one) >= _SHORTEST)

    def found_in(self, text: str) -> list[str]:
        """Those that a text shows."""
        return sorted(one for one in self._known if one in text)

    def __len__(self) -> int:
        return len(self._known)


def _secrets(value: object) -> Iterator[str]:
    if not isinstance(value, Mapping):
        return
    members: Mapping[str, Any] = value
    for name in _SHOWN_ONCE:
        if isinstance(secret := members.get(name), str):
            yield secret
    if isinstance(headers := members.get("headers"), Mapping):
        yield from (one for one in headers.values() if isinstance(one, str))
    yield from _secrets(members.get("webhook"))
    data = members.get("data")
    if isinstance(data, Mapping) and isinstance(member := data.get("member"), Mapping):
        yield from (one for one in [member.get("email")] if isinstance(one, str))
    if isinstance(events := members.get("events"), list | tuple):
        for event in events:
            yield from _secrets(event)
