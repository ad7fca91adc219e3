"""What became of each delivery that a person has sent again, for people."""

from collections.abc import Callable, Collection, Mapping, Sequence
from http import HTTPStatus

from console.http.form import Form
from perkwire.model.delivery import Delivery
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import DeliveryId, accepted_at, webhook_of
from perkwire.recovering.retrying import HAS_SUCCEEDED, MOST_IDS, RetryResult

_WORDS: Mapping[HTTPStatus, tuple[str, str]] = {
    HTTPStatus.ACCEPTED: ("sent again", "good"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("try again", "warn"),
}
_REFUSED = ("refused", "bad")
_REFUSED_AS = "not"
_PARAMETERS: Mapping[HTTPStatus, str] = {
    HTTPStatus.ACCEPTED: "sent",
    HTTPStatus.CONFLICT: _REFUSED_AS,
    HTTPStatus.SERVICE_UNAVAILABLE: "later",
}
_UNKNOWN = "unknown"
_MOST_UNKNOWN = 10
_LONGEST_UNKNOWN = 128
_SUCCEEDED = "The delivery is succeeded. Its page sends it again all the same."
_NOT_THERE = "There is no such delivery."
_NOT_KEPT = "Its events are no longer kept."
_TRY_AGAIN = "It could not be queued."


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


def as_query(results: Sequence[RetryResult]) -> dict[str, list[str]]:
    """The results as the query of the page that shows them: it can then be loaded again.

    A webhook is named once, with what is of each of its deliveries' own. Of ids that no delivery
    can have, the first few stand for all.
    """
    told: dict[str, dict[str, list[str]]] = {}
    unknown: list[str] = []
    for result in results:
        webhook_id = webhook_of(result.delivery_id)
        if webhook_id is None:
            unknown.append(result.delivery_id[:_LONGEST_UNKNOWN])
            continue
        own = told.setdefault(_PARAMETERS.get(result.status, _REFUSED_AS), {})
        places = own.setdefault(webhook_id.removeprefix("wh_"), [])
        places.append(result.delivery_id.rpartition("_")[2])
    query = {
        name: [".".join([webhook, *places]) for webhook, places in own.items()]
        for name, own in told.items()
    }
    return query | {_UNKNOWN: unknown[:_MOST_UNKNOWN]}


def from_query(
    query: Form,
    entries_of: Callable[[Collection[DeliveryId]], Mapping[DeliveryId, Delivery]],
    refusals_of: Callable[[Collection[Delivery]], Mapping[DeliveryId, RetryResult | None]],
) -> tuple[list[RetryResult], Mapping[DeliveryId, Delivery]]:
    """The results again, with why not as it is now, and the entries of the log. At most MOST_IDS.

    Raises Unavailable.
    """
    named = [
        (status, DeliveryId(f"dlv_{webhook}_{place}"))
        for status, parameter in _PARAMETERS.items()
        for text in query.texts(parameter)
        for webhook, *places in [text.split(".")]
        for place in places
    ][:MOST_IDS]
    entries = entries_of([one for _, one in named])
    refusals = refusals_of([*entries.values()])
    results = []
    for status, delivery_id in named:
        entry = entries.get(delivery_id)
        if entry is None:
            results.append(RetryResult(delivery_id, HTTPStatus.NOT_FOUND, _NOT_THERE))
        elif status is HTTPStatus.CONFLICT:
            why = refusals.get(delivery_id)
            results.append(why or RetryResult(delivery_id, status, _NOT_KEPT))
        else:
            parts = f"It was too large, and goes out in {len(entry.parts)} parts."
            later = _TRY_AGAIN if status is HTTPStatus.SERVICE_UNAVAILABLE else None
            results.append(RetryResult(delivery_id, status, parts if entry.parts else later))
    results += [
        RetryResult(DeliveryId(one), HTTPStatus.NOT_FOUND, _NOT_THERE)
        for one in query.texts(_UNKNOWN)[:_MOST_UNKNOWN]
    ]
    return results, entries


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
        RetryGroup(*_WORDS.get(status, _REFUSED), in_console(why), rows)
        for (status, why), rows in sorted(groups.items(), key=lambda one: _is_sent(one[0][0]))
    ]


def in_console(why: str | None) -> str | None:
    """A refusal's words for somebody who sees pages, not requests."""
    return _SUCCEEDED if why == HAS_SUCCEEDED else why


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
