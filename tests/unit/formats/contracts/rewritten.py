"""Formats in code, written once more as contracts: how near these come, and at what cost."""

from perkwire.catalogue.names import names_in
from perkwire.primitives.strict_json import Json

_EMAIL = "=data.member.email"
_CONTACT = "=integer_if_whole(data.member.id)"
_PROGRAM = "=integer_if_whole(not_null(data.member.membership_id, data.member.id))"
_IDS: dict[str, Json] = {"contact_id": _CONTACT, "user_program_id": _PROGRAM}
_EVENT: dict[str, Json] = {"event": "=event.name"}
_POINTS: dict[str, Json] = {
    "email_id": _EMAIL,
    "points_details": "=not_null(data.transaction.points, data.transaction.activity.points)",
    "earned_points": "=data.member.points.earned",
}
_BALANCE = "=not_null(data.transaction.balance_after, data.member.points.balance)"


def _message(message: dict[str, Json]) -> Json:
    return {"code": 200, "message": message}


def _opt_in(joined: str) -> Json:
    return _message(
        {
            "email_id": _EMAIL,
            "user_type": "=data.member.type",
            "joined_date": joined,
            "is_loyalty_optin": "=data.member.opted_in",
            "last_name": "=data.member.last_name",
            **_IDS,
            **_EVENT,
            "first_name": "=data.member.first_name",
        }
    )


def _review(details: str) -> Json:
    return _message({**_POINTS, **_IDS, **_EVENT, "review_details": details})


ZOHO_THRIVE: dict[str, Json] = {
    "name": "zoho-thrive",
    "version": "1",
    "events": {event_type: said.name for event_type, said in names_in("zoho-thrive").items()},
    "bodies": [
        {
            "for": ["member.enrolled", "member.opted_in"],
            "body": _opt_in("=epoch_ms(not_null(data.member.enrolled_at, event.timestamp))"),
        },
        {"for": ["referral.added"], "body": _opt_in("=epoch_ms(data.member.enrolled_at)")},
        {
            "for": ["tier.upgraded"],
            "body": _message(
                {
                    "email_id": _EMAIL,
                    "previous_tier": "=data.tier.previous.name",
                    "current_tier": "=not_null(data.tier.current.name, data.member.tier.name)",
                    "total_points": _BALANCE,
                    "user_program_id": _PROGRAM,
                    "contact_id": _CONTACT,
                    **_EVENT,
                }
            ),
        },
        {
            "for": ["reward.redeemed"],
            "body": _message(
                {
                    "email_id": _EMAIL,
                    "reward_name": "=data.reward.name",
                    "total_points": _BALANCE,
                    "redeemed_points": "=unsigned(not_null(data.transaction.points, "
                    "data.reward.points))",
                    "user_program_id": _PROGRAM,
                    "contact_id": _CONTACT,
                    **_EVENT,
                }
            ),
        },
        {
            "for": ["purchase.created"],
            "body": _message(
                {
                    "email_id": _EMAIL,
                    "amount": "=number(data.order.total)",
                    **_IDS,
                    "purchase_time": "=epoch_ms(not_null(data.order.ordered_at, "
                    "data.order.paid_at, event.timestamp))",
                    **_EVENT,
                    "order_id": "=data.order.id",
                    "purchase_order_track_id": "=integer_if_whole(data.order.tracking_id)",
                }
            ),
        },
        {
            "for": ["task.completed"],
            "body": _message({**_POINTS, "unique_identifier": "=data.task.id", **_IDS, **_EVENT}),
        },
        {
            "for": ["testimonial.created"],
            "body": _review("=not_null(data.testimonial.body, data.testimonial.url)"),
        },
        {"for": ["review.*"], "body": _review("=not_null(data.review.url, data.review.body)")},
    ],
    "body": _message({**_POINTS, **_IDS, **_EVENT}),
}

STANDARD: dict[str, Json] = {
    "name": "standard",
    "version": "1",
    "events": {"*": "{type}"},
    "body": {
        "id": "=event.id",
        "type": "=event.type",
        "timestamp": "=event.timestamp",
        "program_id": {"$value": "event.program_id", "absent": "null"},
        "data": "=data",
    },
    "batch": {
        "body": {"type": "batch", "timestamp": "=event.timestamp", "data": {"events": "=events"}}
    },
}

QUALIFIO: dict[str, Json] = {
    "name": "qualifio",
    "version": "1",
    "events": {event_type: str(said.name) for event_type, said in names_in("qualifio").items()},
    "body": {
        "eventId": "=event.id",
        "eventType": "=event.name",
        "date": "=event.timestamp",
        "programId": "=event.program_id",
        "member": "=data.member",
        "data": "=data",
    },
    "batch": {"always": True},
}
"""Near to it: no expression leaves `member` out of `data`, and no setting names a header."""
