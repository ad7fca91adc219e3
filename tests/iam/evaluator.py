"""IAM's judgement of a call by the statements of one identity-based policy.

The rules are those of "Policy evaluation logic" and "IAM JSON policy elements: Condition operators"
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html,
…/reference_policies_elements_condition_operators.html). What this cannot judge (an operator that
is not here, a policy variable) raises `Unjudgeable`: it never guesses.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

type Json = Mapping[str, Any]
# What a call says of itself, by the condition key in lower case. A list is a key of many values.
type Context = Mapping[str, str | Sequence[str]]


class Unjudgeable(Exception):
    """A policy or a call that these rules do not cover."""


@dataclass(frozen=True)
class Call:
    """One action on one resource, as a service asks IAM. Without a resource it is `*`."""

    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """Whether a call may be made, and by which statement it was decided; None by none."""

    allowed: bool
    statement: Json | None

    @property
    def sid(self) -> str | None:
        """The name of the statement that decided."""
        return str(self.statement["Sid"]) if self.statement and "Sid" in self.statement else None


def judge(statements: Iterable[Json], call: Call) -> Decision:
    """Decide: one matching Deny is enough to refuse, one matching Allow is needed.

    Raises Unjudgeable.
    """
    allowing = None
    for statement in statements:
        if not matches(statement, call):
            continue
        if statement["Effect"] == "Deny":
            return Decision(False, statement)
        allowing = allowing or statement
    return Decision(allowing is not None, allowing)


def matches(statement: Json, call: Call) -> bool:
    """Whether a statement speaks of a call; raises Unjudgeable."""
    return (
        _speaks_of(statement, "Action", lambda pattern: _action_matches(pattern, call.action))
        and _speaks_of(statement, "Resource", lambda arn: arn_matches(arn, call.resource))
        and all(
            _condition_holds(operator, key, as_list(wanted), call.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def as_list(value: object) -> list[Any]:
    """One value of a policy, or several: a policy may leave out the brackets around one."""
    return [*value] if isinstance(value, list | tuple) else [value]


def arn_matches(pattern: str, arn: str) -> bool:
    """Whether an ARN is like a pattern: colon by colon, the sixth part as a whole."""
    if pattern == "*":
        return True
    wanted, found = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(found) and all(map(_like, wanted, found))


def _speaks_of(statement: Json, element: str, fits: Callable[[str], bool]) -> bool:
    if element in statement:
        return any(fits(_plain(each)) for each in as_list(statement[element]))
    return not any(fits(_plain(each)) for each in as_list(statement[f"Not{element}"]))


def _action_matches(pattern: str, action: str) -> bool:
    return _like(pattern.lower(), action.lower())


def _condition_holds(operator: str, key: str, wanted: list[Any], context: Context) -> bool:
    found = context.get(key.lower())
    if operator == "Null":
        return any((found is None) == (str(each).lower() == "true") for each in wanted)
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name not in _OPERATORS:
        raise Unjudgeable(f"no rule for the condition operator {operator}")
    compare, negated = _OPERATORS[name]
    values = [_plain(each) for each in wanted]

    def fits(one: str) -> bool:
        return any(compare(value, one) for value in values) != negated

    match quantifier:
        case "ForAllValues":
            # Also of no value at all: the operator says nothing of what the call leaves out.
            return all(fits(one) for one in as_list(found or []))
        case "ForAnyValue":
            return if_exists if found is None else any(fits(one) for one in as_list(found))
        case "":
            if found is None:
                return if_exists or negated
            if not isinstance(found, str):
                raise Unjudgeable(f"{key} has many values, and {operator} is for one")
            return fits(found)
    raise Unjudgeable(f"no rule for the condition operator {operator}")


def _plain(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "${" in text:
        raise Unjudgeable(f"no rule for the policy variable in {text}")
    return text


def _like(pattern: str, text: str) -> bool:
    return _expression(pattern).fullmatch(text) is not None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(one, re.escape(one)) for one in pattern), re.DOTALL)


def _numbers(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    """`compare` of the value of the call and that of the policy."""

    def compared(wanted: str, found: str) -> bool:
        try:
            return compare(float(found), float(wanted))
        except ValueError:
            return False

    return compared


# The comparison of a policy's value with a call's, and whether the operator wants it not to hold.
_OPERATORS: Mapping[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (str.__eq__, False),
    "StringNotEquals": (str.__eq__, True),
    "StringEqualsIgnoreCase": (lambda a, b: a.lower() == b.lower(), False),
    "StringNotEqualsIgnoreCase": (lambda a, b: a.lower() == b.lower(), True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    # ArnEquals and ArnLike are the same operator.
    "ArnEquals": (arn_matches, False),
    "ArnLike": (arn_matches, False),
    "ArnNotEquals": (arn_matches, True),
    "ArnNotLike": (arn_matches, True),
    "Bool": (lambda a, b: a.lower() == b.lower(), False),
    "NumericEquals": (_numbers(float.__eq__), False),
    "NumericNotEquals": (_numbers(float.__eq__), True),
    "NumericLessThan": (_numbers(float.__lt__), False),
    "NumericLessThanEquals": (_numbers(float.__le__), False),
    "NumericGreaterThan": (_numbers(float.__gt__), False),
    "NumericGreaterThanEquals": (_numbers(float.__ge__), False),
}
