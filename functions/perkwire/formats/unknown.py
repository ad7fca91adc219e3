"""In place of a format that this release does not know, as after a return to an older one.

Or of a stored contract, as long as it has not been read.
"""

from collections.abc import Collection, Sequence

from perkwire.formats.contracts.keys import matching
from perkwire.formats.format import Attempt, Payload, Settings, Unrenderable
from perkwire.primitives.fields import Fields


class UnknownFormat:
    """Takes every type and renders none: deliveries wait, fail with `format`, and can be retried.

    So the webhook alone suffers, and once the release that knows its format is back nothing is
    lost. It is in no list, and no new webhook can have it.
    """

    largest_batch = 1

    def __init__(self, name: str) -> None:
        self.name = name

    def name_of(self, event_type: str) -> str | None:
        """Our own name: whether the format says it is not known."""
        return event_type

    def read_settings(self, _fields: Fields, _stored: Settings | None = None) -> Settings:
        """None."""
        return {}

    def new_secret(self) -> str:
        """Nothing would be signed with it."""
        return ""

    def check_secret(self, _secret: str) -> str | None:
        """None can be checked."""
        return f"cannot be given: this release does not know the format {self.name}"

    def doubt_secret(self, _secret: str) -> str | None:
        """Nothing is known of it."""
        return None

    def render(self, payload: Payload) -> bytes:
        """Raises Unrenderable."""
        raise Unrenderable(f"{payload.delivery_id} is in a format that this release does not know.")

    def sign(self, _secrets: Sequence[str], _attempt: Attempt) -> dict[str, str]:
        """No headers."""
        return {}

    def is_success(self, _status: int) -> bool:
        """Never."""
        return False


class UnreadContract(UnknownFormat):
    """A stored contract of which the types are known that it says, and nothing else."""

    def __init__(self, name: str, says: Collection[str]) -> None:
        super().__init__(name)
        self._says = says

    def name_of(self, event_type: str) -> str | None:
        """The type itself, if the contract says it."""
        return event_type if matching(self._says, event_type) is not None else None
