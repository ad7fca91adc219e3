"""Members: where an event names them, and the keys by which its mentions are found.

Four objects of an event's `data` are people, each known by `id` and `email`: `member`, `holder`,
`referral.referrer` and `referral.friend`. Events of the platform's own types may also name the
member without an object, as `member_id` and `member_email`.
"""

import enum
import hmac
from collections.abc import Collection, Iterator
from dataclasses import field

from perkwire.model.words import words_of
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.strict_json import Json

LONGEST_NAME = 320
"""Of an e-mail address; what is longer names nobody."""

_KEY_BYTES = 16
_PEOPLE = (("member",), ("holder",), ("referral", "referrer"), ("referral", "friend"))


class MemberIndex(enum.StrEnum):
    """By what events are found: what the router keeps keys of."""

    IDS = "ids"
    IDS_AND_EMAILS = "ids-and-emails"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MemberKeys:
    """One account's: a name becomes a key by the account's own secret, and no key a name."""

    secret: str = field(repr=False)

    def of(self, name: str) -> str:
        """The key of an id or an e-mail address. Addresses are the same in either case."""
        text = name.strip()
        if "@" in text:
            text = text.lower()
        digest = hmac.digest(self.secret.encode(), text.encode(errors="surrogatepass"), "sha256")
        return digest[:_KEY_BYTES].hex()

    def are_in(self, text: str, wanted: Collection[str]) -> bool:
        """Whether any of these keys is of a name that stands anywhere in a text."""
        words = {word.strip() for word in words_of(text)}
        return any(0 < len(word) <= LONGEST_NAME and self.of(word) in wanted for word in words)

    def named(self, data: dict[str, Json], index: MemberIndex) -> tuple[str, ...]:
        """The keys of all that an event's data names, each once."""
        if index is MemberIndex.NONE:
            return ()
        emails_too = index is MemberIndex.IDS_AND_EMAILS
        return tuple(dict.fromkeys(map(self.of, _names(data, emails_too=emails_too))))


def _names(data: dict[str, Json], *, emails_too: bool) -> Iterator[str]:
    ids: list[Json] = [data.get("member_id")]
    emails: list[Json] = [data.get("member_email")]
    for place in _PEOPLE:
        person: Json = data
        for name in place:
            person = person.get(name) if isinstance(person, dict) else None
        if isinstance(person, dict):
            ids.append(person.get("id"))
            emails.append(person.get("email"))
    for value in ids + emails if emails_too else ids:
        # The platform's own types may have numbers for ids.
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(text, str) and 0 < len(text.strip()) <= LONGEST_NAME:
            yield text
