"""Counts the AWS calls of functions where pynamodb's and boto3's both pass."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.client import BaseClient

from infra.calls import Calls, Count
from tests.integration.system import APPS


class Counter:
    """What functions called since the last look, by function and operation."""

    def __init__(self) -> None:
        self._made: list[tuple[str, str, int]] = []
        self.running: str | None = None

    def forget(self) -> None:
        """What was called while a test was set up is not its own."""
        self._made.clear()

    def add(self, operation: str, parameters: Mapping[str, Any]) -> None:
        if self.running is not None:
            self._made.append((self.running, operation, _items(operation, parameters)))

    def check(self, function: str, wanted: Calls) -> None:
        """Compare a function's calls, and forget them."""
        own = [(operation, items) for one, operation, items in self._made if one == function]
        self._made = [made for made in self._made if made[0] != function]
        found = {
            operation: Count(
                sum(one == operation for one, _ in own),
                sum(items for one, items in own if one == operation),
            )
            for operation, _ in own
        }
        changed = [
            f"{operation}: {_said(found.get(operation))}, not {_said(wanted.get(operation))}"
            for operation in sorted({*found, *wanted})
            if found.get(operation) != wanted.get(operation)
        ]
        assert not changed, (
            f"the {function} makes other AWS calls than infra/calls.py says: {'; '.join(changed)}. "
            "If it must, change them there and write docs/cost.md with `python -m infra.cost`."
        )


def _said(count: Count | None) -> str:
    return f"{count.calls} of {count.items} items" if count else "none"


def _items(operation: str, parameters: Mapping[str, Any]) -> int:
    match operation:
        case "SendMessageBatch" | "ChangeMessageVisibilityBatch":
            return len(parameters["Entries"])
        case "BatchExecuteStatement":
            return len(parameters["Statements"])
        case "BatchGetItem":
            return sum(len(table["Keys"]) for table in parameters["RequestItems"].values())
        case "BatchWriteItem":
            return sum(len(table) for table in parameters["RequestItems"].values())
        case "TransactWriteItems":
            return len(parameters["TransactItems"])
    return 1


def count_calls(patch: pytest.MonkeyPatch) -> Counter:
    """Count what the handlers call until the patch is undone; what others call does not count."""
    counter = Counter()
    make: Any = vars(BaseClient)["_make_api_call"]

    def counted(client: object, operation: str, parameters: dict[str, Any]) -> object:
        counter.add(operation, parameters)
        return make(client, operation, parameters)

    def within(function: str, handler: Any) -> Any:  # noqa: ANN401 - any function's
        def handle(event: object, context: object) -> object:
            # One may invoke another.
            before, counter.running = counter.running, function
            try:
                return handler(event, context)
            finally:
                counter.running = before

        return handle

    patch.setattr(BaseClient, "_make_api_call", counted)
    for function, app in APPS.items():
        patch.setattr(app, "handler", within(function, app.handler))
    return counter
