"""The platform's own look: every colour can be read, and a logo draws and does nothing else."""

import base64
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.http.brand_files import DARK_CARD, LIGHT_CARD, stylesheet
from infra.local.emulator import ROOT
from perkwire.model.brand import LONGEST_NAME, OWN_NAME, Brand, parse_brand
from perkwire.model.colours import Accent, contrast
from perkwire.model.logo import LONGEST_DATA_URL, MOST_BYTES, Logo, UnusableLogo
from perkwire.primitives.problem import Problem

SVG = "data:image/svg+xml;base64,"
colours = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def a_png(width: int = 44, height: int = 22, size: int = 60) -> str:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR"
    content = head + struct.pack(">II", width, height) + b"\0" * (size - 24)
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def an_svg(inner: str = '<path d="M0 0h9"/>', attributes: str = 'viewBox="0 0 60 20"') -> str:
    text = f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inner}</svg>'
    return SVG + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#ffffff", "#000000", 21), ("#777777", "#ffffff", 4.48), ("#ff0000", "#ffffff", 4.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


@given(colours)
def test_the_text_on_any_colour_can_be_read_hovered_over_too(colour: str) -> None:
    accent = Accent.of(colour)

    assert contrast(accent.colour, accent.text) >= 4.5
    assert contrast(accent.hover, accent.text) >= contrast(accent.colour, accent.text)


@given(colours)
def test_a_button_that_is_hard_to_tell_from_its_card_has_an_edge(colour: str) -> None:
    accent = Accent.of(colour)
    light, dark = stylesheet(colour).split("@media")

    for rules, card in ((light, LIGHT_CARD), (dark, DARK_CARD)):
        assert ("--accent-edge: var(--strong-line)" in rules) == accent.needs_edge(card)
        assert accent.needs_edge(card) == (contrast(colour, card) < 3)


def test_the_cards_are_those_of_the_stylesheet() -> None:
    style = (ROOT / "functions/console/static/console.css").read_text()

    for card in (LIGHT_CARD, DARK_CARD):
        assert f"--card: {card};" in style


@pytest.mark.parametrize(("given_logo", "width"), [(a_png(), 2), (an_svg(), 3)])
def test_a_logo_is_read_with_its_width_and_said_as_it_came(given_logo: str, width: float) -> None:
    logo = Logo.parse(given_logo)

    assert logo.width == width
    assert logo.data_url == given_logo
    assert Logo.parse(an_svg(attributes='width="30px" height="20"')).width == 1.5
    Logo.parse(an_svg('<style>.a{fill:url(#b)}</style><use href="#b"/>'))


@pytest.mark.parametrize(
    "data_url",
    [
        "https://example.com/logo.png",
        "data:text/html;base64,PGI+",
        "data:image/png;base64,AAAA",
        "data:image/png;base64,A",
        a_png(size=MOST_BYTES + 1),
        a_png(width=0),
        a_png(width=5_000, height=5_000),
        a_png(width=700, height=100),
        a_png(width=100, height=700),
        SVG + base64.b64encode(b"<html/>").decode(),
        SVG + base64.b64encode(b"<svg").decode(),
        SVG + base64.b64encode(b"\xff\xfe").decode(),
        SVG + base64.b64encode(b'<!DOCTYPE svg [<!ENTITY a "b">]><svg/>').decode(),
        SVG + base64.b64encode(b'<?xml-stylesheet href="a.css"?><svg/>').decode(),
        an_svg(attributes=""),
        an_svg(attributes='viewBox="0 0 1e3 20"'),
        an_svg("<script>alert(1)</script>"),
        an_svg("<SCRIPT/>"),
        an_svg('<x:script xmlns:x="http://www.w3.org/2000/svg"/>'),
        an_svg("<foreignObject/>"),
        an_svg('<image href="https://example.com/a.png"/>'),
        an_svg('<use href="https://example.com/a.svg#b"/>'),
        an_svg('<use xmlns:l="http://www.w3.org/1999/xlink" l:href="data:image/svg+xml,x"/>'),
        an_svg('<a href="#b"/>'),
        an_svg("<path/>", 'viewBox="0 0 9 9" onload="alert(1)"'),
        an_svg('<path fill="url(https://example.com/a#b)"/>'),
        an_svg("<path style='fill: URL( \"//example.com\")'/>"),
        an_svg("<style>@import '//example.com';</style>"),
        an_svg("<style><![CDATA[a{fill:u\\72l(//x)}]]></style>"),
    ],
    ids=lambda data_url: data_url[:60],
)
def test_what_is_no_image_or_does_more_than_draw_is_refused(data_url: str) -> None:
    with pytest.raises(UnusableLogo):
        Logo.parse(data_url)


def test_the_largest_logo_fits_its_field() -> None:
    largest = a_png(size=MOST_BYTES)

    assert len(largest) <= LONGEST_DATA_URL
    assert parse_brand({"logo": largest}, 1).logo == Logo.parse(largest)


def test_what_is_left_out_is_our_own() -> None:
    assert parse_brand({}, 7) == Brand(version=7)
    assert parse_brand({"colour": "#ABCDEF"}, 7) == Brand(colour="#abcdef", version=7)
    assert Brand().name == OWN_NAME


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"name": "a" * (LONGEST_NAME + 1)}, "name"),
        ({"name": " "}, "name"),
        ({"colour": "red"}, "colour"),
        ({"colour": "#12345"}, "colour"),
        ({"colour": "#22614f; } a {"}, "colour"),
        ({"logo": "x"}, "logo"),
        ({"logo": "x" * (LONGEST_DATA_URL + 1)}, "logo"),
        ({"font": "x"}, "font"),
    ],
)
def test_what_is_wrong_is_named(value: dict[str, Any], field: str) -> None:
    with pytest.raises(Problem) as raised:
        parse_brand(value, 1)

    errors = raised.value.document()["errors"]
    assert isinstance(errors, list)
    assert [one["field"] for one in errors if isinstance(one, dict)] == [field]
