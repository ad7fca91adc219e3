"""Reading a JSON object member by member: every wrong field is named, unknown ones too."""

import re
from collections.abc import Callable, Mapping, Sequence

from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.problem import FieldError, invalid, malformed
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import InvalidJson, Json, parse

# What breaks a line or turns the text after it around; a script that runs from right to left
# needs none of it.
_HARMFUL = r"\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
# What does not show by itself: spaces, joiners, fillers, selectors, tags. Emoji are made with some.
_UNSEEN = (
    r"\u0020\u00a0\u00ad\u034f\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200d\u202f"
    r"\u205f-\u2065\u206a-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff"
)
_NAME = regex(f"[^{_HARMFUL}]*[^{_HARMFUL}{_UNSEEN}][^{_HARMFUL}]*")
_NAME_FORM = "without control or direction characters, not blank"


def parse_object(body: bytes, *, instead_of_list: str = "") -> dict[str, Json]:
    """The JSON object in a request's body; raises the 400 problem if it is not one.

    `instead_of_list` says what is sent where somebody may have meant a bare list.
    """
    value = parse_value(body)
    if isinstance(value, list):
        hint = f": {instead_of_list}" if instead_of_list else ""
        raise malformed(f"The body must be a JSON object, not a list{hint}.")
    if not isinstance(value, dict):
        raise malformed("The body must be a JSON object.")
    return value


def parse_optional_object(body: bytes) -> dict[str, Json]:
    """As `parse_object`, but no body at all, or null, is an empty object."""
    if not body or parse_value(body) is None:
        return {}
    return parse_object(body)


def parse_value(body: bytes) -> Json:
    """The JSON value in a request's body; raises the 400 problem if it is none."""
    try:
        return parse(body)
    except InvalidJson as error:
        raise malformed(str(error)) from None


@dataclass(frozen=True, slots=True)
class FieldWarning:
    """A field that is taken as it is, and what may come of it: a sentence without its value."""

    field: str
    detail: str

    def to_json(self) -> dict[str, Json]:
        """The warning as the API answers it."""
        return {"field": self.field, "detail": self.detail}


