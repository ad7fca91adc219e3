"""docs/openapi.yaml against OpenAPI 3.1 and the template; links of the guides.

What the code refuses or answers is asked of the code itself, of its parsers and of what it shows,
in test_openapi_*.py.
"""

import re

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from schemathesis.specs.openapi.definitions import OPENAPI_31

from tests.template.contract import (
    at,
    contract,
    errors,
    operations,
    outside_examples,
    resolved,
    walk,
)
from tests.template.stack import ROOT, source

# What has members `schema` and `example` itself is a media type to Spectral, with errors.
WITHOUT_EXAMPLE = {"$ref": "#/components/schemas/EventTypeWithSchema"}


class TestOpenApi:
    def test_it_has_the_structure_of_openapi_3_1(self) -> None:
        validator = Draft202012Validator(OPENAPI_31)

        assert [
            f"{error.json_path}: {error.message[:200]}"
            for error in validator.iter_errors(contract())
        ] == []

    def test_every_body_is_json_and_has_one_example_or_several_with_names(self) -> None:
        bodies = [
            (pointer, kind, body)
            for pointer, value in walk(contract())
            if outside_examples(pointer) and isinstance(value.get("content"), dict)
            for kind, body in value["content"].items()
        ]
        assert len(bodies) > 20
        for pointer, kind, body in bodies:
            assert kind in ("application/json", "application/problem+json"), pointer
            has_any = ("example" in body) is not ("examples" in body)
            assert has_any is (body["schema"] != WITHOUT_EXAMPLE), pointer

    def test_every_reference_leads_somewhere_and_every_component_is_used(self) -> None:
        references = {
            value["$ref"]
            for pointer, value in walk(contract())
            if "$ref" in value and outside_examples(pointer)
        }
        for reference in references:
            assert isinstance(at(reference), dict)

        components = {
            f"#/components/{kind}/{name}"
            for kind in ("schemas", "responses", "parameters")
            for name in contract()["components"][kind]
        }
        assert components == references

    def test_every_schema_is_json_schema_2020_12(self) -> None:
        pointers = [
            pointer
            for pointer, _ in walk(contract())
            if re.search(r"/schema$|^/components/schemas/[^/]+$", pointer)
            and outside_examples(pointer)
        ]
        assert pointers
        for pointer in pointers:
            Draft202012Validator.check_schema(at(pointer))

    def test_every_example_fits_its_schema(self) -> None:
        checked = 0
        for pointer, value in walk(contract()):
            if "schema" not in value or not outside_examples(pointer):
                continue
            examples = [each["value"] for each in value.get("examples", {}).values()]
            examples += [value["example"]] if "example" in value else []
            assert examples or value["schema"] == WITHOUT_EXAMPLE, pointer
            for example in examples:
                checked += 1
                assert errors(f"{pointer}/schema", example) == [], pointer
        assert checked > 40

    def test_every_name_is_there_once(self) -> None:
        names = [value["operationId"] for _, value in walk(contract()) if "operationId" in value]
        tags = {tag["name"] for tag in contract()["tags"]}

        assert len(names) == len(set(names))
        for _, _, operation, parameters in operations().values():
            assert set(operation["tags"]) <= tags
            keys = [(each["name"], each["in"]) for each in parameters]
            assert len(keys) == len(set(keys))

    def test_every_part_of_a_path_is_a_required_parameter(self) -> None:
        for method, path, _, parameters in operations().values():
            in_path = {each["name"] for each in parameters if each["in"] == "path"}
            required = {each["name"] for each in parameters if each.get("required")}

            assert in_path == set(re.findall(r"{(\w+)}", path)), f"{method} {path}"
            assert in_path <= required

    def test_every_text_of_a_request_has_a_bound(self) -> None:
        for name, (_, _, _, parameters) in operations().items():
            for each in parameters:
                found = resolved(each["schema"])
                bounds = {"maxLength", "maximum", "enum", "format"} & found.keys()
                assert bounds or re.search(r"{\d+}\$$", found["pattern"]), f"{name} {each['name']}"

    def test_no_line_is_longer_than_140_characters(self) -> None:
        lines = (ROOT / "docs" / "openapi.yaml").read_text().splitlines()

        assert [line for line in lines if len(line) > 140] == []


class TestTemplate:
    def test_its_routes_and_the_contract_are_the_same(self) -> None:
        routes = {
            (trigger["Properties"]["Method"], trigger["Properties"]["Path"])
            for resource in source()["Resources"].values()
            for trigger in resource.get("Properties", {}).get("Events", {}).values()
            if isinstance(trigger, dict) and trigger["Type"] == "HttpApi"
        }
        # Those that a stack has under a condition stand in the API itself.
        conditional = source()["Resources"]["HttpApi"]["Properties"]["DefinitionBody"]["paths"]
        routes |= {
            (method.upper(), path)
            for path, chosen in conditional.items()
            for method in chosen["Fn::If"][1]
        }
        # The console's pages are for people: no contract but what they see. Nor for no call.
        routes = {(method, path) for method, path in routes if not path.startswith("/console")}
        routes.remove(("ANY", "$default"))

        assert {(method, path) for method, path, _, _ in operations().values()} == routes

    def test_its_defaults_are_the_numbers_of_the_descriptions(self) -> None:
        defaults = {name: each["Default"] for name, each in source()["Parameters"].items()}
        api = source()["Resources"]["HttpApi"]["Properties"]
        cached = api["Auth"]["Authorizers"]["KeyAuthorizer"]["Identity"]["ReauthorizeEvery"]

        posting = operations()["postEvents"][2]["description"]
        creating = operations()["createWebhook"][2]["description"]
        revoking = operations()["deleteApiKey"][2]["description"]
        assert f"`EventRetentionDays` ({defaults['EventRetentionDays']} by" in posting
        assert f"`MaxWebhooksPerAccount` ({defaults['MaxWebhooksPerAccount']} by" in creating
        assert f"up to {cached} seconds" in revoking


GUIDES = sorted(path.stem for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_links_to_nothing_that_is_not_there(name: str) -> None:
    guide = ROOT / "docs" / f"{name}.md"
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", guide.read_text())

    assert [link for link in links if not (guide.parent / link).exists()] == []
