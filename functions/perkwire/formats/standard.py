"""`standard`: the body advised by Standard Webhooks 1.0, and its signature."""

from collections.abc import Sequence

from perkwire.formats.format import Attempt, Payload, Settings
from perkwire.model.event import Event
from perkwire.model.secret import check_secret, new_secret, signing_key
from perkwire.model.signature import standard_webhooks
from perkwire.primitives.fields import Fields
from perkwire.primitives.strict_json import Json
from perkwire.primitives.stringify import stringify
from perkwire.primitives.timestamps import MICROSECONDS, to_rfc3339


class Standard:
    """One event as `{"id","type","timestamp","program_id","data"}`; batches in an envelope.

    A webhook with batch_size over 1 always gets the envelope, also around a single event. The
    key is the decoded part of the secret; any 2xx is a success.
    """

    name = "standard"
    largest_batch = 100

    def name_of(self, event_type: str) -> str:
        """Every type, by its own name."""
        return event_type

    def read_settings(self, _fields: Fields, _stored: Settings | None = None) -> Settings:
        """None."""
        return {}

    def new_secret(self) -> str:
        """`whsec_` and the base64 of 32 random bytes."""
        return new_secret()

    def check_secret(self, secret: str) -> str | None:
        """`whsec_` and the base64 of 24 to 64 bytes."""
        return check_secret(secret)

    def doubt_secret(self, _secret: str) -> str | None:
        """None: what is accepted is random enough."""
        return None

    def render(self, payload: Payload) -> bytes:
        """The event, or the batch envelope with the first event's time."""
        events = [_said(event) for event in payload.events]
        if len(events) == 1 and not payload.batched:
            return stringify(events[0])
        timestamp = to_rfc3339(payload.events[0].happened_at)
        return stringify({"type": "batch", "timestamp": timestamp, "data": {"events": [*events]}})

    def sign(self, secrets: Sequence[str], attempt: Attempt) -> dict[str, str]:
        """`webhook-id`, `webhook-timestamp` in seconds and `webhook-signature`."""
        timestamp = attempt.at // MICROSECONDS
        keys = [signing_key(secret) for secret in secrets]
        return {
            "webhook-id": attempt.delivery_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": standard_webhooks(
                keys, attempt.delivery_id, timestamp, attempt.body
            ),
        }

    def is_success(self, status: int) -> bool:
        """2xx."""
        return 200 <= status <= 299


def _said(event: Event) -> dict[str, Json]:
    return {
        "id": event.id,
        "type": event.type,
        "timestamp": to_rfc3339(event.happened_at),
        "program_id": event.program_id,
        "data": event.data,
    }
