"""Watches: whether anybody pulls a webhook for which something waits, looked at once a day.

The list of a webhook has one watch at a time, begun by whoever has something wait. It is a message
that is delayed again and again until it is to look. What it looks at then is where it was known by:
of two of them, as SQS may deliver a message twice, only one goes on from there. It ends once
nothing waits any more.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from perkwire.jobs.working import Webhooks
from perkwire.model.account import Account
from perkwire.model.messages import WatchMessage
from perkwire.model.notices import (
    Notice,
    NoticeSender,
    notice_subject,
    notice_time,
    notice_title,
)
from perkwire.model.standing import ReadableLists, Standing, standing_of
from perkwire.model.waiting import (
    WATCH_MICROSECONDS,
    BeingWritten,
    ListEnd,
    WaitingPage,
    send_watch,
)
from perkwire.model.webhook import DeletedWebhook, Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.queueing import Queue
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS

_SOONEST = 60 * MICROSECONDS
"""No watch is to look sooner: by then the list says that it is to, or this invocation is over."""

_AGAIN = HOUR_SECONDS * MICROSECONDS
"""After so long a notice is tried again that could not be sent, or was held back."""


class Lists(ReadableLists, Protocol):
    """The lists of what waits, and their watches."""

    def end(self, account_id: AccountId, webhook_id: WebhookId) -> ListEnd:
        """Where the list ends, read consistently; raises Unavailable."""
        ...

    def page_at(
        self, account_id: AccountId, webhook_id: WebhookId, last: int
    ) -> WaitingPage | None:
        """The page that ends at a place; None: there is none, and none is being written.

        Raises BeingWritten, Unavailable.
        """
        ...

    def move_watch(
        self, account_id: AccountId, webhook_id: WebhookId, before: int, after: int
    ) -> bool:
        """Have the watch look at `after`; False if it is not to look at `before`.

        Raises Unavailable.
        """
        ...

    def end_watch(self, account_id: AccountId, webhook_id: WebhookId, end: ListEnd) -> bool:
        """Have no watch any more; False if the list ends otherwise by now. Raises Unavailable."""
        ...


class Accounts(Protocol):
    """The accounts, whose admins are told."""

    def account(self, account_id: AccountId) -> Account | None:
        """One account; raises Unavailable."""
        ...


class Watcher:
    """The turns of watches. `clock` gives microseconds since the epoch.

    What waits is kept for `kept_days`. With the console's URL admins are sent there, else to the
    API.
    """

    def __init__(
        self,
        *,
        lists: Lists,
        webhooks: Webhooks,
        accounts: Accounts,
        notices: NoticeSender,
        queue: Queue,
        journal: Journal,
        kept_days: int,
        console_url: str,
        clock: Callable[[], int],
    ) -> None:
        self._lists = lists
        self._webhooks = webhooks
        self._accounts = accounts
        self._notices = notices
        self._queue = queue
        self._journal = journal
        self._kept_days = kept_days
        self._console_url = console_url
        self._clock = clock

    def turn(self, message: WatchMessage) -> bool:
        """Whether the message is done; raises Unavailable."""
        key = (message.account_id, message.webhook_id)
        end = self._lists.end(*key)
        if end.watch != message.watch:
            return True  # it has looked already, or another watches
        now = self._clock()
        webhook = self._webhooks.find(*key)
        if isinstance(webhook, DeletedWebhook) or (webhook and webhook.ends_at is not None):
            return True  # what was made for listening ends, and nobody misses anything
        if now < message.watch:
            return send_watch(self._queue, message, now)
        if webhook is None:
            self._journal.fault("webhook_absent", account_id=key[0], webhook_id=key[1])
            return False
        standing = standing_of(self._lists, webhook, end)
        waits_since = self._waits_since(webhook, standing, end, now)
        if waits_since is None:
            return self._lists.end_watch(*key, end)
        idle_since = max(waits_since, standing.taken_at or 0)
        if now - idle_since < WATCH_MICROSECONDS:
            after = max(idle_since + WATCH_MICROSECONDS, now + _SOONEST)
            self._move(message, after, now)
        elif moved := self._move(message, now + WATCH_MICROSECONDS, now):
            # Moved on first: of two of them one tells.
            self._tell(moved, webhook, standing, waits_since, now)
        return True

    def _waits_since(
        self, webhook: Webhook, standing: Standing, end: ListEnd, now: int
    ) -> int | None:
        """Since when the first has waited that is still kept; None: none waits."""
        if not standing.waiting or standing.waiting_since is not None:
            return standing.waiting_since
        try:
            page = self._lists.page_at(webhook.account_id, webhook.id, end.last)
        except BeingWritten:
            return now
        return None if page is None else page.written_at

    def _move(self, message: WatchMessage, after: int, now: int) -> WatchMessage | None:
        """The watch as it looks next, at `after`; None: another one does. Raises Unavailable."""
        moved = replace(message, watch=after)
        if not send_watch(self._queue, moved, now):
            raise Unavailable("SQS: the watch cannot go on")
        key = (message.account_id, message.webhook_id)
        return moved if self._lists.move_watch(*key, message.watch, after) else None

    def _tell(
        self,
        watch: WatchMessage,
        webhook: Webhook,
        standing: Standing,
        waits_since: int,
        now: int,
    ) -> None:
        """Mail the admins, if there are any; what cannot be sent now is tried in an hour."""
        if webhook.status is not WebhookStatus.ENABLED:
            return  # nothing is given of it: who disabled it knows why nobody pulls
        try:
            account = self._accounts.account(webhook.account_id)
            if account is None or account.notice_topic is None:
                return
            if self._notices.admits(webhook, now):
                notice = idle_notice(
                    webhook, standing, waits_since, self._kept_days, self._console_url
                )
                self._notices.send(webhook, account.notice_topic, "not pulled", notice)
                return
        except Unavailable as error:
            self._journal.fault(
                "notice_not_sent",
                account_id=webhook.account_id,
                webhook_id=webhook.id,
                detail=str(error),
            )
        self._move(watch, now + _AGAIN, now)


def idle_notice(
    webhook: Webhook, standing: Standing, waits_since: int, kept_days: int, console_url: str = ""
) -> Notice:
    """What is said of a webhook that nobody pulls, though something waits."""
    one = standing.waiting == 1
    number = "At most 1 delivery waits" if one else f"At most {standing.waiting} deliveries wait"
    since = f"{'' if one else 'the first '}since {notice_time(waits_since)}"
    at = standing.taken_at
    last = "has never been pulled" if at is None else f"was last pulled on {notice_time(at)}"
    path = f"/webhooks/{webhook.id}"
    page = f"{console_url}{path}" if console_url else f"GET /v1{path}"
    return Notice(
        notice_subject(webhook, "nothing pulled for a day"),
        f"""\
{number} to be pulled, {since}.
The webhook {notice_title(webhook)} {last}.

What has waited for {kept_days} days is lost.

What to do:
1. See that what pulls it runs, reaches the API, and has a key that has not expired.
2. See how far it has been pulled: {page}
3. If nobody needs it any more, disable or delete it there.

There is at most one such notice for this webhook in a day, until it is pulled.
""",
    )
