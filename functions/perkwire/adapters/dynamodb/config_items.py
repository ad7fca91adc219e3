"""The items of ConfigTable: accounts, webhooks, API keys, health, and the URLs that are taken.

| item | pk | sk |
|---|---|---|
| account | `<account>` | `account` |
| account as operators list it | `accounts` | `<account>` |
| webhook | `<account>` | `webhook#<webhook>` |
| URL of a webhook | `<account>#urls` | SHA-256 of the URL |
| tombstone of a webhook | `<account>#deleted` | `<webhook>` |
| tombstone, in the order of deletion | `<account>#deleted` | `at#<time>#<webhook>` |
| health of a webhook | `health#<account>` | `<webhook>` |
| notices to an account | `health#<account>` | `notices#` and the hour, `2026-11-21T01` |
| slots of a webhook with a pace | `slots#<account>` | `<webhook>` |
| tests of an account's webhooks | `<account>#tests` | the minute, `2026-11-21T01:23` |
| its dry runs, and its searches | `<account>#dry-runs`, `<account>#searches` | the minute |
| place to wait for something to pull | `<account>#waits`, or `waits` | its number |
| checks of contracts | `<account>#contract-checks`, or `operator#…` | the minute |
| mails that ask for confirmation | `<account>#confirmations`, or `address#<SHA-256>` | the day |
| address that gets an account's notices | `address#<SHA-256>` | `<account>` |
| mails with links | `address#<SHA-256>#links`, or `<account>#links` | the hour |
| requests for such mails | `link-requests` | the minute |
| contract | `<account>#contracts`, or `operator#contracts` | `<name>@<version>` |
| JSON of a contract | `<account>#contract-texts`, or `operator#…` | `<name>@<version>` |
| how many contracts there are | `<account>#contract-texts`, or `operator#…` | `count` |
| webhook that has one | `<account>#contract-uses`, or `operator#…` | name, account and webhook |
| record of a change | `<account>#activity`, or `operator#…` | its id, which sorts by time |
| API key | `key#<SHA-256>` | `key` |
| API key as its owner lists it | `<account>#keys`, or `operator#keys` | `<key id>` |
"""

import hashlib
import json

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    DiscriminatorAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from perkwire.adapters.dynamodb.tables import TableItem, number_list, text_list, whole
from perkwire.model.account import Account, ApiKey, Scope
from perkwire.model.activity import Activity
from perkwire.model.lanes import Lane
from perkwire.model.webhook import (
    MOST_BATCH_BYTES,
    ContractUse,
    DeletedWebhook,
    Pause,
    PauseReason,
    RetiredSecret,
    SealedSecrets,
    Webhook,
    WebhookStatus,
)
from perkwire.primitives.ids import AccountId, KeyId, WebhookId
from perkwire.primitives.strict_json import Json, compact_ascii
from perkwire.primitives.timestamps import MICROSECONDS

ACCOUNT_SK = "account"
WEBHOOK_SK_PREFIX = "webhook#"
TOMBSTONE_LIST_PREFIX = "at#"
KEY_SK = "key"
CONTRACT_COUNT_SK = "count"
OPERATOR = "operator"
ACCOUNTS_PK = "accounts"
LINK_REQUESTS_PK = "link-requests"


class ConfigItem(TableItem):
    """Any item of ConfigTable."""

    class Meta:
        """The table's name is set by `tables.bind`."""

        table_name: str

    kind = DiscriminatorAttribute()


class AccountItem(ConfigItem, discriminator="account"):
    """An account; `webhooks` counts those that are not deleted."""

    name = UnicodeAttribute()
    notify_emails = text_list(null=True)
    notice_topic = UnicodeAttribute(null=True)
    webhooks = NumberAttribute(default=0)
    links_ended_at = NumberAttribute(null=True)
    member_secret = UnicodeAttribute(null=True)
    is_found_by_address = BooleanAttribute(null=True)
    erased = BinaryAttribute(legacy_encoding=False, null=True)
    created_at = NumberAttribute()
    updated_at = NumberAttribute()

    def to_account(self) -> Account:
        """The account of the domain."""
        return Account(
            id=AccountId(self.pk),
            name=self.name,
            notify_emails=tuple(self.notify_emails or ()),
            notice_topic=self.notice_topic,
            created_at=int(self.created_at),
            updated_at=int(self.updated_at),
            links_ended_at=None if self.links_ended_at is None else int(self.links_ended_at),
            member_secret=self.member_secret,
            is_found_by_address=bool(self.is_found_by_address),
            erased=self.erased or b"",
        )


