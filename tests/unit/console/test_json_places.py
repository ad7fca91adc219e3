"""Lines of JSON pointers in a text."""

import json

import pytest

from console.views.json_places import line_of

TEXT = """{
  "a": 1,
  "b": [
    {"x": 2},
    {
      "c/d": "\\u007b }",
      "~e": [[], {}]
    }
  ]
}"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 1), ("/a", 2), ("/b", 3), ("/b/0", 4), ("/b/0/x", 4), ("/b/1", 5), ("/b/1/c~1d", 6),
        ("/b/1/~0e", 7), ("/b/1/gone", 5), ("/gone", 1), ("/b/9", 3), ("/a/inside", 2),
    ],
)  # fmt: skip
def test_a_pointer_has_the_line_of_what_it_names_or_of_the_nearest(pointer: str, line: int) -> None:
    json.loads(TEXT)
    assert line_of(TEXT, pointer) == line


@pytest.mark.parametrize("text", ["", "{", '{"a": ', "[1,"])
def test_what_is_no_json_has_no_lines(text: str) -> None:
    assert line_of(text, "/a/0") is None
