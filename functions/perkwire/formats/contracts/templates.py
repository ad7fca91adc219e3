"""Templates: JSON whose strings that begin with `=` are expressions.

`==` begins a string that begins with `=`. An object whose only members are those of one of these
three is no object of the body:

* `{"$each": expression, "do": template}`: the template once for each element, which is `item` in it
* `{"$if": expression, "then": template, "else": template}`; without `else`, nothing
* `{"$value": expression, "absent": policy}`: a value with a policy of its own for its absence

What is absent, a null, is treated by the contract's policy: its member is left out (`omit`), null
(`null`), an empty string (`empty`), or the whole event is not said (`refuse`). With `omit` an
object of which nothing is left is absent too. What an expression passes on stays as it is.
"""

import enum
from collections.abc import Callable, Iterator, Mapping

from perkwire.formats.contracts.bounds import Allowance, Unsayable
from perkwire.formats.contracts.expressions import NO_VALUE, WrongExpression, read_expression
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.problem import FieldError
from perkwire.primitives.strict_json import Json

type Roots = Mapping[str, Json]
type Made = Json | _Nothing
type Make = Callable[[Roots, Allowance], Made]
"""A part of a template: what it makes of the roots."""

MOST_LEAVES = 1_000
"""Of a contract: strings, numbers and expressions of all its templates."""
_DEEPEST_TEMPLATE = 16


class Absent(enum.StrEnum):
    """What becomes of a member whose expression has no value."""

    OMIT = "omit"
    NULL = "null"
    EMPTY = "empty"
    REFUSE = "refuse"


class _Nothing:
    """What a part of a template makes that is to be left out."""


