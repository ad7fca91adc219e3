"""`zoho-thrive`: the body that receivers of Zoho Thrive's webhooks get.

Source: Zoho Thrive's help page on webhooks. It prints a sample for seven families of events, and
each is rendered with that sample's members, order and types. The page leaves three events
without a sample; theirs is inferred, the family that says most of what they are about:

* Become a Member is rendered as Manual Opt-in is;
* Zoho Survey and Manual Point Adjustment as the social activities are. Points that were deducted
  are negative, because both directions have one name.

What the samples' `points_details` and `earned_points` count is our reading too: the points of the
event, and all that the member has ever earned.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from perkwire.catalogue.names import names_in
from perkwire.formats.format import Attempt, Payload, Settings, Unrenderable
from perkwire.formats.reading import (
    Object,
    decimal,
    first,
    flag,
    moment,
    number,
    part,
    text,
)
from perkwire.formats.standard import Standard
from perkwire.model.event import Event
from perkwire.primitives.fields import Fields
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.stringify import stringify

_OK = 200
_MILLISECOND = 1_000  # in microseconds
_WHOLE_NUMBER = regex(r"0|[1-9][0-9]*")
_LARGEST_ID = 2**63 - 1
_LARGEST_INTEGER = 2**64 - 1  # of the JSON that we accept
_STANDARD = Standard()

type Message = Mapping[str, Json | Decimal]
"""Members and their values, none of which is an object or a list."""


class ZohoThrive:
    """One event as `{"code":200,"message":{…,"event":…}}`.

    The ids that Zoho makes (`contact_id`, `user_program_id`, `purchase_order_track_id`) are
    integers where the given id is a whole number of 64 bits, else strings; a member without an id
    of the membership has one id for both. Times are epoch milliseconds. Zoho signs nothing; the
    headers of Standard Webhooks are sent all the same: a receiver that does not know them ignores
    them, one that does can verify. Any 2xx is a success.
    """

    name = "zoho-thrive"
    largest_batch = 1

    def name_of(self, event_type: str) -> str | None:
        """The value of `event`; None for what Zoho Thrive does not have."""
        name = names_in("zoho-thrive").get(event_type)
        return None if name is None else name.name

    def read_settings(self, _fields: Fields, _stored: Settings | None = None) -> Settings:
        """None."""
        return {}

    def new_secret(self) -> str:
        """`whsec_` and the base64 of 32 random bytes."""
        return _STANDARD.new_secret()

    def check_secret(self, secret: str) -> str | None:
        """`whsec_` and the base64 of 24 to 64 bytes."""
        return _STANDARD.check_secret(secret)

    def doubt_secret(self, _secret: str) -> str | None:
        """None: what is accepted is random enough."""
        return None

    def render(self, payload: Payload) -> bytes:
        """The event; raises Unrenderable for several, and for a type that Zoho does not have."""
        if len(payload.events) != 1:
            raise Unrenderable(f"{payload.delivery_id} has several events; one can be said.")
        event = payload.events[0]
        name = self.name_of(event.type)
        if name is None:
            raise Unrenderable(f"{event.id} is of a type that {self.name} does not have.")
        message = _FAMILIES.get(event.type, _activity)(event, name)
        members = [
            b'"%b":%b' % (member.encode(), _written(value))
            for member, value in message.items()
            if value is not None
        ]
        return b'{"code":%d,"message":{%b}}' % (_OK, b",".join(members))

    def sign(self, secrets: Sequence[str], attempt: Attempt) -> dict[str, str]:
        """The three headers of Standard Webhooks; every secret signs."""
        return _STANDARD.sign(secrets, attempt)

    def is_success(self, status: int) -> bool:
        """2xx."""
        return 200 <= status <= 299


def _activity(event: Event, name: str) -> Message:
    return _points(event) | _ids(event) | {"event": name}


def _review(event: Event, name: str) -> Message:
    review = part(event.data, "review")
    details = first(text(review, "url"), text(review, "body"))
    return {**_activity(event, name), "review_details": details}


def _testimonial(event: Event, name: str) -> Message:
    testimonial = part(event.data, "testimonial")
    details = first(text(testimonial, "body"), text(testimonial, "url"))
    return {**_activity(event, name), "review_details": details}


def _task(event: Event, name: str) -> Message:
    identifier = text(part(event.data, "task"), "id")
    return _points(event) | {"unique_identifier": identifier} | _ids(event) | {"event": name}


def _tier(event: Event, name: str) -> Message:
    tier, ids = part(event.data, "tier"), _ids(event)
    return {
        "email_id": _email(event),
        "previous_tier": text(part(tier, "previous"), "name"),
        "current_tier": first(
            text(part(tier, "current"), "name"),
            text(part(event.data, "member", "tier"), "name"),
        ),
        "total_points": _balance(event),
        "user_program_id": ids["user_program_id"],
        "contact_id": ids["contact_id"],
        "event": name,
    }


def _redemption(event: Event, name: str) -> Message:
    reward, ids = part(event.data, "reward"), _ids(event)
    redeemed = first(
        number(part(event.data, "transaction"), "points"),
        number(reward, "points"),
    )
    return {
        "email_id": _email(event),
        "reward_name": text(reward, "name"),
        "total_points": _balance(event),
        "redeemed_points": None if redeemed is None else abs(redeemed),
        "user_program_id": ids["user_program_id"],
        "contact_id": ids["contact_id"],
        "event": name,
    }


def _purchase(event: Event, name: str) -> Message:
    order = part(event.data, "order")
    purchased_at = first(moment(order, "ordered_at"), moment(order, "paid_at"))
    return {
        "email_id": _email(event),
        "amount": _amount(order, "total"),
        **_ids(event),
        "purchase_time": _milliseconds(first(purchased_at, event.happened_at)),
        "event": name,
        "order_id": text(order, "id"),
        "purchase_order_track_id": _id(order, "tracking_id"),
    }


def _opt_in(event: Event, name: str) -> Message:
    member = part(event.data, "member")
    joined_at = None if event.type == "referral.added" else event.happened_at
    return {
        "email_id": _email(event),
        "user_type": text(member, "type"),
        "joined_date": _milliseconds(first(moment(member, "enrolled_at"), joined_at)),
        "is_loyalty_optin": flag(member, "opted_in"),
        "last_name": text(member, "last_name"),
        **_ids(event),
        "event": name,
        "first_name": text(member, "first_name"),
    }


# What is not here is said as the activities are: most of what Zoho Thrive knows.
_FAMILIES: Mapping[str, Callable[[Event, str], Message]] = {
    "member.enrolled": _opt_in,
    "member.opted_in": _opt_in,
    "referral.added": _opt_in,
    "tier.upgraded": _tier,
    "reward.redeemed": _redemption,
    "purchase.created": _purchase,
    "task.completed": _task,
    "testimonial.created": _testimonial,
    "review.google.created": _review,
    "review.getapp.created": _review,
    "review.capterra.created": _review,
    "review.product_hunt.created": _review,
    "review.trustpilot.created": _review,
}


def _points(event: Event) -> dict[str, Json]:
    transaction = part(event.data, "transaction")
    return {
        "email_id": _email(event),
        "points_details": first(
            number(transaction, "points"), number(part(transaction, "activity"), "points")
        ),
        "earned_points": number(part(event.data, "member", "points"), "earned"),
    }


def _ids(event: Event) -> dict[str, Json]:
    member = part(event.data, "member")
    contact = _id(member, "id")
    return {
        "contact_id": contact,
        "user_program_id": first(_id(member, "membership_id"), contact),
    }


def _id(data: Object, name: str) -> int | str | None:
    value = text(data, name)
    if value is None or not _WHOLE_NUMBER.fullmatch(value) or len(value) > len(str(_LARGEST_ID)):
        return value
    return int(value) if int(value) <= _LARGEST_ID else value


def _email(event: Event) -> str | None:
    return text(part(event.data, "member"), "email")


def _balance(event: Event) -> int | float | None:
    return first(
        number(part(event.data, "transaction"), "balance_after"),
        number(part(event.data, "member", "points"), "balance"),
    )


def _amount(data: Object, name: str) -> int | float | Decimal | None:
    """Whole if it is; what a double does not hold exactly keeps its digits."""
    value = decimal(data, name)
    if value is None:
        return None
    if value == value.to_integral_value() and abs(value) <= _LARGEST_INTEGER:
        return int(value)
    double = float(value)
    return double if Decimal(repr(double)) == value else value


def _written(value: Json | Decimal) -> bytes:
    return f"{value:f}".encode() if isinstance(value, Decimal) else stringify(value)


def _milliseconds(microseconds: int | None) -> int | None:
    return None if microseconds is None else microseconds // _MILLISECOND
