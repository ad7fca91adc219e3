"""docs/openapi.yaml against what generators of clients are known to trip over."""

import re
import subprocess
from typing import Any

import pytest

from tests.template.contract import contract
from tests.template.generator_rules import RULES, Object, Rule, schemas
from tests.tools import node

TEXT: Object = {"type": "string"}
NAMED = {"$ref": "#/components/schemas/Named"}


def document(**members: Any) -> Object:  # noqa: ANN401
    """One with a schema or two, and an operation for them."""
    described: Object = {
        "servers": [{"url": "http://127.0.0.1:4566"}],
        "components": {"schemas": {"Named": {"type": "object", "properties": {"text": TEXT}}}},
        "paths": {"/named": {"get": operation()}},
    }
    described["components"]["schemas"] |= members.pop("schemas", {})
    if "operation" in members:
        described["paths"]["/named"]["get"] = members.pop("operation")
    return described | members


def operation(answers: Object | None = None, **members: Any) -> Object:  # noqa: ANN401
    return {"operationId": "getOne", "responses": answers or {"200": answer(NAMED)}, **members}


def answer(*bodies: Object) -> Object:
    kinds = ("application/json", "application/problem+json")
    return {"content": {kind: {"schema": body} for kind, body in zip(kinds, bodies, strict=False)}}


def of_schema(**schema: Any) -> Object:  # noqa: ANN401
    """A document in which an answer has a member with this schema."""
    return document(schemas={"Other": {"type": "object", "properties": {"member": {**schema}}}})


def asked(name: str, schema: Object) -> Object:
    return document(
        operation=operation(parameters=[{"name": name, "in": "query", "schema": schema}])
    )


BROKEN: dict[str, list[Object]] = {
    "every_schema_says_its_type": [
        of_schema(),
        of_schema(enum=["a"]),
        of_schema(type="array", items={}),
        of_schema(type="object", additionalProperties={"description": "Anything."}),
        asked("one", {"minLength": 1}),
    ],
    "no_keyword_is_an_accident": [
        of_schema(type="string", description="One", **{"two words.": None}),
        of_schema(type="string", const="a"),
        of_schema(type="string", nullable=True),
    ],
    "nothing_is_composed": [
        of_schema(oneOf=[NAMED, {"type": "null"}]),
        document(schemas={"Other": {"oneOf": [NAMED, TEXT]}}),
        document(
            schemas={"Other": {"oneOf": [NAMED]}},
            operation=operation({"200": answer({"$ref": "#/components/schemas/Other"})}),
        ),
        of_schema(**NAMED, maximum=1),
    ],
    "null_stands_beside_one_type": [
        of_schema(type="null"),
        of_schema(type=["string", "integer"]),
        of_schema(type=["string", "integer", "null"]),
        of_schema(type="object", additionalProperties={"type": ["string", "null"]}),
        of_schema(type="array", items={"type": ["string", "null"]}),
    ],
    "objects_say_what_is_in_them": [of_schema(type="object"), of_schema(type=["object", "null"])],
    "arrays_say_what_is_in_them": [of_schema(type="array"), of_schema(type=["array", "null"])],
    "enums_are_of_strings": [
        of_schema(type="integer", enum=[202, 404]),
        of_schema(enum=["a"]),
        of_schema(type=["string", "null"], enum=["a", None]),
    ],
    "no_member_has_a_default": [of_schema(type="string", default="a")],
    "formats_stand_alone": [
        of_schema(type="string", format="date-time", pattern="^.+$"),
        of_schema(type="string", format="date-time", maxLength=64),
    ],
    "times_are_times": [
        document(schemas={"Other": {"type": "object", "properties": {"made_at": TEXT}}}),
        document(schemas={"Other": {"type": "object", "properties": {"at": TEXT}}}),
        asked("since", TEXT),
    ],
    "patterns_compile_everywhere": [
        of_schema(type="string", pattern=pattern)
        for pattern in (
            r"^[\u0000-\u001f]$",
            "^[\U000e0000-\U000e0fff]$",
            r"^\p{L}$",
            r"^(?=a)a$",
            r"^(?<name>a)$",
            r"^(a)\1$",
            r"^[a-z&&[^b]]$",
            r"^[[:alpha:]]$",
            r"^a\z$",
            r"^é$",
            "a",
        )
    ],
    "names_are_nobody_elses": [
        document(schemas={"NewNamed": TEXT}),
        document(schemas={"NAMED": TEXT}),
        document(schemas={"NamedTest": TEXT}),
        document(schemas={"Retry": TEXT}),
        document(schemas={"GetOneResponse": TEXT}),
        document(schemas={"GetOne": TEXT}),
        document(
            components={"schemas": {"Named": TEXT}, "parameters": {"Named": {"name": "a"}}},
        ),
    ],
    "bodies_are_named": [
        document(operation=operation({"200": answer(TEXT)})),
        document(operation=operation(requestBody={"required": True, **answer(TEXT)})),
    ],
    "an_operation_has_one_success": [
        document(operation=operation({"200": answer(NAMED), "202": answer(NAMED)})),
        document(operation=operation({"200": answer(NAMED, NAMED)})),
        document(operation=operation({"404": answer(NAMED)})),
    ],
    "errors_have_one_schema": [
        document(operation=operation({"200": answer(NAMED), "403": answer(NAMED, TEXT)}))
    ],
    "a_body_is_an_object": [
        document(
            schemas={"Other": {"type": ["object", "null"], "properties": {}}},
            operation=operation(requestBody=answer({"$ref": "#/components/schemas/Other"})),
        ),
        document(
            schemas={"Other": {"type": "array", "items": NAMED}},
            operation=operation(requestBody=answer({"$ref": "#/components/schemas/Other"})),
        ),
    ],
    "what_is_answered_may_grow": [
        document(schemas={"Named": {"type": "object", "additionalProperties": False}})
    ],
    "it_stands_alone": [
        document(
            operation=operation(
                {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": NAMED,
                                "examples": {"one": {"externalValue": "one.json"}},
                            }
                        }
                    }
                }
            )
        ),
        of_schema(**{"$ref": "types.yaml#/Type"}),
    ],
    "the_first_server_is_here": [
        document(servers=[{"url": "https://a.example"}]),
        document(servers=[{"url": "http://127.0.0.1:{port}", "variables": {"port": {}}}]),
    ],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
class TestRules:
    def test_the_contract_keeps_it(self, rule: Rule) -> None:
        assert list(rule(contract())) == []

    def test_it_finds_what_it_is_for(self, rule: Rule) -> None:
        assert list(rule(document())) == []
        for broken in BROKEN[rule.__name__]:
            assert list(rule(broken)), broken


def test_every_pattern_compiles_in_node_with_and_without_a_flag() -> None:
    patterns = {schema["pattern"] for _, schema in schemas(contract()) if "pattern" in schema}
    assert len(patterns) > 10
    script = "for (const one of process.argv.slice(1)) { new RegExp(one); new RegExp(one, 'u'); }"

    done = subprocess.run(
        [node(), "-e", script, "--", *patterns], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    for pattern in patterns:
        re.compile(pattern)


def test_no_text_of_the_contract_is_cut_at_a_comma() -> None:
    """A description without quotes in `{…}` ends at its first comma, and the rest is a name."""
    assert [name for name in _names(contract()) if re.search(r"[\s`]", name)] == []


def _names(value: object) -> list[str]:
    if isinstance(value, list):
        return [name for one in value for name in _names(one)]
    if not isinstance(value, dict):
        return []
    return [str(name) for name in value] + [
        name for each in value.values() for name in _names(each)
    ]
