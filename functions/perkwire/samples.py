"""One realistic event of each common type, for trying webhooks out.

`data` has the same few objects throughout: member, transaction, tier, reward, referral, order …
Nobody in it exists. A receiver knows a sample by its id, which begins with `evt_test_`.
"""

from collections.abc import Mapping

from perkwire.event import Event
from perkwire.ids import new_test_event_id
from perkwire.strict_json import Json

DEFAULT_TYPE = "points.earned"

_PROGRAM = "rewards-club"
_MEMBER: Mapping[str, Json] = {
    "id": "mbr_20417",
    "email": "maria.lopez@example.com",
    "first_name": "Maria",
    "last_name": "Lopez",
    "points_balance": 860,
    "tier": "Gold",
}
_ORDER: Mapping[str, Json] = {
    "id": "10045",
    "currency": "EUR",
    "subtotal": "36.00",
    "total": "39.90",
    "items": [
        {"sku": "beans-250", "name": "House blend 250 g", "quantity": 2, "price": "9.50"},
        {"sku": "filter-100", "name": "Paper filters", "quantity": 1, "price": "17.00"},
    ],
}
_REWARD: Mapping[str, Json] = {
    "id": "rwd_free-coffee",
    "name": "Free coffee",
    "points": 200,
    "code": "COFFEE-7Q2M",
}
_REFERRAL: Mapping[str, Json] = {
    "id": "ref_3051",
    "code": "MARIA-10",
    "referrer": {"id": "mbr_20417", "email": "maria.lopez@example.com"},
    "friend": {"id": "mbr_20533", "email": "jonas.weber@example.com"},
}


def _points(kind: str, points: int, reason: str, **objects: Json) -> dict[str, Json]:
    """A change of a balance of 860 points."""
    transaction: dict[str, Json] = {
        "id": "txn_88120",
        "kind": kind,
        "points": points,
        "balance_before": 860 - points,
        "balance_after": 860,
        "reason": reason,
    }
    return {"transaction": transaction, **objects}


def _tier(previous: str, current: str) -> dict[str, Json]:
    return {"tier": {"previous": previous, "current": current, "valid_until": "2027-12-31"}}


_OBJECTS: Mapping[str, Mapping[str, Json]] = {
    "points.earned": _points("earned", 36, "purchase", order={**_ORDER}),
    "points.redeemed": _points("redeemed", -200, "reward", reward={**_REWARD}),
    "points.expired": _points("expired", -120, "unused for twelve months"),
    "points.adjusted": _points("adjusted", 50, "goodwill"),
    "tier.upgraded": _tier("Silver", "Gold"),
    "tier.downgraded": _tier("Platinum", "Gold"),
    "member.enrolled": {"enrolment": {"channel": "web", "marketing_consent": True}},
    "member.updated": {"changed": ["email"]},
    "reward.redeemed": {"reward": {**_REWARD}, **_points("redeemed", -200, "reward")},
    "purchase.created": {"order": {**_ORDER}},
    "purchase.refunded": {"order": {**_ORDER}, **_points("refunded", -36, "refund")},
    "referral.created": {"referral": {**_REFERRAL}},
    "referral.completed": {"referral": {**_REFERRAL}, **_points("earned", 100, "referral")},
}


def sample_event(event_type: str, at: int) -> Event:
    """A sample of any type, as if accepted at `at`, microseconds since the epoch.

    A type that is not in the table gets the member alone.
    """
    return Event(
        id=new_test_event_id(at),
        type=event_type,
        accepted_at=at,
        occurred_at=None,
        program_id=_PROGRAM,
        data={"member": {**_MEMBER}, **_OBJECTS.get(event_type, {})},
    )
