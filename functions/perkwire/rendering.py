"""From a delivery message and a webhook to the request that its endpoint will get."""

from collections.abc import Mapping
from dataclasses import dataclass

from perkwire import VERSION
from perkwire.endpoint import check_headers
from perkwire.formats import FORMATS, Payload, Unrenderable
from perkwire.messages import DeliveryMessage
from perkwire.sending import Request
from perkwire.webhook import Webhook


@dataclass(frozen=True, slots=True)
class Opened:
    """A webhook's secrets in the clear.

    `retired` is the secret before a rotation and the moment, microseconds since the epoch, until
    which it signs too.
    """

    secret: str
    headers: Mapping[str, str]
    retired: tuple[str, int] | None = None

    def secrets(self, at: int) -> tuple[str, ...]:
        """Those that sign an attempt at this moment, the current one first."""
        if self.retired is not None and at < self.retired[1]:
            return self.secret, self.retired[0]
        return (self.secret,)

    def __repr__(self) -> str:
        return "Opened(…)"


def render(message: DeliveryMessage, webhook: Webhook, opened: Opened, at: int) -> Request:
    """The signed request of an attempt at `at`, microseconds since the epoch.

    The body is the same at every attempt, the signature is not. Raises Unrenderable.
    """
    custom = check_headers(opened.headers)
    if not isinstance(custom, dict):
        raise Unrenderable("The webhook has headers that may not be sent.")
    format_ = FORMATS[webhook.format]
    payload = Payload(
        delivery_id=message.delivery_id,
        events=message.events,
        batched=webhook.batch_size > 1,
    )
    body = format_.render(payload)
    headers = {
        **custom,
        "content-type": "application/json",
        "user-agent": f"Perkwire/{VERSION}",
        "webhook-id": message.delivery_id,
        **format_.sign(opened.secrets(at), message.delivery_id, at, body),
    }
    return Request(webhook.url, body, headers)
