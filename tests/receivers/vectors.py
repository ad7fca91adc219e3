"""The files of docs/vectors: requests whole, as nothing of ours computes them while tests run."""

import json
from dataclasses import dataclass
from typing import Any

from infra.local.emulator import ROOT

FOLDER = ROOT / "docs" / "vectors"


@dataclass(frozen=True)
class Vectors:
    """A file: a format, the settings of its webhook, and its requests."""

    name: str
    format: str
    settings: dict[str, Any]
    vectors: list[dict[str, Any]]


def read(name: str) -> Vectors:
    """The file of this name, without its ending."""
    said = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Vectors(name, said["format"], said.get("settings", {}), said["vectors"])


FILES = sorted(path.stem for path in FOLDER.glob("*.json"))
