"""What became of each delivery that a person has sent again, for people."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from perkwire.model.delivery import Delivery
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import DeliveryId, accepted_at, webhook_of
from perkwire.recovering.retrying import RetryResult

_WORDS: Mapping[HTTPStatus, tuple[str, str]] = {
    HTTPStatus.ACCEPTED: ("sent again", "good"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("try again", "warn"),
}
_REFUSED = ("refused", "bad")


@dataclass(frozen=True, slots=True)
class Retried:
    """A delivery that was to be sent again; what is None is not known of an id that is no one's."""

    id: DeliveryId
    accepted_at: int | None
    event_types: Sequence[str]
    webhook_id: str | None
    webhook: str | None


@dataclass(frozen=True, slots=True)
class RetryGroup:
    """Deliveries to which the same happened. `word` and `kind` are those of a badge."""

    word: str
    kind: str
    why: str | None
    rows: Sequence[Retried]


def retry_groups(
    results: Sequence[RetryResult],
    entries: Mapping[DeliveryId, Delivery],
    names: Mapping[str, str],
) -> list[RetryGroup]:
    """The results by what happened and why; what was not sent comes first."""
    groups: dict[tuple[HTTPStatus, str | None], list[Retried]] = {}
    for result in results:
        row = _row(result.delivery_id, entries.get(result.delivery_id), names)
        groups.setdefault((result.status, result.detail), []).append(row)
    return [
        RetryGroup(*_WORDS.get(status, _REFUSED), why, rows)
        for (status, why), rows in sorted(groups.items(), key=lambda one: _is_sent(one[0][0]))
    ]


def _is_sent(status: HTTPStatus) -> bool:
    return status is HTTPStatus.ACCEPTED


def _row(delivery_id: DeliveryId, entry: Delivery | None, names: Mapping[str, str]) -> Retried:
    if entry is None:
        return Retried(delivery_id, None, (), None, None)
    webhook_id = webhook_of(delivery_id) or ""
    name = names.get(webhook_id)
    return Retried(
        delivery_id,
        accepted_at(delivery_id),
        entry.event_types,
        webhook_id if name else None,
        name or "deleted webhook",
    )
