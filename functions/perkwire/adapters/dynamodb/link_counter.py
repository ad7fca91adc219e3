"""ConfigTable as requests for links, and mails with them, are counted in it."""

from perkwire.adapters.dynamodb.config_items import (
    LINK_REQUESTS_PK,
    TrialCountItem,
    account_links_pk,
    address_links_pk,
)
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, update_if
from perkwire.primitives.ids import AccountId
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339

_TO_THE_MINUTE = len("2026-11-21T01:23")
_TO_THE_HOUR = len("2026-11-21T01")


class LinkCounter:
    """Fulfils mailing_links.LinkCounter."""

    def take_request(self, now: int, most: int) -> bool:
        """Count one request of this minute; False if there were `most`. Raises Unavailable."""
        return _take(LINK_REQUESTS_PK, to_rfc3339(now)[:_TO_THE_MINUTE], now, most)

    def take_mail(self, digest: str, now: int, most: int) -> bool:
        """Count one mail to an address in this hour; False as above. Raises Unavailable."""
        return _take(address_links_pk(digest), to_rfc3339(now)[:_TO_THE_HOUR], now, most)

    def take_link(self, account_id: AccountId, now: int, most: int) -> bool:
        """Count one link of an account in this hour; False as above. Raises Unavailable."""
        return _take(account_links_pk(account_id), to_rfc3339(now)[:_TO_THE_HOUR], now, most)


def _take(partition: str, time: str, now: int, most: int) -> bool:
    item = TrialCountItem(partition, time)
    with failing_as_unavailable():
        return update_if(
            item,
            [
                TrialCountItem.kind.set(TrialCountItem),
                TrialCountItem.taken.add(1),
                TrialCountItem.expires_at.set(now // MICROSECONDS + 2 * HOUR_SECONDS),
            ],
            TrialCountItem.taken.does_not_exist() | (TrialCountItem.taken < most),
        )
