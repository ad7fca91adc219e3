"""Mails with links: how many there were, and what was sent."""

from collections import Counter

from perkwire.managing.mailing_links import Mail
from perkwire.primitives.ids import AccountId
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from tests.fakes.failing import Failing

_MINUTE = 60 * MICROSECONDS
_HOUR = HOUR_SECONDS * MICROSECONDS


class FakeLinkCounter(Failing):
    """For LinkCounter: mailing_links.LinkCounter."""

    def __init__(self) -> None:
        super().__init__()
        self._taken: Counter[tuple[str, int]] = Counter()

    def take_request(self, now: int, most: int) -> bool:
        self._called("take_request")
        return self._take("requests", now // _MINUTE, most)

    def take_mail(self, digest: str, now: int, most: int) -> bool:
        self._called("take_mail")
        return self._take(digest, now // _HOUR, most)

    def take_link(self, account_id: AccountId, now: int, most: int) -> bool:
        self._called("take_link")
        return self._take(account_id, now // _HOUR, most)

    def _take(self, whose: str, when: int, most: int) -> bool:
        if self._taken[whose, when] >= most:
            return False
        self._taken[whose, when] += 1
        return True


class FakeMailer(Failing):
    """For SesMailer: mailing_links.Mailer."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Mail] = []

    def send(self, mail: Mail) -> None:
        self._called("send")
        self.sent.append(mail)
