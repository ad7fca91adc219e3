"""What a person has filled in, and what is wrong with it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Self, cast
from urllib.parse import parse_qs

from console.http.spans import span
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.problem import Problem, malformed
from perkwire.primitives.regexes import regex

_MOST_FIELDS = 2_000
_FRACTION = regex(r"[0-9]{0,9}\.[0-9]{1,9}")


class Form:
    """The fields of a form, or of a URL's query. A field may be there several times."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._fields = fields

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `application/x-www-form-urlencoded`; raises the 400 problem."""
        try:
            fields = parse_qs(
                text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
            )
        except ValueError:
            raise malformed("The form cannot be read.") from None
        return cls(
            {name: [one.replace("\r\n", "\n") for one in each] for name, each in fields.items()}
        )

    def changed(self, fields: Mapping[str, Sequence[str]]) -> "Form":
        """The form with some fields filled in otherwise."""
        return Form({**self._fields, **fields})

    def where(self, is_kept: Callable[[str], bool]) -> "Form":
        """The form with some fields left out, by their names."""
        return Form({name: values for name, values in self._fields.items() if is_kept(name)})

    def all(self, name: str) -> Sequence[str]:
        """All values of a field, as they are."""
        return self._fields.get(name, ())

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str, default: str = "") -> str:
        """A field without the blanks around it; `default` if it is not there."""
        values = self._fields.get(name)
        return values[-1].strip() if values else default

    def texts(self, name: str) -> list[str]:
        """All values of a field, as ticked boxes have them; those that are blank left out."""
        return [one.strip() for one in self._fields.get(name, ()) if one.strip()]

    def lines(self, name: str) -> list[str]:
        """The lines of a text area that are not blank."""
        return [line.strip() for line in self.text(name).splitlines() if line.strip()]

    def number(self, name: str) -> int | str | None:
        """A whole number; other text as it is, for the library to refuse; None if it is blank."""
        text = self.text(name)
        if text.isascii() and text.isdecimal() and len(text) < 16:
            return int(text)
        return text or None

    def fraction(self, name: str) -> float | str | None:
        """As `number`, and `0.5` is one too."""
        text = self.text(name)
        return float(text) if _FRACTION.fullmatch(text) else self.number(name)


@dataclass(frozen=True, slots=True)
class WrongField:
    """A field as the API calls it (`notify_emails[1]`), and why it is wrong."""

    field: str
    detail: str

    @property
    def name(self) -> str:
        """The form's field that it belongs to: `notify_emails`."""
        return _name(self.field)

    @property
    def label(self) -> str:
        """The field as the form labels it."""
        return label(self.field)

    @property
    def has_field(self) -> bool:
        """Whether a page that has this problem has the field, to lead to it."""
        return self.name in _LABELS and self.name not in _FIELDLESS


_LABELS = {
    "as": "The same as",
    "batch_size": "Batch size",
    "batch_bytes": "Batch bytes",
    "account_id": "Account id",
    "colour": "Colour of buttons",
    "answer": "Answer",
    "contract": "Contract",
    "cursor": "Page",
    "description": "Description",
    "email": "E-mail address",
    "even_if_last": "Last way in",
    "event_id": "Event",
    "event_type": "Event type",
    "event_types": "Events",
    "expires_in_minutes": "Minutes that it works",
    "filter": "Filter",
    "format": "Format",
    "format_settings": "Settings of the format",
    "headers": "Headers",
    "id": "Event id",
    "key": "API key",
    "logo": "Logo",
    "max_per_second": "Most deliveries a second",
    "member": "Member",
    "member_id": "Member\u2019s id",
    "confirmation": "One of the two once more, to confirm",
    "name": "Name",
    "other_types": "Other types",
    "pause_when_exhausted": "When a delivery has used up its attempts",
    "retry_delays_seconds": "Delays between attempts",
    "notify_emails": "E-mail addresses for notices",
    "overlap_hours": "Hours of overlap",
    "per_second": "Deliveries per second",
    "program_id": "Programme",
    "program_ids": "Programmes",
    "scopes": "What the key may do",
    "secret": "Secret",
    "since": "Accepted from",
    "status": "Tab",
    "text": "What to send",
    "type": "Event type",
    "until": "Accepted before",
    "url": "URL",
    "webhook_id": "Webhook",
    "webhook_ids": "Webhooks",
}
# What is chosen by a link.
_FIELDLESS = ("cursor", "status")
_POSITION = regex(r"\[(\d+)\]")
# One of them, where a person does not see lines.
_ONE_OF = {"event_types": "Event type", "retry_delays_seconds": "Delay", "webhook_ids": "Webhook"}

