"""docs/openapi.yaml through the linters and the strictest parser of others: no error."""

from pathlib import Path

import pytest

from tests.clients.languages import CONTRACT, NPM
from tests.tools import node, npm_packages, run

# The packages may have to be installed first.
pytestmark = pytest.mark.timeout(400)

BROKEN = """
openapi: 3.1.0
info: {title: Broken, version: "1"}
paths:
  /a/{id}:
    get:
      responses:
        "200":
          description: Fine.
          content: {application/json: {schema: {$ref: "#/components/schemas/Absent"}}}
"""


def js_yaml(path: Path) -> None:
    script = (
        "require(process.argv[1]).load(require('node:fs').readFileSync(process.argv[2], 'utf8'))"
    )
    run([node(), "-e", script, str(npm_packages(NPM) / "js-yaml"), str(path)], path.parent)


def redocly(path: Path) -> None:
    command = npm_packages(NPM) / ".bin" / "redocly"
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    run([str(command), "lint", "--extends=recommended", str(path)], path.parent, environment=quiet)


def spectral(path: Path) -> None:
    command = npm_packages(NPM) / ".bin" / "spectral"
    rules = npm_packages(NPM).parent / "spectral.yaml"
    rules.write_text('extends: ["spectral:oas"]\n')
    run([str(command), "lint", "--ruleset", str(rules), str(path)], path.parent)


@pytest.mark.parametrize("reads", [js_yaml, redocly, spectral])
def test_the_contract_has_no_error(reads: object) -> None:
    assert callable(reads)
    reads(CONTRACT)


@pytest.mark.parametrize("reads", [redocly, spectral])
def test_an_error_is_found(reads: object, tmp_path: Path) -> None:
    assert callable(reads)
    (tmp_path / "openapi.yaml").write_text(BROKEN)

    with pytest.raises(pytest.fail.Exception, match="failed"):
        reads(tmp_path / "openapi.yaml")


def test_the_parser_takes_no_yaml_that_others_take(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text("a:\n  b: [\n    c\n  ]\n")

    with pytest.raises(pytest.fail.Exception, match="deficient indentation"):
        js_yaml(tmp_path / "openapi.yaml")
