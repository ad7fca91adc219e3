"""What an account's admin should know of at once: webhooks that are paused, and what failed."""

from collections.abc import Sequence

from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """`failed` deliveries of the last 24 hours, which began at `since`; there may be more."""

    paused: Sequence[Webhook]
    failed: int
    is_capped: bool
    since: int


def notice_of(
    webhooks: Sequence[Webhook], failed: int, since: int, *, is_capped: bool
) -> Notice | None:
    """The notice of what the page has read anyway; None if all is well."""
    paused = [one for one in webhooks if one.status is WebhookStatus.PAUSED]
    return Notice(paused, failed, is_capped, since) if paused or failed else None
