"""Identifiers: a prefix that says what it names, then lower-case Crockford base 32.

The event ids that we make up, job ids, and the second part of delivery ids begin with a time in
milliseconds, so they sort by it as text.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import NewType

from perkwire.primitives.regexes import regex

AccountId = NewType("AccountId", str)
WebhookId = NewType("WebhookId", str)
EventId = NewType("EventId", str)
DeliveryId = NewType("DeliveryId", str)
KeyId = NewType("KeyId", str)
JobId = NewType("JobId", str)
RejectedEventId = NewType("RejectedEventId", str)

_ACCOUNT_ID = re.compile(r"acct_[0-9a-z]{16}")
_DELIVERY_ID = re.compile(r"dlv_([0-9a-z]{16})_[0-9a-z]{26}")
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_LENGTH = 10  # 50 bits of milliseconds: enough until the year 37648
_RANDOM_LENGTH = 16  # 80 bits
_SAMPLE = "sample-"
_SAMPLE_ID = regex(rf"{_SAMPLE}([{_ALPHABET}]{{{_TIME_LENGTH}}})[{_ALPHABET}]{{{_RANDOM_LENGTH}}}")
OWN_BEGINNINGS = ("acct_", "dlv_", "evt_", "job_", "key_", _SAMPLE, "wh_")
_JOB_RANDOM_LENGTH = 6  # 30 bits: an account starts few jobs in one millisecond


def new_account_id() -> AccountId:
    """`acct_` and 80 random bits."""
    return AccountId(f"acct_{_random()}")


def is_account_id(text: str) -> bool:
    """Whether it has the form of `new_account_id`: what has not names no account.

    Asked before a table is: rights over its keys are given by this form, so that AWS refuses to
    look for anything else, where it would find nothing.
    """
    return _ACCOUNT_ID.fullmatch(text) is not None


def account_ids_in(text: str) -> Sequence[AccountId]:
    """Whatever stands in a text and has the form of an account's id, each once."""
    return [*dict.fromkeys(AccountId(one[0]) for one in _ACCOUNT_ID.finditer(text))]


def new_webhook_id() -> WebhookId:
    """`wh_` and 80 random bits."""
    return WebhookId(f"wh_{_random()}")


def webhook_id_of_form(account_id: AccountId, form: str, name: str) -> WebhookId:
    """The id of the webhook that a form makes under this name: always it."""
    return WebhookId(f"wh_{_digest('form', account_id, form, name, length=_RANDOM_LENGTH)}")


def new_form_id() -> str:
    """80 random bits: a page's form, however often it is sent."""
    return _random()


def new_key_id() -> KeyId:
    """`key_` and 80 random bits; names an API key without being one."""
    return KeyId(f"key_{_random()}")


def new_job_id(at: int) -> JobId:
    """`job_`, the time (microseconds since the epoch) and 30 random bits: one account's own."""
    return JobId(f"job_{time_prefix(at)}{_random()[:_JOB_RANDOM_LENGTH]}")


def new_activity_id(at: int) -> str:
    """`act_`, the time (microseconds since the epoch) and 80 random bits: a record of a change."""
    return f"act_{time_prefix(at)}{_random()}"


def new_event_id(accepted_at: int) -> EventId:
    """`evt_`, the time of acceptance (microseconds since the epoch) and 80 random bits."""
    return EventId(f"evt_{time_prefix(accepted_at)}{_random()}")


def new_test_event_id(at: int) -> EventId:
    """`evt_test_`, the time (microseconds since the epoch) and 80 random bits: a sample's."""
    return EventId(f"evt_test_{time_prefix(at)}{_random()}")


def new_sample_event_id(accepted_at: int) -> EventId:
    """`sample-`, the time of acceptance (microseconds since the epoch) and 80 random bits."""
    return EventId(f"{_SAMPLE}{time_prefix(accepted_at)}{_random()}")


def sampled_at(event_id: str) -> int | None:
    """When a sample event was made, to the millisecond, in microseconds; None: it is no sample."""
    made = _SAMPLE_ID.fullmatch(event_id)
    return _moment(made[1]) if made else None


def is_own(event_id: str) -> bool:
    """Whether it begins as the ids that we make up do, so that a caller may not choose it."""
    return event_id.startswith(OWN_BEGINNINGS)


def new_test_delivery_id(at: int) -> DeliveryId:
    """`dlv_test_`, the time (microseconds since the epoch) and 80 random bits: no webhook's."""
    return DeliveryId(f"dlv_test_{time_prefix(at)}{_random()}")


def event_id_for_key(account_id: AccountId, idempotency_key: str, position: int) -> EventId:
    """The id of the event at `position` of a request sent with this Idempotency-Key: always it."""
    return EventId(f"evt_{_digest(account_id, idempotency_key, str(position), length=26)}")


def rejected_event_id(received_at: int, message: str, place: int | None) -> RejectedEventId:
    """`rej_`, the time (microseconds since the epoch) and a hash: the same for the same message."""
    digest = _digest(message, "" if place is None else str(place), length=_RANDOM_LENGTH)
    return RejectedEventId(f"rej_{time_prefix(received_at)}{digest}")


def delivery_id(
    webhook_id: WebhookId,
    event_ids: Sequence[EventId],
    accepted_at: int,
    maker: JobId | DeliveryId | None = None,
) -> DeliveryId:
    """The same for the same webhook and events, so that routing twice repeats, never doubles.

    `maker` is the job of a replay, or the delivery that goes out in parts: theirs are other
    deliveries than those of the routing or another maker.
    `accepted_at` is the first event's time of acceptance in microseconds; an event keeps its own
    through every repeat.
    """
    of_maker = () if maker is None else (maker,)
    digest = _digest(*of_maker, webhook_id, *event_ids, length=_RANDOM_LENGTH)
    return DeliveryId(f"dlv_{webhook_id.removeprefix('wh_')}_{time_prefix(accepted_at)}{digest}")


def webhook_of(delivery: DeliveryId) -> WebhookId | None:
    """The webhook that a delivery's id names, or None if it is not of a delivery id's form."""
    form = _DELIVERY_ID.fullmatch(delivery)
    return WebhookId(f"wh_{form[1]}") if form else None


def accepted_at(delivery: DeliveryId) -> int:
    """When the first event of a delivery was accepted, to the millisecond, in microseconds."""
    return _moment(delivery.rpartition("_")[2][:_TIME_LENGTH])


def time_prefix(microseconds: int) -> str:
    """Where ids of this moment begin, among the parts of ids that sort by time."""
    return _base32(max(microseconds, 0) // 1000, _TIME_LENGTH)


def _moment(prefix: str) -> int:
    """The time that `time_prefix` wrote, to the millisecond, in microseconds."""
    milliseconds = 0
    for digit in prefix:
        milliseconds = milliseconds * len(_ALPHABET) + _ALPHABET.index(digit)
    return milliseconds * 1000


def _random() -> str:
    return _base32(secrets.randbits(_RANDOM_LENGTH * 5), _RANDOM_LENGTH)


def _digest(*parts: str, length: int) -> str:
    # Each part goes in with its length: ("ab", "c") and ("a", "bc") must differ.
    hasher = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        hasher.update(len(encoded).to_bytes(4, "big"))
        hasher.update(encoded)
    return _base32(int.from_bytes(hasher.digest(), "big"), length)


def _base32(number: int, length: int) -> str:
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(length)))