class AccountListItem(ConfigItem, discriminator="account_list"):
    """Says that there is an account of this id."""


class AddressItem(ConfigItem, discriminator="address"):
    """Says that an address gets the notices of an account."""


class WebhookItem(ConfigItem, discriminator="webhook"):
    """A webhook; with status `deleted`, and until `expires_at`, a tombstone of a former release.

    One that is pulled has its status in `pull_status`, and is paused as releases before read it:
    they send nothing, and log what it gets as failed, to be retried.
    """

    name = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    url = UnicodeAttribute()
    event_types = text_list()
    program_ids = text_list(null=True)
    pattern = UnicodeAttribute(null=True, attr_name="filter")
    header_names = text_list()
    batch_size = NumberAttribute()
    batch_bytes = NumberAttribute(null=True)
    max_per_second = NumberAttribute(null=True)
    retry_delays_seconds = number_list(null=True)
    pause_when_exhausted = BooleanAttribute(null=True)
    format = UnicodeAttribute()
    format_settings = UnicodeAttribute()
    contract_owner = UnicodeAttribute(null=True)
    contract_digest = UnicodeAttribute(null=True)
    contract_says = text_list(null=True)
    status = UnicodeAttribute()
    pull_status = UnicodeAttribute(null=True)
    ends_at = NumberAttribute(null=True)
    paused_at = NumberAttribute(null=True)
    pause_reason = UnicodeAttribute(null=True)
    lane = UnicodeAttribute(null=True)
    sealed_secret = BinaryAttribute(legacy_encoding=False)
    sealed_headers = BinaryAttribute(legacy_encoding=False, null=True)
    retired_secret = BinaryAttribute(legacy_encoding=False, null=True)
    retired_until = NumberAttribute(null=True)
    earlier_secret = BinaryAttribute(legacy_encoding=False, null=True)
    earlier_until = NumberAttribute(null=True)
    version = NumberAttribute()
    endpoint_version = NumberAttribute(default=1)
    created_at = NumberAttribute()
    updated_at = NumberAttribute()
    expires_at = NumberAttribute(null=True)

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookItem":
        """The item that keeps this webhook."""
        newest, earlier = (*webhook.sealed.retired, None, None)[:2]
        return cls(
            webhook.account_id,
            webhook_sk(webhook.id),
            name=webhook.name,
            description=webhook.description,
            url=webhook.url,
            event_types=list(webhook.event_types),
            program_ids=None if webhook.program_ids is None else list(webhook.program_ids),
            pattern=webhook.filter,
            header_names=list(webhook.header_names),
            batch_size=webhook.batch_size,
            batch_bytes=webhook.batch_bytes,
            max_per_second=webhook.max_per_second,
            retry_delays_seconds=(
                None if webhook.retry_delays_seconds is None else [*webhook.retry_delays_seconds]
            ),
            pause_when_exhausted=webhook.pause_when_exhausted,
            format=webhook.format,
            format_settings=compact_ascii({**webhook.format_settings}),
            contract_owner=webhook.contract and owner_name(webhook.contract.owner),
            contract_digest=webhook.contract and webhook.contract.digest,
            contract_says=webhook.contract and [*webhook.contract.says],
            status=_status_for_all(webhook),
            pull_status=webhook.status if webhook.is_pulled else None,
            ends_at=webhook.ends_at,
            paused_at=webhook.pause and webhook.pause.at,
            pause_reason=webhook.pause and webhook.pause.reason,
            lane=None if webhook.lane is Lane.PROMPT else webhook.lane,
            sealed_secret=webhook.sealed.secret,
            sealed_headers=webhook.sealed.headers,
            # The newest under the names that the release before reads.
            retired_secret=newest and newest.secret,
            retired_until=newest and newest.until,
            earlier_secret=earlier and earlier.secret,
            earlier_until=earlier and earlier.until,
            version=webhook.version,
            endpoint_version=webhook.endpoint_version,
            created_at=webhook.created_at,
            updated_at=webhook.updated_at,
        )

    def to_webhook(self) -> Webhook:
        """The webhook of the domain."""
        pause = None
        if self.paused_at is not None and self.pause_reason is not None:
            pause = Pause(int(self.paused_at), PauseReason(self.pause_reason))
        return Webhook(
            id=WebhookId(self.sk.removeprefix(WEBHOOK_SK_PREFIX)),
            account_id=AccountId(self.pk),
            name=self.name,
            description=self.description,
            url=self.url,
            event_types=tuple(self.event_types),
            program_ids=None if self.program_ids is None else tuple(self.program_ids),
            filter=self.pattern,
            header_names=tuple(self.header_names),
            batch_size=int(self.batch_size),
            batch_bytes=int(self.batch_bytes or MOST_BATCH_BYTES),
            max_per_second=self.max_per_second,
            retry_delays_seconds=(
                None
                if self.retry_delays_seconds is None
                else tuple(int(delay) for delay in self.retry_delays_seconds)
            ),
            pause_when_exhausted=self.pause_when_exhausted,
            format=self.format,
            contract=self._contract(),
            format_settings=json.loads(self.format_settings),
            status=WebhookStatus(self.pull_status or self.status),
            is_pulled=self.pull_status is not None,
            ends_at=whole(self.ends_at),
            pause=pause,
            lane=Lane(self.lane or Lane.PROMPT),
            sealed=self._sealed(),
            version=int(self.version),
            endpoint_version=int(self.endpoint_version),
            created_at=int(self.created_at),
            updated_at=int(self.updated_at),
        )

    def _contract(self) -> ContractUse | None:
        if self.contract_owner is None or self.contract_digest is None:
            return None
        owner = None if self.contract_owner == OPERATOR else AccountId(self.contract_owner)
        return ContractUse(owner, self.contract_digest, tuple(self.contract_says or ()))

    def _sealed(self) -> SealedSecrets:
        pairs = (
            (self.retired_secret, self.retired_until),
            (self.earlier_secret, self.earlier_until),
        )
        retired = tuple(
            RetiredSecret(secret, int(until))
            for secret, until in pairs
            if secret is not None and until is not None
        )
        return SealedSecrets(
            secret=self.sealed_secret, headers=self.sealed_headers, retired=retired
        )


