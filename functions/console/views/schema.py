"""A JSON Schema of the catalogue as tables that people read: one for each object in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from perkwire.primitives.dataclass import dataclass

_DEFINITIONS = "#/definitions/"


@dataclass(frozen=True, slots=True)
class Property:
    """A member of an object. `table` names the table of what it holds, None for plain values."""

    name: str
    type: str
    table: str | None
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Table:
    """An object of the schema; the first one, of no name, is `data` itself."""

    name: str
    description: str
    properties: list[Property]


def tables(schema: Mapping[str, Any]) -> list[Table]:
    """`data` first, then each object that it refers to, by name."""
    definitions: Mapping[str, Any] = schema.get("definitions", {})
    reader = _Reader(definitions)
    found = [reader.table("", schema)]
    found += [
        reader.table(name, definition)
        for name, definition in definitions.items()
        if _is_object(definition)
    ]
    return [table for table in found if table.properties or not table.name]


def _is_object(schema: Mapping[str, Any]) -> bool:
    return "properties" in schema or "allOf" in schema


class _Reader:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def table(self, name: str, schema: Mapping[str, Any]) -> Table:
        return Table(name, schema.get("description", ""), list(self._properties(schema, "")))

    def _properties(self, schema: Mapping[str, Any], before: str) -> Iterator[Property]:
        for part in schema.get("allOf", ()):
            yield from self._properties(self._resolved(part), before)
        required = schema.get("required", ())
        properties: Mapping[str, Any] = schema.get("properties", {})
        for name, member in properties.items():
            yield self._property(f"{before}{name}", member, is_required=name in required)
            inner = self._inner(member)
            # What has no name of its own stands in the table of what holds it.
            if "$ref" not in inner and _is_object(inner):
                mark = "[]." if member.get("type") == "array" else "."
                yield from self._properties(inner, f"{before}{name}{mark}")

    def _property(self, name: str, member: Mapping[str, Any], *, is_required: bool) -> Property:
        inner = self._inner(member)
        resolved = self._resolved(inner)
        reference = inner.get("$ref", "").removeprefix(_DEFINITIONS)
        table = reference if reference and _is_object(resolved) else None
        named = table or _type_of(resolved)
        described = member.get("description") or inner.get("description")
        return Property(
            name,
            f"list of {named}" if member.get("type") == "array" else named,
            table,
            is_required,
            described or resolved.get("description", ""),
        )

    def _inner(self, member: Mapping[str, Any]) -> Mapping[str, Any]:
        inner: Mapping[str, Any] = member.get("items", member)
        return inner

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = schema.get("$ref")
        if reference is None:
            return schema
        found: Mapping[str, Any] = self._definitions[reference.removeprefix(_DEFINITIONS)]
        return found


def _type_of(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    kind = schema.get("type", "any value")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
