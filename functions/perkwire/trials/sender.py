"""Sampling: the dispatcher's side of a test. Renders, signs and sends as a delivery is sent.

Nothing is logged as a delivery, counted for pausing or put in a queue.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Protocol

from perkwire.dispatching.attempts import Vault
from perkwire.dispatching.lookup import States
from perkwire.dispatching.rendering import render_now
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.formats.format import Format, Unrenderable
from perkwire.formats.lookup import FormatLookup
from perkwire.model.delivery import Reason
from perkwire.model.messages import DeliveryMessage
from perkwire.model.sending import NoResponse, Request, Response, Sender
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, WebhookId, new_test_delivery_id
from perkwire.primitives.journal import Journal
from perkwire.trials.samples import sample_event
from perkwire.trials.trial import SavedWebhook, SentRequest, Trial, TrialOutcome


class Webhooks(Protocol):
    """The webhooks to test."""

    def states(self, keys: Collection[tuple[AccountId, WebhookId]]) -> States:
        """Those whose account exists, and the webhook or its tombstone, read consistently.

        Raises Unavailable.
        """
        ...


class TrialSender:
    """Sends samples, one at a time."""

    def __init__(
        self,
        *,
        webhooks: Webhooks,
        vault: Vault,
        formats: FormatLookup | None = None,
        sender: Sender,
        journal: Journal,
        clock: Callable[[], int],
    ) -> None:
        self._webhooks = webhooks
        self._vault = vault
        self._formats = formats or FormatLookup()
        self._sender = sender
        self._journal = journal
        self._clock = clock

    def send(self, trial: Trial) -> TrialOutcome | None:
        """Send one sample event, whatever the webhook's status; None: there is no such webhook.

        Raises Unavailable.
        """
        webhook = self._find(trial.webhook)
        if webhook is None:
            return None
        now = self._clock()
        message = DeliveryMessage(
            delivery_id=new_test_delivery_id(now),
            account_id=webhook.account_id,
            webhook_id=webhook.id,
            run=0,
            events=(sample_event(trial.event_type, now),),
        )
        outcome = self._attempt(message, webhook, self._format(webhook, trial.contract))
        self._journal.note(
            "webhook.tested",
            account_id=webhook.account_id,
            webhook_id=webhook.id,
            delivery_id=message.delivery_id,
            status_code=outcome.status_code,
            error=outcome.error,
            error_detail=outcome.error_detail,
            duration_ms=outcome.duration_ms,
        )
        return outcome

    def _find(self, webhook: SavedWebhook | Webhook) -> Webhook | None:
        if isinstance(webhook, Webhook):
            return webhook
        states = self._webhooks.states({(webhook.account_id, webhook.webhook_id)})
        state = states.get(webhook.webhook_id)
        return state.webhook if isinstance(state, WebhookState) else None

    def _format(self, webhook: Webhook, contract: str | None) -> Format:
        if contract is None:
            return self._formats.of(webhook)
        # Imported for those that are being written: most invocations say no contract.
        from perkwire.formats.contracts.contract import read_contract
        from perkwire.formats.contracts.contract_format import ContractFormat

        return ContractFormat(read_contract(json.loads(contract)))

    def _attempt(self, message: DeliveryMessage, webhook: Webhook, format_: Format) -> TrialOutcome:
        opened = self._vault.open(webhook)
        copies: list[Request] = []

        def anew() -> Request:
            copies.append(render_now(message, webhook, opened, self._clock, format_))
            return copies[-1]

        try:
            request = replace(anew(), anew=anew)
        except Unrenderable:
            return TrialOutcome(delivered=False, duration_ms=0, error=Reason.FORMAT)
        result = self._sender.send(request)
        sent = SentRequest(copies[-1], frozenset(opened.headers))
        match result:
            case Response():
                return TrialOutcome(
                    delivered=format_.is_success(result.status),
                    duration_ms=result.duration_ms,
                    status_code=result.status,
                    response=opened.masked(result.snippet),
                    location=result.location and opened.masked(result.location),
                    sent=sent,
                )
            case NoResponse(error, duration_ms, detail):
                return TrialOutcome(
                    delivered=False,
                    duration_ms=duration_ms,
                    error=error,
                    error_detail=detail,
                    sent=sent,
                )
