"""Until when a webhook's slots are taken: when the last of what waits goes out."""

from typing import Protocol

from perkwire.model.webhook import Webhook
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339


class SlotReader(Protocol):
    """The slots that have been taken. SlotCounter fulfils it."""

    def last_taken(self, webhook: Webhook) -> int | None:
        """The last one, past ones too; None: none in a month. Raises Unavailable."""
        ...


def taken_until(slots: SlotReader, webhook: Webhook, now: int) -> int | None:
    """The last slot of a delivery that waits, of a pace that is no more too; None: none waits.

    Raises Unavailable.
    """
    last = slots.last_taken(webhook)
    return last if last is not None and last > now else None


def with_slots(slots: SlotReader, webhook: Webhook, now: int) -> dict[str, Json]:
    """The webhook as the API answers it when it is asked for by itself; raises Unavailable."""
    until = taken_until(slots, webhook, now)
    return {
        **webhook.to_json(),
        "slots_taken_until": None if until is None else to_rfc3339(until),
    }