def _status_for_all(webhook: Webhook) -> WebhookStatus:
    if webhook.is_pulled and webhook.status is WebhookStatus.ENABLED:
        return WebhookStatus.PAUSED
    return webhook.status


class TombstoneItem(ConfigItem, discriminator="tombstone"):
    """Says that there was a webhook of this id, so that an absent one never counts as deleted."""

    expires_at = NumberAttribute()

    def to_tombstone(self) -> DeletedWebhook:
        """The tombstone of the domain."""
        return DeletedWebhook(AccountId(self.pk.partition("#")[0]), WebhookId(self.sk))


class TombstoneListItem(ConfigItem, discriminator="tombstone_list"):
    """Says when a webhook was deleted: the sort key does."""

    expires_at = NumberAttribute()


class UrlItem(ConfigItem, discriminator="url"):
    """Says that a webhook of the account has this URL."""

    webhook_id = UnicodeAttribute()


class HealthItem(ConfigItem, discriminator="health"):
    """A webhook's streak of failures; without `failures` there is none.

    `strain` counts the attempts in a row that failed or were slow, `ease` the fast successes in a
    row since it is in the slow lane. `endpoint_version` is the webhook's that all three are of. And
    the failed deliveries that no notice has told of, and when the last notice was; the same of
    pauses. And those that no signal has told of, when the last one was, and when a pause was told
    of by one. It expires once nothing has changed for long, as the webhook may be deleted.
    """

    failures = NumberAttribute(null=True)
    since = NumberAttribute(null=True)
    strain = NumberAttribute(null=True)
    ease = NumberAttribute(null=True)
    untold = NumberAttribute(null=True)
    untold_since = NumberAttribute(null=True)
    noticed_at = NumberAttribute(null=True)
    untold_pauses = NumberAttribute(null=True)
    pause_noticed_at = NumberAttribute(null=True)
    unsignalled = NumberAttribute(null=True)
    unsignalled_since = NumberAttribute(null=True)
    signalled_at = NumberAttribute(null=True)
    pause_signalled_at = NumberAttribute(null=True)
    endpoint_version = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class SlotItem(ConfigItem, discriminator="slots"):
    """Until when a webhook's slots are taken; `expires_at` ends it long after the last of them.

    `last_at` is the last slot that is taken, in microseconds since the epoch.
    """

    last_at = NumberAttribute()
    expires_at = NumberAttribute()


