"""JMESPath expressions, read by the `jmespath` package and evaluated here, within bounds.

The package has the grammar right and counts nothing: here each node of its syntax tree becomes a
closure. What an expression costs without its loops is known once it is read, so a plain path is
paid for in one step.
"""

import json
import operator
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from perkwire.formats.contracts import jmespath_functions, own_functions
from perkwire.formats.contracts.bounds import Allowance, TooMuch, Unsayable
from perkwire.formats.contracts.jmespath_functions import (
    Evaluator,
    Function,
    Inner,
    is_number,
    same,
)
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.strict_json import InvalidJson, Json, parse

LONGEST_EXPRESSION = 500
_MOST_NODES = 200
_DEEPEST_NODE = 40

FUNCTIONS: Mapping[str, Function] = {
    **jmespath_functions.FUNCTIONS,
    **own_functions.FUNCTIONS,
}


NO_VALUE = (ArithmeticError, RecursionError, TypeError, ValueError)
"""What evaluating may raise: numbers beyond what doubles and integers hold."""


class WrongExpression(ValueError):
    """What is wrong with an expression, as the rest of a sentence that begins with its place."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read; `steps` is what a run of it costs without its loops."""

    evaluate: Evaluator
    steps: int

    def value(self, roots: Mapping[str, Json], allowance: Allowance) -> Json:
        """What it is for these roots; raises Unsayable."""
        allowance.spend(self.steps)
        try:
            found: Json = self.evaluate(roots, allowance)
        except NO_VALUE:
            # Never with the event's own words.
            raise Unsayable("has no value") from None
        return found


def read_expression(source: str) -> Expression:
    """Read one; raises WrongExpression."""
    from jmespath import exceptions, parser  # functions that say no contract need none

    if len(source) > LONGEST_EXPRESSION:
        raise WrongExpression(f"has more than {LONGEST_EXPRESSION} characters")
    try:
        with warnings.catch_warnings():
            # The package takes `gold` for `"gold"`, and warns.
            warnings.simplefilter("error", PendingDeprecationWarning)
            tree = parser.Parser().parse(source).parsed
    except PendingDeprecationWarning:
        raise WrongExpression(
            "has a literal that is no JSON: a text in backticks needs quotation marks"
        ) from None
    except exceptions.IncompleteExpressionError:
        raise WrongExpression("ends too early") from None
    except (exceptions.LexerError, exceptions.ParseError) as error:
        raise WrongExpression(_where(error, source)) from None
    except exceptions.EmptyExpressionError:
        raise WrongExpression("is empty") from None
    except RecursionError:
        raise WrongExpression("nests too deeply") from None
    except ValueError:
        raise WrongExpression("is no JMESPath") from None
    reader = _Reader()
    evaluate = reader.read(tree, _DEEPEST_NODE)
    return Expression(evaluate, reader.nodes)


def _where(error: Any, source: str) -> str:  # noqa: ANN401
    """`is wrong at character 7, before “]”`: counted from 1."""
    place = getattr(error, "lexer_position", None)
    place = error.lex_position if place is None else place
    rest = source[place : place + 20]
    return f"is wrong at character {place + 1}, at “{rest}”" if rest else "ends too early"


