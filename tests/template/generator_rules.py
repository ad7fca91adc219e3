"""What an OpenAPI document has to leave out so that generators make clients that compile and work.

Each rule takes a document and gives the places that break it. Each is here because a generator of
clients was seen to fail without it: to make nothing, to make what does not compile, or to make
what refuses a proper answer.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

type Object = dict[str, Any]
type Rule = Callable[[Object], Iterator[str]]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_KEYWORDS = {
    "$ref", "additionalProperties", "default", "description", "enum", "example", "examples",
    "format", "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength",
    "minimum", "oneOf", "pattern", "properties", "propertyNames", "readOnly", "required", "type",
    "uniqueItems",
}  # fmt: skip
_ANNOTATIONS = {"$ref", "default", "description", "readOnly"}
# What generators add to the name of an operation for types of their own.
_SUFFIXES = ("", "Request", "Response", "Params", "Body", "RequestBody", "JSONBody", "Req", "Res")
# Words of a language that a generator takes for the name of a class in lower case.
_KEYWORDS_OF_LANGUAGES = {
    "begin", "break", "case", "catch", "class", "const", "continue", "default", "do", "else",
    "end", "ensure", "enum", "export", "extends", "false", "final", "finally", "for",
    "function", "if", "import", "in", "interface", "match", "module", "new", "next", "nil",
    "null", "object", "package", "redo", "rescue", "retry", "return", "self", "static", "super",
    "switch", "then", "this", "throw", "trait", "true", "try", "type", "undef", "unless",
    "until", "var", "void", "when", "while", "yield",
}  # fmt: skip
_TIMES = re.compile(r"(.+_)?at|since|until|timestamp")
# Letters, digits, quantifiers, groups, alternatives, simple classes: the same in ECMAScript with
# and without the flag u, PCRE, RE2, Java, .NET, Ruby, Rust and Python.
_PORTABLE = re.compile(
    r"\^(?:[A-Za-z0-9_:;#/, =@-]|\\[.+\\/d]|\[\^?(?:(?!&&|[\\\[\]])[ -~]|\\[.\\\]t])+\]"
    r"|\((?:\?:|(?!\?))|\)|[|+*?.]|\{\d+(?:,\d*)?\})*\$"
)


def schemas(document: Object) -> Iterator[tuple[str, Object]]:
    """Every Schema Object, and where it is."""
    components = document.get("components", {})
    for name, schema in components.get("schemas", {}).items():
        yield from _within(schema, f"schemas/{name}")
    for place, holder in _holders(document, ""):
        yield from _within(holder["schema"], f"{place}/schema")


def operations(document: Object) -> Iterator[tuple[str, Object]]:
    """The operations that a client can call, by operationId."""
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                yield item[method].get("operationId", f"{method} {path}"), item[method]


def every_schema_says_its_type(document: Object) -> Iterator[str]:
    """An enum, a const or a free value without a type is `any`, `interface{}` or nothing."""
    for place, schema in schemas(document):
        if not {"$ref", "type", "oneOf"} & schema.keys():
            yield place


def no_keyword_is_an_accident(document: Object) -> Iterator[str]:
    """In `{description: One, two}` the second word is a member of the schema."""
    for place, schema in schemas(document):
        for name in schema.keys() - _KEYWORDS:
            yield f"{place}/{name}"


def nothing_is_composed(document: Object) -> Iterator[str]:
    """`allOf` that narrows, `anyOf` with null and `if` lose a field, a null or the whole model.

    `oneOf` is for a component of its own that no call sends or gets: Kotlin merges the alternatives
    with all fields required, Java finds that two match.
    """
    called = _reachable(document, [operation for _, operation in operations(document)])
    for place, schema in schemas(document):
        if "oneOf" in schema:
            named = re.fullmatch(r"schemas/\w+", place)
            if not named or place in called or any({*one} != {"$ref"} for one in schema["oneOf"]):
                yield place
        if "$ref" in schema and schema.keys() - _ANNOTATIONS:
            yield place


def null_stands_beside_one_type(document: Object) -> Iterator[str]:
    """`type: [string, "null"]`, and never as a member of a list or a map."""
    for place, schema in schemas(document):
        kind = schema.get("type", "string")
        if isinstance(kind, list) and not (len(kind) == 2 and kind[1] == "null"):
            yield place
        if kind == "null":
            yield place
        for holder in ("items", "additionalProperties"):
            member = schema.get(holder)
            if isinstance(member, dict) and "null" in _resolved(document, member).get("type", ""):
                yield f"{place}/{holder}"


def objects_say_what_is_in_them(document: Object) -> Iterator[str]:
    """A free object without `additionalProperties` has no members in TypeScript."""
    for place, schema in schemas(document):
        if (
            "object" in _types(schema)
            and not {"properties", "additionalProperties"} & schema.keys()
        ):
            yield place


def arrays_say_what_is_in_them(document: Object) -> Iterator[str]:
    """An array without `items` is a list of nothing."""
    for place, schema in schemas(document):
        if "array" in _types(schema) and "items" not in schema:
            yield place


def enums_are_of_strings(document: Object) -> Iterator[str]:
    """Rust decodes no enum of integers; a null among the values breaks most."""
    for place, schema in schemas(document):
        if "enum" in schema:
            strings = all(isinstance(value, str) for value in schema["enum"])
            if schema.get("type") != "string" or not strings:
                yield place


def no_member_has_a_default(document: Object) -> Iterator[str]:
    """TypeScript takes it for one that is always there, and asks callers for it."""
    for place, schema in schemas(document):
        for name, member in schema.get("properties", {}).items():
            if "default" in member:
                yield f"{place}/{name}"


def formats_stand_alone(document: Object) -> Iterator[str]:
    """A time with a pattern or a length: no type of times has these, and Python refuses it."""
    for place, schema in schemas(document):
        if "format" in schema and {"pattern", "minLength", "maxLength"} & schema.keys():
            yield place


def times_are_times(document: Object) -> Iterator[str]:
    """What is a time by its name has the format of one."""
    named = [
        (f"{place}/{name}", member)
        for place, schema in schemas(document)
        for name, member in schema.get("properties", {}).items()
        if _TIMES.fullmatch(name)
    ]
    named += [
        (f"{place}", holder["schema"])
        for place, holder in _holders(document, "")
        if holder.get("in") == "query" and _TIMES.fullmatch(holder["name"])
    ]
    for place, member in named:
        if _resolved(document, member).get("format") != "date-time":
            yield place


def patterns_compile_everywhere(document: Object) -> Iterator[str]:
    r"""`\u` is none of PCRE's, `\p` none of JavaScript's without a flag, and so on."""
    for place, schema in schemas(document):
        pattern = schema.get("pattern")
        if pattern is not None and not _PORTABLE.fullmatch(pattern):
            yield f"{place}: {pattern}"


def names_are_nobody_elses(document: Object) -> Iterator[str]:
    """Go calls the constructor of `Account` NewAccount, and many put all kinds into one room."""
    kinds = document.get("components", {})
    listed = [name for kind in kinds.values() for name in kind]
    lower = [name.lower() for name in listed]
    for name in listed:
        twice = lower.count(name.lower()) > 1
        constructs = name.startswith("New") and name.removeprefix("New").lower() in lower
        is_word = name.lower() in _KEYWORDS_OF_LANGUAGES
        if twice or constructs or is_word or name.endswith("Test"):  # no file of Go is *_test.go
            yield name
    for operation, _ in operations(document):
        for suffix in _SUFFIXES:
            if f"{operation}{suffix}".lower() in lower:
                yield f"{operation}{suffix}"


def bodies_are_named(document: Object) -> Iterator[str]:
    """A schema in the place of a body gets a name that a tool makes up."""
    for place, holder in _holders(document, ""):
        if "/content/" in place and {*holder["schema"]} != {"$ref"}:
            yield place


def an_operation_has_one_success(document: Object) -> Iterator[str]:
    """Of two statuses or content types most tools decode the first."""
    for name, operation in operations(document):
        answers = [_resolved(document, each) for each in _successes(operation)]
        if len(answers) != 1 or len(answers[0].get("content", {})) > 1:
            yield name


def errors_have_one_schema(document: Object) -> Iterator[str]:
    """A tool that reads one schema for a status meets the other content type's body."""
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            content = _resolved(document, answer).get("content", {}).values()
            if len({str(each["schema"]) for each in content}) > 1:
                yield f"{name} {status}"


