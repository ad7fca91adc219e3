"""Managing the webhooks of one account."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import Protocol

from perkwire.formats.lookup import AccountFormats, FormatLookup
from perkwire.managing.stores import Accounts, ChangedMeanwhile
from perkwire.managing.versions import check_read_version
from perkwire.managing.webhook_draft import (
    EndpointRules,
    WebhookChange,
    WebhookDraft,
    parse_rotation,
    parse_webhook,
    parse_webhook_change,
)
from perkwire.model.account import Caller, Scope
from perkwire.model.signals import Signals, webhook_enabled
from perkwire.model.webhook import (
    MOST_LIVE_SECRETS,
    RetiredSecret,
    SealedSecrets,
    Webhook,
    WebhookStatus,
    pull_url,
)
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import FieldWarning
from perkwire.primitives.ids import AccountId, WebhookId, new_webhook_id, webhook_id_of_form
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, Problem, conflict, not_found
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339

_PAGE = 100


class UrlTaken(Exception):
    """Another webhook of the account has this URL, or this one has been added before."""


class TooManyWebhooks(Exception):
    """The account has as many webhooks as it may."""


class ContractGone(Exception):
    """The contract that is its format has been deleted meanwhile."""


class Webhooks(Protocol):
    """Where webhooks are kept: each URL once per account, and a bounded number, under any race."""

    def add(self, webhook: Webhook, most: int) -> None:
        """Store a new one; raises UrlTaken, TooManyWebhooks, ContractGone, Unavailable."""
        ...

    def find(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | None:
        """One that is not deleted, read consistently; raises Unavailable."""
        ...

    def is_deleted(self, account_id: AccountId, webhook_id: WebhookId) -> bool:
        """Whether there was one, while its tombstone is there; raises Unavailable."""
        ...

    def replace(self, before: Webhook, after: Webhook) -> None:
        """Store a change; raises ChangedMeanwhile, UrlTaken, Unavailable."""
        ...

    def bury(self, webhook: Webhook, now: int) -> None:
        """Leave a tombstone and free the URL; raises ChangedMeanwhile, Unavailable."""
        ...

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Webhook]:
        """An account's webhooks that are not deleted; raises Problem and Unavailable."""
        ...


