"""Write the coverage tables of docs/compatibility.md: `python -m infra.coverage [--check]`.

One table for each product, one row for each event that its pages name, made from the catalogue.
`--check` writes nothing and fails if the page is not what the catalogue says.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

from perkwire.catalogue.names import ProductEvent, product_events, products

ROOT = Path(__file__).resolve().parent.parent

BEGIN = "<!-- Made by `python -m infra.coverage` from the catalogue: change it there. -->"
END = "<!-- End of what is made. -->"
BODY_INFERRED = (
    "*Body inferred*: the pages read do not print the body, or not all of what is in ours."
)
TEST = "test_every_event_of_the_page_is_said"
PAGE = ROOT / "docs" / "compatibility.md"

_NAMES = ROOT / "functions" / "perkwire" / "catalogue" / "names"


class NoPlaceForTables(Exception):
    """The page lacks one of the two markers, or has them in the wrong order."""


def file_of(product: str) -> str:
    """The tests of a product's format, from the root of the repository."""
    return f"tests/unit/formats/test_{product.replace('-', '_')}_format.py"


def shown_by(product: str, event: ProductEvent) -> str:
    """The test, as pytest names it, that shows an event of a product."""
    return f"{file_of(product)}::{TEST}[{event.label}]"


def tables() -> str:
    """All tables, each with its heading and notes."""
    return "\n\n".join(_table(product) for product in products())


def with_tables(page: str) -> str:
    """The page with the tables as they should be. Raises NoPlaceForTables."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoPlaceForTables(f"{PAGE.name} needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def _table(product: str) -> str:
    kept = json.loads((_NAMES / f"{product}.json").read_text(encoding="utf-8"))
    events = product_events(product)
    above = [f"{kept['source']}."]
    if "note" in kept:
        above.append(kept["note"])
    if any(event.name.body_inferred for event in events):
        above.append(BODY_INFERRED)
    lines = [
        f"### {kept['product']}: {len(events)} lines of its pages",
        "",
        "\n\n".join(above),
        "",
        "| its event | on the wire | our types | test |",
        "|---|---|---|---|",
        *(_row(product, event) for event in events),
    ]
    notes = [*_notes(events), *_never_sent(events)]
    return "\n".join([*lines, "", *notes] if notes else lines)


def _row(product: str, event: ProductEvent) -> str:
    types = ", ".join(f"`{name}`" for name in event.types)
    return f"| {event.label} | {_on_the_wire(event)} | {types} | `{shown_by(product, event)}` |"


def _on_the_wire(event: ProductEvent) -> str:
    name = event.name
    said = f"`{name.name}`"
    if name.topic:
        said += f", topic `{name.topic}`"
    if name.in_distribution and name.in_distribution != name.name:
        said += f"; in a distribution `{name.in_distribution}`"
    inferred = [
        word
        for word, applies in (("inferred", name.inferred), ("body inferred", name.body_inferred))
        if applies
    ]
    return f"{said} ({', '.join(inferred)})" if inferred else said


def _notes(events: tuple[ProductEvent, ...]) -> list[str]:
    """What the product's pages leave open, once for all events that it concerns."""
    by_note: dict[str, list[str]] = {}
    for event in events:
        if event.note:
            by_note.setdefault(event.note, []).append(event.label)
    return [f"* {', '.join(labels)}: {note}" for note, labels in by_note.items()]


def _never_sent(events: tuple[ProductEvent, ...]) -> list[str]:
    """The members that receivers of the product know and never get here, each with its events."""
    by_members: dict[tuple[str, ...], dict[str, None]] = {}
    for event in events:
        if event.never_sent:
            by_members.setdefault(event.never_sent, {})[event.name.name] = None
    return [
        f"* Never sent in {_codes(names)}: {_codes(members)}."
        for members, names in by_members.items()
    ]


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> int:
    """Write the tables into the page, or check them."""
    parser = argparse.ArgumentParser(description="Write the coverage tables of a page.")
    parser.add_argument("--check", action="store_true", help="fail on drift, write nothing")
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args()
    page: Path = given.page
    text = page.read_text(encoding="utf-8")
    wanted = with_tables(text)
    if not given.check:
        page.write_text(wanted, encoding="utf-8")
        return 0
    if text != wanted:
        print(
            f"{page} is not what the catalogue says: run `python -m infra.coverage`",
            file=sys.stderr,
        )
    return int(text != wanted)


if __name__ == "__main__":
    sys.exit(main())
