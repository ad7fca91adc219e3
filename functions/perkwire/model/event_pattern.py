"""Event patterns, the filters of webhooks: EventBridge's syntax over what an event says.

A pattern has the shape of an event: `{"data": {"points": [{"numeric": [">=", 1000]}]}}`. All its
fields must match, and of each field's list any value. Lists of an event match by any of their
elements, and fields of objects in a list all within one element. `$or` is written out into the
patterns that it stands for, of which any must match. The time is linear in the event, and bounded.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache

from perkwire.model.event import Event
from perkwire.model.pattern_values import (
    OPERATORS,
    Condition,
    Looks,
    Place,
    Scalar,
    TooManyLooks,
    WrongValue,
    read_condition,
    scalars,
)
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import one_of
from perkwire.primitives.strict_json import Json, compact, compact_ascii, parse
from perkwire.primitives.timestamps import to_rfc3339

MOST_PATTERN_BYTES = 4096
MOST_PATTERN_VALUES = 64
MOST_PATTERN_LEVELS = 6
MOST_PATTERN_WAYS = 64
"""The patterns that those with `$or` stand for; EventBridge has a thousand."""

MOST_LOOKS = 20_000
"""At values in lists, by each of a pattern's conditions: some milliseconds."""

OR = "$or"
_TIME = "occurred_at"
_FIELDS = ("id", "type", "program_id", _TIME)
_DATA = "data"
_LONGEST_SHOWN = 10


class UnreadablePattern(ValueError):
    """A stored pattern that this release cannot read: a later one has written it."""


@dataclass(frozen=True, slots=True)
class WrongPlace:
    """A part of a pattern, as a JSON pointer (RFC 6901) into it and as a name, and why."""

    place: Place
    detail: str

    @property
    def pointer(self) -> str:
        """`/data/points/0`."""
        return pointer_of(self.place)

    @property
    def name(self) -> str:
        """`data.points[0]`."""
        steps = (f"[{one}]" if isinstance(one, int) else f".{one}" for one in self.place)
        return "".join(steps).removeprefix(".")