_NOTHING = _Nothing()


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a contract: as people write it, and as a JSON pointer."""

    name: str
    pointer: str

    def inside(self, step: str | int) -> "Place":
        """A member, or an element, of this one."""
        name = f"{self.name}[{step}]" if isinstance(step, int) else f"{self.name}.{step}"
        escaped = str(step).replace("~", "~0").replace("/", "~1")
        return Place(name.removeprefix("."), f"{self.pointer}/{escaped}")


class TemplateReader:
    """Reads the templates of one contract, and notes what is wrong where."""

    def __init__(self, absent: Absent) -> None:
        self.absent = absent
        self.errors: list[FieldError] = []
        self.leaves = 0

    def read(self, template: Json, place: Place) -> "Template":
        """A template; one that is wrong makes nothing."""
        part, steps = self._part(template, place, _DEEPEST_TEMPLATE)
        return Template(part, steps)

    def wrong(self, place: Place, detail: str) -> None:
        """Note what is wrong."""
        self.errors.append(FieldError(place.name, detail, place.pointer))

    def _part(self, template: Json, place: Place, levels: int) -> tuple[Make, int]:
        if levels == 0:
            self.wrong(place, f"nests deeper than {_DEEPEST_TEMPLATE} levels")
            return _constant(None), 1
        if isinstance(template, dict):
            for name, read in self._directives():
                if name in template:
                    return read(template, place, levels)
            return self._object(template, place, levels)
        if isinstance(template, list):
            return self._list(template, place, levels)
        self.leaves += 1
        if self.leaves == MOST_LEAVES + 1:
            self.wrong(place, f"is one more than the {MOST_LEAVES} values that a contract may have")
        if self.leaves > MOST_LEAVES:
            return _constant(None), 1
        if isinstance(template, str) and template.startswith("="):
            if template.startswith("=="):
                return _constant(template[1:]), 1
            return self._expression(template[1:], place, self.absent)
        return _constant(template), 1

    def _directives(self) -> Iterator[tuple[str, Callable[..., tuple[Make, int]]]]:
        yield "$each", self._each
        yield "$if", self._if
        yield "$value", self._value

    def _expression(self, source: str, place: Place, absent: Absent) -> tuple[Make, int]:
        try:
            expression = read_expression(source.strip())
        except WrongExpression as wrong:
            self.wrong(place, str(wrong))
            return _constant(None), 1
        evaluate = expression.evaluate

        def make(roots: Roots, allowance: Allowance) -> Made:
            try:
                found: Json = evaluate(roots, allowance)
            except Unsayable as unsayable:
                if unsayable.place is None:
                    unsayable.place, unsayable.pointer = place.name, place.pointer
                raise
            except NO_VALUE:
                raise _unsayable(place, "has no value") from None
            return _absence(absent, place) if found is None else found

        return make, expression.steps

    def _condition(self, source: Json, place: Place) -> tuple[Make, int]:
        if not isinstance(source, str):
            self.wrong(place, "must be an expression")
            return _constant(None), 1
        return self._expression(source.removeprefix("="), place, Absent.NULL)

    def _object(self, template: dict[str, Json], place: Place, levels: int) -> tuple[Make, int]:
        members: list[tuple[str, Make]] = []
        steps = 1
        for name, inner in template.items():
            if name.startswith("$"):
                self.wrong(place.inside(name), "is no directive: $each, $if or $value")
            part, more = self._part(inner, place.inside(name), levels - 1)
            members.append((name, part))
            steps += more
        keeps = self.absent is not Absent.OMIT or not template

        def make(roots: Roots, allowance: Allowance) -> Made:
            made = {}
            for name, part in members:
                found = part(roots, allowance)
                if not isinstance(found, _Nothing):
                    made[name] = found
            return made if made or keeps else _NOTHING

        return make, steps

    def _list(self, template: list[Json], place: Place, levels: int) -> tuple[Make, int]:
        parts: list[Make] = []
        steps = 1
        for position, inner in enumerate(template):
            part, more = self._part(inner, place.inside(position), levels - 1)
            parts.append(part)
            steps += more

        def make(roots: Roots, allowance: Allowance) -> Made:
            made = [part(roots, allowance) for part in parts]
            return [one for one in made if not isinstance(one, _Nothing)]

        return make, steps

    def _each(self, template: dict[str, Json], place: Place, levels: int) -> tuple[Make, int]:
        self._only(template, place, "$each", "do")
        values, steps = self._condition(template["$each"], place.inside("$each"))
        part, each = self._part(template.get("do"), place.inside("do"), levels - 1)

        def make(roots: Roots, allowance: Allowance) -> Made:
            elements = values(roots, allowance)
            if not isinstance(elements, list):
                return _absence(self.absent, place.inside("$each"))
            allowance.spend(each * len(elements))
            made = [part({**roots, "item": element}, allowance) for element in elements]
            return [one for one in made if not isinstance(one, _Nothing)]

        return make, steps + 1

    def _if(self, template: dict[str, Json], place: Place, levels: int) -> tuple[Make, int]:
        self._only(template, place, "$if", "then", "else")
        wanted, steps = self._condition(template["$if"], place.inside("$if"))
        then, more = self._part(template.get("then"), place.inside("then"), levels - 1)
        otherwise: Make = _constant(_NOTHING)
        if "else" in template:
            otherwise, last = self._part(template["else"], place.inside("else"), levels - 1)
            more += last

        def make(roots: Roots, allowance: Allowance) -> Made:
            found = wanted(roots, allowance)
            is_false = found is None or found is False or found in ("", [], {})
            return (otherwise if is_false else then)(roots, allowance)

        return make, steps + more

    def _value(self, template: dict[str, Json], place: Place, _levels: int) -> tuple[Make, int]:
        self._only(template, place, "$value", "absent")
        self.leaves += 1
        policy = template.get("absent", Absent.OMIT)
        if policy not in [*Absent]:
            self.wrong(place.inside("absent"), "must be omit, null, empty or refuse")
            policy = Absent.OMIT
        source = template["$value"]
        if not isinstance(source, str):
            self.wrong(place.inside("$value"), "must be an expression")
            return _constant(None), 1
        return self._expression(
            source.removeprefix("="), place.inside("$value"), Absent(str(policy))
        )

    def _only(self, template: dict[str, Json], place: Place, *names: str) -> None:
        for name in template:
            if name not in names:
                self.wrong(place.inside(name), f"may not stand beside {names[0]}")
        if len(names) > 1 and names[1] not in template:
            self.wrong(place.inside(names[1]), "is required")


_OTHERWISE: Mapping[Absent, Json | _Nothing] = {
    Absent.OMIT: _NOTHING,
    Absent.NULL: None,
    Absent.EMPTY: "",
}


def _absence(absent: Absent, place: Place) -> Made:
    """What is said where an event has no value; raises Unsayable."""
    if absent is Absent.REFUSE:
        raise _unsayable(place, "is absent")
    return _OTHERWISE[absent]


def _unsayable(place: Place, why: str) -> Unsayable:
    made = Unsayable(why)
    made.place, made.pointer = place.name, place.pointer
    return made


def _constant(value: Json | _Nothing) -> Make:
    return lambda _roots, _allowance: value


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read."""

    _part: Make
    _steps: int

    def make(self, roots: Roots, allowance: Allowance) -> Json:
        """What it says of these roots; raises Unsayable, also if it says nothing."""
        made = self._made(roots, allowance)
        if isinstance(made, _Nothing):
            raise Unsayable("nothing is left of the template")
        return made

    def make_if_any(self, roots: Roots, allowance: Allowance) -> Json:
        """As `make`, but None if it says nothing."""
        made = self._made(roots, allowance)
        return None if isinstance(made, _Nothing) else made

    def _made(self, roots: Roots, allowance: Allowance) -> Json | _Nothing:
        allowance.spend(self._steps)
        made = self._part(roots, allowance)
        if not isinstance(made, _Nothing):
            allowance.pass_on(made)
        return made
