"""E-mails to an account's admins: what one is, who sends it, and how it names a webhook."""

import unicodedata
from typing import Protocol

from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.journal import Journal
from perkwire.primitives.timestamps import to_rfc3339

LONGEST_SUBJECT = 99  # SNS wants fewer than 100 characters
MOST_NOTICES_PER_HOUR = 20
"""Of an account, in an hour of the clock, whatever they tell of."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An e-mail. `subject` is one line of at most LONGEST_SUBJECT printable ASCII characters."""

    subject: str
    text: str


class Publisher(Protocol):
    """Sends notices to the addresses of a topic."""

    def publish(self, topic: str, notice: Notice) -> None:
        """Hand it over; raises Unavailable."""
        ...


class NoticeBound(Protocol):
    """Counts the notices that an account gets."""

    def admit_notice(self, webhook: Webhook, now: int, most: int) -> bool:
        """Count a notice to the webhook's account, unless the hour has `most`, under any race.

        Raises Unavailable.
        """
        ...


class NoticeSender:
    """Sends notices, no more of an account than `most_per_hour` in an hour of the clock."""

    def __init__(
        self,
        *,
        bound: NoticeBound,
        publisher: Publisher,
        journal: Journal,
        most_per_hour: int = MOST_NOTICES_PER_HOUR,
    ) -> None:
        self._bound = bound
        self._publisher = publisher
        self._journal = journal
        self._most_per_hour = most_per_hour

    def admits(self, webhook: Webhook, now: int) -> bool:
        """Whether the webhook's account gets another one in this hour; raises Unavailable."""
        admitted = self._bound.admit_notice(webhook, now, self._most_per_hour)
        if not admitted:
            self._journal.note(
                "notice.held_back", account_id=webhook.account_id, webhook_id=webhook.id
            )
        return admitted

    def send(self, webhook: Webhook, topic: str, about: str, notice: Notice) -> None:
        """Hand one over that was admitted; raises Unavailable."""
        self._publisher.publish(topic, notice)
        self._journal.note(
            "notice.sent", account_id=webhook.account_id, webhook_id=webhook.id, about=about
        )


def notice_subject(webhook: Webhook, what: str) -> str:
    """The name without its accents, cut if need be; the id if nothing of the name is ASCII."""
    plain = unicodedata.normalize("NFKD", _name(webhook)).encode("ascii", "ignore").decode()
    name = " ".join(plain.split()) or webhook.id
    room = LONGEST_SUBJECT - len(f'Webhook "": {what}')
    if len(name) > room:
        name = f"{name[: room - 3]}..."
    return f'Webhook "{name}": {what}'


def notice_title(webhook: Webhook) -> str:
    """The name as it is, and the id."""
    return f'"{_name(webhook)}" ({webhook.id})'


def _name(webhook: Webhook) -> str:
    """On one line, without characters that only change how others look."""
    spaced = " ".join(webhook.name.split())
    return "".join(one for one in spaced if not unicodedata.category(one).startswith("C"))


def notice_time(microseconds: int) -> str:
    """A moment since the epoch, to the minute."""
    return f"{to_rfc3339(microseconds)[:16].replace('T', ' ')} UTC"
