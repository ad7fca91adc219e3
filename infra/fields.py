"""Write docs/fields.md, what each format passes on of an event: `python -m infra.fields [--check]`.

Found out by rendering the catalogue's examples, once with each value changed: a field is passed on
if the body changes with it. `--check` writes nothing and fails if the page is not so.
"""

import argparse
import copy
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

from perkwire.catalogue.event_types import EventType, event_types
from perkwire.formats.format import Format, Payload
from perkwire.formats.registry import FORMATS
from perkwire.model.event import Event
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from perkwire.primitives.strict_json import Json

PAGE = Path(__file__).resolve().parent.parent / "docs" / "fields.md"
WHOLE = ("standard", "qualifio", "cloudevents@1.0")
"""The formats that pass on all of `data`."""

_ABOVE = """# Fields

What of an event's `data` reaches a receiver: post these fields to fill what its format has. Made by
`python -m infra.fields`, which renders the catalogue's examples; what is in no list has no place in
that product's bodies. `standard`, `qualifio` and `cloudevents` pass on all of
`data`, and `voucherify` that of types under `custom.`. A field in *italics* is passed on in only
some of the types that have it: the console's catalogue shows the body of each type. What a receiver
of Voucherify knows and never gets stands in [compatibility.md](compatibility.md).
"""
_FREE = ["member", "attributes"]

type Way = tuple[str | int, ...]


def page() -> str:
    """The page as it should be."""
    return "\n".join([_ABOVE, *(_section(name) for name in FORMATS if name not in WHOLE)])


@cache
def passed_on(format_name: str) -> dict[str, bool]:
    """The fields that reach the receiver, each with whether they do in every type that has them."""
    format_ = FORMATS[format_name]
    found: dict[str, list[bool]] = {}
    for event_type in event_types().values():
        if format_.name_of(event_type.name) is None:
            continue
        before = _body(format_, event_type, event_type.example)
        reached: dict[str, bool] = {}
        for path in leaves(event_type.example):
            changed = _body(format_, event_type, with_another(event_type.example, path)) != before
            reached[named(path)] = changed or reached.get(named(path), False)
        for name, changed in reached.items():
            found.setdefault(name, []).append(changed)
    return {name: all(each) for name, each in found.items() if any(each)}


def leaves(value: Json, path: Way = ()) -> Iterator[Way]:
    """The way to each value that is no object and no list."""
    inner: Iterable[tuple[str | int, Json]]
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    else:
        yield path
        return
    for step, item in inner:
        yield from leaves(item, (*path, step))


def named(path: Way) -> str:
    """`order.items.price`; what an admin may name freely is one field."""
    names = [step for step in path if isinstance(step, str)]
    return ".".join(_FREE if names[:2] == _FREE else names)


def with_another(data: dict[str, Json], path: Way) -> dict[str, Json]:
    """The data with another value of the same form at the end of the path."""
    changed: Any = copy.deepcopy(data)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = _other(place[path[-1]])
    found: dict[str, Json] = changed
    return found


def _other(value: Json) -> Json:
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        dated = value[:2] == "20" and value[4:5] == "-"
        return f"19{value[2:]}" if dated else f"1{value}"
    if isinstance(value, int | float):
        return value + 1
    return 1


def _body(format_: Format, event_type: EventType, data: dict[str, Json]) -> bytes:
    event = Event(
        id=EventId("evt_1"),
        type=event_type.name,
        accepted_at=0,
        occurred_at=None,
        program_id="programme",
        data=data,
    )
    return format_.render(
        Payload(
            delivery_id=DeliveryId("dlv_1"),
            account_id=AccountId("acct_1"),
            webhook_id=WebhookId("wh_1"),
            url="https://receiver.example",
            events=(event,),
            batched=False,
            settings=format_.read_settings(Fields({})),
        )
    )


def _section(format_name: str) -> str:
    by_object: dict[str, list[str]] = {}
    for name, always in passed_on(format_name).items():
        owner, _, field = name.rpartition(".")
        by_object.setdefault(owner, []).append(f"`{field}`" if always else f"*`{field}`*")
    rows = [f"| `{owner}` | {', '.join(fields)} |" for owner, fields in sorted(by_object.items())]
    return "\n".join([f"## `{format_name}`", "", "| object | fields |", "|---|---|", *rows, ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description="Write docs/fields.md.")
    parser.add_argument("--check", action="store_true", help="fail on drift, write nothing")
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args(arguments)
    wanted = page()
    if not given.check:
        given.page.write_text(wanted, encoding="utf-8")
        return 0
    drifted = not given.page.exists() or given.page.read_text(encoding="utf-8") != wanted
    if drifted:
        print(f"{given.page} is not so any more: run `python -m infra.fields`", file=sys.stderr)
    return int(drifted)


if __name__ == "__main__":
    sys.exit(main())
