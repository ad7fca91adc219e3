"""/console/brand: the platform's colour and logo, under names that change with them."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from perkwire.managing.branding import Branding
from perkwire.model.brand import Brand
from perkwire.model.colours import Accent
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.journal import Unavailable

_FOR_GOOD = "public, max-age=31536000, immutable"
_LOGO_HEIGHT = 22
# What buttons stand on, as static/console.css has it: the two themes' --card.
LIGHT_CARD, DARK_CARD = "#ffffff", "#1c2320"


@dataclass(frozen=True, slots=True)
class ShownBrand:
    """What templates show of a brand."""

    name: str
    css_url: str | None
    logo_url: str | None
    logo_type: str
    logo_width: int

    @classmethod
    def of(cls, brand: Brand) -> "ShownBrand":
        """Where its files are, and how wide its logo is in the head of a page."""
        logo, base = brand.logo, f"/console/brand/{brand.version}"
        return cls(
            name=brand.name,
            css_url=f"{base}.css" if brand.colour else None,
            logo_url=f"{base}.logo" if logo else None,
            logo_type=logo.media_type if logo else "",
            logo_width=max(1, round(_LOGO_HEIGHT * logo.width)) if logo else _LOGO_HEIGHT,
        )


def add(resolver: APIGatewayHttpResolver, branding: Branding) -> None:
    """Add the route to the resolver."""

    @resolver.get("/console/brand/<name>")
    def get(name: str) -> Response[str] | Response[bytes]:
        version, _, kind = name.partition(".")
        brand = _of_version(branding, version)
        # A page may be of a brand of a minute ago: then it has today's, and keeps nothing.
        is_named = brand is not None and str(brand.version) == version
        headers = {"cache-control": _FOR_GOOD if is_named else "no-store"}
        if brand is not None and kind == "css":
            return Response(
                status_code=200,
                content_type="text/css; charset=utf-8",
                body=stylesheet(brand.colour) if brand.colour else "",
                headers=headers,
            )
        if brand is not None and kind == "logo" and brand.logo:
            return Response(
                status_code=200,
                content_type=brand.logo.media_type,
                body=brand.logo.content,
                headers=headers,
            )
        return Response(status_code=404, content_type="text/plain", body="There is no such file.")


def stylesheet(colour: str) -> str:
    """The accents of both themes, made of one colour so that all text on it can be read."""
    accent = Accent.of(colour)
    rules = [
        f"--accent: {accent.colour};",
        f"--accent-hover: {accent.hover};",
        f"--on-accent: {accent.text};",
    ]

    def edge(card: str) -> str:
        return f"--accent-edge: {'var(--strong-line)' if accent.needs_edge(card) else 'initial'};"

    light = " ".join([*rules, edge(LIGHT_CARD)])
    dark = " ".join([*rules, edge(DARK_CARD)])
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def _of_version(branding: Branding, version: str) -> Brand | None:
    if not (version.isascii() and version.isdecimal() and len(version) < 18):
        return None
    try:
        return branding.of_version(int(version))
    except Unavailable:
        return None
