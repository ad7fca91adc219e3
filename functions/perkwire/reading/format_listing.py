"""The formats as the API shows them, and the contracts of those that are data."""

from collections.abc import Sequence

from perkwire.catalogue.event_types import CUSTOM, event_types
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.contracts.keys import matching
from perkwire.formats.format import Format
from perkwire.formats.registry import FORMATS
from perkwire.managing.contracts import ContractHeading
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid
from perkwire.primitives.strict_json import Json


def list_formats(
    stored: Sequence[ContractHeading], limit: int, cursor: str | None
) -> Page[dict[str, Json]]:
    """Every format: those in code, the built-in contracts, the stored ones; raises Problem.

    The cursor is the last format of the page before, with `_` for `@` and `__` for dots.
    """
    contracts = {one.format: one for one in stored}
    names = [*FORMATS, *contracts]
    cursors = [*map(_cursor, names)]
    if cursor is not None and cursor not in cursors:
        raise invalid([FieldError("cursor", "must be the next_cursor of an earlier page")])
    start = 0 if cursor is None else cursors.index(cursor) + 1
    page = names[start : start + limit]
    more = start + limit < len(names)
    shown = [
        _stored(contracts[name]) if name in contracts else _heading(FORMATS[name]) for name in page
    ]
    return Page(shown, _cursor(page[-1]) if more else None)


def show_format(format_: Format) -> dict[str, Json]:
    """One format, its contract too if it is one."""
    shown = _heading(format_)
    if isinstance(format_, ContractFormat):
        shown["contract"] = dict(format_.contract.source)
    return shown


def _cursor(name: str) -> str:
    return name.replace(".", "__").replace("@", "_")


def _heading(format_: Format) -> dict[str, Json]:
    return {
        "format": format_.name,
        "largest_batch": format_.largest_batch,
        "secret_rule": format_.check_secret("") or "",
        "is_contract": isinstance(format_, ContractFormat),
        "event_types": [one for one in _types() if format_.name_of(_one(one)) is not None],
    }


def _stored(contract: ContractHeading) -> dict[str, Json]:
    return {
        "format": contract.format,
        "largest_batch": contract.largest_batch,
        "secret_rule": contract.secret_rule,
        "is_contract": True,
        "event_types": [one for one in _types() if matching(contract.says, _one(one)) is not None],
    }


def _types() -> list[str]:
    return [*event_types(), f"{CUSTOM}*"]


def _one(event_type: str) -> str:
    return event_type.replace("*", "x")
