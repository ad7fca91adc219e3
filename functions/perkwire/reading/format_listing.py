"""The formats as the API shows them, and the contracts of those that are data."""

from perkwire.catalogue.event_types import CUSTOM, event_types
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Format
from perkwire.formats.registry import FORMATS, find_format
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid, not_found
from perkwire.primitives.strict_json import Json


def list_formats(limit: int, cursor: str | None) -> Page[dict[str, Json]]:
    """Every format, those in code before the contracts; raises Problem.

    The cursor is the last format of the page before, with `_` for `@` and `-` for dots.
    """
    names = [*FORMATS]
    cursors = [*map(_cursor, names)]
    if cursor is not None and cursor not in cursors:
        raise invalid([FieldError("cursor", "must be the next_cursor of an earlier page")])
    start = 0 if cursor is None else cursors.index(cursor) + 1
    page = names[start : start + limit]
    more = start + limit < len(names)
    return Page([_heading(FORMATS[name]) for name in page], _cursor(page[-1]) if more else None)


def show_format(name: str) -> dict[str, Json]:
    """One format, its contract too if it is one; raises the 404 problem.

    A name without a version is the newest one of it, as where a webhook is made.
    """
    found = find_format(name)
    if found is None:
        raise not_found("format")
    shown = _heading(found)
    if isinstance(found, ContractFormat):
        shown["contract"] = dict(found.contract.source)
    return shown


def _cursor(name: str) -> str:
    return name.replace("@", "_").replace(".", "-")


def _heading(format_: Format) -> dict[str, Json]:
    types = [*event_types(), f"{CUSTOM}*"]
    said = {one: format_.name_of(one.replace("*", "x")) for one in types}
    return {
        "format": format_.name,
        "largest_batch": format_.largest_batch,
        "secret_rule": format_.check_secret("") or "",
        "is_contract": isinstance(format_, ContractFormat),
        "event_types": [one for one, name in said.items() if name is not None],
    }
