"""What use cases tell of themselves."""


class FakeTelemetry:
    """A journal.Journal that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, dict[str, str | int | None]]] = []
        self.faults: list[tuple[str, dict[str, str | int | None]]] = []

    def note(self, what: str, /, **fields: str | int | None) -> None:
        self.notes.append((what, fields))

    def fault(self, what: str, /, **fields: str | int | None) -> None:
        self.faults.append((what, fields))

    @property
    def kinds(self) -> list[str]:
        """What the faults were."""
        return [what for what, _ in self.faults]

    def count(self, what: str) -> int:
        """How many faults there were of a kind."""
        return self.kinds.count(what)
