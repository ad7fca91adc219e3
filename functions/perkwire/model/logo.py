"""A logo: a small PNG or SVG image that draws and does nothing else."""

import base64
import binascii
import struct
from xml.parsers import expat

from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.regexes import regex

MOST_BYTES = 16_384
_LONGEST_SIDE = 4_096
_WIDEST = 6
"""Times its height: it stands in a line with the navigation."""

_DATA_URL = regex(r"data:(image/png|image/svg\+xml);base64,([A-Za-z0-9+/]+={0,2})")
_PNG = b"\x89PNG\r\n\x1a\n"
_NUMBER = regex(r"\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)(?:px)?\s*")
_OWN_PART = regex(r"\s*#[\w-]+\s*")
_STYLED_BY = regex(r"(?i)url\(\s*['\"]?(?!#)|@import|\\")
# What runs, embeds or fetches. Browsers run nothing in an image, but its address can be opened.
_ACTIVE = frozenset(
    {"script", "foreignobject", "image", "iframe", "embed", "object", "audio", "video", "a"}
    | {"animate", "set", "animatetransform", "animatemotion", "feimage", "handler", "link"}
)

LONGEST_DATA_URL = 30 + MOST_BYTES * 4 // 3


class UnusableLogo(Exception):
    """Why it is none, as a problem says it of a field."""


@dataclass(frozen=True, slots=True)
class Logo:
    """An image and how wide it is, of a height of one."""

    media_type: str
    content: bytes
    width: float

    @classmethod
    def parse(cls, data_url: str) -> "Logo":
        """Read `data:image/png;base64,…` or `data:image/svg+xml;base64,…`; raises UnusableLogo."""
        found = _DATA_URL.fullmatch(data_url)
        if found is None:
            raise UnusableLogo("must be a data URL of image/png or image/svg+xml in base64")
        try:
            content = base64.b64decode(found[2], validate=True)
        except binascii.Error:
            raise UnusableLogo("must be a data URL in base64") from None
        if len(content) > MOST_BYTES:
            raise UnusableLogo(f"must have at most {MOST_BYTES:,} bytes".replace(",", " "))
        width, height = _png_size(content) if found[1] == "image/png" else _svg_size(content)
        if not (0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE):
            raise UnusableLogo(f"must be at most {_LONGEST_SIDE} wide and high")
        if width > _WIDEST * height or height > _WIDEST * width:
            raise UnusableLogo(f"must be at most {_WIDEST} times as wide as high, or as high")
        return cls(found[1], content, width / height)

    @property
    def data_url(self) -> str:
        """The text that `parse` reads."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


def _png_size(content: bytes) -> tuple[float, float]:
    if content[:8] != _PNG or content[12:16] != b"IHDR" or len(content) < 45:
        raise UnusableLogo("is no PNG image")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


class _SvgReader:
    """Reads the elements of an SVG image, and refuses what does more than draw."""

    def __init__(self) -> None:
        self.root: dict[str, str] | None = None
        self._in_style = False
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.ProcessingInstructionHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _refuse(self, *_: object) -> None:
        raise UnusableLogo("may have no document type and no processing instructions")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        plain = name.rpartition(":")[2].lower()
        if self.root is None:
            if plain != "svg":
                raise UnusableLogo("is no SVG image")
            self.root = attributes
        if plain in _ACTIVE:
            raise UnusableLogo(f"may have no element {plain}")
        for attribute, value in attributes.items():
            _check_attribute(attribute.rpartition(":")[2].lower(), value)
        self._in_style = plain == "style"

    def _end(self, _name: str) -> None:
        self._in_style = False

    def _text(self, text: str) -> None:
        if self._in_style and _STYLED_BY.search(text):
            raise UnusableLogo("may have no style that names anything outside")


def _check_attribute(name: str, value: str) -> None:
    if name.startswith("on") or name == "base":
        raise UnusableLogo(f"may have no attribute {name}")
    if name in ("href", "src") and not _OWN_PART.fullmatch(value):
        raise UnusableLogo("may refer to parts of its own only")
    if _STYLED_BY.search(value):
        raise UnusableLogo("may have no style that names anything outside")


def _svg_size(content: bytes) -> tuple[float, float]:
    reader = _SvgReader()
    try:
        content.decode()
        reader.parser.Parse(content, True)
    except (expat.ExpatError, UnicodeDecodeError):
        raise UnusableLogo("is no SVG image") from None
    root = reader.root or {}
    box = root.get("viewBox", "").replace(",", " ").split()
    sizes = box[2:] if len(box) == len(("x", "y", "width", "height")) else []
    sizes = sizes or [root.get("width", ""), root.get("height", "")]
    found = [_NUMBER.fullmatch(size) for size in sizes]
    if found[0] is None or found[1] is None:
        raise UnusableLogo("must say its size, by viewBox or by width and height")
    return float(found[0][1]), float(found[1][1])
