"""Which events a webhook is for, as a request says it: types, groups of types, and a filter."""

from collections.abc import Callable

from perkwire.catalogue import event_types as catalogue
from perkwire.formats.format import Format
from perkwire.model.event import EVENT_TYPE_FORM, LONGEST_EVENT_TYPE, EventTypeCheck
from perkwire.model.event_pattern import EventPattern, read_pattern
from perkwire.model.webhook import ALL_TYPES, ANY_OF_GROUP, covers
from perkwire.primitives.fields import Fields, one_of
from perkwire.primitives.problem import FieldError

MOST_EVENT_TYPES = 200
MOST_PROGRAMS = 100
_EVENT_TYPE_FORM = f"{EVENT_TYPE_FORM}, a group of them such as points.*, or {ALL_TYPES}"


def type_check() -> Callable[[str], str | None]:
    """Says what is wrong with the name of a type, of a group or of all."""
    check_name = EventTypeCheck(_EVENT_TYPE_FORM)

    def check(event_type: str) -> str | None:
        if event_type == ALL_TYPES:
            return None
        if len(event_type) > LONGEST_EVENT_TYPE:
            return f"must be {_EVENT_TYPE_FORM}"
        if event_type.endswith(ANY_OF_GROUP):
            return None if _in_group(event_type) else "stands for no event type of the catalogue"
        return check_name(event_type)

    return check


def check_types(fields: Fields, event_types: tuple[str, ...], format_: Format) -> None:
    """Note in `fields` which of the types do not go together, or are not said in the format."""
    if ALL_TYPES in event_types:
        if len(event_types) > 1:
            fields.wrong("event_types", f"must not name types beside {ALL_TYPES}")
        return
    for position, event_type in enumerate(event_types):
        for group in event_types:
            if group != event_type and covers(group, event_type):
                fields.wrong(f"event_types[{position}]", f"is in {group}, which is there too")
    if any(not _is_said(event_type, format_) for event_type in event_types):
        known = one_of([one for one in catalogue.event_types() if format_.name_of(one)])
        if format_.name_of(f"{catalogue.CUSTOM}x"):
            known += f", and any under {catalogue.CUSTOM}"
        for position, event_type in enumerate(event_types):
            if not _is_said(event_type, format_):
                detail = f"is not said in the format {format_.name}, whose types are {known}"
                fields.wrong(f"event_types[{position}]", detail)
                known = "those above"


def _is_said(wanted: str, format_: Format) -> bool:
    """Whether the format says a type, or any of a group."""
    types = _in_group(wanted) if wanted.endswith(ANY_OF_GROUP) else [wanted]
    return any(format_.name_of(one) is not None for one in types)


def _in_group(group: str) -> list[str]:
    """The types of `points.*`; all under `custom.` are one kind to a format."""
    if group.startswith(catalogue.CUSTOM):
        named = group.removesuffix(ANY_OF_GROUP) + ".x"
        return [named] if catalogue.is_event_type(named) else []
    return [one for one in catalogue.event_types() if covers(group, one)]


def read_filter(fields: Fields) -> str | None:
    """The text of the event pattern `filter`; each wrong part of it is noted with its pointer."""
    given = fields.object("filter")
    if given is None:
        return None
    read = read_pattern(given)
    if isinstance(read, EventPattern):
        return read.text
    for wrong in read:
        name = f"filter.{wrong.name}" if wrong.place else "filter"
        fields.wrong_within(FieldError(name, wrong.detail, f"/filter{wrong.pointer}"))
    return None