@dataclass(frozen=True, slots=True)
class Misfit:
    """A condition that an event does not meet: where it stands, and what the event has there."""

    pointer: str
    condition: Json
    found: tuple[Scalar, ...]

    @property
    def wanted_text(self) -> str:
        """The list of the pattern, as JSON."""
        return json.dumps(self.condition, ensure_ascii=False)

    @property
    def found_texts(self) -> list[str]:
        """Each of the event's values, as JSON."""
        return [json.dumps(one, ensure_ascii=False) for one in self.found]


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A list of a pattern: the field that it is about, where it stands, and what it asks."""

    path: tuple[str, ...]
    place: Place
    values: list[Json]
    condition: Condition


@dataclass(frozen=True, slots=True)
class _Node:
    """The fields of an object that all must match; `looks` is what one object takes at most."""

    conditions: tuple[tuple[str, Condition], ...]
    objects: tuple[tuple[str, "_Node"], ...]
    looks: int

    def matches(self, value: Mapping[str, Json], looks: Looks) -> bool:
        """Whether one object does; raises TooManyLooks."""
        for name, condition in self.conditions:
            if name in value:
                if not condition.takes(value[name], looks):
                    return False
            elif not condition.absent:
                return False
        for name, node in self.objects:  # noqa: SIM110 - a generator would cost more than it saves
            if not node.matches_member(value.get(name), looks):
                return False
        return True

    def matches_member(self, member: Json, looks: Looks) -> bool:
        """Whether one of the objects that a member holds does; what holds none is like an empty."""
        if isinstance(member, dict):
            return self.matches(member, looks)
        is_there = False
        for one in _objects(member):
            looks.take(self.looks)
            if self.matches(one, looks):
                return True
            is_there = True
        return not is_there and self.matches({}, looks)


@dataclass(frozen=True, slots=True)
class EventPattern:
    """A pattern that has been read; `text` is its compact JSON in ASCII, as it is stored."""

    text: str
    ways: tuple[tuple[_Leaf, ...], ...]
    nodes: tuple[_Node, ...]
    asks_for_the_time: bool

    def matches(self, event: Event) -> bool:
        """Whether an event is let through: so is one that takes more than MOST_LOOKS."""
        said = self._said(event)
        looks = Looks(MOST_LOOKS)
        try:
            for node in self.nodes:
                if node.matches(said, looks):
                    return True
        except TooManyLooks:
            return True
        return False

    def misfit(self, event: Event) -> Misfit | None:
        """The first condition that the event does not meet, of the way that lacks the fewest.

        None if it matches. With fields that are met only by different elements of a list, it is
        the first of them.
        """
        if self.matches(event):
            return None
        said = self._said(event)
        lacking = [
            [one for one in way if not one.condition.takes_any(_found(said, one.path))]
            for way in self.ways
        ]
        nearest = min(range(len(lacking)), key=lambda way: len(lacking[way]))
        leaf = (lacking[nearest] or self._in_lists(said, nearest))[0]
        found = tuple(_found(said, leaf.path))[:_LONGEST_SHOWN]
        return Misfit(pointer_of(leaf.place), [*leaf.values], found)

    def _said(self, event: Event) -> dict[str, Json]:
        """What patterns look at. What the caller has not said is not there."""
        said: dict[str, Json] = {"id": event.id, "type": event.type, _DATA: event.data}
        if event.program_id is not None:
            said["program_id"] = event.program_id
        if self.asks_for_the_time and event.occurred_at is not None:
            said[_TIME] = to_rfc3339(event.occurred_at)
        return said

    def _in_lists(self, said: Mapping[str, Json], way: int) -> list[_Leaf]:
        leaves = [one for one in self.ways[way] if _crosses_a_list(said, one.path)]
        return leaves or [*self.ways[way]]


def read_pattern(value: Json) -> EventPattern | list[WrongPlace]:
    """The pattern, or all that is wrong with it.

    At most MOST_PATTERN_BYTES of compact JSON in UTF-8, MOST_PATTERN_VALUES values,
    MOST_PATTERN_LEVELS levels of fields and `$or`, MOST_PATTERN_WAYS ways.
    """
    if not isinstance(value, dict):
        return [WrongPlace((), "must be an object with the fields that are looked at")]
    if len(compact(value)) > MOST_PATTERN_BYTES:
        return [WrongPlace((), f"must have at most {MOST_PATTERN_BYTES} bytes of JSON")]
    reader = _Reader()
    ways = reader.read_object(value, (), ())
    if reader.values > MOST_PATTERN_VALUES:
        reader.wrong((), f"has {reader.values} values; at most {MOST_PATTERN_VALUES} are allowed")
    if reader.errors:
        return reader.errors
    nodes = tuple(_node([(leaf.path, leaf.condition) for leaf in way]) for way in ways)
    return EventPattern(
        compact_ascii(value),
        tuple(tuple(way) for way in ways),
        nodes,
        asks_for_the_time=any(leaf.path == (_TIME,) for way in ways for leaf in way),
    )


@lru_cache(maxsize=512)
def stored_pattern(text: str) -> EventPattern:
    """The pattern of a stored text, read once for each; raises UnreadablePattern."""
    pattern = read_pattern(parse(text))
    if isinstance(pattern, EventPattern):
        return pattern
    wrong = pattern[0]
    raise UnreadablePattern(f"filter{wrong.pointer} {wrong.detail}")


def pointer_of(place: Place) -> str:
    """A place as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(one).replace('~', '~0').replace('/', '~1')}" for one in place)