def a_body_is_an_object(document: Object) -> Iterator[str]:
    """Python cannot leave out a body that may be null, so none says that it may.

    Go, Java and Rust send `null` for one that is left out: the code takes it for none.
    """
    for name, operation in operations(document):
        body = _resolved(document, operation.get("requestBody", {}))
        for each in body.get("content", {}).values():
            if _resolved(document, each["schema"]).get("type") != "object":
                yield name


def what_is_answered_may_grow(document: Object) -> Iterator[str]:
    """A closed object in an answer has clients refuse the field that the next release adds."""
    answers = [
        _resolved(document, answer)
        for _, operation in operations(document)
        for answer in operation["responses"].values()
    ]
    seen = _reachable(document, answers)
    for place, schema in schemas(document):
        name = "/".join(place.split("/")[:2])
        if name in seen and schema.get("additionalProperties") is False:
            yield place


def the_first_server_is_here(document: Object) -> Iterator[str]:
    """It becomes the clients' base address: a host that exists, without variables."""
    first = document["servers"][0]
    if "variables" in first or not first["url"].startswith("http://127.0.0.1:"):
        yield first["url"]


def it_stands_alone(document: Object) -> Iterator[str]:
    """A tool is given this one file."""
    for place, holder in _holders(document, ""):
        if "externalValue" in str(holder.get("examples", "")):
            yield place
    for place, schema in schemas(document):
        if not schema.get("$ref", "#/components/schemas/").startswith("#/components/schemas/"):
            yield place


