"""What endpoints echo of a webhook's secrets is not shown, however they write it."""

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perkwire.dispatching.rendering import OpenedSecrets
from perkwire.model.endpoint import check_headers
from perkwire.model.masking import masked

TOKEN = "Bearer of/the+receiver"
BASIC = "Basic " + base64.b64encode(b"till-user:pass/word").decode()


def in_json(value: str) -> str:
    return json.dumps(value)[1:-1]


def in_php(value: str) -> str:
    return in_json(value).replace("/", r"\/")


def in_script(value: str) -> str:
    """As a page's script holds it: nothing that a tag could begin with."""
    return "".join(one if one.isalnum() else f"\\u{ord(one):04x}" for one in value)


def in_numbers(value: str) -> str:
    return "".join(one if one.isalnum() else f"&#{ord(one)};" for one in value)


def all_quoted(value: str) -> str:
    return "".join(f"%{ord(one):02x}" for one in value)


def from_json(text: str) -> str:
    text = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    return re.sub(r"\\(.)", r"\1", text.replace(r"\t", "\t"))


ENCODINGS: dict[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "as it is": (str, str),
    "JSON": (in_json, from_json),
    "JSON of PHP": (in_php, from_json),
    "JSON in JSON": (lambda value: in_php(in_json(value)), lambda text: from_json(from_json(text))),
    "a script": (in_script, from_json),
    "HTML": (html.escape, html.unescape),
    "HTML in numbers": (in_numbers, html.unescape),
    "JSON in HTML": (
        lambda value: html.escape(in_json(value)),
        lambda text: from_json(html.unescape(text)),
    ),
    "a path": (quote, unquote),
    "a query": (quote_plus, unquote_plus),
    "a query throughout": (all_quoted, unquote),
    "lower case": (str.lower, str),
    "upper case": (str.upper, str),
}


def is_a_value(text: str) -> bool:
    return isinstance(check_headers({"x-shop": text}), dict)


VISIBLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
LIKE_ESCAPES = st.sampled_from(
    ["\\", "\\u0041", "\\t", "%41", "%25", "%", "&amp;", "&#65;", "&", ";", '"', "/", "+", " ", "<"]
)
ANY = st.lists(VISIBLE | LIKE_ESCAPES, max_size=20).map("".join)
PLAIN = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="&%\\"), min_size=4
)
# At least four characters that have nothing to do with an escape.
VALUES = (PLAIN | st.tuples(ANY, PLAIN, ANY).map("~".join)).filter(is_a_value)
BEGUN_PLAINLY = st.tuples(PLAIN, ANY).map("~".join).filter(is_a_value)


def runs(text: str, length: int) -> set[str]:
    text = text.lower()
    return {text[start : start + length] for start in range(len(text) - length + 1)}


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(value=VALUES)
@example(value="of/the+receiver")
def test_who_undoes_an_encoding_finds_no_run_of_eight_characters(encoding: str, value: str) -> None:
    encode, decode = ENCODINGS[encoding]

    shown = masked(f"It was: {encode(value)} (1)", [], [value])

    assert not runs(decode(shown), 8) & runs(value, 8)
    assert len(value) >= 8 or value.lower() not in decode(shown).lower()


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(value=BEGUN_PLAINLY, data=st.data())
def test_what_the_end_of_an_answer_leaves_of_a_value_is_not_shown(
    encoding: str, value: str, data: st.DataObject
) -> None:
    encode, decode = ENCODINGS[encoding]
    encoded = encode(value)
    end = data.draw(st.integers(1, len(encoded)))

    shown = masked(f"It was: {encoded[:end]}", [], [value])

    assert value[:5].lower() not in decode(shown).lower()


@given(st.text(), st.lists(VALUES, max_size=3), st.lists(st.text(), max_size=3))
@example("", [], ["Basic é"])
@example("", [], ["basic \ud7ff="])
def test_any_answer_can_be_masked_and_none_grows(
    answer: str, values: list[str], credentials: list[str]
) -> None:
    """A credential may be a plain secret: any line of text."""
    assert len(masked(answer, values, credentials).encode()) <= len(answer.encode())


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("you sent Authorization: Bearer of/the+receiver!", "you sent Authorization: Bearer …!"),
        ("token of/the+receiver", "token …"),
        ("the end was cut off: Bearer of/t", "the end was cut off: Bearer …"),
        ("the end was cut off: of%2", "the end was cut off: of%2"),
        ("the end was cut off: of%2fthe%2", "the end was cut off: …"),
        ("it begins with of/the+re, and no more", "it begins with …, and no more"),
        ("Bearer tokens only", "Bearer tokens only"),
        ("of/", "of/"),
        ("", ""),
    ],
)
def test_a_token_is_cut_out_and_the_rest_stays(answer: str, shown: str) -> None:
    assert masked(answer, [TOKEN]) == shown


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("till-user may not", "… may not"),
        ("wrong word: PASS\\/WORD", "wrong word: …"),
        ("till-user:pass/word", "…"),
        (BASIC, "Basic …"),
    ],
)
def test_basic_credentials_are_cut_out_decoded_too(answer: str, shown: str) -> None:
    assert masked(answer, [BASIC]) == shown


