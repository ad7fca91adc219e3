"""Console links by mail: an admin comes back without an operator.

Whoever asks learns nothing: the answer and the time that it takes are the same for an address that
gets a link and for one that nobody has named. A link goes to an address that has confirmed that it
gets an account's notices, and to no other.
"""

import time
from collections.abc import Callable
from typing import Protocol

from perkwire.managing.signing_in import (
    DEFAULT_LINK_MINUTES,
    MINUTE,
    Accounts,
    ConsoleLink,
    Links,
    new_token,
    token_hash,
)
from perkwire.model.account import Account, address_hash, is_address, same_address
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.problem import FieldError, invalid, too_many_this_minute
from perkwire.primitives.timestamps import to_rfc3339

MOST_REQUESTS_PER_MINUTE = 20
"""Of all the world together: each holds a place of the console for ANSWER_SECONDS."""

MOST_TO_ADDRESS_PER_HOUR = 3
MOST_OF_ACCOUNT_PER_HOUR = 10
MOST_ACCOUNTS = 5
"""Of one address, in one mail; who has more names the account."""

ANSWER_SECONDS = 1.5
"""When each request is answered: several times what the look-ups and the mail take."""


class Addresses(Protocol):
    """Whose notices an address gets."""

    def accounts_of(self, digest: str, most: int) -> list[AccountId]:
        """The first accounts whose notices an address gets, by its hash; raises Unavailable."""
        ...


class Confirmations(Protocol):
    """Who has confirmed that they get notices."""

    def confirmed(self, topic: str) -> set[str]:
        """The addresses that get notices, as `same_address` has them; raises Unavailable."""
        ...


class LinkCounter(Protocol):
    """How many links are asked for and mailed, counted so that no race gets past a bound."""

    def take_request(self, now: int, most: int) -> bool:
        """Count one request of this minute; False if there were `most`. Raises Unavailable."""
        ...

    def take_mail(self, digest: str, now: int, most: int) -> bool:
        """Count one mail to an address in this hour; False as above. Raises Unavailable."""
        ...

    def take_link(self, account_id: AccountId, now: int, most: int) -> bool:
        """Count one link of an account in this hour; False as above. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    """A message to one address."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """What takes mails."""

    def send(self, mail: Mail) -> None:
        """Hand it over; raises Unavailable."""
        ...


class MailedLinks:
    """Mails links to those who may come in."""

    def __init__(
        self,
        *,
        addresses: Addresses,
        accounts: Accounts,
        confirmations: Confirmations,
        links: Links,
        counter: LinkCounter,
        mailer: Mailer,
        journal: Journal,
        clock: Callable[[], int],
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._addresses = addresses
        self._accounts = accounts
        self._confirmations = confirmations
        self._links = links
        self._counter = counter
        self._mailer = mailer
        self._journal = journal
        self._clock = clock
        self._wait = wait

    def request(self, address: str, account_id: str, console_url: str) -> None:
        """Mail a link to an address that may have one; `account_id`: to this account alone.

        Raises Problem for what is no address, or too many requests, and Unavailable; all of it
        whatever the address is.
        """
        if not is_address(address):
            raise invalid([FieldError("email", "must be an e-mail address")])
        now = self._clock()
        if not self._counter.take_request(now, MOST_REQUESTS_PER_MINUTE):
            raise too_many_this_minute("Too many ask for links in this minute.", now)
        started = time.monotonic()
        try:
            self._mail(address, account_id, console_url, now)
        except Unavailable as error:
            self._journal.fault("link_not_mailed", detail=str(error))
        finally:
            self._wait(max(0.0, started + ANSWER_SECONDS - time.monotonic()))

    def _mail(self, address: str, account_id: str, console_url: str, now: int) -> None:
        digest = address_hash(address)
        accounts = self._open_to(address, digest, account_id)
        if not accounts or not self._counter.take_mail(digest, now, MOST_TO_ADDRESS_PER_HOUR):
            return
        expires_at = now + DEFAULT_LINK_MINUTES * MINUTE
        urls: list[tuple[Account, str]] = []
        for account in accounts:
            if self._counter.take_link(account.id, now, MOST_OF_ACCOUNT_PER_HOUR):
                token = new_token()
                link = ConsoleLink(account.id, expires_at, now, digest)
                self._links.add(token_hash(token), link)
                urls.append((account, f"{console_url}/enter?token={token}"))
        if urls:
            self._mailer.send(Mail(address, "Your link to the console", _text(urls, expires_at)))

    def _open_to(self, address: str, digest: str, account_id: str) -> list[Account]:
        named = [AccountId(account_id)] if account_id else None
        ids = named or self._addresses.accounts_of(digest, MOST_ACCOUNTS)
        found = [account for one in ids if (account := self._accounts.find(one))]
        return [
            account
            for account in found
            if account.notice_topic
            and account.has_address(digest)
            and same_address(address) in self._confirmations.confirmed(account.notice_topic)
        ]


def _text(urls: list[tuple[Account, str]], expires_at: int) -> str:
    until = f"{to_rfc3339(expires_at)[:16].replace('T', ' ')} UTC"
    lines = [
        "Somebody, most likely you, has asked for a link to the console.",
        "",
        *(line for account, url in urls for line in (f"{account.name}:", url, "")),
        f"It works once, until {until}.",
    ]
    if len(urls) == MOST_ACCOUNTS:
        lines += ["For another account, ask again and name its id."]
    lines += [
        "",
        "If it was not you, there is nothing to do: without this mail nobody comes in. Do not pass "
        "it on. You get it as this address gets the notices of the account.",
    ]
    return "\n".join(lines) + "\n"
