"""What an account's admin should know of at once: webhooks that are paused, and what failed."""

from collections.abc import Sequence

from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS
from perkwire.reading.health import Unsettled


@dataclass(frozen=True, slots=True)
class Notice:
    """`failed` deliveries of the last 24 hours, which began at `since`; there may be more.

    `failing` are the webhooks whose they are, as far as they are known.
    """

    paused: Sequence[Webhook]
    failed: int
    is_capped: bool
    since: int
    failing: Sequence[Webhook]


def notice_of(
    webhooks: Sequence[Webhook],
    lately: Unsettled,
    at: int,
    *,
    failing: Sequence[Webhook] = (),
) -> Notice | None:
    """The notice at this moment, of the 24 hours before it; None if all is well."""
    paused = [one for one in webhooks if one.status is WebhookStatus.PAUSED]
    if not paused and not lately.failed:
        return None
    since = at - DAY_SECONDS * MICROSECONDS
    return Notice(paused, lately.failed, lately.is_capped, since, failing)
