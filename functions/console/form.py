"""What a person has filled in, and what is wrong with it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self, cast
from urllib.parse import parse_qs

from perkwire.problem import Problem, malformed

_MOST_FIELDS = 2_000


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


@dataclass(frozen=True, slots=True)
class WrongField:
    """A field as the API calls it (`notify_emails[1]`), and why it is wrong."""

    field: str
    detail: str

    @property
    def name(self) -> str:
        """The form's field that it belongs to: `notify_emails`."""
        return self.field.partition("[")[0].partition(".")[0]


# The API's words for what a person sees as boxes or lines.
_LIST = re.compile(r"must be a list of (\d+) to (\d+) strings")


class ShownProblem:
    """A Problem as templates show it: of a form rather than of a request."""

    def __init__(self, problem: Problem) -> None:
        document = cast("dict[str, Any]", problem.document())
        self.status = problem.status
        self.title: str = document["title"]
        if self.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            self.title = "Something is not right yet."
        self.detail: str | None = document.get("detail")
        self.errors = [
            WrongField(error["field"], _LIST.sub(r"needs \1 to \2 of these", error["detail"]))
            for error in document.get("errors", [])
        ]

    def of(self, name: str) -> list[WrongField]:
        """What is wrong with one field of the form."""
        return [error for error in self.errors if error.name == name]
