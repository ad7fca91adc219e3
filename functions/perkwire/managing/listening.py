"""Listening on one's own machine: keys to pull with, and webhooks that are made for it and end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from http import HTTPStatus

from perkwire.managing.accounts import AccountManagement
from perkwire.managing.webhooks import WebhookManagement
from perkwire.model.account import MOST_KEYS, Caller, Scope
from perkwire.model.webhook import PULL, Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.problem import Problem, conflict
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339

HOURS = 24
"""For so long one may listen, with a webhook of one's own or with one that there is."""
MOST_LISTENING = 5
KEY_NAME = "listen"
"""What people see its keys by. They are known by `is_for_listening`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A webhook made for listening, and what nobody can be told later: its secret and its key."""

    webhook: Webhook
    secret: str = field(repr=False)
    key: str = field(repr=False)


class Listening:
    """Listening to an account's events, by webhooks that are made for it, and by others."""

    def __init__(
        self,
        *,
        webhooks: WebhookManagement,
        accounts: AccountManagement,
        clock: Callable[[], int],
    ) -> None:
        self._webhooks = webhooks
        self._accounts = accounts
        self._clock = clock

    def listeners(self, account_id: AccountId) -> list[Webhook]:
        """Those made for listening that have not ended, the oldest first; raises Unavailable."""
        at = self._clock()
        made = self._webhooks.made_for_listening(account_id)
        found = [one for one in made if not one.has_ended(at)]
        return sorted(found, key=lambda one: one.created_at)

    def begin(self, caller: Caller, account_id: AccountId, choices: dict[str, Json]) -> Listener:
        """Make a webhook that is pulled, and a key for it, which both end by themselves.

        `choices` is what POST /v1/webhooks takes, without a name and a way of delivery. What has
        ended is removed first. MOST_LISTENING is counted before anything is made: a few who begin
        at once may pass it, but not the account's own limits of webhooks and keys. Raises Problem
        and Unavailable.
        """
        now = self._clock()
        made_before = self._webhooks.made_for_listening(account_id)
        ended = [one for one in made_before if one.has_ended(now)]
        for one in ended:
            self.end(caller, account_id, one.id)
        if len(made_before) - len(ended) >= MOST_LISTENING:
            raise conflict(f"At most {MOST_LISTENING} listen at a time: end one to begin another.")
        since = to_rfc3339(now)[: len("2026-11-21T09:30")].replace("T", " ")
        value = {**choices, "name": f"Listening since {since} UTC", "delivery": PULL}
        ends_at = now + HOURS * HOUR_SECONDS * MICROSECONDS
        made = self._webhooks.create(account_id, value, ends_at=ends_at)
        if made.secret is None:
            raise RuntimeError("a new webhook has a secret")
        try:
            key = self.key_for(caller, account_id, made.webhook.id)
        except Problem:
            self._webhooks.delete(account_id, made.webhook.id)
            raise
        return Listener(webhook=made.webhook, secret=made.secret, key=key)

    def end(self, caller: Caller, account_id: AccountId, webhook_id: WebhookId) -> None:
        """Remove a webhook that was made for listening, and its keys; harmless if it is gone.

        Raises Problem and Unavailable.
        """
        self.revoke(caller, account_id, webhook_id)
        with _harmless_if_gone():
            if self._webhooks.get(account_id, webhook_id).ends_at is not None:
                self._webhooks.delete(account_id, webhook_id)

    def key_for(self, caller: Caller, account_id: AccountId, webhook_id: WebhookId) -> str:
        """A new key to pull a webhook with, in place of the one before; raises as `begin`."""
        self.revoke(caller, account_id, webhook_id)
        body: dict[str, Json] = {
            "name": KEY_NAME,
            "scopes": [Scope.PULL],
            "webhook_id": webhook_id,
            "expires_in_hours": HOURS,
        }
        return self._accounts.create_key(caller, account_id, body, is_for_listening=True)[1]

    def revoke(self, caller: Caller, account_id: AccountId, webhook_id: WebhookId) -> None:
        """Revoke the keys that were made by `key_for`; raises Problem and Unavailable."""
        keys = self._accounts.list_keys(caller, account_id, MOST_KEYS, None)
        for one in keys.items:
            if one.webhook_id == webhook_id and one.is_for_listening:
                with _harmless_if_gone():
                    self._accounts.remove_key(caller, account_id, one.id)


@contextmanager
def _harmless_if_gone() -> Iterator[None]:
    """Pass over that somebody else has removed it."""
    try:
        yield
    except Problem as problem:
        if problem.status != HTTPStatus.NOT_FOUND:
            raise


def choices_of(webhook: Webhook) -> dict[str, Json]:
    """What makes the very bodies of a webhook, as `begin` takes it: no headers and no secret."""
    shown = webhook.to_json()
    names = ("event_types", "program_ids", "filter", "batch_size", "batch_bytes")
    return {name: shown[name] for name in (*names, "format", "format_settings")}
