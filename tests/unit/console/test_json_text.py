"""JSON on pages of the console: indented, and never more than Lambda can answer."""

import json

import pytest

from console.views.json_text import MOST_CHARACTERS, indented_json
from perkwire.primitives.strict_json import Json

LAMBDA_ANSWER_BYTES = 6 * 1024 * 1024


def test_what_is_short_is_indented() -> None:
    assert indented_json({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'


def test_what_would_be_long_by_its_indents_is_compact() -> None:
    value: Json = [[[0] * 10] * 10] * 500

    assert "\n" not in indented_json(value)
    assert json.loads(indented_json(value)) == value


@pytest.mark.parametrize("character", ["'", '"', "<", "é", "😀"])
def test_what_is_too_long_is_cut_and_says_so(character: str) -> None:
    shown = indented_json({"text": character * 900_000})

    assert shown.splitlines()[-1].startswith(f"… cut after {MOST_CHARACTERS} of ")
    escaped = shown.replace("&", "&amp;").replace('"', "&#34;").replace("'", "&#39;")
    assert len(escaped.replace("<", "&lt;").encode()) < LAMBDA_ANSWER_BYTES / 2
