"""From a delivery message and a webhook to the request that its endpoint will get."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from perkwire import VERSION
from perkwire.formats.format import Attempt, Format, Payload, Unrenderable
from perkwire.formats.registry import format_of
from perkwire.model.endpoint import unsendable
from perkwire.model.header_rules import folded
from perkwire.model.masking import masked
from perkwire.model.messages import DeliveryMessage
from perkwire.model.sending import Request
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.regexes import regex

# A header of such a name holds what signs somebody in, even if it is a plain word. Not an author,
# a credit, what is designed or assigned, and shipping, in which the same letters are.
_CREDENTIAL = regex(
    r"auth(?!or(?!i))|cookie|cred(?!it)|key|pass|(?<![a-z])pin|pin(?![a-z])|pwd|secret|session"
    r"|(?<![a-z])sign|token",
    re.IGNORECASE,
)
# What it asks of an answer: no secret, and what answers speak of.
_ASKING = regex(r"accept(?:-.*)?|cache-control|pragma|prefer")
_MILLISECOND = 1_000  # in microseconds


@dataclass(frozen=True, slots=True)
class OpenedSecrets:
    """A webhook's secrets in the clear.

    `retired` are the secrets before it, the newest first, each with the moment, microseconds since
    the epoch, until which it signs too.
    """

    secret: str
    headers: Mapping[str, str]
    retired: tuple[tuple[str, int], ...] = ()

    def secrets(self, at: int) -> tuple[str, ...]:
        """Those that sign an attempt at this moment, the current one first, the oldest last."""
        return (self.secret, *(secret for secret, until in self.retired if at < until))

    def masked(self, snippet: str) -> str:
        """An answer as it may be shown, whoever has echoed what in it."""
        named = {name: _CREDENTIAL.search(name) is not None for name in self.headers}
        values = [
            value
            for name, value in self.headers.items()
            if not named[name] and not _ASKING.fullmatch(folded(name))
        ]
        credentials = [value for name, value in self.headers.items() if named[name]]
        credentials += [self.secret, *(secret for secret, _ in self.retired)]
        return masked(snippet, values, credentials)

    def __repr__(self) -> str:
        return "Opened(…)"


def render(
    message: DeliveryMessage,
    webhook: Webhook,
    opened: OpenedSecrets,
    at: int,
    format_: Format | None = None,
) -> Request:
    """The signed request of an attempt at `at`, microseconds since the epoch.

    The body is the same at every attempt, the signature is not. `format_` is the webhook's, needed
    if it is a stored contract. Raises Unrenderable.
    """
    custom = opened.headers
    if unsendable(custom):
        raise Unrenderable("The webhook has headers that may not be sent.")
    format_ = format_ or format_of(webhook)
    payload = Payload(
        delivery_id=message.delivery_id,
        account_id=webhook.account_id,
        webhook_id=webhook.id,
        url=webhook.url,
        events=message.events,
        batched=webhook.batch_size > 1,
        settings=webhook.format_settings,
    )
    body = format_.render(payload)
    attempt = Attempt(
        delivery_id=message.delivery_id,
        at=at,
        body=body,
        settings=webhook.format_settings,
        payload=payload,
    )
    signed = format_.sign(opened.secrets(at), attempt)
    if not {*map(folded, custom)}.isdisjoint(map(folded, signed)):
        raise Unrenderable("The webhook has a header that its format sets.")
    headers = {
        **custom,
        "content-type": "application/json",
        "user-agent": f"Perkwire/{VERSION}",
        "webhook-id": message.delivery_id,
        **_event_id(message),
        **signed,
    }
    return Request(webhook.url, body, headers)


def render_now(
    message: DeliveryMessage,
    webhook: Webhook,
    opened: OpenedSecrets,
    clock: Callable[[], int],
    format_: Format,
) -> Request:
    """The signed request of an attempt that begins now, and how it is made anew.

    A second copy is signed in a later millisecond: there are formats whose nonce is one. Raises
    Unrenderable.
    """
    at = clock()

    def anew() -> Request:
        return render(message, webhook, opened, max(clock(), at + _MILLISECOND), format_)

    return replace(render(message, webhook, opened, at, format_), anew=anew)


def _event_id(message: DeliveryMessage) -> dict[str, str]:
    """For formats whose body has no place for it: a replay keeps it, under another `webhook-id`."""
    if len(message.events) != 1:
        return {}
    return {"webhook-event-id": message.events[0].id}
