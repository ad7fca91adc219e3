"""What a format is: the interface that each module beside this one fulfils."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from perkwire.event import Event
from perkwire.ids import DeliveryId


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What one delivery carries. `batched` says that the webhook asked for batches."""

    delivery_id: DeliveryId
    events: Sequence[Event]
    batched: bool


class Unrenderable(Exception):
    """The format has no way to say this delivery; the message names ids only."""


class Format(Protocol):
    """Body, headers, signature and success rule of one kind of receiver. Pure and deterministic."""

    @property
    def name(self) -> str:
        """Its name in a webhook's `format`."""
        ...

    @property
    def largest_batch(self) -> int:
        """The most events that one request can carry."""
        ...

    def knows(self, event_type: str) -> bool:
        """Whether events of this type can be said in this format."""
        ...

    def new_secret(self) -> str:
        """A secret made up for a webhook that was given none."""
        ...

    def check_secret(self, secret: str) -> str | None:
        """What is wrong with a given secret, or None."""
        ...

    def render(self, payload: Payload) -> bytes:
        """The body: the same bytes at every attempt; raises Unrenderable."""
        ...

    def sign(
        self, secrets: Sequence[str], delivery_id: DeliveryId, at: int, body: bytes
    ) -> dict[str, str]:
        """The headers that identify and sign this attempt; `at` is in microseconds."""
        ...

    def is_success(self, status: int) -> bool:
        """Whether an answer's HTTP status means that the receiver has taken the events."""
        ...