class NoticeCountItem(ConfigItem, discriminator="notices"):
    """How many notices an account has had in an hour; `expires_at` ends it."""

    taken = NumberAttribute()
    expires_at = NumberAttribute()


class TrialCountItem(ConfigItem, discriminator="tests"):
    """How many tests, or other dear calls, an account has had in a minute; `expires_at` ends it."""

    taken = NumberAttribute()
    expires_at = NumberAttribute()


class WaitItem(ConfigItem, discriminator="wait"):
    """A place in which one call at a time waits; without `until` it is free."""

    until = NumberAttribute(null=True)
    expires_at = NumberAttribute()


class ContractItem(ConfigItem, discriminator="contract"):
    """A stored contract without its JSON; `uses` counts the webhooks that have it."""

    title = UnicodeAttribute()
    digest = UnicodeAttribute()
    says = text_list()
    largest_batch = NumberAttribute()
    secret_rule = UnicodeAttribute()
    uses = NumberAttribute(default=0)
    created_at = NumberAttribute()


class ContractTextItem(ConfigItem, discriminator="contract_text"):
    """The JSON of a contract: apart, so that a list of contracts need not read it."""

    text = UnicodeAttribute()


class ContractCountItem(ConfigItem, discriminator="contract_count"):
    """How many contracts an account, or the operators, have."""

    total = NumberAttribute()


class ContractUseItem(ConfigItem, discriminator="contract_use"):
    """Says that a webhook has a contract: the sort key does."""


class KeyItem(ConfigItem, discriminator="key"):
    """What the authorizer reads of an API key."""

    key_id = UnicodeAttribute()
    account_id = UnicodeAttribute(null=True)
    scopes = text_list()
    webhook_id = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class KeyListItem(ConfigItem, discriminator="key_list"):
    """What the owner of an API key sees of it; `key_hash` leads to its KeyItem."""

    key_hash = UnicodeAttribute()
    account_id = UnicodeAttribute(null=True)
    name = UnicodeAttribute()
    scopes = text_list()
    webhook_id = UnicodeAttribute(null=True)
    is_for_listening = BooleanAttribute(null=True)
    created_at = NumberAttribute()
    expires_at = NumberAttribute(null=True)

    def to_api_key(self) -> ApiKey:
        """The API key of the domain."""
        return ApiKey(
            id=KeyId(self.sk),
            account_id=AccountId(self.account_id) if self.account_id else None,
            name=self.name,
            scopes=frozenset(Scope(scope) for scope in self.scopes),
            created_at=int(self.created_at),
            webhook_id=WebhookId(self.webhook_id) if self.webhook_id else None,
            expires_at=None if self.expires_at is None else int(self.expires_at) * MICROSECONDS,
            is_for_listening=bool(self.is_for_listening),
        )


class ActivityItem(ConfigItem, discriminator="activity"):
    """A record of a change: `by_…` is who made it; `expires_at` ends it after a year."""

    action = UnicodeAttribute()
    subject = UnicodeAttribute()
    name = UnicodeAttribute(null=True)
    fields = text_list(null=True)
    by_kind = UnicodeAttribute()
    by_key = UnicodeAttribute(null=True)
    by_link = UnicodeAttribute(null=True)
    by_operator = BooleanAttribute()
    at = NumberAttribute()
    expires_at = NumberAttribute()

    def to_activity(self) -> Activity:
        """The record of the domain."""
        by: dict[str, Json] = {"kind": self.by_kind}
        if self.by_key is not None:
            by["api_key_id"] = self.by_key
        if self.by_link is not None:
            by["console_link_id"] = self.by_link
        return Activity(
            id=self.sk,
            at=int(self.at),
            action=self.action,
            subject=self.subject,
            name=self.name,
            fields=tuple(self.fields or ()),
            by=by | {"operator": self.by_operator},
        )


