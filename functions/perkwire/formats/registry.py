"""Every format of this release by its name, and which of its versions a webhook has."""

from collections.abc import Iterator, Mapping

from perkwire.formats.contracts.built_in import BUILT_IN, built_in
from perkwire.formats.format import Format
from perkwire.formats.okendo.envelope import Okendo
from perkwire.formats.qualifio import Qualifio
from perkwire.formats.standard import Standard
from perkwire.formats.unknown import UnknownFormat, UnreadContract
from perkwire.formats.versions import VERSION, age, product
from perkwire.formats.voucherify.envelope import Voucherify
from perkwire.formats.zinrelo.envelope import Zinrelo
from perkwire.formats.zoho_thrive import ZohoThrive
from perkwire.model.webhook import Webhook

_IN_CODE: Mapping[str, Format] = {
    format_.name: format_
    for format_ in (Standard(), Zinrelo(), ZohoThrive(), Qualifio(), Okendo(), Voucherify())
}


class _Formats(Mapping[str, Format]):
    """Those in code, then the built-in contracts, each of which is read when it is asked for."""

    def __getitem__(self, name: str) -> Format:
        return built_in(name) if name in BUILT_IN else _IN_CODE[name]

    def __iter__(self) -> Iterator[str]:
        yield from _IN_CODE
        yield from BUILT_IN

    def __len__(self) -> int:
        return len(_IN_CODE) + len(BUILT_IN)

    def __contains__(self, name: object) -> bool:
        return name in BUILT_IN or name in _IN_CODE


FORMATS: Mapping[str, Format] = _Formats()

STANDARD = "standard"


def find_format(name: str) -> Format | None:
    """The format that a new webhook of this name gets; without a version, the newest version.

    A first version need not have one in its name: it is the oldest then, and no longer found once
    there is another. Webhooks that were stored with it keep it: see `format_of`.
    """
    if VERSION in name:
        return FORMATS.get(name)
    versions = [found for found in FORMATS if product(found) == name]
    return FORMATS[max(versions, key=age)] if versions else None


def known_format(stored: str) -> Format:
    """The format of this name in this release; perhaps one that it does not know."""
    return FORMATS.get(stored) or UnknownFormat(stored)


def format_of(webhook: Webhook) -> Format:
    """What is known of a webhook's format without reading anything: the types that it says.

    A stored contract renders and signs nothing until it is read: see `FormatLookup`.
    """
    if webhook.contract is not None:
        return UnreadContract(webhook.format, webhook.contract.says)
    return known_format(webhook.format)


def format_names() -> list[str]:
    """Every name that `find_format` finds, those without a version first."""
    return list(dict.fromkeys([product(name) for name in FORMATS] + [*FORMATS]))
