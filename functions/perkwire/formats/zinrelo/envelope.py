"""The envelope, its signature and its success rule.

Source: Zinrelo's help page on webhooks (envelope, event types, signature, success).
"""

import hashlib
import hmac
from collections.abc import Sequence

from perkwire.catalogue.names import names_in
from perkwire.formats.format import Attempt, Payload, Settings, Unrenderable
from perkwire.formats.zinrelo.objects import event_data
from perkwire.formats.zinrelo.values import zinrelo_time
from perkwire.model.event import Event
from perkwire.model.secret import (
    check_plain_secret,
    doubt_plain_secret,
    new_plain_secret,
    plain_key,
)
from perkwire.primitives.fields import Fields
from perkwire.primitives.strict_json import Json
from perkwire.primitives.stringify import stringify

_OK = 200
_MILLISECOND = 1_000  # in microseconds


class Zinrelo:
    """Always the batch envelope, also around a single event; numbers and dates are strings.

    `request_id` is the delivery's id, `created_date` when the first event was accepted: both stay
    at every attempt. Dates are MM/DD/YYYY, times MM/DD/YYYY HH:MM:SS in UTC. The HMAC key is the
    UTF-8 bytes of the secret. There is room for one signature: while a rotation overlaps, the
    secret before it signs, and after it the new one. Only 200 is a success.
    """

    name = "zinrelo"
    largest_batch = 100

    def name_of(self, event_type: str) -> str | None:
        """The `event_type`; None for what Zinrelo does not have."""
        name = names_in("zinrelo").get(event_type)
        return None if name is None else name.name

    def read_settings(self, _fields: Fields, _stored: Settings | None = None) -> Settings:
        """None."""
        return {}

    def new_secret(self) -> str:
        """43 visible characters."""
        return new_plain_secret()

    def check_secret(self, secret: str) -> str | None:
        """1 to 256 characters, as people type them."""
        return check_plain_secret(secret)

    def doubt_secret(self, secret: str) -> str | None:
        """One that is short enough to be guessed, or easily copied wrong."""
        return doubt_plain_secret(secret)

    def render(self, payload: Payload) -> bytes:
        """The envelope; raises Unrenderable if a type is among them that Zinrelo does not have."""
        events: list[Json] = [self._said(event) for event in payload.events]
        return stringify(
            {
                "request_id": payload.delivery_id,
                "total_count": str(len(events)),
                "created_date": zinrelo_time(payload.events[0].accepted_at),
                "events": events,
            }
        )

    def sign(self, secrets: Sequence[str], attempt: Attempt) -> dict[str, str]:
        """`x-zinrelo-signature`, of the body and the `nonce`: the attempt's milliseconds."""
        nonce = str(attempt.at // _MILLISECOND)
        signed = b"%s:%s" % (attempt.body, nonce.encode())
        signature = hmac.digest(plain_key(secrets[-1]), signed, hashlib.sha512)
        return {"x-zinrelo-signature": signature.hex(), "nonce": nonce}

    def is_success(self, status: int) -> bool:
        """200 and nothing else."""
        return status == _OK

    def _said(self, event: Event) -> dict[str, Json]:
        name = self.name_of(event.type)
        if name is None:
            raise Unrenderable(f"{event.id} is of a type that {self.name} does not have.")
        return {"id": event.id, "event_type": name, "data": event_data(event)}
