"""ConfigTable as the console's links and sessions are kept in it."""

import threading
from dataclasses import replace

from perkwire.managing.signing_in import ConsoleLink, NoSuchLink, Session
from perkwire.primitives.ids import AccountId
from tests.fakes.failing import Failing


class FakeLinkStore(Failing):
    """For LinkStore: signing_in.Links."""

    def __init__(self) -> None:
        super().__init__()
        self.links: dict[str, ConsoleLink] = {}
        self._used_by: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, token_hash: str, link: ConsoleLink) -> None:
        self._called("add")
        self.links[token_hash] = link

    def unused(self, token_hash: str) -> ConsoleLink | None:
        self._called("unused")
        return None if token_hash in self._used_by else self.links.get(token_hash)

    def use(self, token_hash: str, session_hash: str, now: int) -> ConsoleLink | None:
        self._called("use")
        with self._lock:
            link = self.links.get(token_hash)
            if link is None or link.expires_at <= now:
                return None
            is_its_own = self._used_by.setdefault(token_hash, session_hash) == session_hash
            return link if is_its_own else None

    def end(self, account_id: AccountId, token_hash: str) -> str | None:
        self._called("end")
        with self._lock:
            link = self.links.get(token_hash)
            if link is None or link.account_id != account_id:
                raise NoSuchLink
            used_by = self._used_by.setdefault(token_hash, "ended")
            return None if used_by == "ended" else used_by


class FakeSessionStore(Failing):
    """For SessionStore: signing_in.Sessions."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions: dict[str, Session] = {}

    def add(self, token_hash: str, session: Session) -> None:
        self._called("add")
        self.sessions[token_hash] = session

    def find(self, token_hash: str) -> Session | None:
        self._called("find")
        return self.sessions.get(token_hash)

    def act_for(self, token_hash: str, account_id: AccountId | None) -> None:
        self._called("act_for")
        if token_hash in self.sessions:
            session = replace(self.sessions[token_hash], acting_for=account_id)
            self.sessions[token_hash] = session

    def remove(self, token_hash: str) -> None:
        self._called("remove")
        self.sessions.pop(token_hash, None)
