"""The published schemas of signals, and what is held to them."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "signals"


@functools.cache
def schemas() -> Mapping[str, Any]:
    """The schema of each kind."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}


def check(kind: str, detail: Mapping[str, Any]) -> None:
    """Fail unless it is what the schema says, and nothing that the schema does not name."""
    schema = schemas()[kind]
    Draft202012Validator(schema).validate(detail)
    assert detail.keys() == schema["properties"].keys()
