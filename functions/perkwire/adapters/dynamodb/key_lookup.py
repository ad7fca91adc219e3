"""ConfigTable as credentials are checked in it: who has the key, and its scopes."""

import time

from perkwire.adapters.dynamodb.config_items import KEY_SK, KeyItem, key_pk
from perkwire.adapters.dynamodb.tables import find
from perkwire.model.account import Caller, Scope
from perkwire.primitives.ids import AccountId, KeyId, WebhookId


class KeyLookup:
    """What the authorizer knows."""

    def caller(self, key_hash: str) -> Caller | None:
        """Whose key this is, read consistently; None: nobody's. Raises Unavailable."""
        item = find(KeyItem, key_pk(key_hash), KEY_SK)
        # DynamoDB takes its time to delete what has expired.
        if item is None or (item.expires_at is not None and item.expires_at <= time.time()):
            return None
        return Caller(
            AccountId(item.account_id) if item.account_id else None,
            frozenset(Scope(scope) for scope in item.scopes),
            KeyId(item.key_id),
            WebhookId(item.webhook_id) if item.webhook_id else None,
        )
