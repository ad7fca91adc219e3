"""What was done, and by whom, in words."""

from collections.abc import Mapping

from perkwire.model.activity import Action, ActorKind
from perkwire.primitives.strict_json import Json

ACTIONS: Mapping[str, str] = {
    Action.ACCOUNT_CREATED: "Account created",
    Action.ACCOUNT_CHANGED: "Account changed",
    Action.KEY_CREATED: "API key created",
    Action.KEY_REVOKED: "API key revoked",
    Action.LINK_CREATED: "Console link created",
    Action.LINK_ENDED: "Console link ended",
    Action.LINKS_ENDED: "All console links ended",
    Action.WEBHOOK_CREATED: "Webhook created",
    Action.WEBHOOK_CHANGED: "Webhook changed",
    Action.WEBHOOK_ENABLED: "Webhook enabled",
    Action.WEBHOOK_DISABLED: "Webhook disabled",
    Action.SECRET_ROTATED: "Secret rotated",
    Action.WEBHOOK_DELETED: "Webhook deleted",
    Action.CONTRACT_CREATED: "Contract created",
    Action.CONTRACT_DELETED: "Contract deleted",
    Action.JOB_STARTED: "Job started",
    Action.JOB_CANCELLED: "Job cancelled",
    Action.BRAND_CHANGED: "Name and look changed",
    Action.ERASURE_ASKED: "Erasure of a member asked for",
    Action.REDRIVE_STARTED: "Redrive asked for",
    Action.REDRIVE_CANCELLED: "Redrive cancelled",
    Action.REJECTED_SENT: "Rejected event sent again",
    Action.REJECTED_DISMISSED: "Rejected event dismissed",
}


def who(by: Mapping[str, Json], key_names: Mapping[str, str]) -> str:
    """Who made a change: `API key backend`, `An operator, in the console`."""
    key_id = str(by.get("api_key_id") or "")
    key = f"API key {key_names.get(key_id, key_id)}" if key_id else ""
    if by["kind"] == ActorKind.COMMAND:
        return "A command with AWS's rights"
    if by["kind"] == ActorKind.NOBODY:
        return "Somebody who was not signed in"
    if by.get("operator"):
        # Whoever belongs to an account knows no names of the operators' keys.
        named = key if key_id in key_names else "an operator's API key"
        key = f"An operator, {named}" if key else "An operator"
    elif not key:
        return "Somebody who came by a console link"
    return f"{key}, in the console" if by["kind"] == ActorKind.SESSION else key
