"""Event patterns and events for every judge of them: AWS's documented examples, and generated ones.

The examples show what the pages *Comparison operators*, *Null values and empty strings* and
*Arrays* of EventBridge's user guide say, each with its own kind of value.
"""

import random
from collections.abc import Iterator

from perkwire.primitives.strict_json import Json

type Pair = tuple[dict[str, Json], dict[str, Json]]

DOCUMENTED: list[tuple[dict[str, Json], dict[str, Json], bool]] = [
    ({"a": ["x"]}, {"a": "x", "b": 1}, True),
    ({"a": ["x"]}, {"a": "X"}, False),
    ({"a": ["x", "y"]}, {"a": "y"}, True),
    ({"a": ["x"], "b": [1]}, {"a": "x", "b": 1}, True),
    ({"a": ["x"], "b": [1]}, {"a": "x", "b": 2}, False),
    ({"a": {"b": ["x"]}}, {"a": {"b": "x"}}, True),
    ({"a": {"b": ["x"]}}, {"a": "x"}, False),
    # Numbers, true, false, null and empty strings are themselves and nothing else.
    ({"a": [100]}, {"a": 100.0}, True),
    ({"a": [3.0e2]}, {"a": 300}, True),
    ({"a": [100]}, {"a": "100"}, False),
    ({"a": [True]}, {"a": True}, True),
    ({"a": [True]}, {"a": 1}, False),
    ({"a": [1]}, {"a": True}, False),
    ({"a": [None]}, {"a": None}, True),
    ({"a": [None]}, {"a": ""}, False),
    ({"a": [None]}, {"b": 1}, False),
    ({"a": [""]}, {"a": ""}, True),
    ({"a": [""]}, {"a": None}, False),
    # Prefix and suffix, of strings alone.
    ({"a": [{"prefix": "us-"}]}, {"a": "us-east-1"}, True),
    ({"a": [{"prefix": "us-"}]}, {"a": "eu-west-1"}, False),
    ({"a": [{"prefix": "1"}]}, {"a": 10}, False),
    ({"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"a": "eventbridge"}, True),
    ({"a": [{"suffix": ".png"}]}, {"a": "dir/cat.png"}, True),
    ({"a": [{"suffix": ".png"}]}, {"a": "cat.jpg"}, False),
    ({"a": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"a": "cat.png"}, True),
    ({"a": [{"equals-ignore-case": "alice"}]}, {"a": "ALICE"}, True),
    ({"a": [{"equals-ignore-case": "alice"}]}, {"a": "Alicia"}, False),
    # Jsonthing but: also what is of another kind, never what is missing.
    ({"a": [{"anything-but": "starting"}]}, {"a": "running"}, True),
    ({"a": [{"anything-but": "starting"}]}, {"a": "starting"}, False),
    ({"a": [{"anything-but": "starting"}]}, {"a": 5}, True),
    ({"a": [{"anything-but": "starting"}]}, {"b": 5}, False),
    ({"a": [{"anything-but": 123}]}, {"a": 123.0}, False),
    ({"a": [{"anything-but": 123}]}, {"a": 124}, True),
    ({"a": [{"anything-but": ["stopped", "overloaded"]}]}, {"a": "running"}, True),
    ({"a": [{"anything-but": ["stopped", "overloaded"]}]}, {"a": "stopped"}, False),
    ({"a": [{"anything-but": [100, 200, 300]}]}, {"a": 200}, False),
    ({"a": [{"anything-but": {"prefix": "init"}}]}, {"a": "initializing"}, False),
    ({"a": [{"anything-but": {"prefix": "init"}}]}, {"a": "running"}, True),
    ({"a": [{"anything-but": {"prefix": ["init", "err"]}}]}, {"a": "error"}, False),
    ({"a": [{"anything-but": {"suffix": ".txt"}}]}, {"a": "a.txt"}, False),
    ({"a": [{"anything-but": {"suffix": [".txt", ".log"]}}]}, {"a": "a.png"}, True),
    ({"a": [{"anything-but": {"equals-ignore-case": "starting"}}]}, {"a": "STARTING"}, False),
    ({"a": [{"anything-but": {"equals-ignore-case": ["a", "b"]}}]}, {"a": "B"}, False),
    ({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"a": "usr/lib/x"}, False),
    ({"a": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}, {"a": "usr/share/x"}, True),
    # Numeric comparisons.
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 0}, False),
    ({"a": [{"numeric": ["<", 10]}]}, {"a": 9.99}, True),
    ({"a": [{"numeric": ["=", 3.018e2]}]}, {"a": 301.8}, True),
    ({"a": [{"numeric": [">=", 5]}]}, {"a": "7"}, False),
    # Whether a leaf is there; an object is none, and neither is an empty list.
    ({"a": [{"exists": True}]}, {"a": "x"}, True),
    ({"a": [{"exists": True}]}, {"a": None}, True),
    ({"a": [{"exists": True}]}, {"b": "x"}, False),
    ({"a": [{"exists": False}]}, {"b": "x"}, True),
    ({"a": [{"exists": False}]}, {"a": {"b": 1}}, True),
    ({"a": {"b": [{"exists": False}]}}, {"a": "x"}, True),
    ({"a": [{"exists": False}]}, {"a": []}, True),
    # Wildcards.
    ({"a": [{"wildcard": "dir/*.png"}]}, {"a": "dir/cats/1.png"}, True),
    ({"a": [{"wildcard": "dir/*.png"}]}, {"a": "other/1.png"}, False),
    ({"a": [{"wildcard": "a*a"}]}, {"a": "a"}, False),
    ({"a": [{"wildcard": "*\\**"}]}, {"a": "2*3"}, True),
    ({"a": [{"wildcard": "*\\**"}]}, {"a": "23"}, False),
    # Lists: any element, at any depth; the fields of objects within one element.
    ({"a": ["y"]}, {"a": ["x", "y"]}, True),
    ({"a": ["z"]}, {"a": ["x", ["y", ["z"]]]}, True),
    ({"a": [{"anything-but": "x"}]}, {"a": ["x", "y"]}, True),
    ({"a": [{"anything-but": "x"}]}, {"a": ["x", "x"]}, False),
    ({"a": [{"anything-but": "x"}]}, {"a": []}, False),
    ({"a": {"n": ["Anna"]}}, {"a": [{"n": "Jon"}, {"n": "Anna"}]}, True),
    ({"a": {"n": ["x"], "m": ["y"]}}, {"a": [{"n": "x", "m": "z"}, {"n": "z", "m": "y"}]}, False),
    ({"a": {"n": ["x"], "m": ["y"]}}, {"a": [[{"n": "z"}], [{"n": "x", "m": "y"}]]}, True),
    # Or: one of the objects beside what stands around them, within one another too.
    ({"$or": [{"a": [1]}, {"b": [2]}]}, {"a": 0, "b": 2}, True),
    ({"$or": [{"a": [1]}, {"b": [2]}]}, {"a": 0, "b": 1}, False),
    ({"c": ["x"], "$or": [{"a": [1]}, {"b": [2]}]}, {"a": 1, "c": "y"}, False),
    ({"d": {"$or": [{"a": [1]}, {"b": [{"numeric": [">", 2]}]}]}}, {"d": {"b": 3}}, True),
    ({"$or": [{"a": [1]}, {"b": [2], "$or": [{"c": [3]}, {"d": [4]}]}]}, {"b": 2, "d": 4}, True),
    ({"$or": [{"a": [1]}, {"b": [2], "$or": [{"c": [3]}, {"d": [4]}]}]}, {"b": 2, "d": 5}, False),
]  # fmt: skip

