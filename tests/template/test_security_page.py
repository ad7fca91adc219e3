"""docs/security.md promises what the template sets, and names tests that exist."""

import re

import pytest

from tests.template.stack import ROOT, transformed

TEXT = (ROOT / "docs" / "security.md").read_text()


def named_tests() -> list[tuple[str, str]]:
    """File and test of every reference; `…` stands for the file before it in the row."""
    found = []
    file = ""
    for path, name in re.findall(r"`(tests/[\w/.]+\.py|…)(?:::(test_\w+))?`", TEXT):
        file = file if path == "…" else path
        found.append((file, name))
    return found


@pytest.mark.parametrize(("file", "name"), named_tests())
def test_a_promise_names_a_test_that_exists(file: str, name: str) -> None:
    assert f"def {name}" in (ROOT / file).read_text()


def test_there_are_promises() -> None:
    assert len(named_tests()) > 10


def test_a_revoked_key_works_no_longer_than_the_page_says() -> None:
    (said,) = re.findall(r"one that is revoked works for up to (\d+) seconds more", TEXT)
    definitions = [
        resource["Properties"]["Body"]["components"]["securitySchemes"]
        for resource in transformed()["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Api"
    ]
    remembered = {
        scheme["x-amazon-apigateway-authorizer"]["authorizerResultTtlInSeconds"]
        for schemes in definitions
        for scheme in schemes.values()
    }

    assert remembered == {int(said)}
