"""EventTable's index `by_time`: what it says of events, without reading them."""

from collections.abc import Mapping, Sequence
from typing import Any

from perkwire.adapters.dynamodb.event_table import EVENT_SK, EventTableItem, account_hour, event_pk
from perkwire.adapters.dynamodb.tables import failing_as_unavailable
from perkwire.model.event import EventHeading
from perkwire.primitives.ids import AccountId, EventId
from perkwire.reading.event_listing import Place


class EventIndex:
    """Fulfils selecting.EventsByTime and event_listing.EventsByHour.

    The index may lag behind the table by a moment.
    """

    def newest_of_hour(
        self, account_id: AccountId, since: int, place: Place, limit: int
    ) -> tuple[Sequence[EventHeading], bool]:
        """Up to `limit` from `place` back to `since`, both in one hour, newest first.

        The flag says that there may be more in this hour. Raises Unavailable.
        """
        last = place.moment if place.event_id else place.moment - 1
        return self._query(account_id, since, (since, last), place.event_id, limit, forward=False)

    def of_hour(
        self, account_id: AccountId, since: int, until: int, after: str | None, limit: int
    ) -> tuple[Sequence[EventHeading], bool]:
        """Up to `limit` from `since` to before `until` within the hour of `since`, oldest first.

        `after` is the id of an event accepted at `since`, to begin behind it. The flag says that
        there may be more in this hour. Raises Unavailable.
        """
        return self._query(account_id, since, (since, until - 1), after, limit, forward=True)

    def _query(
        self,
        account_id: AccountId,
        since: int,
        bounds: tuple[int, int],
        after: str | None,
        limit: int,
        *,
        forward: bool,
    ) -> tuple[Sequence[EventHeading], bool]:
        hour = account_hour(account_id, since)
        start = None
        if after is not None:
            start = {
                "account_hour": {"S": hour},
                "accepted_at": {"N": str(bounds[0] if forward else bounds[1])},
                "pk": {"S": event_pk(account_id, EventId(after))},
                "sk": {"S": EVENT_SK},
            }
        # The models would ask for `kind`, which the index does not hold.
        with failing_as_unavailable():
            answer = EventTableItem._get_connection().query(
                hour,
                range_key_condition=EventTableItem.accepted_at.between(*bounds),
                exclusive_start_key=start,
                index_name="by_time",
                limit=limit,
                scan_index_forward=forward,
            )
            items = answer["Items"]
        return [_heading(item) for item in items], "LastEvaluatedKey" in answer


def _heading(item: Mapping[str, Any]) -> EventHeading:
    return EventHeading(
        id=EventId(item["event_id"]["S"]),
        type=item["type"]["S"],
        accepted_at=int(item["accepted_at"]["N"]),
        program_id=item["program_id"]["S"] if "program_id" in item else None,
    )
