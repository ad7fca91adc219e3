"""Colours that stay legible: what goes with a colour that somebody has chosen."""

from perkwire.primitives.dataclass import dataclass

_WHITE, _BLACK = "#ffffff", "#000000"
_LEAST_OF_EDGES = 3.0
"""WCAG 2.2, 1.4.11: between a control and what is around it."""

_HOVER_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Accent:
    """A colour of buttons, and what goes with it.

    `text` on it has a contrast of 4.5 at least, on `hover` too: of black and white one always has.
    """

    colour: str
    hover: str
    text: str

    @classmethod
    def of(cls, colour: str) -> "Accent":
        """What goes with a colour, `#rrggbb`."""
        text = max(_WHITE, _BLACK, key=lambda one: contrast(colour, one))
        away = _BLACK if text == _WHITE else _WHITE
        return cls(colour, _mixed(colour, away, _HOVER_SHARE), text)

    def needs_edge(self, around: str) -> bool:
        """Whether a button of this colour is hard to tell from what is around it."""
        return contrast(self.colour, around) < _LEAST_OF_EDGES


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours as WCAG 2.2 has it: 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    # A power of a float is one.
    bright: float = ((part + 0.055) / 1.055) ** 2.4
    return part / 12.92 if part <= 0.04045 else bright


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
