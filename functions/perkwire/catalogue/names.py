"""What the products call the catalogue's types."""

import enum
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from perkwire.primitives.dataclass import dataclass

_FOLDER = Path(__file__).parent / "names"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductName:
    """What a product's receivers are told that happened.

    `name` is the word in the body. `topic` and `in_distribution` are for the products that need
    a second one, `otherwise` where a setting of the webhook chooses another. `inferred` says that
    nothing public shows the name, `body_inferred` that nothing shows the body, or not all of what
    we say in it.
    """

    name: str
    topic: str | None = None
    in_distribution: str | None = None
    otherwise: str | None = None
    inferred: bool = False
    body_inferred: bool = False

    def __str__(self) -> str:
        return self.name if self.topic is None else f"{self.name}.{self.topic}"


class Evidence(enum.StrEnum):
    """How something of a product is known."""

    PRINTED = "printed"
    READ = "read by a client"
    TRANSCRIBED = "transcribed"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Where something is known from: a page, a description or a client that can be read by all."""

    evidence: Evidence
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEvent:
    """A line of a product's own list of events, and the types that become it.

    `name_from` is what its name is known from, None if that is inferred; `body_from` what its body
    is known from, as far as it is. `note` says what these leave open. `always_null` are the members
    of its body that no event of ours can fill, `never_sent` those that are left out altogether.
    """

    label: str
    types: tuple[str, ...]
    name: ProductName
    name_from: Basis | None = None
    body_from: tuple[Basis, ...] = ()
    note: str | None = None
    always_null: tuple[str, ...] = ()
    never_sent: tuple[str, ...] = ()


@cache
def products() -> tuple[str, ...]:
    """The products whose own names are known here, as formats are called without a version."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


@cache
def product_events(product: str) -> tuple[ProductEvent, ...]:
    """All events of a product, in the order of its pages. `product` is a format without version.

    A product without a file of names has none: its receivers get every type by our own name.
    """
    path = _FOLDER / f"{product}.json"
    if not path.exists():
        return ()
    file = json.loads(path.read_text())
    known = {
        key: Basis(evidence=Evidence(kept["evidence"]), where=kept["where"])
        for key, kept in file["known_from"].items()
    }
    return tuple(
        ProductEvent(
            label=kept["label"],
            types=tuple(kept["types"]),
            name=ProductName(
                name=kept["name"],
                topic=kept.get("topic"),
                in_distribution=kept.get("in_distribution"),
                otherwise=kept.get("otherwise"),
                inferred=kept.get("inferred", False),
                body_inferred=kept.get("body_inferred", False),
            ),
            name_from=known[kept["name_from"]] if "name_from" in kept else None,
            body_from=tuple(known[key] for key in kept.get("body_from", ())),
            note=kept.get("note"),
            always_null=tuple(kept.get("always_null", ())),
            never_sent=tuple(kept.get("never_sent", ())),
        )
        for kept in file["events"]
    )


@cache
def names_in(product: str) -> Mapping[str, ProductName]:
    """The product's name for each type that it knows: the same on all lines that have the type."""
    return {
        event_type: event.name for event in product_events(product) for event_type in event.types
    }