# The API's words for what a person sees as boxes or lines.
_WORDS = (
    (
        regex(r"must be a list of 1 to (\d+) strings"),
        r"must be chosen: one at least, \1 at most",
    ),
    (regex(r"must be a list of 0 to (\d+) strings"), r"must be \1 at most"),
    (regex(r"must be a list of 0 to (\d+) whole numbers"), r"must be \1 at most"),
    (regex(r"must be a list of at most (\d+) values"), r"must be \1 at most"),
    (regex(r"must be true for this"), "must be ticked for this"),
    (regex(r"must be an event type, such as"), "is not known: one is, for example,"),
    (regex(r"must be the next_cursor of an earlier page"), "is there no more: begin at the first"),
    (regex(r"is not a webhook's id"), "is not one of this account"),
    (regex(r"must be an RFC 3339 time.*"), "must be a date and a time"),
)
# Of fields that a person fills in otherwise than the API takes them.
_WORDS_OF: Mapping[str, tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = {
    "retry_delays_seconds": (
        (
            regex(r"must be a whole number from 1 to (\d+)"),
            lambda found: f"must be a time from 1 s to {span(int(found[1]))}, such as 5 min",
        ),
        (
            regex(r"must be (\d+) seconds at most, all together"),
            lambda found: f"must be {span(int(found[1]))} at most, all together",
        ),
        (
            regex(r"must be a list of 0 to (\d+) whole numbers"),
            lambda found: f"must be {found[1]} at most",
        ),
    ),
    "scopes": (
        (
            regex(r"must be a list of 1 to \d+ strings"),
            lambda _: "must be chosen: one thing at least",
        ),
        (
            regex(r"may not hold (.*)"),
            lambda found: f"must not go beyond what you may do yourself, as {found[1]} does",
        ),
    ),
}

_CONFLICT = "urn:perkwire:problem:conflict"


def _in_words(field: str, detail: str) -> str:
    for words, say in _WORDS_OF.get(_name(field), ()):
        if found := words.fullmatch(detail):
            return say(found)
    for words, instead in _WORDS:
        detail = words.sub(instead, detail)
    return detail


def label(field: str) -> str:
    """A field as the form labels it, and which of its lines or names: `Line 2 of Programmes`."""
    name = _name(field)
    rest = field.removeprefix(name)
    called = _LABELS.get(name, name)
    position = _POSITION.fullmatch(rest)
    if position is None:
        return f"{called} {rest.removeprefix('.')}".strip()
    number = int(position[1]) + 1
    one = _ONE_OF.get(name)
    return f"Line {number} of {called}" if one is None else f"{one} {number}"


def _name(field: str) -> str:
    return field.partition("[")[0].partition(".")[0]


class ShownProblem:
    """A Problem as templates show it: of a form rather than of a request."""

    def __init__(self, problem: Problem, filled_as: Mapping[str, str] | None = None) -> None:
        """`filled_as` says of fields where the form has them, if it is elsewhere."""
        document = cast("dict[str, Any]", problem.document())
        self.status = problem.status
        self.title: str = document["title"]
        if self.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            self.title = "Something is not right yet."
        self.detail: str | None = document.get("detail")
        if document["type"] == _CONFLICT and self.detail:
            self.title, self.detail = self.detail, None
        self.errors = [
            WrongField(
                (filled_as or {}).get(error["field"], error["field"]),
                _in_words(error["field"], error["detail"]),
            )
            for error in document.get("errors", [])
        ]

    def of(self, name: str) -> list[WrongField]:
        """What is wrong with one field of the form."""
        return [error for error in self.errors if error.name == name]
