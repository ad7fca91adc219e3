"""docs/openapi.yaml, read, and ways through it."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from perkwire.managing.webhook_draft import EndpointRules
from perkwire.model.endpoint import EndpointPolicy
from tests.template.stack import ROOT

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
RULES = EndpointRules(EndpointPolicy.PUBLIC, max_attempts=100)  # the most that there may be
LATER = 1_800_000_000_000_000  # than the times of the examples, in microseconds

type Object = dict[str, Any]


@functools.cache
def contract() -> Object:
    document: Object = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    return document


@functools.cache
def registry() -> Registry[Any]:
    resource = DRAFT202012.create_resource(contract())
    found: Registry[Any] = Registry().with_resource("urn:contract", resource)
    return found


def at(pointer: str) -> Any:  # noqa: ANN401
    """What a JSON pointer into the contract leads to."""
    found: Any = contract()
    for part in pointer.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) else found[name]
    return found


def errors(pointer: str, value: object) -> list[str]:
    """What the schema at a pointer has against a value."""
    checker = Draft202012Validator.FORMAT_CHECKER
    reference = {"$ref": f"urn:contract#{pointer.removeprefix('#')}"}
    validator = Draft202012Validator(reference, registry=registry(), format_checker=checker)
    return [error.message for error in validator.iter_errors(value)]


def named(name: str) -> str:
    return f"/components/schemas/{name}"


def schema(name: str) -> Object:
    found: Object = at(named(name))
    return found


def walk(value: object, pointer: str = "") -> Iterator[tuple[str, Object]]:
    """Every object of the contract, and where it is."""
    match value:
        case dict():
            yield pointer, value
            for name, member in value.items():
                escaped = str(name).replace("~", "~0").replace("/", "~1")
                yield from walk(member, f"{pointer}/{escaped}")
        case list():
            for position, item in enumerate(value):
                yield from walk(item, f"{pointer}/{position}")


def outside_examples(pointer: str) -> bool:
    return re.search(r"/(examples?|default|enum|const)(/|$)", pointer) is None


def resolved(value: Object) -> Object:
    found: Object = at(value["$ref"]) if "$ref" in value else value
    return found


def operations() -> dict[str, tuple[str, str, Object, list[Object]]]:
    """By operationId: method, path, the operation, and all its parameters."""
    found = {}
    for path, item in contract()["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
                found[operation["operationId"]] = (
                    method.upper(),
                    path,
                    operation,
                    [resolved(parameter) for parameter in parameters],
                )
    return found


def parameter(operation: str, name: str) -> Object:
    _, _, _, parameters = operations()[operation]
    (found,) = [each for each in parameters if each["name"] == name]
    return resolved(found["schema"])


def text(length: int) -> str:
    return "x" * length
