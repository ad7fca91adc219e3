"""Trying: management's side of a test. Who may test what, how often, and with which sample."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from perkwire.formats.format import Format
from perkwire.formats.lookup import AccountFormats, OneFormat
from perkwire.managing.endpoint_warnings import redirect_warning
from perkwire.managing.webhook_draft import EndpointRules, read_webhook, without_nulls
from perkwire.managing.webhooks import WebhookManagement
from perkwire.model.event import LONGEST_EVENT_TYPE, check_event_type
from perkwire.model.webhook import Webhook
from perkwire.primitives.fields import Fields, FieldWarning
from perkwire.primitives.ids import AccountId, WebhookId, new_webhook_id
from perkwire.primitives.problem import (
    FieldError,
    conflict,
    invalid,
    not_found,
    too_many_this_minute,
)
from perkwire.primitives.strict_json import Json, compact
from perkwire.trials.samples import first_type, sample_event
from perkwire.trials.trial import SavedWebhook, Trial

if TYPE_CHECKING:
    from perkwire.formats.contracts.contract_format import ContractFormat

MOST_PER_MINUTE = 10
"""Tests of one account: its answers tell what listens where, so they must not be many."""


_NO_ENDPOINT = (
    "The webhook is pulled: there is no endpoint to test. Send it a sample event, and pull that."
)


class TrialCounter(Protocol):
    """Counts the tests of each account in each minute of the clock."""

    def take(self, account_id: AccountId, now: int, most: int) -> bool:
        """Count one more, unless the minute has `most` already, under any race.

        `now` is in microseconds since the epoch. Raises Unavailable.
        """
        ...


class TrialDispatcher(Protocol):
    """The dispatcher, asked directly."""

    def send(self, trial: Trial) -> dict[str, Json] | None:
        """Send the sample now, once; the outcome as the API answers it.

        None: there is no such webhook. Raises Unavailable; the sample may be sent even so.
        """
        ...


class TrialRunner:
    """Tests of an account's webhooks, saved or not."""

    def __init__(
        self,
        *,
        webhooks: WebhookManagement,
        rules: EndpointRules,
        counter: TrialCounter,
        dispatcher: TrialDispatcher,
        clock: Callable[[], int],
    ) -> None:
        self._webhooks = webhooks
        self._rules = rules
        self._counter = counter
        self._dispatcher = dispatcher
        self._clock = clock

    def test(
        self, account_id: AccountId, webhook_id: WebhookId, value: dict[str, Json]
    ) -> dict[str, Json]:
        """Test a webhook of any status but deleted; raises Problem and Unavailable."""
        fields = Fields(value)
        named = _event_type(fields)
        fields.raise_if_wrong()
        webhook = self._webhooks.get(account_id, webhook_id)
        if webhook.is_pulled:
            raise conflict(_NO_ENDPOINT)
        event_type = _chosen(named, webhook.event_types, self._formats(account_id).of(webhook))
        self._count(account_id)
        saved = SavedWebhook(account_id, webhook_id)
        return self._send(Trial(saved, event_type), self._kept_out(webhook, event_type))

    def test_unsaved(self, account_id: AccountId, value: dict[str, Json]) -> dict[str, Json]:
        """Test a webhook as `create` would make it, without storing anything of it.

        Raises Problem and Unavailable.
        """
        return self._test_unsaved(account_id, value, self._formats(account_id))

    def test_contract(
        self, account_id: AccountId, value: dict[str, Json], contract: "ContractFormat"
    ) -> dict[str, Json]:
        """Test a contract that is not stored, at an endpoint as `test_unsaved` takes it.

        Raises Problem and Unavailable.
        """
        text = compact(dict(contract.contract.source)).decode()
        return self._test_unsaved(account_id, value, OneFormat(contract), text)

    def _test_unsaved(
        self,
        account_id: AccountId,
        value: dict[str, Json],
        formats: AccountFormats,
        contract: str | None = None,
    ) -> dict[str, Json]:
        fields = Fields(without_nulls(value))
        draft = read_webhook(fields, self._rules, formats=formats)
        if draft.is_pulled:
            fields.wrong("delivery", "is pull: there is no endpoint to test")
        named = _event_type(fields)
        fields.raise_if_wrong()
        format_ = formats.named(draft.format, draft.contract)
        event_type = _chosen(named, draft.event_types, format_)
        self._count(account_id)
        webhook = self._webhooks.made_of(account_id, draft, new_webhook_id())
        warnings = draft.warnings + self._kept_out(webhook, event_type)
        return self._send(Trial(webhook, event_type, contract), warnings)

    def test_change(
        self, account_id: AccountId, webhook_id: WebhookId, value: dict[str, Json]
    ) -> dict[str, Json]:
        """Test a stored webhook as `change` would leave it, without storing anything of it.

        Its stored secret signs, and stored headers that the change does not name are sent: the
        dispatcher opens both. Raises Problem and Unavailable.
        """
        change = {name: one for name, one in value.items() if name != "event_type"}
        fields = Fields({name: one for name, one in value.items() if name not in change})
        named = _event_type(fields)
        fields.raise_if_wrong()
        changed = self._webhooks.as_changed(account_id, webhook_id, change)
        webhook = changed.webhook
        if webhook.is_pulled:
            raise conflict(_NO_ENDPOINT)
        event_type = _chosen(named, webhook.event_types, self._formats(account_id).of(webhook))
        self._count(account_id)
        warnings = changed.warnings + self._kept_out(webhook, event_type)
        return self._send(Trial(webhook, event_type), warnings)

    def _formats(self, account_id: AccountId) -> AccountFormats:
        return self._webhooks.formats(account_id)

    def _kept_out(self, webhook: Webhook, event_type: str) -> tuple[FieldWarning, ...]:
        """That the filter would not let the sample through, which a test sends regardless."""
        misfit = webhook.misfit(sample_event(event_type, self._clock()))
        if misfit is None:
            return ()
        told = f"would not have let this sample through: it does not meet {misfit.pointer}"
        return (FieldWarning("filter", told),)

    def _count(self, account_id: AccountId) -> None:
        now = self._clock()
        if not self._counter.take(account_id, now, MOST_PER_MINUTE):
            raise too_many_this_minute(
                f"An account has at most {MOST_PER_MINUTE} tests a minute.", now
            )

    def _send(self, trial: Trial, warnings: tuple[FieldWarning, ...]) -> dict[str, Json]:
        outcome = self._dispatcher.send(trial)
        if outcome is None:
            raise not_found("webhook")
        if isinstance(location := outcome.get("location"), str):
            warnings += (FieldWarning("url", redirect_warning(location)),)
        return outcome | {"warnings": [warning.to_json() for warning in warnings]}


def _event_type(fields: Fields) -> str | None:
    event_type = fields.text("event_type", longest=LONGEST_EVENT_TYPE)
    if event_type and (wrong := check_event_type(event_type)):
        fields.wrong("event_type", wrong)
    return event_type


def _chosen(named: str | None, event_types: tuple[str, ...], format_: Format) -> str:
    """The type that was named, else the webhook's first; raises Problem if its format lacks it."""
    event_type = named or first_type(event_types[:1], format_) or event_types[0]
    if format_.name_of(event_type) is None:
        detail = f"must be a type of the format {format_.name}, which {event_type} is not"
        raise invalid([FieldError("event_type", detail)])
    return event_type
