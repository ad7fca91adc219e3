"""Setting the platform's brand: an operator's work. Every page of the console shows it."""

from collections.abc import Callable, Collection
from typing import Protocol

from perkwire.managing.stores import ChangedMeanwhile
from perkwire.managing.versions import check_read_version
from perkwire.model.account import Caller, Scope
from perkwire.model.brand import Brand, parse_brand
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import conflict
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS

KEPT_SECONDS = 60
"""How long an execution environment shows what it has read."""


class Brands(Protocol):
    """Where the brand is kept."""

    def find(self) -> Brand:
        """The brand, read consistently; raises Unavailable."""
        ...

    def replace(self, before: Brand, after: Brand) -> None:
        """Store another; raises ChangedMeanwhile, Unavailable."""
        ...


class Branding:
    """The brand as operators set it, and as pages show it."""

    def __init__(self, brands: Brands, clock: Callable[[], int]) -> None:
        self._brands = brands
        self._clock = clock
        self._shown = Brand()
        self._read_at: int | None = None

    def get(self, caller: Caller) -> Brand:
        """The brand; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        return self._read()

    def set(
        self, caller: Caller, value: dict[str, Json], read: Collection[int] | None = None
    ) -> Brand:
        """Set it as a whole; raises Problem and Unavailable. `read`: as of an account."""
        caller.require(Scope.OPERATOR)
        before = self._brands.find()
        after = parse_brand(value, max(self._clock(), before.version + 1))
        check_read_version(read, before.version, before.to_json(), value)
        try:
            self._brands.replace(before, after)
        except ChangedMeanwhile:
            raise conflict("The brand was changed at the same time; try again.") from None
        self._note(after)
        return after

    def shown(self) -> Brand:
        """What pages show: at most KEPT_SECONDS old, older while the table does not answer."""
        if self._read_at is None or self._clock() - self._read_at > KEPT_SECONDS * MICROSECONDS:
            try:
                self._read()
            except Unavailable:
                self._read_at = self._clock()
        return self._shown

    def of_version(self, version: int) -> Brand:
        """The brand of this version if it is still known, else today's; raises Unavailable."""
        return self._shown if self._shown.version == version else self._read()

    def _read(self) -> Brand:
        brand = self._brands.find()
        self._note(brand)
        return brand

    def _note(self, brand: Brand) -> None:
        self._shown, self._read_at = brand, self._clock()
