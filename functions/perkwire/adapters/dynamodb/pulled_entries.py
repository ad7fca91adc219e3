"""Log entries of webhooks that are pulled, as they read by how far that is.

What is stored of each is that it waits, and where. One item for each webhook says the rest.
"""

from collections.abc import Iterable
from dataclasses import replace

from perkwire.adapters.dynamodb.delivery_items import (
    TAKEN_SK,
    DeliveryItem,
    TakenItem,
    pull_pk,
    to_delivery,
)
from perkwire.adapters.dynamodb.tables import find_all
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason


def as_they_read(items: Iterable[DeliveryItem]) -> list[Delivery]:
    """The entries; raises Unavailable. A call more only if there are some that wait."""
    entries = [to_delivery(item) for item in items]
    waiting = {_pk(entry) for entry in entries if entry.status is DeliveryStatus.WAITING}
    if not waiting:
        return entries
    found = find_all(TakenItem, {(pk, TAKEN_SK) for pk in waiting})
    taken = {item.pk: item for item in found}
    return [_read(entry, taken.get(_pk(entry))) for entry in entries]


def _pk(entry: Delivery) -> str:
    return pull_pk(entry.account_id, entry.webhook_id)


def _read(entry: Delivery, taken: TakenItem | None) -> Delivery:
    if entry.status is not DeliveryStatus.WAITING or taken is None:
        return entry
    if entry.place is not None and entry.place <= int(taken.through):
        return replace(entry, status=DeliveryStatus.PULLED)
    if taken.deleted is not None:
        return replace(entry, status=DeliveryStatus.CANCELLED, reason=Reason.DELETED)
    return entry
