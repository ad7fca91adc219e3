"""Signing what is pulled: the dispatcher's side, as it alone can open secrets."""

import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field, replace
from typing import Protocol

from perkwire.dispatching.attempts import Formats, Vault
from perkwire.dispatching.lookup import States
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.formats.format import Unrenderable
from perkwire.model.messages import DeliveryMessage
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, EventId, WebhookId
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.strict_json import carried

LARGEST_BYTES = 5_900_000
"""Of one request in management's answer: Lambda answers with 6 MB at most."""


class Unsigned(enum.StrEnum):
    """Why there is no request."""

    ERASED = "erased"
    """All of its events have been erased since they were accepted."""
    UNRENDERABLE = "unrenderable"
    """The format cannot say it, or not as briefly as an answer needs it."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it would be posted now. `left_out` are those of its events that are erased."""

    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)
    left_out: tuple[EventId, ...] = ()

    def carried(self) -> int:
        """Its bytes in management's answer, nearly."""
        return carried({"headers": {**self.headers}, "body": self.body})


type SignedAs = Signed | Unsigned


class Webhooks(Protocol):
    """The webhooks that are pulled."""

    def states(self, keys: Collection[tuple[AccountId, WebhookId]]) -> States:
        """Those whose account exists, and the webhook or its tombstone, read consistently.

        Raises Unavailable.
        """
        ...


class PullSigner:
    """Renders and signs, and sends nothing."""

    def __init__(
        self,
        *,
        webhooks: Webhooks,
        vault: Vault,
        formats: Formats,
        journal: Journal,
        clock: Callable[[], int],
    ) -> None:
        self._webhooks = webhooks
        self._vault = vault
        self._formats = formats
        self._journal = journal
        self._clock = clock

    def sign(
        self, messages: Sequence[DeliveryMessage], most_bytes: int | None = None
    ) -> list[SignedAs]:
        """Of each message of one webhook the request, or why there is none; raises Unavailable.

        Of the first of them, one at least, if the requests of all would take more than `most_bytes`
        in management's answer. A release before this one says no bound.
        """
        if not messages:
            return []
        key = (messages[0].account_id, messages[0].webhook_id)
        if any((message.account_id, message.webhook_id) != key for message in messages):
            raise ValueError("messages of several webhooks")
        state = self._webhooks.states({key}).get(key[1])
        if not isinstance(state, WebhookState):
            raise Unavailable("the webhook is absent")
        opened = self._vault.open(state.webhook)
        answers: list[SignedAs] = []
        size = 0
        for message in messages:
            signed = self._sign(message, state, opened)
            if isinstance(signed, Signed):
                size += signed.carried()
                if answers and most_bytes is not None and size > most_bytes:
                    break
            answers.append(signed)
        return answers

    def _sign(
        self, message: DeliveryMessage, state: WebhookState, opened: OpenedSecrets
    ) -> SignedAs:
        erased = set() if state.erasures is None else state.erasures.covered(message.events)
        left = tuple(event for event in message.events if event.id not in erased)
        left_out = tuple(event.id for event in message.events if event.id in erased)
        if not left:
            return Unsigned.ERASED
        format_ = self._formats.of(state.webhook)
        try:
            request = render(
                replace(message, events=left), state.webhook, opened, self._clock(), format_
            )
            signed = Signed(request.headers, request.body.decode(), left_out)
            if signed.carried() > LARGEST_BYTES:
                raise Unrenderable("The request is too long to be pulled.")
        except Unavailable:
            raise
        except Exception as error:  # one delivery must not take those beside it along
            detail = str(error) if isinstance(error, Unrenderable) else type(error).__name__
            self._journal.fault(
                "delivery_unrenderable",
                account_id=message.account_id,
                webhook_id=message.webhook_id,
                delivery_id=message.delivery_id,
                detail=detail,
            )
            return Unsigned.UNRENDERABLE
        return signed
