"""How `make test` spreads its files over processes.

A process that runs a file of tests/browser starts a system, fills it, and starts a browser, which
takes longer than most files do: so one process runs them all, and begins with them.
"""

from xdist.scheduler import LoadFileScheduling

_TOGETHER = "tests/browser"


class Spreading(LoadFileScheduling):  # type: ignore[misc]
    """Whole files, in their order, as --dist loadfile has it; those of the browser are as one."""

    def _split_scope(self, nodeid: str) -> str:
        return _TOGETHER if nodeid.startswith(f"{_TOGETHER}/") else super()._split_scope(nodeid)
