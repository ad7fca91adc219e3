"""Tests of webhooks on their way from management to the dispatcher, which it invokes directly.

| | |
|---|---|
| asked, of a saved webhook | `{"test": {"event_type", "account_id", "webhook_id"}}` |
| asked, of one as it is not stored | `{"test": {"event_type", "webhook": <its item, sealed>}}` |
| whose contract is not stored either | and `"contract"`, the contract's JSON as a text |
| answered | `{"outcome": {…}}`, null without such a webhook; `{"failed": <what>}` |

No secret or header value is ever in one of them in the clear.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from perkwire.adapters.dispatcher_calls import answer_management, invoke_dispatcher
from perkwire.adapters.dynamodb.config_items import WebhookItem
from perkwire.adapters.telemetry import Telemetry
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.strict_json import Json
from perkwire.trials.trial import SavedWebhook, Trial, TrialOutcome

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class DispatcherFunction:
    """Management's side. Fulfils runner.TrialDispatcher."""

    def __init__(self, client: "LambdaClient", name: str) -> None:
        self._client = client
        self._name = name

    def send(self, trial: Trial) -> dict[str, Json] | None:
        """Invoke the dispatcher and wait; None: no such webhook. Raises Unavailable."""
        value = invoke_dispatcher(self._client, self._name, {"test": _write(trial)})
        outcome: dict[str, Json] | None = value["outcome"]
        return outcome


def is_test(event: Mapping[str, Any]) -> bool:
    """Whether management, rather than SQS, has invoked the dispatcher."""
    return "test" in event


def answer_test(
    event: Mapping[str, Any], telemetry: Telemetry, send: Callable[[Trial], TrialOutcome | None]
) -> dict[str, Any]:
    """The dispatcher's side: what `send` makes of the test. Never raises."""

    def answer() -> dict[str, Any]:
        outcome = send(_read(event["test"]))
        return {"outcome": outcome and outcome.to_json()}

    return answer_management(telemetry, answer, "test_unavailable", "test_crashed")


def _write(trial: Trial) -> dict[str, Json]:
    webhook = trial.webhook
    if isinstance(webhook, SavedWebhook):
        ids: dict[str, Json] = {"account_id": webhook.account_id, "webhook_id": webhook.webhook_id}
        return {"event_type": trial.event_type, **ids}
    item = WebhookItem.of(webhook).to_simple_dict(force=True)
    contract: dict[str, Json] = {} if trial.contract is None else {"contract": trial.contract}
    return {"event_type": trial.event_type, "webhook": item, **contract}


def _read(value: Mapping[str, Any]) -> Trial:
    if "webhook" not in value:
        saved = SavedWebhook(AccountId(value["account_id"]), WebhookId(value["webhook_id"]))
        return Trial(saved, value["event_type"])
    item = WebhookItem()
    item.from_simple_dict(value["webhook"])
    return Trial(item.to_webhook(), value["event_type"], value.get("contract"))
