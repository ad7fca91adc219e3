"""The clock that all use cases are given."""

from perkwire.primitives.timestamps import MICROSECONDS


class FakeClock:
    """Stands still but for what it is told. Microseconds since the epoch."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * MICROSECONDS)
