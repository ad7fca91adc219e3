"""How far a webhook has been pulled, and what waits behind that."""

from collections.abc import Sequence
from typing import Protocol

from perkwire.model.waiting import ListEnd, Taken, WaitingPage
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339


class ReadableLists(Protocol):
    """The lists of what waits, to look at."""

    def pages(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: int, limit: int
    ) -> Sequence[WaitingPage]:
        """Up to `limit` pages that end behind a place, in their order, read consistently.

        One that is being written may be missing, and one behind it there. Raises Unavailable.
        """
        ...

    def taken(self, account_id: AccountId, webhook_id: WebhookId) -> Taken:
        """How far a webhook has been pulled; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a webhook has been pulled, and what waits behind that.

    `taken_at` is when somebody last said so; None: never. `waiting` counts places: some of them may
    have nothing to give. `waiting_since` is when the first of them came; None: none waits.
    """

    through: int
    taken_at: int | None
    waiting: int
    waiting_since: int | None

    def to_json(self) -> dict[str, Json]:
        """As the API answers it."""
        at, since = self.taken_at, self.waiting_since
        return {
            "pulled_through": str(self.through),
            "pulled_at": None if at is None else to_rfc3339(at),
            "waiting": self.waiting,
            "waiting_since": None if since is None else to_rfc3339(since),
        }


def standing_of(lists: ReadableLists, webhook: Webhook, end: ListEnd) -> Standing:
    """How far a webhook whose list ends so has been pulled; raises Unavailable."""
    key = (webhook.account_id, webhook.id)
    taken = lists.taken(*key)
    waiting = max(0, end.last - taken.through)
    first = lists.pages(*key, after=taken.through, limit=1) if waiting else []
    since = first[0].written_at if first else None
    return Standing(taken.through, taken.at, waiting, since)