class Fields:
    """The members of one object. A reader that finds its member wrong notes why and gives None.

    `prefix` goes before each field's name in errors, e.g. `events[3].`; `pointer` is the object's
    own JSON pointer, e.g. `/events/3`; `names` what the sender calls members that are read here
    under another name.
    """

    def __init__(
        self,
        value: dict[str, Json],
        prefix: str = "",
        pointer: str = "",
        names: Mapping[str, str] | None = None,
    ) -> None:
        self._value = value
        self._prefix = prefix
        self._pointer = pointer
        self._names = names or {}
        self._read: set[str] = set()
        self.errors: list[FieldError] = []
        self.warnings: list[FieldWarning] = []

    def wrong(self, name: str, detail: str) -> None:
        """Note that a member is wrong."""
        called = self._names.get(name, name)
        self.errors.append(FieldError(f"{self._prefix}{called}", detail))

    def wrong_within(self, error: FieldError) -> None:
        """Note what is wrong inside a member; `error` says where as seen from this object."""
        pointer = None if error.pointer is None else f"{self._pointer}{error.pointer}"
        self.errors.append(FieldError(f"{self._prefix}{error.field}", error.detail, pointer))

    def warn(self, name: str, detail: str) -> None:
        """Note what may come of a member that is not wrong."""
        self.warnings.append(FieldWarning(f"{self._prefix}{name}", detail))

    def has(self, name: str) -> bool:
        """Whether there is such a member, whatever its value."""
        return name in self._value

    def refuse(self, name: str, detail: str) -> None:
        """Note that a member that others have may not be here."""
        self._read.add(name)
        self.wrong(name, detail)

    def text(
        self,
        name: str,
        *,
        longest: int = 256,
        pattern: re.Pattern[str] | None = None,
        form: str = "",
    ) -> str | None:
        """A string of 1 to `longest` characters that `pattern`, said as `form`, matches."""
        value = self._member(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(name, "must be a string")
        elif not 1 <= len(value) <= longest:
            self.wrong(name, f"must have 1 to {longest} characters")
        elif pattern is not None and not pattern.fullmatch(value):
            self.wrong(name, f"must be {form}")
        else:
            return value
        return None

    def required_text(
        self,
        name: str,
        *,
        longest: int = 256,
        pattern: re.Pattern[str] | None = None,
        form: str = "",
    ) -> str:
        """As `text`, but its absence is an error; what is wrong reads as empty."""
        self._require(name)
        return self.text(name, longest=longest, pattern=pattern, form=form) or ""

    def name(self) -> str | None:
        """The member `name`: 1 to 128 characters of one line, of which at least one shows."""
        return self.text("name", longest=128, pattern=_NAME, form=_NAME_FORM)

    def required_name(self) -> str:
        """As `name`, but its absence is an error; what is wrong reads as empty."""
        self._require("name")
        return self.name() or ""

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value = self._member(name)
        if value is None or isinstance(value, bool):
            return value
        self.wrong(name, "must be true or false")
        return None

    def integer(self, name: str, lowest: int, highest: int) -> int | None:
        """A whole number within bounds."""
        value = self._member(name)
        return None if value is None else self._integer(name, value, lowest, highest)

    def integers(
        self, name: str, lowest: int, highest: int, *, most: int, why: str = ""
    ) -> tuple[int, ...] | None:
        """A list of up to `most` whole numbers within bounds; `why` says where `most` is from."""
        value = self._member(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > most:
            self.wrong(name, f"must be a list of 0 to {most} whole numbers{why and f', {why}'}")
            return None
        found = [
            self._integer(f"{name}[{position}]", one, lowest, highest)
            for position, one in enumerate(value)
        ]
        whole = tuple(one for one in found if one is not None)
        return whole if len(whole) == len(value) else None

    def _integer(self, name: str, value: Json, lowest: int, highest: int) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            self.wrong(name, f"must be a whole number from {lowest} to {highest}")
            return None
        return value

    def number(self, name: str, lowest: float, highest: float) -> float | None:
        """A number within bounds, fractions allowed; without one it is whole."""
        value = self._member(name)
        if value is None:
            return None
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not lowest <= value <= highest
        ):
            self.wrong(name, f"must be a number from {lowest} to {highest}")
            return None
        return whole if (whole := int(value)) == value else value

    def object(self, name: str) -> dict[str, Json] | None:
        """A JSON object of any members."""
        value = self._member(name)
        if value is None or isinstance(value, dict):
            return value
        self.wrong(name, "must be an object")
        return None

    def required_object(self, name: str) -> dict[str, Json]:
        """As `object`, but its absence is an error; what is wrong reads as empty."""
        self._require(name)
        return self.object(name) or {}

    def value(self, name: str) -> Json:
        """Any value at all, null too."""
        self._read.add(name)
        return self._value.get(name)

    def values(self, name: str, most: int) -> list[Json] | None:
        """A list of at most `most` values of any kind."""
        value = self._member(name)
        if value is None or (isinstance(value, list) and len(value) <= most):
            return value
        self.wrong(name, f"must be a list of at most {most} values")
        return None

    def texts(
        self,
        name: str,
        *,
        fewest: int = 1,
        most: int,
        longest: int = 256,
        repeatable: bool = False,
        check: Callable[[str], str | None] = lambda _: None,
    ) -> tuple[str, ...] | None:
        """A list of `fewest` to `most` distinct strings; `check` says what is wrong with one.

        If `repeatable`, one that comes again is read once and is not wrong.
        """
        value = self._member(name)
        if value is None:
            return None
        if not isinstance(value, list) or not fewest <= len(value) <= most:
            self.wrong(name, f"must be a list of {fewest} to {most} strings")
            return None
        before = len(self.errors)
        found: list[str] = []
        for position, item in enumerate(value):
            place = f"{name}[{position}]"
            if not isinstance(item, str) or not 1 <= len(item) <= longest:
                self.wrong(place, f"must be a string of 1 to {longest} characters")
            elif item in found:
                if not repeatable:
                    self.wrong(place, "is there twice")
            elif wrong := check(item):
                self.wrong(place, wrong)
            else:
                found.append(item)
        return tuple(found) if len(self.errors) == before else None

    def required_texts(
        self,
        name: str,
        *,
        most: int,
        longest: int = 256,
        repeatable: bool = False,
        check: Callable[[str], str | None] = lambda _: None,
    ) -> tuple[str, ...]:
        """As `texts`, but its absence is an error; what is wrong reads as empty."""
        self._require(name)
        return (
            self.texts(name, most=most, longest=longest, repeatable=repeatable, check=check) or ()
        )

    def finish(self) -> list[FieldError]:
        """All errors, the unknown members among them."""
        for name in self._value:
            if name not in self._read:
                self.wrong(name, "is not a known field")
        return self.errors

    def raise_if_wrong(self) -> None:
        """Raise the 422 problem if any field is wrong or unknown."""
        if errors := self.finish():
            raise invalid(errors)

    def _require(self, name: str) -> None:
        if name not in self._value:
            self.wrong(name, "is required")

    def _member(self, name: str) -> Json:
        self._read.add(name)
        if name not in self._value:
            return None
        value = self._value[name]
        if value is None:
            self.wrong(name, "must not be null")
        return value


def one_of(names: Sequence[str]) -> str:
    """`a, b or c`, for a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
