"""Checks an event's data against its type's JSON Schema, by fastjsonschema."""

from collections.abc import Callable

import fastjsonschema

from perkwire.catalogue.event_types import CUSTOM, EventType, event_types
from perkwire.primitives.fields import one_of
from perkwire.primitives.problem import FieldError
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import is_date, parse_rfc3339

_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}
_FORMS = {
    "date": "a date such as 2026-11-21",
    "date-time": "an RFC 3339 time such as 2026-11-21T09:30:00Z",
}
_FORMATS = {"date": is_date, "date-time": lambda text: parse_rfc3339(text) is not None}


class DataSchemas:
    """Fulfils event.DataCheck. A schema is compiled when an event of its type comes first."""

    def __init__(self) -> None:
        self._compiled: dict[str, Callable[[Json], object]] = {}

    def __call__(self, event_type: str, data: dict[str, Json]) -> FieldError | None:
        """The first thing wrong with the data of this type, as a field under `data`, or None.

        Nothing is wrong with any data of a `custom.` type, nor with that of an unknown one.
        """
        if event_type.startswith(CUSTOM) or (found := event_types().get(event_type)) is None:
            return None
        try:
            self._validator(found)(data)
        except fastjsonschema.JsonSchemaValueException as error:
            return _field_error(error)
        return None

    def _validator(self, event_type: EventType) -> Callable[[Json], object]:
        if event_type.name not in self._compiled:
            self._compiled[event_type.name] = fastjsonschema.compile(
                event_type.schema, formats=_FORMATS, use_default=False
            )
        return self._compiled[event_type.name]


def _field_error(error: fastjsonschema.JsonSchemaValueException) -> FieldError:
    rule, wanted = error.rule, error.rule_definition
    match rule:
        case "required":
            missing = next(name for name in wanted if name not in error.value)
            return FieldError(f"{error.name}.{missing}", "is required")
        case "type":
            kinds = [_KINDS[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted)]
            detail = f"must be {' or '.join(kinds)}"
        case "format":
            detail = f"must be {_FORMS[wanted]}"
        case "enum":
            detail = f"must be {one_of(wanted)}"
        case "pattern":
            detail = "must be an amount such as 12.50"
        case "minLength" | "maxLength":
            bound = "at least" if rule == "minLength" else "at most"
            detail = f"must have {bound} {wanted} character{'' if wanted == 1 else 's'}"
        case "minimum" | "maximum":
            detail = f"must be {wanted} or {'more' if rule == 'minimum' else 'less'}"
        case _:
            detail = f"must fit {rule} {wanted}"
    return FieldError(error.name, detail)
