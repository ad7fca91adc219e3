"""What the products call the catalogue's types."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "names"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductName:
    """What a product's receivers are told that happened.

    `name` is the word in the body. `topic` and `in_distribution` are for the products that need
    a second one. `inferred` says that the product's pages do not print it, `body_inferred` that
    they do not print the body, or not all of what we say in it.
    """

    name: str
    topic: str | None = None
    in_distribution: str | None = None
    inferred: bool = False
    body_inferred: bool = False

    def __str__(self) -> str:
        return self.name if self.topic is None else f"{self.name}.{self.topic}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEvent:
    """A line of a product's own list of events, and the types that become it.

    `note` says what the product's pages leave open. `never_sent` are the members of its body that
    the pages name and no event of ours can fill.
    """

    label: str
    types: tuple[str, ...]
    name: ProductName
    note: str | None = None
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
    return tuple(
        ProductEvent(
            label=kept["label"],
            types=tuple(kept["types"]),
            name=ProductName(
                name=kept["name"],
                topic=kept.get("topic"),
                in_distribution=kept.get("in_distribution"),
                inferred=kept.get("inferred", False),
                body_inferred=kept.get("body_inferred", False),
            ),
            note=kept.get("note"),
            never_sent=tuple(kept.get("never_sent", ())),
        )
        for kept in json.loads(path.read_text())["events"]
    )


@cache
def names_in(product: str) -> Mapping[str, ProductName]:
    """The product's name for each type that it knows: the same on all lines that have the type."""
    return {
        event_type: event.name for event in product_events(product) for event_type in event.types
    }
