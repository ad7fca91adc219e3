"""What a format is: the interface that each module beside this one fulfils."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Protocol

from perkwire.model.event import Event
from perkwire.model.header_rules import folded
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId
from perkwire.primitives.strict_json import Json

type Settings = Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What one delivery carries, and to which webhook.

    `batched` says that the webhook asked for batches. `settings` are the webhook's own of its
    format, as `read_settings` gave them.
    """

    delivery_id: DeliveryId
    account_id: AccountId
    webhook_id: WebhookId
    url: str
    events: Sequence[Event]
    batched: bool
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a delivery to be signed: the bytes that go out, and when, in microseconds.

    `payload` is what the body was rendered from; None where only the headers' names matter.
    """

    delivery_id: DeliveryId
    at: int
    body: bytes = field(repr=False)
    settings: Settings
    payload: Payload | None = None


class Unrenderable(Exception):
    """The format has no way to say this delivery; the message names ids only.

    `pointer` is the JSON pointer of the place in a contract that has no value.
    """

    pointer: str | None = None


class Format(Protocol):
    """Body, headers, signature and success rule of one kind of receiver. Pure and deterministic."""

    @property
    def name(self) -> str:
        """Its name in a webhook's `format`, with `@` and a version if the product has versions."""
        ...

    @property
    def largest_batch(self) -> int:
        """The most events that one request can carry."""
        ...

    def name_of(self, event_type: str) -> str | None:
        """What the receiver is told that happened; None if this type cannot be said."""
        ...

    def read_settings(self, fields: Fields, stored: Settings | None = None) -> Settings:
        """The settings of a webhook of this format; what is wrong is noted in `fields`.

        `stored` are those of the webhook that is changed: where a default is another one now, what
        is left out has the one that it was made with.
        """
        ...

    def new_secret(self) -> str:
        """A secret made up for a webhook that was given none."""
        ...

    def check_secret(self, secret: str) -> str | None:
        """What is wrong with a given secret, or None. The sentence never holds the secret."""
        ...

    def doubt_secret(self, secret: str) -> str | None:
        """What may come of a given secret that is not wrong, or None; never with the secret."""
        ...

    def render(self, payload: Payload) -> bytes:
        """The body: the same bytes at every attempt; raises Unrenderable."""
        ...

    def sign(self, secrets: Sequence[str], attempt: Attempt) -> dict[str, str]:
        """The headers that identify and sign this attempt.

        `secrets` holds the current secret and, while a rotation overlaps, the one before it.
        Header names are in lower case. Raises UnusableSecret.
        """
        ...

    def is_success(self, status: int) -> bool:
        """Whether an answer's HTTP status means that the receiver has taken the events."""
        ...


def header_names(format_: Format, settings: Settings) -> frozenset[str]:
    """The headers that the format sets, folded: no custom header may be one of them."""
    attempt = Attempt(delivery_id=DeliveryId("dlv_"), at=0, body=b"", settings=settings)
    return frozenset(map(folded, format_.sign([format_.new_secret()], attempt)))
