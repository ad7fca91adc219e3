"""A test of a webhook: one sample event sent to it now, outside the log.

In code it is a trial, so that nobody takes it for a test of the code.
"""

from dataclasses import field

from perkwire.model.masking import MASK
from perkwire.model.sending import Request
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.strict_json import Json

MOST_SECONDS = 10
"""How long the endpoint of a test may take at most, whatever EndpointTimeoutSeconds is."""


@dataclass(frozen=True, slots=True)
class SavedWebhook:
    """One that is stored: what it is, the dispatcher looks up."""

    account_id: AccountId
    webhook_id: WebhookId


@dataclass(frozen=True, slots=True)
class Trial:
    """A sample of `event_type` for a webhook: a saved one, or one as it is not stored.

    The latter has the id that its secrets are sealed for: its own, or one made up for it.
    `contract` is the JSON of its format, if that is not stored either.
    """

    webhook: SavedWebhook | Webhook
    event_type: str
    contract: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SentRequest:
    """What went over the wire. `hidden` names the custom headers: their values are secrets."""

    request: Request
    hidden: frozenset[str]

    def to_json(self) -> dict[str, Json]:
        """The request as the API answers it, … in place of what is hidden."""
        headers: dict[str, Json] = {
            name: MASK if name in self.hidden else value
            for name, value in self.request.headers.items()
        }
        body = self.request.body.decode()
        return {"url": self.request.url, "headers": headers, "body": body}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """How a test went: a status code, or an error class as in the log.

    `response` holds at most the first 512 bytes of the answer, of a success too, and `location`
    where a redirect points. Without `sent`
    the format could not render the sample, and nothing was sent.
    """

    delivered: bool
    duration_ms: int
    status_code: int | None = None
    error: str | None = None
    error_detail: str | None = None
    response: str | None = None
    location: str | None = None
    sent: SentRequest | None = None

    def to_json(self) -> dict[str, Json]:
        """The outcome as the API answers it."""
        optional: dict[str, Json] = {
            "status_code": self.status_code,
            "error": self.error,
            "error_detail": self.error_detail,
            "response": self.response,
            "location": self.location,
            "request": None if self.sent is None else self.sent.to_json(),
        }
        return {
            "delivered": self.delivered,
            "duration_ms": self.duration_ms,
            **{name: value for name, value in optional.items() if value is not None},
        }
