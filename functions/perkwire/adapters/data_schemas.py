"""Checks an event's data against its type's JSON Schema, by fastjsonschema if there are many."""

from collections import Counter
from collections.abc import Callable, Sequence

import fastjsonschema

from perkwire.catalogue.event_types import CUSTOM, EventType, event_types
from perkwire.catalogue.misfits import FORMATS, misfits
from perkwire.primitives.problem import FieldError
from perkwire.primitives.strict_json import Json

READ_FIRST = 20
"""Events of a type before its schema is compiled, which takes as long as to read it for 80."""


class DataSchemas:
    """Fulfils event.DataCheck.

    The first events of a type, `read_first`, are held against its schema as it stands; it is
    compiled for more, so that the first event after a quiet hour waits for no compiler.
    """

    def __init__(self, read_first: int = READ_FIRST) -> None:
        self._read_first = read_first
        self._read: Counter[str] = Counter()
        self._compiled: dict[str, Callable[[Json], object]] = {}
        event_types()

    def __call__(self, event_type: str, data: dict[str, Json]) -> Sequence[FieldError]:
        """All that is wrong with the data of this type, as fields under `data`; a bounded number.

        Nothing is wrong with any data of a `custom.` type, nor with that of an unknown one.
        """
        if event_type.startswith(CUSTOM) or (found := event_types().get(event_type)) is None:
            return ()
        if self._read[event_type] < self._read_first:
            self._read[event_type] += 1
            return misfits(found.schema, data)
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