CONFIG_ITEMS: tuple[type[ConfigItem], ...] = (
    ConfigItem,
    AccountItem,
    AccountListItem,
    AddressItem,
    WebhookItem,
    TombstoneItem,
    TombstoneListItem,
    UrlItem,
    HealthItem,
    SlotItem,
    NoticeCountItem,
    TrialCountItem,
    WaitItem,
    ContractItem,
    ContractTextItem,
    ContractCountItem,
    ContractUseItem,
    KeyItem,
    KeyListItem,
    ActivityItem,
)


def webhook_sk(webhook_id: WebhookId) -> str:
    """The sort key of a webhook."""
    return WEBHOOK_SK_PREFIX + webhook_id


def tombstones_pk(account_id: AccountId) -> str:
    """The partition of an account's tombstones: apart, as nothing bounds their number."""
    return f"{account_id}#deleted"


def tombstone_list_sk(webhook_id: WebhookId, deleted_at: int) -> str:
    """The sort key of a tombstone among the others, in the order of their deletion."""
    return f"{TOMBSTONE_LIST_PREFIX}{deleted_at:020}#{webhook_id}"


def health_pk(account_id: AccountId) -> str:
    """The partition of an account's health items: apart, so that they do not heat its webhooks."""
    return f"health#{account_id}"


def slots_pk(account_id: AccountId) -> str:
    """The partition of an account's slots: apart, so that they do not heat its webhooks."""
    return f"slots#{account_id}"


def trials_pk(account_id: AccountId) -> str:
    """The partition of the counts of an account's tests."""
    return f"{account_id}#tests"


def dry_runs_pk(account_id: AccountId) -> str:
    """The partition of the counts of an account's dry runs."""
    return f"{account_id}#dry-runs"


def account_waits_pk(account_id: AccountId) -> str:
    """The partition of the places in which an account's calls wait."""
    return f"{account_id}#waits"


def waits_pk() -> str:
    """The partition of the places in which calls of all accounts wait."""
    return "waits"


def searches_pk(account_id: AccountId) -> str:
    """The partition of the counts of what an account's people look for far back."""
    return f"{account_id}#searches"


def contract_checks_pk(owner: AccountId | None) -> str:
    """The partition of the counts of contracts that are checked to be stored."""
    return f"{owner_name(owner)}#contract-checks"


def confirmations_pk(account_id: AccountId) -> str:
    """The partition of the counts of mails that ask an account's addresses for confirmation."""
    return f"{account_id}#confirmations"


def address_pk(digest: str) -> str:
    """The partition of an address, by its hash: its accounts, and counts of such mails to it."""
    return f"address#{digest}"


def address_links_pk(digest: str) -> str:
    """The partition of the counts of mails with links to one address."""
    return f"address#{digest}#links"


def account_links_pk(account_id: AccountId) -> str:
    """The partition of the counts of mails with links to an account."""
    return f"{account_id}#links"


def contracts_pk(owner: AccountId | None) -> str:
    """The partition of an account's, or the operators', contracts."""
    return f"{owner_name(owner)}#contracts"


def contract_texts_pk(owner: AccountId | None) -> str:
    """The partition of their JSON: all that the dispatcher may read of them."""
    return f"{owner_name(owner)}#contract-texts"


def contract_uses_pk(owner: AccountId | None) -> str:
    """The partition that says which webhooks have them."""
    return f"{owner_name(owner)}#contract-uses"


def contract_use_sk(format_name: str, account_id: AccountId, webhook_id: WebhookId) -> str:
    """The sort key of one webhook among those that have a contract."""
    return f"{format_name}#{account_id}#{webhook_id}"


def activity_pk(owner: AccountId | None) -> str:
    """The partition of what was changed of an account, or of what is the operators'."""
    return f"{owner_name(owner)}#activity"


def owner_name(owner: AccountId | None) -> str:
    """An account's id, or what stands for the operators."""
    return owner or OPERATOR


def urls_pk(account_id: AccountId) -> str:
    """The partition of the URLs that an account's webhooks have."""
    return f"{account_id}#urls"


def url_sk(url: str) -> str:
    """The sort key of a URL."""
    return hashlib.sha256(url.encode()).hexdigest()


def key_pk(key_hash: str) -> str:
    """The partition of an API key."""
    return f"key#{key_hash}"


def keys_pk(account_id: AccountId | None) -> str:
    """The partition of an account's, or the operators', list of API keys."""
    return f"{owner_name(account_id)}#keys"