@pytest.mark.parametrize("value", ["Basic", "Basic !", "Basic a", "Basic /w==", "Basic Og=="])
def test_what_only_looks_like_basic_credentials_does_no_harm(value: str) -> None:
    assert masked("it was: nothing", [value]) == "it was: nothing"


def test_several_secrets_are_cut_out_each() -> None:
    assert masked("a=first-token b=second-token", ["first-token", "second-token"]) == "a=… b=…"


def test_what_is_shorter_than_four_characters_stays() -> None:
    assert masked("it was pin", ["pin"], ["pin"]) == "it was pin"


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("true", '{"success": true, "trueish": 1}'),
        ("prod", "The product is not in production, said prod."),
        ("false", "false"),
        ("null", '{"member": null}'),
        ("production", "no production today"),
        ("2024", "It is 2024."),
        ("a1b2", "a1b2c3 x1a1b2"),
        ("My Shop", "Shop? My word, a shop"),
        ("please contact us", "please contact support"),
        ("production-eu", '{"environment":"production"}'),
        ("processing-error", "a processing error; processing failed"),
        ("application/json", "expected application/xml"),
        ("loyalty_programme", "no loyalty_member of this programme"),
        ("staging:main", "it ends with stag"),
        ("2024-10", "closed since 2024-10-05"),
        ("2024-10-01", "closed since 2024-10-15"),
        ("1.0.0", "HTTP 1.0.0 expected"),
    ],
)
def test_the_words_of_an_answer_stay(value: str, answer: str) -> None:
    assert masked(answer, [value]) == answer


@pytest.mark.parametrize(
    ("value", "answer", "shown"),
    [
        ("a1b2", "was a1b2, not x", "was …, not x"),
        ("shop-7", "shop-7/shop-77", "…/shop-77"),
        ("My Shop", "from my shop!", "from …!"),
        ("Bearer prod", "prod is no product", "… is no product"),
        ("eu-west-1-abcdef", "in west-1-abc", "in …"),
        ("production-eu", "in production-eu, production", "in …, production"),
        ("production-8f3a9c2e41", "8f3a9c2e of production", "… of production"),
        ("~abcdefgh", "was abcdefgh", "was …"),
        ("abcdefghijkl", "abcdefghijkl", "…"),
    ],
)
def test_a_value_that_is_no_word_is_cut_out_where_it_stands_whole(
    value: str, answer: str, shown: str
) -> None:
    assert masked(answer, [value]) == shown


def test_a_credential_is_cut_out_even_if_it_is_a_word() -> None:
    assert masked("hunter: no, hunters", [], ["hunter"]) == "…: no, hunters"


@pytest.mark.parametrize(
    ("name", "is_shown"),
    [
        *(("X-Env", True), ("X-Test", True), ("X-Shop", True)),
        *(("Authorization", False), ("X-Api-Key", False), ("Cookie", False), ("x_token", False)),
        # Words in which a word for credentials is by chance.
        *(("X-Shipping", True), ("X-Mapping", True), ("X-Author", True), ("x_author_id", True)),
        *(("X-Credit-Type", True), ("X-Credits", True), ("X-Design", True), ("Assigned-To", True)),
        *(("X-Pin", False), ("pincode", False), ("X-UserPin", False), ("XAuth", False)),
        *(("x-authorized-by", False), ("X-Credentials", False), ("X_Signing_Word", False)),
        *(("X-Sign", False), ("X-Passphrase", False), ("X-UserPass", False), ("XApiKey", False)),
    ],
)
def test_the_name_of_a_header_says_whether_a_word_is_secret(name: str, is_shown: bool) -> None:
    opened = OpenedSecrets("whsec_secret", {name: "hunter"})

    assert (opened.masked("it was hunter") == "it was hunter") is is_shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept", "application/json"),
        ("accept", "application/vnd.shop+json"),
        ("Accept-Language", "en-US,en;q=0.8"),
        ("ACCEPT_CHARSET", "utf-8, iso-8859-1"),
        ("Cache-Control", "no-cache, no-store"),
        ("Prefer", "return=minimal"),
    ],
)
def test_what_is_asked_of_an_answer_is_no_secret(name: str, value: str) -> None:
    answer = f"cannot say {value}, {value.partition('/')[0]} alone"

    assert OpenedSecrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZI", {name: value}).masked(answer) == answer