class _Reader:
    """Makes closures of one syntax tree, and counts its nodes."""

    def __init__(self) -> None:
        self.nodes = 0

    def read(self, node: Any, levels: int) -> Evaluator:  # noqa: ANN401
        self.nodes += 1
        if levels == 0:
            raise WrongExpression("nests too deeply")
        if self.nodes > _MOST_NODES:
            raise WrongExpression(f"has more than {_MOST_NODES} parts")
        if node["type"] == "expref":
            raise WrongExpression("has a & where no expression can be an argument")
        if node["type"] == "function_expression":
            return self._function(node, levels)
        if node["type"] in _LEAVES:
            return _LEAVES[node["type"]](node)
        if node["type"] == "multi_select_dict":
            members = [
                (pair["value"], self.read(pair["children"][0], levels - 1))
                for pair in node["children"]
            ]
            return _multi_select_dict(members)
        if node["type"] in _LOOPS:
            return self._loop(node, levels)
        path = _plain_path(node)
        if path is not None:
            return _path(path)
        children = [self.read(child, levels - 1) for child in node["children"]]
        return _BRANCHES[node["type"]](node.get("value"), children)

    def _loop(self, node: Any, levels: int) -> Evaluator:  # noqa: ANN401
        """A projection: what it costs for each element is what its right side and filter cost."""
        left, *each = node["children"]
        base = self.read(left, levels - 1)
        before = self.nodes
        inner = [self.read(child, levels - 1) for child in each]
        return _LOOPS[node["type"]](base, self.nodes - before, inner)

    def _function(self, node: Any, levels: int) -> Evaluator:  # noqa: ANN401
        name, given = node["value"], node["children"]
        function = FUNCTIONS.get(name)
        if function is None:
            raise WrongExpression(f"calls {name}(), which is no function of contracts")
        if len(given) < function.fewest or (
            function.most is not None and len(given) > function.most
        ):
            raise WrongExpression(f"calls {name}() with {len(given)} arguments")
        inner: Inner | None = None
        arguments: list[Evaluator] = []
        for position, child in enumerate(given):
            if position != function.inner:
                arguments.append(self.read(child, levels - 1))
                continue
            if child["type"] != "expref":
                raise WrongExpression(f"calls {name}() without an expression such as &name")
            before = self.nodes
            evaluate = self.read(child["children"][0], levels - 1)
            inner = Inner(evaluate, self.nodes - before)
            arguments.append(_constant(inner))
        return _call(function.call, arguments)


def _constant(value: Any) -> Evaluator:  # noqa: ANN401
    return lambda _value, _allowance: value


def _call(call: Callable[..., Json], arguments: list[Evaluator]) -> Evaluator:
    if len(arguments) == 1:
        (only,) = arguments
        return lambda value, left: call((only(value, left),), left)
    return lambda value, left: call([one(value, left) for one in arguments], left)


def _literal(node: Any) -> Evaluator:  # noqa: ANN401
    try:
        return _constant(parse(json.dumps(node["value"])))
    except (InvalidJson, ValueError):
        raise WrongExpression("has a literal that is no JSON") from None


def _field(name: str) -> Evaluator:
    return lambda value, _left: value.get(name) if isinstance(value, dict) else None


def _index(position: int) -> Evaluator:
    def evaluate(value: Any, _left: Allowance) -> Any:  # noqa: ANN401
        if not isinstance(value, list):
            return None
        return value[position] if -len(value) <= position < len(value) else None

    return evaluate


def _slice(node: Any) -> Evaluator:  # noqa: ANN401
    start, end, step = node["children"]
    if step == 0:
        raise WrongExpression("has a slice of step 0")
    part = slice(start, end, step)

    def evaluate(value: Any, left: Allowance) -> Any:  # noqa: ANN401
        if not isinstance(value, list):
            return None
        left.spend(len(value))
        return value[part]

    return evaluate


def _plain_path(node: Any) -> list[str] | None:  # noqa: ANN401
    """The names of `a.b.c`."""
    if node["type"] != "subexpression":
        return None
    names: list[str] = []
    for child in node["children"]:
        inner = [child["value"]] if child["type"] == "field" else _plain_path(child)
        if inner is None:
            return None
        names += inner
    return names


def _path(names: list[str]) -> Evaluator:
    def evaluate(value: Any, _left: Allowance) -> Any:  # noqa: ANN401
        for name in names:
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value

    return evaluate


def _is_false(value: Any) -> bool:  # noqa: ANN401
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def _one_after_the_other(_value: Any, children: list[Evaluator]) -> Evaluator:  # noqa: ANN401
    def evaluate(value: Any, left: Allowance) -> Any:  # noqa: ANN401
        for child in children:
            value = child(value, left)
        return value

    return evaluate


def _or(_value: Any, children: list[Evaluator]) -> Evaluator:  # noqa: ANN401
    first, second = children

    def evaluate(value: Any, left: Allowance) -> Any:  # noqa: ANN401
        found = first(value, left)
        return second(value, left) if _is_false(found) else found

    return evaluate


def _and(_value: Any, children: list[Evaluator]) -> Evaluator:  # noqa: ANN401
    first, second = children

    def evaluate(value: Any, left: Allowance) -> Any:  # noqa: ANN401
        found = first(value, left)
        return found if _is_false(found) else second(value, left)

    return evaluate


