"""The envelope, its signature and its success rule.

Sources: Okendo's developer pages, and Svix's page on verifying by hand.
"""

from collections.abc import Sequence

from perkwire.catalogue.names import names_in
from perkwire.formats.format import Attempt, Payload, Settings, Unrenderable
from perkwire.formats.okendo.resources import RESOURCES
from perkwire.formats.okendo.values import Source
from perkwire.model.secret import check_secret, new_secret, signing_key
from perkwire.model.signature import standard_webhooks
from perkwire.primitives.fields import Fields
from perkwire.primitives.stringify import stringify
from perkwire.primitives.timestamps import MICROSECONDS

_VERSION = "2025-02-01"


class Okendo:
    """One event as `{"resource","resourceType","sequenceNumber","topic","version"}`.

    `sequenceNumber` is the time of acceptance in microseconds, in decimal digits: it grows from
    event to event without a counter. `subscriberId` is the account. A delete has no `customer`.
    Signed as Svix signs, the key being the decoded part of the secret; any 2xx is a success.
    """

    name = f"okendo@{_VERSION}"
    largest_batch = 1

    def name_of(self, event_type: str) -> str | None:
        """The resource type and the topic, e.g. `review.create`."""
        said = names_in("okendo").get(event_type)
        return None if said is None else str(said)

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
        """The one event of the delivery."""
        if len(payload.events) != 1:
            raise Unrenderable(f"{payload.delivery_id} has not exactly one event.")
        event = payload.events[0]
        said = names_in("okendo").get(event.type)
        if said is None:
            raise Unrenderable(f"{event.id} is of a type that this format cannot say.")
        created_at = event.happened_at if said.topic == "create" else None
        resource = RESOURCES[said.name](Source(event.data, payload.account_id, created_at))
        if said.topic == "delete":
            for person in ("customer", "recipient"):
                resource.pop(person, None)
        return stringify(
            {
                "resource": resource,
                "resourceType": said.name,
                "sequenceNumber": str(event.accepted_at),
                "topic": said.topic,
                "version": _VERSION,
            }
        )

    def sign(self, secrets: Sequence[str], attempt: Attempt) -> dict[str, str]:
        """Id, timestamp in seconds and signature, a part for each secret.

        Twice, as `svix-…` and as `webhook-…`: Okendo's page names the tools that verify, and these
        read either.
        """
        timestamp = attempt.at // MICROSECONDS
        keys = [signing_key(secret) for secret in secrets]
        signed = {
            "id": attempt.delivery_id,
            "timestamp": str(timestamp),
            "signature": standard_webhooks(keys, attempt.delivery_id, timestamp, attempt.body),
        }
        return {
            f"{of}-{name}": value for of in ("svix", "webhook") for name, value in signed.items()
        }

    def is_success(self, status: int) -> bool:
        """2xx."""
        return 200 <= status <= 299
