"""The event types: group, description, JSON Schema of the data, and an example of it."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

from perkwire.catalogue.names import product_events, products
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.strict_json import Json

CUSTOM = "custom."
_CUSTOM_NAME = re.compile(r"custom(\.[a-z0-9_]+)+")
_FOLDER = Path(__file__).parent
_MOST_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One type of the catalogue; `example` is data that fits its schema."""

    name: str
    title: str
    group: str
    description: str
    declared: dict[str, Json]
    example: dict[str, Json]

    @property
    def schema(self) -> dict[str, Json]:
        """A JSON Schema, draft 7, of an event's `data`, complete in itself."""
        return _complete(self.declared)


@cache
def event_types() -> Mapping[str, EventType]:
    """Every type by its name, group by group; `custom.*` types are not among them."""
    found: dict[str, EventType] = {}
    for path in sorted((_FOLDER / "types").glob("*.json")):
        group = json.loads(path.read_text())
        for kept in group["types"]:
            found[kept["type"]] = EventType(
                name=kept["type"],
                title=kept["title"],
                group=group["group"],
                description=kept["description"],
                declared=kept["schema"],
                example=kept["example"],
            )
    return found


def event_type(name: str) -> EventType | None:
    """The type of this name; any name under `custom.` is a type whose data is any object."""
    if _CUSTOM_NAME.fullmatch(name):
        return EventType(
            name=name,
            title="Custom event",
            group="custom",
            description="An event of the platform's own; its data is any object.",
            declared={"type": "object"},
            example={"member": {"id": "mbr_20417"}, "note": "anything"},
        )
    return event_types().get(name)


def is_event_type(name: str) -> bool:
    """Whether events of this name are accepted: of the catalogue, or anything under `custom.`."""
    return _CUSTOM_NAME.fullmatch(name) is not None or name in event_types()


@lru_cache(maxsize=256)
def nearest(name: str) -> tuple[str, ...]:
    """At most three types that this name may mean, the nearest first.

    Those that a product calls so, in its bodies or on its pages, else those whose names look most
    like it.
    """
    said = name.lower()
    called_so = [
        event_type
        for product in products()
        for event in product_events(product)
        if said in (event.label.lower(), str(event.name), event.name.in_distribution)
        for event_type in event.types
        if event_type in event_types()
    ]
    import difflib  # slow to import, and for mistakes alone

    alike = difflib.get_close_matches(said, event_types(), n=_MOST_SUGGESTIONS, cutoff=0.5)
    return tuple(dict.fromkeys([*called_so, *alike]))[:_MOST_SUGGESTIONS]


@cache
def _objects() -> Mapping[str, Json]:
    objects: dict[str, Json] = json.loads((_FOLDER / "objects.json").read_text())
    return objects


def _complete(schema: dict[str, Json]) -> dict[str, Json]:
    """The schema with the definitions that it needs, and no others."""
    needed: dict[str, Json] = {}
    waiting = sorted(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = _objects()[name]
            waiting += _references(needed[name])
    complete: dict[str, Json] = {"$schema": "http://json-schema.org/draft-07/schema#", **schema}
    if needed:
        complete["definitions"] = {name: needed[name] for name in sorted(needed)}
    return complete


def _references(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix("#/definitions/")
        value = [*value.values()]
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