RULES: tuple[Rule, ...] = (
    every_schema_says_its_type,
    no_keyword_is_an_accident,
    nothing_is_composed,
    null_stands_beside_one_type,
    objects_say_what_is_in_them,
    arrays_say_what_is_in_them,
    enums_are_of_strings,
    no_member_has_a_default,
    formats_stand_alone,
    times_are_times,
    patterns_compile_everywhere,
    names_are_nobody_elses,
    bodies_are_named,
    an_operation_has_one_success,
    errors_have_one_schema,
    a_body_is_an_object,
    what_is_answered_may_grow,
    the_first_server_is_here,
    it_stands_alone,
)


def _within(schema: Object, place: str) -> Iterator[tuple[str, Object]]:
    yield place, schema
    for name, member in schema.get("properties", {}).items():
        yield from _within(member, f"{place}/{name}")
    for holder in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(holder), dict):
            yield from _within(schema[holder], f"{place}/{holder}")


def _holders(value: object, place: str) -> Iterator[tuple[str, Object]]:
    """What has a schema: parameters, headers and media types."""
    if isinstance(value, dict):
        kept = {} if place == "/components/schemas" else value
        if isinstance(kept.get("schema"), dict):
            yield place, value
        for name, member in kept.items():
            if name not in ("example", "examples", "schema"):
                yield from _holders(member, f"{place}/{name}")
    elif isinstance(value, list):
        for position, member in enumerate(value):
            yield from _holders(member, f"{place}/{position}")


def _resolved(document: Object, value: Object) -> Object:
    if "$ref" not in value:
        return value
    _, *parts = value["$ref"].split("/")
    found: Object = document
    for part in parts:
        found = found[part]
    return found


def _types(schema: Object) -> list[str]:
    kind = schema.get("type", [])
    return kind if isinstance(kind, list) else [kind]


def _successes(operation: Object) -> list[Object]:
    return [answer for status, answer in operation["responses"].items() if status.startswith("2")]


def _reachable(document: Object, values: list[Object]) -> set[str]:
    """The components that some values lead to, as `kind/name`."""
    seen: set[str] = set()
    left: list[object] = [*values]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str) and (name := reference[13:]) not in seen:
                seen.add(name)
                left.append(_resolved(document, value))
            left += value.values()
        elif isinstance(value, list):
            left += value
    return seen
