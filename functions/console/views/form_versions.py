"""A form of what another person has changed since it was opened: what each of them says.

A form carries the version that it was filled from, and of each field a digest of what was read. So
what the person has changed is told apart from what only looks old, and neither undoes the other.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from console.http.form import Form
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json

VERSION, READ = "version", "read"
"""The hidden fields that carry both."""

_DIGEST = 8
# What one choice of the form decides together.
_WITH = {"pause_when_exhausted": "retry_delays_seconds"}
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "event_types": ("events", "event_types", "event_groups", "other_types"),
    "filter": ("filter_",),
    "format_settings": ("format_settings.",),
    "headers": ("headers_are", "header_name_", "header_value_"),
    "retry_delays_seconds": ("schedule", "retry_delays_seconds", "pause_when_exhausted"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of which the form and what is stored say something else.

    `is_mine`: the person has changed it, so the form keeps that; else what is stored came in.
    """

    field: str
    mine: str
    stored: str
    is_mine: bool


def changed_meanwhile(what: str) -> Problem:
    """What is said above both values."""
    return Problem(
        412,
        "changed",
        f"Somebody has changed the {what} since you opened this form.",
        detail="Nothing is saved yet. Look at both values: what you have changed stands in the "
        "form below, and what you have not is as it is stored now. Save it, or change it first.",
    )


def digests(values: Mapping[str, Json]) -> str:
    """What was read, for the hidden field."""
    return " ".join(f"{name}:{_digest(value)}" for name, value in _units(values).items())


def differences(
    form: Form, mine: Mapping[str, Json], stored: Mapping[str, Json]
) -> list[Difference]:
    """Where the form would undo what has been stored since it was read."""
    read = dict(one.partition(":")[::2] for one in form.text(READ).split())
    ours, theirs = _units(mine), _units(stored)
    return [
        Difference(name, _said(ours[name]), _said(value), _digest(ours[name]) != read.get(name))
        for name, value in theirs.items()
        if name in ours and ours[name] != value and _digest(value) != read.get(name)
    ]


def merged(form: Form, fresh: Form, found: Sequence[Difference]) -> Form:
    """The form with what the person has changed, and else what is stored, as `fresh` has it."""
    taken = [one.field for one in found if not one.is_mine]

    def is_taken(name: str) -> bool:
        return any(_is_of(name, field) for field in taken)

    return form.where(lambda name: not is_taken(name)).changed(
        {name: fresh.all(name) for name in fresh if is_taken(name) or name in (VERSION, READ)}
    )


def _units(values: Mapping[str, Json]) -> dict[str, Json]:
    units: dict[str, Json] = {}
    for name, value in values.items():
        if name not in _WITH:
            units[name] = value
    for name, other in _WITH.items():
        if name in values and other in units and values[name] is not None:
            units[other] = [units[other], values[name]]
    return units


def _is_of(name: str, field: str) -> bool:
    return any(
        name == one or (one[-1] in "_." and name.startswith(one))
        for one in _FIELDS.get(field, (field,))
    )


def _digest(value: Json) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def _said(value: Json) -> str:
    match value:
        case None | "" | [] | {}:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_said(one) for one in value)
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)
