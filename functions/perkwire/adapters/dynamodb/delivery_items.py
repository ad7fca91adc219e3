"""DeliveryTable: one item for each delivery, with all its attempts.

| item | pk | sk |
|---|---|---|
| delivery | `<account>#<webhook>` | what its id says after the webhook: time and hash |
| page of what waits to be pulled | `<account>#<webhook>#pull` | the place of its last delivery |
| where that list ends | `<account>#<webhook>#pull` | `end` |
| how far it has been pulled | `<account>#<webhook>#pull` | `taken` |

`failed_key`, equal to pk, is there only while the delivery has failed or is being retried: the
index `failed` holds those, as one whose next attempt never comes counts as failed too. A delivery
that succeeds at its first attempt, as nearly all do, never enters it.
"""

import enum
from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import (
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from perkwire.adapters.dynamodb.tables import TableItem, text_list, whole
from perkwire.model.delivery import Attempt, Delivery, DeliveryStatus, Reason
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId, webhook_of

UNSETTLED = (DeliveryStatus.RETRYING, DeliveryStatus.FAILED)
"""What the index `failed` holds."""


class AttemptMap(MapAttribute[str, Any]):
    """An attempt inside a delivery."""

    number = NumberAttribute()
    at = NumberAttribute()
    duration_ms = NumberAttribute()
    status_code = NumberAttribute(null=True)
    error = UnicodeAttribute(null=True)
    error_detail = UnicodeAttribute(null=True)
    response = UnicodeAttribute(null=True)
    location = UnicodeAttribute(null=True)
    run = NumberAttribute(null=True)


class FailedIndex(GlobalSecondaryIndex["DeliveryItem"]):  # type: ignore[no-untyped-call]
    """Of a webhook's deliveries those that have failed or are being retried, by id."""

    class Meta:
        """As in template.yaml."""

        index_name = "failed"
        projection = KeysOnlyProjection()

    failed_key = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class DeliveryItem(TableItem):
    """A log entry."""

    class Meta:
        """The table's name is set by `tables.bind`."""

        table_name: str

    event_ids = text_list()
    event_types = text_list()
    run = NumberAttribute()
    status = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    attempts = ListAttribute(of=AttemptMap)
    parts = text_list(null=True)
    erased = text_list(null=True)
    due_at = NumberAttribute(null=True)
    spent_after = NumberAttribute(null=True)
    place = NumberAttribute(null=True)
    created_at = NumberAttribute()
    updated_at = NumberAttribute()
    failed_key = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()
    failed = FailedIndex()


class WaitingMap(MapAttribute[str, Any]):
    """A delivery inside a page of what waits."""

    id = UnicodeAttribute()
    run = NumberAttribute()
    event_ids = text_list()
    not_before = NumberAttribute(null=True)


class WaitingPageItem(TableItem):
    """Deliveries that one write has put at the end of a list."""

    class Meta:
        """The table's name is set by `tables.bind`."""

        table_name: str

    deliveries = ListAttribute(of=WaitingMap)
    written_at = NumberAttribute()
    expires_at = NumberAttribute()


class ListEndItem(TableItem):
    """The last place of a list that is taken, and the watch of the list."""

    class Meta:
        """The table's name is set by `tables.bind`."""

        table_name: str

    last = NumberAttribute()
    watch = NumberAttribute(null=True)


class TakenItem(TableItem):
    """How far a webhook has been pulled, and when last; `deleted` says that it never will be."""

    class Meta:
        """The table's name is set by `tables.bind`."""

        table_name: str

    through = NumberAttribute(default=0)
    at = NumberAttribute(null=True)
    deleted = NumberAttribute(null=True)


DELIVERY_TABLE_ITEMS = (DeliveryItem, WaitingPageItem, ListEndItem, TakenItem)
END_SK = "end"
TAKEN_SK = "taken"
_PLACE_DIGITS = 18


def raw_item(delivery: Delivery, expires_at: int) -> dict[str, Any]:
    """An entry as DynamoDB is sent it; what is None is left out.

    The models make the same of it, at ten times the CPU: nearly all that the dispatcher writes are
    these. A test compares the two.
    """
    pk, sk = delivery_key(delivery.account_id, delivery.id)
    is_unsettled = delivery.status in UNSETTLED
    return _present(
        pk=_text(pk),
        sk=_text(sk),
        event_ids=_texts(delivery.event_ids),
        event_types=_texts(delivery.event_types),
        run=_number(delivery.run),
        status=_text(delivery.status),
        reason=_text(delivery.reason),
        attempts={"L": [{"M": _raw_attempt(attempt)} for attempt in delivery.attempts]},
        due_at=_number(delivery.due_at),
        spent_after=_number(delivery.spent_after),
        created_at=_number(delivery.created_at),
        updated_at=_number(delivery.updated_at),
        failed_key=_text(pk if is_unsettled else None),
        erased=_texts(delivery.erased) if delivery.erased else None,
        place=_number(delivery.place),
        expires_at=_number(expires_at),
    )


def _raw_attempt(attempt: Attempt) -> dict[str, Any]:
    return _present(
        number=_number(attempt.number),
        at=_number(attempt.at),
        duration_ms=_number(attempt.duration_ms),
        status_code=_number(attempt.status_code),
        error=_text(attempt.error),
        error_detail=_text(attempt.error_detail),
        response=_text(attempt.response),
        location=_text(attempt.location),
        run=_number(attempt.run),
    )


def _present(**values: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _text(value: str | None) -> dict[str, Any] | None:
    return None if value is None else {"S": value}


def _number(value: int | None) -> dict[str, Any] | None:
    return None if value is None else {"N": str(value)}


def _texts(values: Iterable[str]) -> dict[str, Any]:
    return {"L": [{"S": value} for value in values]}


def to_delivery(item: DeliveryItem) -> Delivery:
    """The delivery of the domain."""
    account_id, _, webhook_id = item.pk.partition("#")
    return Delivery(
        id=id_of(item),
        account_id=AccountId(account_id),
        webhook_id=WebhookId(webhook_id),
        event_ids=tuple(EventId(event_id) for event_id in item.event_ids),
        event_types=tuple(item.event_types),
        run=int(item.run),
        status=_known(DeliveryStatus, item.status) or DeliveryStatus.UNKNOWN,
        reason=_known(Reason, item.reason),
        attempts=tuple(
            Attempt(
                number=int(attempt.number),
                at=int(attempt.at),
                duration_ms=int(attempt.duration_ms),
                status_code=whole(attempt.status_code),
                error=attempt.error,
                error_detail=attempt.error_detail,
                response=attempt.response,
                location=attempt.location,
                run=whole(attempt.run),
            )
            for attempt in item.attempts
        ),
        due_at=whole(item.due_at),
        spent_after=whole(item.spent_after),
        created_at=int(item.created_at),
        updated_at=int(item.updated_at),
        parts=tuple(DeliveryId(part) for part in item.parts or ()),
        erased=tuple(EventId(one) for one in item.erased or ()),
        place=whole(item.place),
    )


def _known[E: enum.StrEnum](kind: type[E], word: str | None) -> E | None:
    """A word of a later release is none of this one's: it must not harm the entries beside it."""
    return kind(word) if word is not None and word in kind else None


def id_of(item: DeliveryItem) -> DeliveryId:
    """The id of the delivery that an item keeps."""
    webhook_id = item.pk.partition("#")[2]
    return DeliveryId(f"dlv_{webhook_id.removeprefix('wh_')}_{item.sk}")


def delivery_key(account_id: AccountId, delivery_id: DeliveryId) -> tuple[str, str]:
    """Where a delivery lies. The account is the caller's, never the id's to say."""
    webhook_id = webhook_of(delivery_id)
    if webhook_id is None:
        return f"{account_id}#", delivery_id
    return f"{account_id}#{webhook_id}", delivery_id.rpartition("_")[2]


def delivery_item(delivery: Delivery, expires_at: int) -> DeliveryItem:
    """The item of a delivery that is in no log yet."""
    pk, sk = delivery_key(delivery.account_id, delivery.id)
    return DeliveryItem(
        pk,
        sk,
        event_ids=list(delivery.event_ids),
        event_types=list(delivery.event_types),
        run=delivery.run,
        status=delivery.status,
        reason=delivery.reason,
        attempts=[attempt_map(attempt) for attempt in delivery.attempts],
        due_at=delivery.due_at,
        spent_after=delivery.spent_after,
        place=delivery.place,
        created_at=delivery.created_at,
        updated_at=delivery.updated_at,
        failed_key=pk if delivery.status in UNSETTLED else None,
        erased=list(delivery.erased) or None,
        expires_at=expires_at,
    )


def pull_pk(account_id: AccountId, webhook_id: WebhookId) -> str:
    """The partition of what waits to be pulled."""
    return f"{account_id}#{webhook_id}#pull"


def place_sk(place: int) -> str:
    """The sort key of the page whose last delivery has this place."""
    return f"{place:0{_PLACE_DIGITS}}"


def attempt_map(attempt: Attempt) -> AttemptMap:
    """The attempt as an item has it."""
    return AttemptMap(  # type: ignore[no-untyped-call]
        number=attempt.number,
        at=attempt.at,
        duration_ms=attempt.duration_ms,
        status_code=attempt.status_code,
        error=attempt.error,
        error_detail=attempt.error_detail,
        response=attempt.response,
        location=attempt.location,
        run=attempt.run,
    )