REFUSED: list[Json] = [
    {},
    {"a": "x"},
    {"a": []},
    {"a": [["x"]]},
    {"a": {}},
    {"a": [{}]},
    {"a": [{"like": "x"}]},
    {"a": [{"prefix": "x", "suffix": "y"}]},
    {"a": [{"prefix": 1}]},
    {"a": [{"prefix": {"suffix": "x"}}]},
    {"a": [{"exists": "yes"}]},
    {"a": [{"wildcard": "a**b"}]},
    {"a": [{"wildcard": "a\\b"}]},
    {"a": [{"anything-but": ["x", 1]}]},
    {"a": [{"anything-but": [None]}]},
    {"a": [{"anything-but": True}]},
    {"a": [{"anything-but": []}]},
    {"a": [{"anything-but": {"prefix": ""}}]},
    {"a": [{"anything-but": {"numeric": ["=", 1]}}]},
    {"a": [{"numeric": []}]},
    {"a": [{"numeric": [">"]}]},
    {"a": [{"numeric": [">", "1"]}]},
    {"a": [{"numeric": ["!=", 1]}]},
    {"a": [{"numeric": ["<", 1, ">", 0]}]},
    {"a": [{"numeric": ["=", 1, "<", 2]}]},
    {"a": [{"numeric": [">", 2, "<", 1]}]},
    {"a": [{"numeric": [">", 1, "<", 2, "<", 3]}]},
    {"$or": [{"a": [1]}, {}]},
    {"$or": [{"a": [1]}, "x"]},
    {"$or": [{"a": [1]}]},
]
"""What EventBridge refuses."""

