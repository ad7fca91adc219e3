"""No secret and no header value shows itself: not in a `repr`, not in what is raised.

A line of a log or a traceback may print any value of the domain.
"""

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import perkwire
from perkwire.formats.contracts.recipes import KEYS, Recipe, read_recipe
from perkwire.model.endpoint import check_headers
from perkwire.model.secret import (
    UnusableSecret,
    check_plain_secret,
    check_secret,
    plain_key,
    signing_key,
)
from perkwire.primitives.fields import Fields

CANARY = "canary-of-the-mine"
# Names of members that hold what nobody may see. Ciphertexts, which are bytes, may be seen.
SECRET = re.compile(r"(^|_)(secrets?|headers|password|token)$|^key$")
# It says how a key is written, and is a word of two: see the test below.
NO_SECRETS = {(Recipe, "key")}


def classes() -> Iterator[type[Any]]:
    """Every dataclass of the library."""
    for module in pkgutil.walk_packages(perkwire.__path__, "perkwire."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and dataclasses.is_dataclass(value):
                yield value


def hidden_members(cls: type[Any]) -> list[str]:
    return [
        field.name
        for field in dataclasses.fields(cls)
        if SECRET.search(field.name) and "str" in str(field.type)
        if (cls, field.name) not in NO_SECRETS
    ]


HOLDERS = sorted(
    {cls for cls in classes() if hidden_members(cls)}, key=lambda cls: f"{cls.__module__}.{cls}"
)


def filled(cls: type[Any]) -> object:
    """One whose secret members all hold the canary, made without asking its constructor."""
    made = object.__new__(cls)
    hidden = hidden_members(cls)
    for field in dataclasses.fields(cls):
        object.__setattr__(made, field.name, CANARY if field.name in hidden else None)
    return made


@pytest.mark.parametrize("cls", HOLDERS, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_a_value_that_holds_a_secret_does_not_show_it(cls: type[Any]) -> None:
    made = filled(cls)

    for shown in (repr(made), str(made), f"{made}", f"{[made]}"):
        assert CANARY not in shown


def test_the_values_that_hold_secrets_are_found() -> None:
    assert {"OpenedSecrets", "Request"} <= {cls.__name__ for cls in HOLDERS}


def test_the_key_of_a_recipe_is_no_secret() -> None:
    fields = Fields({"header": "x-shop-signature", "key": CANARY})
    recipe = read_recipe({}, fields)

    assert recipe.key in KEYS == ("text", "base64")
    assert [error.field for error in fields.finish()] == ["key"]


def test_a_class_that_shows_its_secret_would_be_found() -> None:
    @dataclasses.dataclass(frozen=True)
    class Careless:
        secret: str

    assert hidden_members(Careless) == ["secret"]
    assert CANARY in repr(filled(Careless))


def raised_by(read: Callable[[str], bytes], secret: str) -> str:
    """All that the exception says, and the one that it came from; nothing if there is none."""
    try:
        read(secret)
    except UnusableSecret as error:
        return f"{error!r} {error} {error.__cause__!r} {error.__context__!r}"
    return ""


@pytest.mark.parametrize("secret", [CANARY, f"whsec_{CANARY}", f"{CANARY}\n", f"{CANARY} {CANARY}"])
def test_what_is_wrong_with_a_secret_is_said_without_it(secret: str) -> None:
    for check in (check_secret, check_plain_secret):
        assert CANARY not in (check(secret) or "")
    for read in (signing_key, plain_key):
        assert CANARY not in raised_by(read, secret)


@pytest.mark.parametrize("value", [f"{CANARY}\r\nx: y", f"{CANARY}\0", f" {CANARY}", CANARY * 400])
def test_what_is_wrong_with_a_header_is_said_without_its_value(value: str) -> None:
    errors = check_headers({"x-shop": value})

    assert errors
    assert CANARY not in repr(errors)
