"""Write the coverage tables of docs/compatibility.md: `python -m infra.coverage [--check]`.

First how much is known, and how; then one table for each product, one row for each event that its
pages name, made from the catalogue. `--check` writes nothing and fails if the page is not what the
catalogue says.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

from perkwire.catalogue.names import Basis, Evidence, ProductEvent, product_events, products

ROOT = Path(__file__).resolve().parent.parent

BEGIN = "<!-- Made by `python -m infra.coverage` from the catalogue: change it there. -->"
END = "<!-- End of what is made. -->"
TEST = "test_every_event_of_the_page_is_said"
PAGE = ROOT / "docs" / "compatibility.md"

_NAMES = ROOT / "functions" / "perkwire" / "catalogue" / "names"


_KNOWN, _IN_PART, _INFERRED = _BODIES = ("known", "known in part", "inferred")


class NoPlaceForTables(Exception):
    """The page lacks one of the two markers, or has them in the wrong order."""


def file_of(product: str) -> str:
    """The tests of a product's format, from the root of the repository."""
    return f"tests/unit/formats/test_{product.replace('-', '_')}_format.py"


def shown_by(product: str, event: ProductEvent) -> str:
    """The test, as pytest names it, that shows an event of a product."""
    return f"{file_of(product)}::{TEST}[{event.label}]"


def tables() -> str:
    """The counts, then all tables, each with its heading and notes."""
    return "\n\n".join([counts(), *(_table(product) for product in products())])


def counts() -> str:
    """Of how many lines the name and the body are known, and how."""
    everything = [sum(each) for each in zip(*map(_counted, products()), strict=True)]
    return "\n".join(
        [
            *(
                f"* {_head(product)['product']}: {_sum(_counted(product))}"
                for product in products()
            ),
            f"* All: {_sum(everything)}",
        ]
    )


def _sum(counted: Sequence[int]) -> str:
    """`24 lines. Names: 15 printed, …. Bodies: 3 known, ….`"""
    lines, *numbers = counted
    names = [f"{number} {one}" for one, number in zip(Evidence, numbers, strict=False) if number]
    of_bodies = numbers[len(Evidence) :]
    bodies = [f"{number} {one}" for one, number in zip(_BODIES, of_bodies, strict=True) if number]
    return f"{lines} lines. Names: {', '.join(names)}. Bodies: {', '.join(bodies)}."


def _counted(product: str) -> list[int]:
    events = product_events(product)
    names = Counter(name_evidence(event) for event in events)
    bodies = Counter(body_known(event) for event in events)
    return [len(events), *(names[one] for one in Evidence), *(bodies[one] for one in _BODIES)]


def name_evidence(event: ProductEvent) -> Evidence:
    """How the name of a line is known."""
    return Evidence.INFERRED if event.name_from is None else event.name_from.evidence


def body_known(event: ProductEvent) -> str:
    """Whether the body of a line is known, one of the words of the counts."""
    if not event.name.body_inferred:
        return _KNOWN
    return _IN_PART if event.body_from else _INFERRED


def _head(product: str) -> dict[str, Any]:
    head: dict[str, Any] = json.loads((_NAMES / f"{product}.json").read_text(encoding="utf-8"))
    return head


def with_tables(page: str) -> str:
    """The page with the tables as they should be. Raises NoPlaceForTables."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoPlaceForTables(f"{PAGE.name} needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def _table(product: str) -> str:
    head = _head(product)
    events = product_events(product)
    numbers = {kept["where"]: number for number, kept in enumerate(head["known_from"].values(), 1)}
    above = [f"{head['source']}."]
    if "note" in head:
        above.append(head["note"])
    if numbers:
        known_from = [
            f"[{numbers[kept['where']]}] {kept['where']} ({kept['evidence']})"
            for kept in head["known_from"].values()
        ]
        above.append(f"Known from {'; '.join(known_from)}.")
    lines = [
        f"### {head['product']}: {len(events)} lines of its pages",
        "",
        "\n\n".join(above),
        "",
        "| its event | on the wire | name | body | our types | test |",
        "|---|---|---|---|---|---|",
        *(_row(product, event, numbers) for event in events),
    ]
    notes = [
        *_notes(events),
        *_unfilled("Always null", events, lambda event: event.always_null),
        *_unfilled("Never sent", events, lambda event: event.never_sent),
    ]
    return "\n".join([*lines, "", *notes] if notes else lines)


def _row(product: str, event: ProductEvent, numbers: Mapping[str, int]) -> str:
    types = ", ".join(f"`{name}`" for name in event.types)
    name = _known([event.name_from] if event.name_from else [], numbers)
    body = _known(event.body_from, numbers)
    if event.name.body_inferred and event.body_from:
        body += ", the rest inferred"
    test = f"`{shown_by(product, event)}`"
    return f"| {event.label} | {_on_the_wire(event)} | {name} | {body} | {types} | {test} |"


def _known(basis: Sequence[Basis], numbers: Mapping[str, int]) -> str:
    """`printed [1]`, with the number of what it is known from."""
    by_evidence: dict[Evidence, list[str]] = {}
    for one in basis:
        by_evidence.setdefault(one.evidence, []).append(f"[{numbers[one.where]}]")
    said = [f"{evidence} {' '.join(where)}" for evidence, where in by_evidence.items()]
    return ", ".join(said) or Evidence.INFERRED


def _on_the_wire(event: ProductEvent) -> str:
    name = event.name
    said = f"`{name.name}`"
    if name.topic:
        said += f", topic `{name.topic}`"
    if name.otherwise:
        said += f", or as the webhook is set `{name.otherwise}`"
    if name.in_distribution and name.in_distribution != name.name:
        said += f"; in a distribution `{name.in_distribution}`"
    return said


def _notes(events: tuple[ProductEvent, ...]) -> list[str]:
    """What the product's pages leave open, once for all events that it concerns."""
    by_note: dict[str, list[str]] = {}
    for event in events:
        if event.note:
            by_note.setdefault(event.note, []).append(event.label)
    return [f"* {', '.join(labels)}: {note}" for note, labels in by_note.items()]


def _unfilled(
    what: str, events: Sequence[ProductEvent], of: Callable[[ProductEvent], tuple[str, ...]]
) -> list[str]:
    """Members that receivers of the product know and no event of ours fills, with the events."""
    by_members: dict[tuple[str, ...], dict[str, None]] = {}
    for event in events:
        if members := of(event):
            by_members.setdefault(members, {})[event.name.name] = None
    return [
        f"* {what} in {_codes(names)}: {_codes(members)}." for members, names in by_members.items()
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