class Sealer(Protocol):
    """Encrypts secrets for one webhook."""

    def seal_secret(self, account_id: AccountId, webhook_id: WebhookId, secret: str) -> bytes:
        """The secret's ciphertext; raises Unavailable."""
        ...

    def seal_headers(
        self, account_id: AccountId, webhook_id: WebhookId, headers: Mapping[str, str]
    ) -> bytes | None:
        """The headers' ciphertext, None for no headers; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenWebhook:
    """A webhook as a request makes it, and what nobody can be told later.

    `secret` is its new one, if the request gave it one or had one made.
    """

    webhook: Webhook
    warnings: tuple[FieldWarning, ...]
    secret: str | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Json]:
        """The webhook as the API answers it to this request alone."""
        secret: dict[str, Json] = {} if self.secret is None else {"secret": self.secret}
        warnings: list[Json] = [warning.to_json() for warning in self.warnings]
        return self.webhook.to_json() | secret | {"warnings": warnings}


class WebhookManagement:
    """The webhooks of one account."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        webhooks: Webhooks,
        sealer: Sealer,
        rules: EndpointRules,
        most_webhooks: int,
        formats: FormatLookup | None = None,
        signals: Signals | None = None,
        clock: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._webhooks = webhooks
        self._sealer = sealer
        self._rules = rules
        self._most_webhooks = most_webhooks
        self._formats = formats or FormatLookup()
        self._signals = signals
        self._clock = clock

    def account(self, caller: Caller, named: str | None) -> AccountId:
        """The account that a request is about; an operator's must exist. Raises Problem."""
        caller.require(Scope.WEBHOOKS)
        account_id = caller.acting_for(named, "Perkwire-Account")
        if caller.is_operator and self._accounts.find(account_id) is None:
            raise not_found("account")
        return account_id

    def account_that_pulls(
        self, caller: Caller, named: str | None, webhook_id: WebhookId
    ) -> AccountId:
        """The account whose webhook a request pulls; raises Problem."""
        caller.require_pull(webhook_id)
        return caller.acting_for(named, "Perkwire-Account")

    def formats(self, account_id: AccountId) -> AccountFormats:
        """The formats that the account's webhooks can have."""
        return self._formats.of_account(account_id)

    def create(
        self,
        account_id: AccountId,
        value: dict[str, Json],
        *,
        form: str = "",
        ends_at: int | None = None,
    ) -> GivenWebhook:
        """A new webhook and, this once, its secret; raises Problem and Unavailable.

        `ends_at` is when it ends by itself, if it does. A form that is sent twice makes one: by its
        URL, or, of one that is pulled and has none, by the form's id and the name. If there is no
        room for it, those that have ended by themselves are deleted first.
        """
        draft = parse_webhook(value, self._rules, self.formats(account_id))
        webhook_id = new_webhook_id()
        if form and draft.is_pulled:
            webhook_id = webhook_id_of_form(account_id, form, draft.name)
            if self._webhooks.is_deleted(account_id, webhook_id):
                raise _made_before()
        webhook = replace(self.made_of(account_id, draft, webhook_id), ends_at=ends_at)
        try:
            self._add(webhook)
        except UrlTaken:
            raise self._url_taken(webhook) from None
        except TooManyWebhooks:
            raise conflict(f"An account has at most {self._most_webhooks} webhooks.") from None
        except ContractGone:
            raise conflict(f"The contract {webhook.format} was deleted at the same time.") from None
        return GivenWebhook(webhook=webhook, warnings=draft.warnings, secret=draft.secret)

    def made_for_listening(self, account_id: AccountId) -> Sequence[Webhook]:
        """An account's webhooks that end by themselves, or have; raises Unavailable."""
        found: list[Webhook] = []
        cursor: str | None = None
        while True:
            page = self.list(account_id, _PAGE, cursor)
            found += [one for one in page.items if one.ends_at is not None]
            cursor = page.next_cursor
            if cursor is None:
                return found

    def made_of(self, account_id: AccountId, draft: WebhookDraft, webhook_id: WebhookId) -> Webhook:
        """The webhook of a draft, sealed under this id, not stored; raises Unavailable."""
        now = self._clock()
        return Webhook(
            id=webhook_id,
            account_id=account_id,
            name=draft.name,
            description=draft.description,
            url=pull_url(webhook_id) if draft.is_pulled else draft.url,
            is_pulled=draft.is_pulled,
            event_types=draft.event_types,
            program_ids=draft.program_ids,
            filter=draft.filter,
            header_names=tuple(draft.headers),
            batch_size=draft.batch_size,
            batch_bytes=draft.batch_bytes,
            max_per_second=draft.max_per_second,
            retry_delays_seconds=draft.retry_delays_seconds,
            pause_when_exhausted=draft.pause_when_exhausted,
            format=draft.format,
            contract=draft.contract,
            format_settings=draft.format_settings,
            status=WebhookStatus.ENABLED if draft.enabled else WebhookStatus.DISABLED,
            pause=None,
            sealed=self._sealed(account_id, webhook_id, draft.secret, draft.headers),
            version=1,
            created_at=now,
            updated_at=now,
        )

    def get(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook:
        """One webhook; raises Problem and Unavailable."""
        webhook = self._webhooks.find(account_id, webhook_id)
        if webhook is None:
            raise not_found("webhook")
        return webhook

    def change(
        self,
        account_id: AccountId,
        webhook_id: WebhookId,
        value: dict[str, Json],
        read: Collection[int] | None = None,
    ) -> GivenWebhook:
        """Change what the request names, at once also for queued deliveries.

        `read` holds the versions that it may be made from, here as below; None: any. Raises
        Problem, 412 for another version, and Unavailable.
        """
        before = self._read(account_id, webhook_id, read, value)
        change = parse_webhook_change(value, self._rules, before, self.formats(account_id))
        stored = self._stored(before, self._changed(before, change), read)
        return GivenWebhook(webhook=stored, warnings=change.warnings)

    def as_changed(
        self, account_id: AccountId, webhook_id: WebhookId, value: dict[str, Json]
    ) -> GivenWebhook:
        """What `change` would make of a webhook, not stored; raises Problem and Unavailable."""
        before = self.get(account_id, webhook_id)
        change = parse_webhook_change(value, self._rules, before, self.formats(account_id))
        after = before.changed_to(self._changed(before, change), self._clock())
        return GivenWebhook(webhook=after, warnings=change.warnings)

    def switch(
        self,
        account_id: AccountId,
        webhook_id: WebhookId,
        *,
        enabled: bool,
        read: Collection[int] | None = None,
    ) -> Webhook:
        """Enable, which also ends a pause, or disable; raises as `change`."""
        before = self._read(account_id, webhook_id, read)
        after = replace(
            before,
            status=WebhookStatus.ENABLED if enabled else WebhookStatus.DISABLED,
            pause=None,
        )
        return self._stored(before, after, read)

    def rotate_secret(
        self,
        account_id: AccountId,
        webhook_id: WebhookId,
        value: dict[str, Json],
        read: Collection[int] | None = None,
    ) -> GivenWebhook:
        """A new secret, returned this once; the old one signs beside it for the overlap.

        So do those before it whose overlap has not ended; without an overlap all end. Raises
        Problem, 409 if as many secrets sign as may, and Unavailable.
        """
        before = self._read(account_id, webhook_id, read)
        rotation = parse_rotation(value, before, self.formats(account_id))
        retired: tuple[RetiredSecret, ...] = ()
        if rotation.overlap_hours:
            now = self._clock()
            live = before.sealed.live(now)
            if len(live) >= MOST_LIVE_SECRETS - 1:
                raise _too_many_secrets(live)
            until = now + rotation.overlap_hours * HOUR_SECONDS * MICROSECONDS
            retired = (RetiredSecret(before.sealed.secret, until), *live)
        secret = self._sealer.seal_secret(account_id, webhook_id, rotation.secret)
        after = replace(
            before,
            sealed=replace(before.sealed, secret=secret, retired=retired),
        )
        stored = self._stored(before, after, read)
        return GivenWebhook(webhook=stored, warnings=rotation.warnings, secret=rotation.secret)

    def delete(
        self, account_id: AccountId, webhook_id: WebhookId, read: Collection[int] | None = None
    ) -> None:
        """Delete a webhook; queued deliveries become cancelled. Raises as `change`."""
        webhook = self._read(account_id, webhook_id, read)
        try:
            self._webhooks.bury(webhook, self._clock())
        except ChangedMeanwhile:
            self._read(account_id, webhook_id, read)
            raise conflict("The webhook was changed at the same time; try again.") from None

    def list(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Webhook]:
        """An account's webhooks; raises Problem and Unavailable."""
        return self._webhooks.page(account_id, limit, cursor)

    def _add(self, webhook: Webhook) -> None:
        """Store a new one, in the place of those that have ended if there is no other."""
        try:
            self._webhooks.add(webhook, self._most_webhooks)
        except TooManyWebhooks:
            now = self._clock()
            for one in self.made_for_listening(webhook.account_id):
                if one.has_ended(now):
                    # Somebody else may be at it: whether there is room then says the table.
                    with suppress(Problem):
                        self.delete(webhook.account_id, one.id)
            self._webhooks.add(webhook, self._most_webhooks)

    def _read(
        self,
        account_id: AccountId,
        webhook_id: WebhookId,
        read: Collection[int] | None,
        sent: Mapping[str, Json] | None = None,
    ) -> Webhook:
        """The webhook, if it is a version that the caller has read; raises as `change`."""
        webhook = self.get(account_id, webhook_id)
        check_read_version(read, webhook.version, webhook.to_json(), sent)
        return webhook

    def _stored(self, before: Webhook, changed: Webhook, read: Collection[int] | None) -> Webhook:
        after = before.changed_to(changed, self._clock())
        try:
            self._webhooks.replace(before, after)
        except UrlTaken:
            raise self._url_taken(after) from None
        except ChangedMeanwhile:
            self._read(before.account_id, before.id, read)
            raise conflict("The webhook was changed at the same time; try again.") from None
        enabled = WebhookStatus.ENABLED
        if self._signals and after.status is enabled and before.status is not enabled:
            self._signals.send([webhook_enabled(before, after)])
        return after

    def _changed(self, before: Webhook, change: WebhookChange) -> Webhook:
        status, pause = before.status, before.pause
        if change.enabled is not None:
            status = WebhookStatus.ENABLED if change.enabled else WebhookStatus.DISABLED
            pause = None
        sealed = before.sealed
        header_names = before.header_names
        if change.headers is not None:
            headers = self._sealer.seal_headers(before.account_id, before.id, change.headers)
            sealed = replace(sealed, headers=headers)
            header_names = tuple(change.headers)
        return replace(
            before,
            name=change.name or before.name,
            description=None if change.no_description else change.description or before.description,
            url=change.url or before.url,
            event_types=change.event_types or before.event_types,
            program_ids=None if change.any_program else change.program_ids or before.program_ids,
            filter=None if change.no_filter else change.filter or before.filter,
            header_names=header_names,
            batch_size=change.batch_size or before.batch_size,
            batch_bytes=change.batch_bytes or before.batch_bytes,
            max_per_second=(
                None if change.no_pace else change.max_per_second or before.max_per_second
            ),
            retry_delays_seconds=(
                before.retry_delays_seconds
                if change.retry_delays_seconds is None and not change.stacks_schedule
                else change.retry_delays_seconds
            ),
            pause_when_exhausted=(
                before.pause_when_exhausted
                if change.pause_when_exhausted is None and not change.stacks_pausing
                else change.pause_when_exhausted
            ),
            contract=change.contract or before.contract,
            format_settings=(
                before.format_settings if change.format_settings is None else change.format_settings
            ),
            status=status,
            pause=pause,
            sealed=sealed,
        )

    def _url_taken(self, webhook: Webhook) -> Problem:
        if webhook.is_pulled:
            return _made_before()
        detail = "is the URL of another webhook of the account"
        others = self._webhooks.page(webhook.account_id, self._most_webhooks, None).items
        # It may be gone by now.
        for other in others:
            if other.url == webhook.url and other.id != webhook.id:
                detail = f"{detail}: {other.name}, {other.id}"
        return conflict("Each URL is once per account.", [FieldError("url", detail)])

    def _sealed(
        self,
        account_id: AccountId,
        webhook_id: WebhookId,
        secret: str,
        headers: Mapping[str, str],
    ) -> SealedSecrets:
        return SealedSecrets(
            secret=self._sealer.seal_secret(account_id, webhook_id, secret),
            headers=self._sealer.seal_headers(account_id, webhook_id, headers),
        )


def _too_many_secrets(live: Sequence[RetiredSecret]) -> Problem:
    ends = to_rfc3339(min(retired.until for retired in live))
    return conflict(
        f"The webhook has {MOST_LIVE_SECRETS} secrets that sign, and the next one ends at {ends}. "
        "Rotate after that, or with overlap_hours 0, which ends all but the new one."
    )


def _made_before() -> Problem:
    return conflict("The webhook was created by this form before. Begin a new one.")
