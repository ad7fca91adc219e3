"""Templates: everything that is put into one is escaped, and everything it names must be there."""

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from console.http.assets import Assets, unindented
from console.http.form import label
from perkwire.model.masking import MASK
from perkwire.primitives.timestamps import to_rfc3339

_FOLDER = Path(__file__).parents[1] / "templates"
_SHARED = ("layout.html", "macros.html")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Unindented(Extension):
    """Sends no indentation of templates, a twentieth of a form; what is put in stays as it is."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The source without the blanks that its lines begin with."""
        return unindented(source)


class Templates:
    """The templates of this folder: those that pages share are compiled now, others when used."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            extensions=[Unindented],
        )
        self._environment.globals["asset"] = assets.url
        self._environment.globals["mask"] = MASK
        self._environment.globals["moment"] = moment
        self._environment.filters["segment"] = segment
        self._environment.filters["rfc3339"] = to_rfc3339
        self._environment.filters["count"] = count
        self._environment.filters["age"] = age
        self._environment.filters["text"] = text
        self._environment.filters["label"] = label
        for name in _SHARED:
            self._environment.get_template(name)

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        """A page as HTML."""
        return self._environment.get_template(name).render(context)


def moment(at: int | str) -> Markup:
    """A time, of microseconds since the epoch or RFC 3339 in UTC, for people and for the script.

    The server knows no zone of the viewer: the text is in UTC, and the script puts it in theirs.
    """
    text = at if isinstance(at, str) else to_rfc3339(at)
    year, month, day = text[:10].split("-")
    shown = f"{int(day)} {_MONTHS[int(month) - 1]} {year}, {text[11:19]} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        text, f"{text[:10]} {text[11:19]} UTC", shown
    )


def segment(text: str) -> str:
    """A string as one segment of a path. A colon stays: not every gateway decodes it."""
    return quote(text, safe=":")


def text(value: str) -> Markup:
    """Escaped for between tags, not for attributes: quotes, of which JSON is full, stay short."""
    return Markup(html.escape(value, quote=False))  # noqa: S704 - escaped just here


def count(number: int) -> str:
    """`12 345`: with narrow no-break spaces, which no locale reads as a fraction."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def age(seconds: int) -> str:
    """`3 d 4 h`: the two largest units of a length of time."""
    parts = [
        f"{seconds // unit % most} {name}"
        for name, unit, most in (("d", 86_400, 10**9), ("h", 3_600, 24), ("min", 60, 60))
        if seconds // unit % most
    ]
    return " ".join(parts[:2]) or "less than a minute"
