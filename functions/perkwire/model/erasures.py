"""Erasures: whose events of an account are not sent, kept or shown any more, and up to when.

An erasure names a member by keys and the moment at which it was asked for. It covers the events
that name the member and were accepted until then: whoever comes again has a new beginning.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Self

from perkwire.model.event import Event
from perkwire.model.members import MemberIndex, MemberKeys

_KEY_BYTES = 16
_MOMENT_BYTES = 8
_ENTRY_BYTES = _KEY_BYTES + _MOMENT_BYTES


class Erasures:
    """Those of one account, as its item has them: a key and a moment each, oldest first."""

    def __init__(self, keys: MemberKeys, packed: bytes = b"") -> None:
        self._keys = keys
        self.packed = packed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Erasures) and self.packed == other.packed

    def __hash__(self) -> int:
        return hash(self.packed)

    def __len__(self) -> int:
        return len(self.packed) // _ENTRY_BYTES

    def with_more(self, names: Iterable[str], asked_at: int, *, forget_before: int) -> Self:
        """These and those of some keys, each once, less what was asked for before a moment."""
        new = {*names}
        kept = [(key, at) for key, at in self._entries() if at >= forget_before and key not in new]
        kept += [(key, asked_at) for key in sorted(new)]
        packed = b"".join(
            bytes.fromhex(key) + at.to_bytes(_MOMENT_BYTES) for key, at in sorted(kept, key=_at)
        )
        return type(self)(self._keys, packed)

    def cover(self, event: Event) -> bool:
        """Whether the event names a member who has been erased since it was accepted."""
        if not self.packed or event.accepted_at > self._latest:
            return False
        named = self._keys.named(event.data, MemberIndex.IDS_AND_EMAILS)
        return any(event.accepted_at <= self._asked_at.get(key, 0) for key in named)

    def covered(self, events: Collection[Event]) -> set[str]:
        """The ids of those of the events that are."""
        return {event.id for event in events if self.cover(event)}

    @property
    def _latest(self) -> int:
        return int.from_bytes(self.packed[-_MOMENT_BYTES:])

    @cached_property
    def _asked_at(self) -> Mapping[str, int]:
        # The oldest first, so that the latest of each stays.
        return dict(self._entries())

    def _entries(self) -> list[tuple[str, int]]:
        return [
            (
                self.packed[start : start + _KEY_BYTES].hex(),
                int.from_bytes(self.packed[start + _KEY_BYTES : start + _ENTRY_BYTES]),
            )
            for start in range(0, len(self.packed), _ENTRY_BYTES)
        ]


def _at(entry: tuple[str, int]) -> int:
    return entry[1]


def without_data(event: Event, now: int) -> Event:
    """What is left of an event: its id, type, programme and times."""
    return replace(event, data={}, erased_at=now)
