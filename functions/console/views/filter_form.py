"""The part of a webhook's form that is its filter: none, rows, or JSON, and each as the other."""

import json
from collections.abc import Mapping, Sequence

from console.http.form import Form
from console.views.filter_rows import (
    MOST_ROWS,
    FilterRow,
    known_fields,
    parse_filter_text,
    pattern_of,
    rows_of,
)
from console.views.json_text import indented_json
from perkwire.model.webhook import ALL_TYPES, Webhook
from perkwire.primitives.problem import FieldError, Problem, invalid
from perkwire.primitives.strict_json import Json

_SPARE_ROWS = 2


class FilterForm:
    """What a person has filled in of a filter, for events of these types."""

    def __init__(self, form: Form, types: tuple[str, ...]) -> None:
        self._form = form
        self._types = types

    @property
    def kind(self) -> str:
        """How the filter is given: `none`, `rows` or `json`."""
        return self._form.text("filter_is", "none")

    @property
    def rows(self) -> list[FilterRow]:
        """The conditions that are filled in, and a few more rows."""
        return [*self._rows(), *[FilterRow("", "is", "")] * _SPARE_ROWS]

    @property
    def fields(self) -> Mapping[str, str]:
        """The fields of the chosen types, and what kind of values they have."""
        return known_fields(self._types or (ALL_TYPES,))

    @property
    def text(self) -> str:
        """The filter as JSON: as it was typed, else as rows had it, if they can be read."""
        typed = self._form.text("filter_json")
        if typed or self.kind != "json":
            return typed
        try:
            pattern = pattern_of(self._rows(), self.fields)
        except Problem:
            return ""
        return "" if pattern is None else indented_json(pattern)

    def asked(self) -> Json:
        """The filter as the API takes it, None for none; raises Problem."""
        if self.kind == "rows":
            pattern = pattern_of(self._rows(), self.fields)
            if pattern is None:
                raise invalid([FieldError("filter", "has no condition yet")])
            return pattern
        if self.kind == "json":
            return parse_filter_text(self._form.text("filter_json"))
        return None

    def _rows(self) -> list[FilterRow]:
        rows = (
            FilterRow(
                self._form.text(f"filter_field_{row}"),
                self._form.text(f"filter_condition_{row}", "is"),
                self._form.text(f"filter_value_{row}"),
            )
            for row in range(MOST_ROWS)
        )
        typed = [row for row in rows if row.field or row.value]
        return typed or self._rows_of_json()

    def _rows_of_json(self) -> list[FilterRow]:
        """What was typed as JSON before rows were chosen, as rows."""
        try:
            pattern = parse_filter_text(self._form.text("filter_json") or "{}")
        except Problem:
            return []
        return (isinstance(pattern, dict) and rows_of(pattern, self.fields)) or []


def filter_fields(webhook: Webhook) -> dict[str, Sequence[str]]:
    """The filter as the form has it: as rows, if they can say it."""
    if webhook.filter is None:
        return {"filter_is": ["none"]}
    pattern: dict[str, Json] = json.loads(webhook.filter)
    rows = rows_of(pattern, known_fields(webhook.event_types))
    if rows is None:
        return {"filter_is": ["json"], "filter_json": [indented_json(pattern)]}
    fields: dict[str, Sequence[str]] = {"filter_is": ["rows"]}
    for number, row in enumerate(rows):
        fields |= {
            f"filter_field_{number}": [row.field],
            f"filter_condition_{number}": [row.condition],
            f"filter_value_{number}": [row.value],
        }
    return fields
