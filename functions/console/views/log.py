"""The log as a page shows it: what the URL asks for, and the rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlencode

from console.http.form import Form
from console.views.date_fields import from_date_field
from console.views.wording import came_back
from perkwire.managing.webhooks import WebhookManagement
from perkwire.model.delivery import DeliveryStatus
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, DeliveryId, accepted_at
from perkwire.reading.health import Unsettled, count_unsettled
from perkwire.reading.log import LogReader, parse_filter

TABS = (
    DeliveryStatus.FAILED,
    DeliveryStatus.RETRYING,
    DeliveryStatus.SUCCEEDED,
    DeliveryStatus.CANCELLED,
    DeliveryStatus.WAITING,
    DeliveryStatus.PULLED,
)
ALL = "all"
FILTERS = ("webhook_id", "event_type", "answer", "since", "until")
_TIMES = ("since", "until")
# A page ends at the first read that fills it: with less than two reads in it, all its rows can be
# retried at once.
_ROWS = 50
_MOST_READS = 10
_MOST_WEBHOOKS = 100
_UNSETTLED = (DeliveryStatus.FAILED, DeliveryStatus.RETRYING)
_RETRYABLE = (DeliveryStatus.FAILED, DeliveryStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery of the log, and the name of its webhook."""

    delivery: Mapping[str, Any]
    webhook: str

    @property
    def accepted_at(self) -> int:
        """When its first event was accepted, in microseconds: what the log is sorted by."""
        return accepted_at(DeliveryId(self.delivery["id"]))

    @property
    def last(self) -> Mapping[str, Any] | None:
        """The last attempt."""
        attempts: list[dict[str, Any]] = self.delivery["attempts"]
        return attempts[-1] if attempts else None

    @property
    def result(self) -> str:
        """What the last attempt came to, in short."""
        return came_back(self.last) if self.last else "Not sent"

    @property
    def may_be_retried(self) -> bool:
        """Whether its status lets a person send it again."""
        return self.delivery["status"] in _RETRYABLE


@dataclass(frozen=True, slots=True)
class LogPage:
    """The rows of one tab.

    `counts`, by status and for ALL, are as "12"; "12+" of what has failed or is being retried says
    that there are at least so many. What is not known has none. `next_cursor` None: there are no
    older ones.
    """

    rows: Sequence[Row]
    counts: Mapping[str, str]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What the URL asks for, as the API's parameters; `tab` None is all."""

    tab: str | None
    parameters: Mapping[str, str]
    cursor: str | None

    @classmethod
    def of(cls, form: Form) -> "LogQuery":
        """Read a URL's query, or the same as hidden fields of a form. Checks nothing."""
        parameters = {name: form.text(name) for name in FILTERS if form.text(name)}
        for name in _TIMES:
            if name in parameters:
                parameters[name] = from_date_field(parameters[name])
        return cls(form.text("status") or None, parameters, form.text("cursor") or None)

    def query(self, *, tab: str | None = None, cursor: bool = False) -> str:
        """The query of the same page on a tab, from the beginning or from here."""
        fields = dict(self.parameters)
        if tab:
            fields["status"] = tab
        if cursor and self.cursor:
            fields["cursor"] = self.cursor
        return urlencode(fields)

    @property
    def here(self) -> str:
        """The query of this very page."""
        return self.query(tab=self.tab, cursor=True)


def reload_seconds(retry_interval_seconds: int) -> int:
    """How often a page with something that is being retried looks again."""
    return min(max(retry_interval_seconds // 10, 2), 15)


def account_webhooks(webhooks: WebhookManagement, account_id: AccountId) -> dict[str, Webhook]:
    """The account's webhooks by id, without those deleted, by name; raises Unavailable."""
    found = webhooks.list(account_id, _MOST_WEBHOOKS, None)
    return {webhook.id: webhook for webhook in sorted_webhooks(found.items)}


def webhook_names(webhooks: WebhookManagement, account_id: AccountId) -> dict[str, str]:
    """The names of those webhooks; raises Unavailable."""
    return names_of(account_webhooks(webhooks, account_id))


def names_of(webhooks: Mapping[str, Webhook]) -> dict[str, str]:
    """The names of webhooks, by id."""
    return {webhook_id: webhook.name for webhook_id, webhook in webhooks.items()}


def sorted_webhooks(webhooks: Iterable[Webhook]) -> list[Webhook]:
    """Webhooks by name, as people look for them."""
    return sorted(webhooks, key=lambda one: (one.name.casefold(), one.id))


def read_page(
    log: LogReader, account_id: AccountId, wanted: LogQuery, names: Mapping[str, str]
) -> LogPage:
    """Look at the log until there is a page of the tab; raises Problem and Unavailable.

    Looks at a bounded number of deliveries, so that a page may be short; the cursor goes on.
    """
    parameters = {**wanted.parameters}
    if wanted.tab is not None:
        parameters["status"] = wanted.tab
    asked = parse_filter(parameters)
    # The log finds these among themselves; the others only by looking at all.
    among_themselves = asked.status in _UNSETTLED
    if not among_themselves:
        asked = replace(asked, status=None)
    rows: list[Row] = []
    seen: Counter[str] = Counter()
    cursor = wanted.cursor
    for _ in range(_MOST_READS):
        page = log.list(account_id, asked, _ROWS, cursor)
        for item in page.items:
            delivery = cast("dict[str, Any]", item)
            seen[delivery["status"]] += 1
            if wanted.tab in (None, delivery["status"]):
                rows.append(Row(delivery, names.get(delivery["webhook_id"], "deleted webhook")))
        cursor = page.next_cursor
        if cursor is None or len(rows) >= _ROWS:
            break
    counts = {}
    if not among_themselves and cursor is None and wanted.cursor is None:
        counts = {ALL: str(seen.total())} | {status: str(seen[status]) for status in TABS}
    counts |= _counts_of_unsettled(count_unsettled(log, account_id, asked))
    return LogPage(rows, counts, cursor)


def _counts_of_unsettled(found: Unsettled) -> dict[str, str]:
    counts = {DeliveryStatus.FAILED: found.failed, DeliveryStatus.RETRYING: found.retrying}
    if not found.is_capped:
        return {status: str(count) for status, count in counts.items()}
    return {status: f"{count}+" for status, count in counts.items() if count}
