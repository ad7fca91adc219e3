"""EventTable as the events that name a member are found in it, without reading them."""

from collections.abc import Sequence

from perkwire.adapters.dynamodb.event_table import MentionItem, mention_sk, mentions_pk
from perkwire.adapters.dynamodb.tables import failing_as_unavailable
from perkwire.primitives.ids import AccountId, EventId
from perkwire.reading.event_listing import ListPosition


class Mentions:
    """Fulfils member_listing.Mentions."""

    def newest(
        self, account_id: AccountId, member_key: str, since: int, place: ListPosition, limit: int
    ) -> tuple[Sequence[ListPosition], bool]:
        """Up to `limit` events from `place` back to `since`, newest first, by time and id.

        The flag says that there may be more. Raises Unavailable.
        """
        # Without an id, an event of the moment itself sorts behind it and is left out.
        before = mention_sk(place.moment, place.event_id or EventId(""))
        after = mention_sk(since, EventId(""))
        with failing_as_unavailable():
            items = list(
                MentionItem.query(
                    mentions_pk(account_id, member_key),
                    MentionItem.sk < before,
                    limit=limit,
                    page_size=limit,
                    scan_index_forward=False,
                )
            )
        found = [_position(item) for item in items if item.sk >= after]
        return found, len(found) == limit


def _position(item: MentionItem) -> ListPosition:
    moment, _, event_id = item.sk.partition("#")
    return ListPosition(int(moment), EventId(event_id))
