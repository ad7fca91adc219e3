"""What the use cases tell the operator: lines and counts, never a body, header or secret."""

from typing import Protocol


class Journal(Protocol):
    """Where lines and counts go."""

    def note(self, what: str, /, **fields: str | int | None) -> None:
        """One line about something that belongs to normal life."""
        ...

    def fault(self, what: str, /, **fields: str | int | None) -> None:
        """One line about something that an operator should look at, and a count of its kind."""
        ...


class Unavailable(Exception):
    """A service that we stand on does not answer; the message names it and the error class."""
