"""The formats that receivers expect.

A new one is a module here, a file of names in the catalogue, and a line in FORMATS. What the
contract and the console say of it follows; their tests name what is missing.
"""

from collections.abc import Mapping

from perkwire.formats.format import Attempt, Format, Payload, Settings, Unrenderable
from perkwire.formats.okendo import Okendo
from perkwire.formats.qualifio import Qualifio
from perkwire.formats.standard import Standard
from perkwire.formats.unknown import UnknownFormat
from perkwire.formats.voucherify import Voucherify
from perkwire.formats.zinrelo import Zinrelo
from perkwire.formats.zoho_thrive import ZohoThrive
from perkwire.model.header_rules import folded
from perkwire.primitives.ids import DeliveryId

FORMATS: Mapping[str, Format] = {
    format_.name: format_
    for format_ in (Standard(), Zinrelo(), ZohoThrive(), Qualifio(), Okendo(), Voucherify())
}

STANDARD = "standard"
_VERSION = "@"


def find_format(name: str) -> Format | None:
    """The format that a new webhook of this name gets; without a version, the newest version.

    A first version need not have one in its name: it is the oldest then, and no longer found once
    there is another. Webhooks that were stored with it keep it: see `format_of`.
    """
    if _VERSION in name:
        return FORMATS.get(name)
    versions = [found for found in FORMATS if found.partition(_VERSION)[0] == name]
    return FORMATS[max(versions)] if versions else None


def format_of(stored: str) -> Format:
    """The format that a webhook was stored with; perhaps one that this release does not know."""
    return FORMATS.get(stored) or UnknownFormat(stored)


def format_names() -> list[str]:
    """Every name that `find_format` finds, those without a version first."""
    return list(dict.fromkeys([name.partition(_VERSION)[0] for name in FORMATS] + [*FORMATS]))


def header_names(format_: Format, settings: Settings) -> frozenset[str]:
    """The headers that the format sets, folded: no custom header may be one of them."""
    attempt = Attempt(delivery_id=DeliveryId("dlv_"), at=0, body=b"", settings=settings)
    return frozenset(map(folded, format_.sign([format_.new_secret()], attempt)))


__all__ = [
    "FORMATS",
    "STANDARD",
    "Attempt",
    "Format",
    "Payload",
    "Settings",
    "UnknownFormat",
    "Unrenderable",
    "find_format",
    "format_names",
    "format_of",
    "header_names",
]