class _Reader:
    """Reads one pattern: the ways that it stands for, and all that is wrong with it."""

    def __init__(self) -> None:
        self.errors: list[WrongPlace] = []
        self.values = 0

    def wrong(self, place: Place, detail: str) -> None:
        self.errors.append(WrongPlace(place, detail))

    def read_object(
        self, given: dict[str, Json], place: Place, path: tuple[str, ...]
    ) -> list[list[_Leaf]]:
        """The ways to match an object: of each all leaves must match."""
        ways: list[list[_Leaf]] = [[]]
        if not given:
            self.wrong(place, "must not be empty: name a field to look at")
        if _levels(place) >= MOST_PATTERN_LEVELS:
            self.wrong(place, f"nests deeper than {MOST_PATTERN_LEVELS} levels")
            return ways
        for name, member in given.items():
            here = (*place, name)
            added = self._read_member(name, member, here, path)
            if len(ways) * len(added) > MOST_PATTERN_WAYS:
                self.wrong(here, f"stands for more than {MOST_PATTERN_WAYS} combinations of {OR}")
                return ways
            ways = [self._joined(way, other) for way in ways for other in added]
        return ways

    def _read_member(
        self, name: str, member: Json, here: Place, path: tuple[str, ...]
    ) -> list[list[_Leaf]]:
        if name == OR:
            return self._read_or(member, here, path)
        if wrong := _wrong_name(name, member, path, is_in_or=OR in here):
            self.wrong(here, wrong)
        elif isinstance(member, dict):
            return self.read_object(member, here, (*path, name))
        elif isinstance(member, list):
            try:
                condition = read_condition(member, self._count)
            except WrongValue as error:
                self.wrong((*here, *error.place), error.detail)
            else:
                return [[_Leaf((*path, name), here, member, condition)]]
        else:
            self.wrong(here, _not_listed(member))
        return [[]]

    def _read_or(self, member: Json, here: Place, path: tuple[str, ...]) -> list[list[_Leaf]]:
        if not isinstance(member, list) or len(member) < 2:
            self.wrong(here, "must be a list of two or more objects, of which one has to match")
            return [[]]
        ways: list[list[_Leaf]] = []
        for position, option in enumerate(member):
            if isinstance(option, dict):
                ways += self.read_object(option, (*here, position), path)
            else:
                self.wrong((*here, position), "must be an object")
        return ways or [[]]

    def _joined(self, way: list[_Leaf], other: list[_Leaf]) -> list[_Leaf]:
        paths = [leaf.path for leaf in way]
        for leaf in other:
            if any(_overlap(leaf.path, path) for path in paths):
                detail = f"is about a field that a condition beside the {OR} is about too"
                self.wrong(leaf.place, f"{detail}: say all of it in each object of the {OR}")
                return way
        return way + other

    def _count(self, values: int) -> None:
        self.values += values


def _wrong_name(name: str, member: Json, path: tuple[str, ...], *, is_in_or: bool) -> str | None:
    if not path:
        if name not in (*_FIELDS, _DATA):
            return f"is not a field of events, which are {one_of((*_FIELDS, _DATA))}"
        if name == _DATA and not isinstance(member, dict):
            return 'must be an object, such as {"points": [{"numeric": [">=", 1000]}]}'
        if name in _FIELDS and isinstance(member, dict):
            return 'must be a list, such as ["points.earned"]'
        if name in _FIELDS and isinstance(member, list) and None in member:
            return 'must not have null, which it never is; {"exists": false} is for none'
    elif "." in name:
        return "must not have a dot: write an object within an object"
    elif name in OPERATORS and is_in_or:
        return f"is an operator, and must not be the name of a field within {OR}"
    return None


def _not_listed(member: Json) -> str:
    shown = compact(member).decode()
    return f"must be a list: [{shown[:64]}]" if len(shown) <= 64 else "must be a list"


def _levels(place: Place) -> int:
    """How many fields and `$or` lead to an object; a position within `$or` is none."""
    return sum(isinstance(one, str) for one in place)


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _node(leaves: list[tuple[tuple[str, ...], Condition]]) -> _Node:
    conditions: list[tuple[str, Condition]] = []
    inner: dict[str, list[tuple[tuple[str, ...], Condition]]] = {}
    for (name, *rest), condition in leaves:
        if rest:
            inner.setdefault(name, []).append((tuple(rest), condition))
        else:
            conditions.append((name, condition))
    return _Node(
        tuple(conditions),
        tuple((name, _node(within)) for name, within in inner.items()),
        looks=sum(condition.looks for _, condition in leaves),
    )


def _objects(member: Json) -> Iterator[dict[str, Json]]:
    if isinstance(member, list):
        for item in member:
            yield from _objects(item)
    elif isinstance(member, dict):
        yield member


def _found(member: Json | Mapping[str, Json], path: tuple[str, ...]) -> Iterator[Scalar]:
    if not path:
        yield from scalars(member)  # type: ignore[arg-type]
        return
    for one in _objects(member):  # type: ignore[arg-type]
        if path[0] in one:
            yield from _found(one[path[0]], path[1:])


def _crosses_a_list(member: Json | Mapping[str, Json], path: tuple[str, ...]) -> bool:
    for name in path:
        if isinstance(member, list):
            return True
        if not isinstance(member, dict):
            return False
        member = member.get(name)
    return False
