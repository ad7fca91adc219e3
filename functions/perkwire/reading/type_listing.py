"""The catalogue as the API shows it, with each type's name in every format."""

from collections import Counter
from collections.abc import Sequence

from perkwire.catalogue.event_types import EventType, event_type, event_types
from perkwire.catalogue.names import names_in
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.contracts.keys import matching
from perkwire.formats.lookup import FormatLookup
from perkwire.formats.registry import FORMATS
from perkwire.formats.versions import product
from perkwire.managing.contracts import ContractHeading
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid, not_found
from perkwire.primitives.strict_json import Json

MOST_STORED = 20
"""Stored contracts whose words are told: each may have to be read, and was written by a tenant."""


def told_contracts(
    stored: Sequence[ContractHeading], formats: FormatLookup, wanted: str | None = None
) -> list[ContractFormat]:
    """The stored contracts whose words are told; if a type is `wanted`, of those that say it.

    MOST_STORED at most: the newest version of each name before older ones. None for what is no
    type. Raises Unavailable.
    """
    if wanted is not None and event_type(wanted) is None:
        return []
    saying = [one for one in stored if wanted is None or matching(one.says, wanted) is not None]
    newer: Counter[tuple[str | None, str]] = Counter()
    ranks: dict[str, int] = {}
    for one in reversed(saying):  # of each name from the newest version on
        named = (one.owner, product(one.format))
        ranks[one.format] = newer[named]
        newer[named] += 1
    told = {one.format for one in sorted(saying, key=lambda one: ranks[one.format])[:MOST_STORED]}
    return formats.all_of(
        {(one.owner, one.format): one.digest for one in saying if one.format in told}
    )


def list_types(
    limit: int, cursor: str | None, stored: Sequence[ContractFormat] = ()
) -> Page[dict[str, Json]]:
    """The catalogue, group by group, without schemas and examples; raises Problem.

    Each type with its name in every format of the release and in these `stored` contracts.
    The cursor is the last type of the page before, with `-` for the dots.
    """
    types = [*event_types().values()]
    cursors = [_cursor(found) for found in types]
    if cursor is not None and cursor not in cursors:
        raise invalid([FieldError("cursor", "must be the next_cursor of an earlier page")])
    start = 0 if cursor is None else cursors.index(cursor) + 1
    page = types[start : start + limit]
    more = start + limit < len(types)
    return Page([_heading(found, stored) for found in page], _cursor(page[-1]) if more else None)


def show_type(name: str, stored: Sequence[ContractFormat] = ()) -> dict[str, Json]:
    """One type with its schema and example; raises the 404 problem.

    `custom.` and anything after it is a type, whose data is any object.
    """
    found = event_type(name)
    if found is None:
        raise not_found("event type")
    return {**_heading(found, stored), "schema": found.schema, "example": found.example}


def _cursor(found: EventType) -> str:
    # Types have no hyphens, and cursors of any list are letters, digits, hyphens and underscores.
    return found.name.replace(".", "-")


def _heading(found: EventType, stored: Sequence[ContractFormat]) -> dict[str, Json]:
    named = {name: _named(name, found.name) for name in FORMATS}
    for contract in stored:
        said = contract.name_of(found.name)
        named[contract.name] = None if said is None else _name(said)
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
    return _name(
        said,
        inferred=known is not None and known.inferred,
        body_inferred=known is not None and known.body_inferred,
    )


def _name(said: str, *, inferred: bool = False, body_inferred: bool = False) -> Json:
    return {"name": said, "inferred": inferred, "body_inferred": body_inferred}
