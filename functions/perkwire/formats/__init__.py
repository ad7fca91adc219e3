"""The formats that receivers expect, by name. A new one is a module here and a line in FORMATS."""

from collections.abc import Mapping

from perkwire.formats.format import Format, Payload, Unrenderable
from perkwire.formats.standard import Standard

FORMATS: Mapping[str, Format] = {format_.name: format_ for format_ in (Standard(),)}

__all__ = ["FORMATS", "Format", "Payload", "Unrenderable"]