def _not(_value: Any, children: list[Evaluator]) -> Evaluator:  # noqa: ANN401
    (inner,) = children
    return lambda value, left: _is_false(inner(value, left))


def _comparator(name: str, children: list[Evaluator]) -> Evaluator:
    first, second = children
    if name in ("eq", "ne"):
        wanted = name == "eq"
        return lambda value, left: same(first(value, left), second(value, left), left) is wanted
    compare = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}[name]

    def evaluate(value: Any, left: Allowance) -> Any:  # noqa: ANN401
        one, other = first(value, left), second(value, left)
        if is_number(one) and is_number(other):
            return compare(one, other)
        if isinstance(one, str) and isinstance(other, str):
            left.spend_letters(min(len(one), len(other)))
            return compare(one, other)
        return None

    return evaluate


def _flatten(_value: Any, children: list[Evaluator]) -> Evaluator:  # noqa: ANN401
    (inner,) = children

    def evaluate(value: Any, left: Allowance) -> Any:  # noqa: ANN401
        base = inner(value, left)
        if not isinstance(base, list):
            return None
        left.spend(sum(len(one) if isinstance(one, list) else 1 for one in base))
        merged: list[Any] = []
        for one in base:
            if isinstance(one, list):
                merged += one
            else:
                merged.append(one)
        return merged

    return evaluate


def _multi_select_list(_value: Any, children: list[Evaluator]) -> Evaluator:  # noqa: ANN401
    return lambda value, left: None if value is None else [one(value, left) for one in children]


def _multi_select_dict(members: list[tuple[str, Evaluator]]) -> Evaluator:
    return lambda value, left: (
        None if value is None else {name: one(value, left) for name, one in members}
    )


def _over(elements: Any, steps: int, each: Evaluator, left: Allowance) -> list[Any]:  # noqa: ANN401
    left.spend(len(elements) * (steps + 1))
    return [found for one in elements if (found := each(one, left)) is not None]


def _projection(base: Evaluator, steps: int, inner: list[Evaluator]) -> Evaluator:
    (each,) = inner

    def evaluate(value: Any, left: Allowance) -> Any:  # noqa: ANN401
        elements = base(value, left)
        return _over(elements, steps, each, left) if isinstance(elements, list) else None

    return evaluate


def _value_projection(base: Evaluator, steps: int, inner: list[Evaluator]) -> Evaluator:
    (each,) = inner

    def evaluate(value: Any, left: Allowance) -> Any:  # noqa: ANN401
        members = base(value, left)
        return _over(members.values(), steps, each, left) if isinstance(members, dict) else None

    return evaluate


def _filter_projection(base: Evaluator, steps: int, inner: list[Evaluator]) -> Evaluator:
    each, wanted = inner

    def chosen(value: Any, left: Allowance) -> Any:  # noqa: ANN401
        return None if _is_false(wanted(value, left)) else each(value, left)

    return _projection(base, steps, [chosen])


_LEAVES: Mapping[str, Callable[[Any], Evaluator]] = {
    "current": lambda _: lambda value, _left: value,
    "field": lambda node: _field(node["value"]),
    "identity": lambda _: lambda value, _left: value,
    "index": lambda node: _index(node["value"]),
    "literal": _literal,
    "slice": _slice,
}
_BRANCHES: Mapping[str, Callable[[Any, list[Evaluator]], Evaluator]] = {
    "and_expression": _and,
    "comparator": _comparator,
    "flatten": _flatten,
    "index_expression": _one_after_the_other,
    "multi_select_list": _multi_select_list,
    "not_expression": _not,
    "or_expression": _or,
    "pipe": _one_after_the_other,
    "subexpression": _one_after_the_other,
}
_LOOPS: Mapping[str, Callable[[Evaluator, int, list[Evaluator]], Evaluator]] = {
    "filter_projection": _filter_projection,
    "projection": _projection,
    "value_projection": _value_projection,
}

__all__ = [
    "FUNCTIONS",
    "NO_VALUE",
    "Expression",
    "TooMuch",
    "Unsayable",
    "WrongExpression",
    "read_expression",
]
