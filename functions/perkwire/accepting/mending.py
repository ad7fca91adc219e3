"""What operators do with rejected events: look, send again, as they were or mended, dismiss.

Sending again is done before the rejected event is removed, and can be done twice: what it becomes
has the ids that it would have had, so that a repeat is known.
"""

from collections.abc import Mapping
from typing import Protocol

from perkwire.accepting.acceptance import Acceptance
from perkwire.accepting.inbox_messages import message_events
from perkwire.accepting.rejected_event import RejectedEvent, RejectedHeading
from perkwire.model.account import Caller, Scope
from perkwire.model.activity import Action, Change
from perkwire.model.event import MAX_REQUEST_BYTES, DataCheck, EventDraft, read_drafts
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import RejectedEventId
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid, not_found
from perkwire.primitives.strict_json import Json


class KeptRejectedEvents(Protocol):
    """The rejected events that are kept."""

    def page(self, limit: int, cursor: str | None) -> Page[RejectedHeading]:
        """The headings, newest first; raises Problem for a bad cursor, and Unavailable."""
        ...

    def find(self, rejected_id: RejectedEventId) -> RejectedEvent | None:
        """One of them whole; raises Unavailable."""
        ...

    def remove(self, rejected_id: RejectedEventId) -> None:
        """Take it away; raises Unavailable."""
        ...


class Records(Protocol):
    """The operators' activity."""

    def record(self, change: Change) -> None:
        """Keep the record of a change that is no item's; raises Unavailable."""
        ...


def parse_send(value: dict[str, Json]) -> str | None:
    """A request that sends one again: its new text, None for its own. Raises the 422 problem."""
    fields = Fields(value)
    text = fields.text("text", longest=MAX_REQUEST_BYTES)
    fields.raise_if_wrong()
    return text


class Mending:
    """/v1/rejected-events: an operator's work. `has_inbox`: whether the stack has one."""

    def __init__(
        self,
        *,
        rejected: KeptRejectedEvents,
        acceptance: Acceptance,
        check_data: DataCheck,
        records: Records,
        has_inbox: bool,
    ) -> None:
        self._rejected = rejected
        self._acceptance = acceptance
        self._check_data = check_data
        self._records = records
        self._has_inbox = has_inbox

    def list(self, caller: Caller, limit: int, cursor: str | None) -> Page[RejectedHeading]:
        """The headings, newest first; raises Problem and Unavailable."""
        self._require(caller)
        return self._rejected.page(limit, cursor)

    def get(self, caller: Caller, rejected_id: RejectedEventId) -> RejectedEvent:
        """One of them whole; raises Problem and Unavailable."""
        self._require(caller)
        found = self._rejected.find(rejected_id)
        if found is None:
            raise not_found("rejected event")
        return found

    def send(
        self, caller: Caller, rejected_id: RejectedEventId, value: dict[str, Json]
    ) -> dict[str, Json]:
        """Send it again, with the text that `value` has instead of its own; the 202's body.

        All events of the text are accepted, or it stays: nothing else brings back what a message
        of too many had. Raises Problem and Unavailable.
        """
        found = self.get(caller, rejected_id)
        given = parse_send(value)
        text = found.text if given is None else given
        if not text:
            raise invalid([FieldError("text", "is required, as nothing of it is kept any more")])
        drafts, name = self._drafts(found.heading, text)
        accepted = self._acceptance.accept_all(drafts, name)
        self._record(Action.REJECTED_SENT, rejected_id, "as it was" if given is None else "mended")
        self._rejected.remove(rejected_id)
        return {"events": [one.to_json() for one in accepted]}

    def dismiss(self, caller: Caller, rejected_id: RejectedEventId) -> None:
        """Forget it; raises Problem and Unavailable."""
        self.get(caller, rejected_id)
        self._record(Action.REJECTED_DISMISSED, rejected_id, None)
        self._rejected.remove(rejected_id)

    def _drafts(self, heading: RejectedHeading, text: str) -> tuple[Mapping[int, EventDraft], str]:
        """Its events by their places, and what their message is known by.

        One event has the place that it had; several that came of one are a message of their own.
        """
        posted = [event.posted for event in message_events(text, most=None)]
        drafts = read_drafts(posted, self._check_data)
        if heading.place is None:
            return dict(enumerate(drafts)), heading.message_id
        if len(drafts) == 1:
            return {heading.place: drafts[0]}, heading.message_id
        return dict(enumerate(drafts)), f"{heading.message_id}/{heading.place}"

    def _require(self, caller: Caller) -> None:
        caller.require(Scope.OPERATOR)
        if not self._has_inbox:
            raise not_found("inbox: the stack has none")

    def _record(self, action: Action, rejected_id: RejectedEventId, name: str | None) -> None:
        self._records.record(Change(owner=None, action=action, subject=rejected_id, name=name))
