"""Rejected events, and when a signal last told of any."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from perkwire.accepting.rejected_event import RejectedEvent, RejectedHeading
from perkwire.primitives.ids import RejectedEventId
from perkwire.primitives.page import Page
from tests.fakes.failing import Failing


class FakeRejectedEvents(Failing):
    """For RejectedEventTable: rejected_event.RejectedEvents and mending.KeptRejectedEvents."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[RejectedEventId, RejectedEvent] = {}
        self.signalled_at: int | None = None

    def keep(self, rejected: Sequence[RejectedEvent]) -> None:
        self._called("keep")
        self.kept |= {one.heading.id: one for one in rejected}

    def take_signal(self, now: int, since: int) -> bool:
        self._called("take_signal")
        if self.signalled_at is not None and self.signalled_at > since:
            return False
        self.signalled_at = now
        return True

    def page(self, limit: int, cursor: str | None) -> Page[RejectedHeading]:
        self._called("page")
        ids = [one for one in sorted(self.kept, reverse=True) if cursor is None or one < cursor]
        more = len(ids) > limit
        return Page(
            [self.kept[one].heading for one in ids[:limit]], ids[limit - 1] if more else None
        )

    def find(self, rejected_id: RejectedEventId) -> RejectedEvent | None:
        self._called("find")
        return self.kept.get(rejected_id)

    def remove(self, rejected_id: RejectedEventId) -> None:
        self._called("remove")
        self.kept.pop(rejected_id, None)


class FakeRejectedErasing(Failing):
    """For RejectedErasing: erasing.ErasableRejectedEvents."""

    def __init__(self, rejected: FakeRejectedEvents) -> None:
        super().__init__()
        self._rejected = rejected

    def oldest(
        self, *, after: str, limit: int
    ) -> Sequence[tuple[RejectedHeading, Callable[[], tuple[str, str]]]]:
        self._called("oldest")
        behind = [one for one in sorted(self._rejected.kept) if one > after][:limit]
        return [(self._rejected.kept[one].heading, partial(self._texts, one)) for one in behind]

    def erase(self, heading: RejectedHeading, now: int) -> None:
        self._called("erase")
        self._rejected.kept[heading.id] = RejectedEvent(replace(heading, erased_at=now), "", {})

    def _texts(self, rejected_id: RejectedEventId) -> tuple[str, str]:
        one = self._rejected.kept[rejected_id]
        return one.text, json.dumps(dict(one.problem))
