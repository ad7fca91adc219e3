"""Checks an event's data against its type's JSON Schema, by fastjsonschema."""

from collections.abc import Callable, Sequence

import fastjsonschema

from perkwire.catalogue.event_types import CUSTOM, EventType, event_types
from perkwire.catalogue.misfits import FORMATS, misfits
from perkwire.primitives.problem import FieldError
from perkwire.primitives.strict_json import Json


class DataSchemas:
    """Fulfils event.DataCheck. A schema is compiled when an event of its type comes first."""

    def __init__(self) -> None:
        self._compiled: dict[str, Callable[[Json], object]] = {}

    def __call__(self, event_type: str, data: dict[str, Json]) -> Sequence[FieldError]:
        """All that is wrong with the data of this type, as fields under `data`; a bounded number.

        Nothing is wrong with any data of a `custom.` type, nor with that of an unknown one.
        """
        if event_type.startswith(CUSTOM) or (found := event_types().get(event_type)) is None:
            return ()
        try:
            self._validator(found)(data)
        except fastjsonschema.JsonSchemaValueException:
            return misfits(found.schema, data)
        return ()

    def _validator(self, event_type: EventType) -> Callable[[Json], object]:
        if event_type.name not in self._compiled:
            self._compiled[event_type.name] = fastjsonschema.compile(
                event_type.schema, formats=FORMATS, use_default=False
            )
        return self._compiled[event_type.name]
