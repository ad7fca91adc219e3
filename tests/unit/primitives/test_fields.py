import re
import sys
import unicodedata

import pytest

from perkwire.primitives.fields import Fields, one_of, parse_object, parse_optional_object
from perkwire.primitives.problem import FieldError, Problem
from perkwire.primitives.strict_json import Json


def test_what_was_not_sent_reads_as_none_without_an_error() -> None:
    fields = Fields({})

    assert fields.text("a") is None
    assert fields.flag("b") is None
    assert fields.integer("c", 0, 9) is None
    assert fields.object("d") is None
    assert fields.texts("e", most=3) is None
    assert fields.finish() == []


def test_what_is_required_and_not_sent_is_one_error_each() -> None:
    fields = Fields({}, "events[3].")

    assert fields.required_text("a") == ""
    assert fields.required_object("b") == {}
    assert fields.required_texts("c", most=3) == ()
    assert fields.finish() == [
        FieldError(f"events[3].{name}", "is required") for name in ("a", "b", "c")
    ]


def test_null_is_wrong_once_even_where_it_is_required() -> None:
    fields = Fields({"a": None, "b": None})

    fields.required_text("a")
    fields.flag("b")

    assert fields.finish() == [FieldError(name, "must not be null") for name in ("a", "b")]


@pytest.mark.parametrize("value", ["", "xxxx", "9", 1, True, [], {}])
def test_a_text_has_its_kind_length_and_form(value: Json) -> None:
    fields = Fields({"a": value})

    assert fields.text("a", longest=3, pattern=re.compile("[a-z]*"), form="letters") is None
    assert len(fields.finish()) == 1


def test_a_pattern_must_match_the_whole() -> None:
    fields = Fields({"a": "ab\n"})

    assert fields.text("a", pattern=re.compile("[a-z]+"), form="letters") is None
    assert fields.errors == [FieldError("a", "must be letters")]


@pytest.mark.parametrize(
    "name",
    [
        *("a", " a ", "x" * 128, "0", ".", "Zoë \N{GRINNING FACE}", "a\u200bb"),
        *(
            "\u0645\u0631\u062d\u0628\u0627",
            "שלום",
            "नमस्ते",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "東京",
            "\N{MUSICAL SYMBOL G CLEF}",
        ),
        # A family, a flag of a country, a keycap and a flag of Scotland: emoji of many characters.
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f1f2\U0001f1f9",
        "1\ufe0f\u20e3",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ],
)
def test_a_name_is_any_text_of_one_line(name: str) -> None:
    fields = Fields({"name": name})

    assert fields.name() == fields.required_name() == name
    assert fields.finish() == []


@pytest.mark.parametrize(
    "name",
    ["", "x" * 129, "a\n", "\t", "\x00", "\x7f", "\x80", "\x9f", "\u2028", "\u2029", 7, None],
)
def test_a_name_is_short_and_without_control_characters(name: Json) -> None:
    fields = Fields({"name": name})

    assert fields.name() is None
    assert [error.field for error in fields.finish()] == ["name"]


@pytest.mark.parametrize(
    "name",
    [
        *(" ", "\u00a0", "\u3000 ", "\u00ad", "\u200b\u2060", "\u200d", "\ufeff", "\ufe0f"),
        *("\u034f", "\u115f\u1160", "\u3164", "\uffa0", "\u2800", "\U000e0067\U000e007f"),
    ],
)
def test_a_name_has_a_character_that_shows(name: str) -> None:
    assert Fields({"name": name}).name() is None
    assert Fields({"name": f"{name}a{name}"}).name() == f"{name}a{name}"


@pytest.mark.parametrize("mark", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_a_name_turns_no_text_around(mark: str) -> None:
    assert Fields({"name": f"a{mark}b"}).name() is None


@pytest.mark.parametrize("mark", "\u200e\u200f\u061c")
def test_a_name_has_no_mark_of_direction(mark: str) -> None:
    assert Fields({"name": f"a{mark}b"}).name() is None


def test_a_name_of_one_control_character_or_space_is_none() -> None:
    for character in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp"):
            assert Fields({"name": character}).name() is None, hex(ord(character))


def test_a_name_that_is_required_and_not_sent_is_one_error() -> None:
    fields = Fields({}, "a.")

    assert fields.required_name() == ""
    assert fields.finish() == [FieldError("a.name", "is required")]


def test_a_name_that_was_not_sent_is_no_error_where_it_is_not_required() -> None:
    fields = Fields({})

    assert fields.name() is None
    assert fields.finish() == []


def test_a_member_that_may_not_be_here_is_refused_once_and_with_its_reason() -> None:
    fields = Fields({"a": 1, "b": 1}, "p.")

    fields.refuse("a", "is changed elsewhere")

    assert fields.finish() == [
        FieldError("p.a", "is changed elsewhere"),
        FieldError("p.b", "is not a known field"),
    ]


@pytest.mark.parametrize(("value", "good"), [(1, True), (9, True), (0, False), (10, False)])
def test_an_integer_has_bounds(value: int, good: bool) -> None:
    assert (Fields({"a": value}).integer("a", 1, 9) == value) is good


@pytest.mark.parametrize("value", [True, 1.0, "1", [1]])
def test_only_an_integer_is_one(value: Json) -> None:
    assert Fields({"a": value}).integer("a", 0, 9) is None


@pytest.mark.parametrize("value", [0, 1, "true", []])
def test_only_true_and_false_are_flags(value: Json) -> None:
    fields = Fields({"a": value})

    assert fields.flag("a") is None
    assert fields.errors == [FieldError("a", "must be true or false")]


def test_a_list_names_each_wrong_place() -> None:
    fields = Fields({"a": ["x", "x", 7, "", "bad", "y"]})

    read = fields.texts("a", most=6, check=lambda text: "is bad" if text == "bad" else None)

    assert read is None
    assert [error.field for error in fields.errors] == ["a[1]", "a[2]", "a[3]", "a[4]"]


@pytest.mark.parametrize("value", [[], ["x"] * 4, "x", {}])
def test_a_list_has_1_to_so_many(value: Json) -> None:
    fields = Fields({"a": value})

    assert fields.texts("a", most=3) is None
    assert fields.errors == [FieldError("a", "must be a list of 1 to 3 strings")]


def test_members_that_nobody_read_are_unknown() -> None:
    fields = Fields({"a": "x", "b": 1}, "p.")
    fields.text("a")

    with pytest.raises(Problem) as raised:
        fields.raise_if_wrong()

    assert raised.value.document()["errors"] == [{"field": "p.b", "detail": "is not a known field"}]


def test_an_object_is_read_from_a_body() -> None:
    assert parse_object(b'{"a":[1]}') == {"a": [1]}


@pytest.mark.parametrize("body", [b"", b"[1]", b'"x"', b"{", b'{"a":NaN}'])
def test_a_body_that_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Problem) as raised:
        parse_object(body)

    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("names", "said"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")]
)
def test_choices_are_said_as_in_a_sentence(names: list[str], said: str) -> None:
    assert one_of(names) == said


@pytest.mark.parametrize("body", [b"", b"null", b" null\n", b"\xef\xbb\xbfnull", b"{}"])
def test_a_body_that_may_be_left_out_may_be_null(body: bytes) -> None:
    assert parse_optional_object(body) == {}


@pytest.mark.parametrize("body", [b"[]", b"0", b"false", b'""', b" ", b"nul"])
def test_a_body_that_may_be_left_out_may_be_nothing_else(body: bytes) -> None:
    with pytest.raises(Problem):
        parse_optional_object(body)
