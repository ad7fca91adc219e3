"""Judges the AWS calls of a function that runs as a process of the local system."""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from tests.iam.calls import Data
from tests.iam.judging import Judge, Rules, Running, judged

# The variable that names the folder of the rules, and of what was used and refused.
FOLDER = "PERKWIRE_RIGHTS"
_RULES = "rules.json"


def environment(root: Path, folder: Path) -> dict[str, str]:
    """The variables with which an emulator's functions judge their calls by what is in a folder."""
    return {
        "PYTHONPATH": str(root / "tests" / "iam" / "startup"),
        "PERKWIRE_ROOT": str(root),
        FOLDER: str(folder),
    }


def write_rules(folder: Path, rules: Rules) -> None:
    """Have the functions judge by these from their next call on."""
    content = [rules.policies, rules.data.partition_keys, rules.data.sources]
    written = folder / f"{_RULES}.new"
    written.write_text(json.dumps(content), encoding="utf-8")
    written.replace(folder / _RULES)


def judge_own_calls() -> None:
    """Judge what this process calls, by the role of the function that it runs."""
    folder = Path(os.environ[FOLDER])
    Running.always(os.environ["POWERTOOLS_SERVICE_NAME"])
    judge = Judge(_File(folder / _RULES).read, folder)

    def patch(client: ModuleType) -> None:
        client.BaseClient._make_api_call = judged(client.BaseClient._make_api_call, judge)

    def unjudged(initialising: ModuleType) -> None:
        initialising.rehearse = Running.rehearsing(initialising.rehearse)  # type: ignore[attr-defined]

    sys.meta_path.insert(0, _Importing("botocore.client", patch))
    sys.meta_path.insert(0, _Importing("perkwire.adapters.initialising", unjudged))


class _File:
    """Rules as they stand in a file, read anew when it has been replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._of = 0
        self._rules = Rules({}, Data({}, {}))

    def read(self) -> Rules:
        changed = self._path.stat().st_mtime_ns
        if changed != self._of:
            policies, partition_keys, sources = json.loads(self._path.read_text(encoding="utf-8"))
            self._rules, self._of = Rules(policies, Data(partition_keys, sources)), changed
        return self._rules


class _Importing(importlib.abc.MetaPathFinder):
    """Does something to a module once it has been imported."""

    def __init__(self, name: str, then: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Leave all others to whoever is next."""
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def execute_then(module: ModuleType) -> None:
            execute(module)
            self._then(module)

        spec.loader.exec_module = execute_then  # type: ignore[method-assign]
        return spec