_NAMES = ("a", "b", "c")
_TEXTS = (
    "",
    "a",
    "ab",
    "abc",
    "b",
    "ba",
    "A",
    "aB",
    "*",
    "a*b",
    "\\",
    "a\\b",
    "é",
    "É",
    "1",
    "true",
)
_NUMBERS = (0, 1, -1, 1.0, 1.5, 2, 2.5, 10, 100, 1e3, 0.1, 0.30000000000000004, 2**53, -7.25)
_AFFIXES = ("a", "b", "ab", "A", "é", "*", "\\")


def pairs(seed: int, number: int) -> Iterator[Pair]:
    """So many patterns, each with an event that it was made for: a quarter of them match."""
    chance = random.Random(seed)
    for _ in range(number):
        event = _event(chance, 4)
        yield _object_pattern(chance, event, 3), event


def _event(chance: random.Random, depth: int) -> dict[str, Json]:
    return {name: _member(chance, depth - 1) for name in _NAMES if chance.random() < 0.85}


def _member(chance: random.Random, depth: int) -> Json:
    kind = chance.random()
    if depth and kind < 0.35:
        return _event(chance, depth)
    if depth and kind < 0.55:
        return [_member(chance, depth - 1) for _ in range(chance.choice((0, 1, 2, 2, 3)))]
    return _scalar(chance)


def _scalar(chance: random.Random) -> Json:
    return chance.choice(
        (chance.choice(_TEXTS), chance.choice(_NUMBERS), chance.choice((True, False, None)))
    )


def _object_pattern(
    chance: random.Random, event: dict[str, Json], depth: int, names: tuple[str, ...] = _NAMES
) -> dict[str, Json]:
    wanted = chance.sample(names, chance.choice((1, 1, 2)) if len(names) > 1 else 1)
    pattern: dict[str, Json] = {}
    for name in wanted:
        inner, values = _held(event.get(name))
        deeper = depth and chance.random() < (0.8 if inner else 0.1)
        one = chance.choice(inner or [{}])
        pattern[name] = _object_pattern(chance, one, depth - 1) if deeper else _list(chance, values)
    # Beside a condition, an `$or` is about other fields: else its order would tell.
    left = tuple(name for name in names if name not in wanted)
    if left and depth > 1 and chance.random() < 0.25:
        options = chance.choice((2, 2, 3))
        pattern["$or"] = [_object_pattern(chance, event, 1, left) for _ in range(options)]
    return pattern


def _held(member: Json) -> tuple[list[dict[str, Json]], list[Json]]:
    """The objects and the values of a member."""
    if isinstance(member, list):
        held = [_held(one) for one in member]
        return [one for inner, _ in held for one in inner], [one for _, v in held for one in v]
    return ([member], []) if isinstance(member, dict) else ([], [member])


def _list(chance: random.Random, values: list[Json]) -> list[Json]:
    return [_wanted(chance, values) for _ in range(chance.choice((1, 2, 2, 3)))]


def _wanted(chance: random.Random, values: list[Json]) -> Json:
    if values and chance.random() < 0.25:
        return chance.choice(values)
    return _operator(chance) if chance.random() < 0.7 else _scalar(chance)


def _operator(chance: random.Random) -> dict[str, Json]:
    name = chance.choice(
        ("prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "exists")
    )
    return {name: _operand(chance, name)}


def _operand(chance: random.Random, name: str) -> Json:
    if name == "exists":
        return chance.random() < 0.5
    if name == "numeric":
        low, high = sorted(chance.sample(sorted(set(_NUMBERS)), 2))
        span: list[Json] = [chance.choice((">", ">=")), low, chance.choice(("<", "<=")), high]
        limit: list[Json] = [chance.choice(("=", "<", "<=", ">", ">=")), low]
        return span if chance.random() < 0.5 else limit
    if name == "wildcard":
        return chance.choice(("*", "a*", "*b", "a*b", "*a*", "a*b*a", "\\*", "*\\\\*", "ab", ""))
    if name == "anything-but":
        return _anything_but(chance)
    text = chance.choice(_AFFIXES)
    if name in ("prefix", "suffix") and chance.random() < 0.3:
        return {"equals-ignore-case": text}
    return text


def _anything_but(chance: random.Random) -> Json:
    kind = chance.random()
    if kind < 0.25:
        return chance.choice((chance.choice(_TEXTS), chance.choice(_NUMBERS)))
    if kind < 0.5:
        texts: list[Json] = [*chance.sample(_TEXTS, 2)]
        numbers: list[Json] = [*chance.sample(_NUMBERS, 2)]
        return texts if chance.random() < 0.5 else numbers
    name = chance.choice(("prefix", "suffix", "equals-ignore-case", "wildcard"))
    one, other = ("a*", "*b") if name == "wildcard" else chance.sample(_AFFIXES, 2)
    both: list[Json] = [one, other]
    return {name: both if chance.random() < 0.5 else one}
