"""The catalogue as the API shows it, with each type's name in every format."""

from perkwire.catalogue.event_types import EventType, event_type, event_types
from perkwire.catalogue.names import names_in
from perkwire.formats.registry import FORMATS
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid, not_found
from perkwire.primitives.strict_json import Json


def list_types(limit: int, cursor: str | None) -> Page[dict[str, Json]]:
    """The catalogue, group by group, without schemas and examples; raises Problem.

    The cursor is the last type of the page before, with `-` for the dots.
    """
    types = [*event_types().values()]
    cursors = [_cursor(found) for found in types]
    if cursor is not None and cursor not in cursors:
        raise invalid([FieldError("cursor", "must be the next_cursor of an earlier page")])
    start = 0 if cursor is None else cursors.index(cursor) + 1
    page = types[start : start + limit]
    more = start + limit < len(types)
    return Page([_heading(found) for found in page], _cursor(page[-1]) if more else None)


def show_type(name: str) -> dict[str, Json]:
    """One type with its schema and example; raises the 404 problem.

    `custom.` and anything after it is a type, whose data is any object.
    """
    found = event_type(name)
    if found is None:
        raise not_found("event type")
    return {**_heading(found), "schema": found.schema, "example": found.example}


def _cursor(found: EventType) -> str:
    # Types have no hyphens, and cursors of any list are letters, digits, hyphens and underscores.
    return found.name.replace(".", "-")


def _heading(found: EventType) -> dict[str, Json]:
    named = {name: _named(name, found.name) for name in FORMATS}
    return {
        "type": found.name,
        "title": found.title,
        "group": found.group,
        "description": found.description,
        "names": {name: said for name, said in named.items() if said is not None},
    }


def _named(format_name: str, type_name: str) -> Json:
    """What receivers of the format are told, None if nothing.

    `inferred` if no page prints the name, `body_inferred` if none prints the whole body.
    """
    said = FORMATS[format_name].name_of(type_name)
    if said is None:
        return None
    known = names_in(format_name.partition("@")[0]).get(type_name)
    return {
        "name": said,
        "inferred": known is not None and known.inferred,
        "body_inferred": known is not None and known.body_inferred,
    }
