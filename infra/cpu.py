"""CPU of an invocation of each function, as `python -m bench.bench_cpu --write` has measured it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_name("cpu.json")
FUNCTIONS = ("ingest", "router", "dispatcher")
WHOLE_MB = 1769
"""The memory with which Lambda gives a function one vCPU; with less it gives a share of one."""

type Milliseconds = Mapping[str, Mapping[str, Mapping[str, float]]]
"""By load, fan-out and function."""


def measured() -> Milliseconds:
    """Of an invocation, by load, fan-out and function."""
    kept: Mapping[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    found: Milliseconds = kept["milliseconds"]
    return found


def share(memory_mb: int) -> float:
    """Of one vCPU; what a function does one thing after another takes no more than one."""
    return min(1.0, memory_mb / WHOLE_MB)
