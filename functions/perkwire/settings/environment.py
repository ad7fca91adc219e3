"""Settings read from the environment.

A field's upper-case name is the variable's name; template.yaml sets exactly these. One that has a
default may be empty.
"""

import dataclasses
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.members import MemberIndex


class SettingsError(Exception):
    """The environment lacks variables or holds unusable ones; the message names all of them."""


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text]


_DEFAULT_PORTS = {"http": 80, "https": 443}
_READERS = {
    str: str,
    int: int,
    float: float,
    bool: _flag,
    EndpointPolicy: EndpointPolicy,
    MemberIndex: MemberIndex,
}


def emulator_ports(environ: Mapping[str, str]) -> frozenset[int]:
    """The ports of a local AWS emulator, which no webhook may call; none on AWS."""
    urls = (value for name, value in environ.items() if name.startswith("AWS_ENDPOINT_URL"))
    parts = [urlsplit(url) for url in urls]
    return frozenset(part.port or _DEFAULT_PORTS.get(part.scheme, 0) for part in parts)


class FromEnvironment:
    """What the settings of each function have in common."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read every field; raises SettingsError that names every bad variable at once."""
        values: dict[str, object] = {}
        wrong: list[str] = []
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            name = field.name.upper()
            if not environ.get(name):
                if field.default is dataclasses.MISSING:
                    wrong.append(f"{name} is not set")
                continue
            try:
                values[field.name] = _READERS[field.type](environ[name])  # type: ignore[index,operator]
            except (ValueError, KeyError):
                wrong.append(f"{name} is not usable")
        if wrong:
            raise SettingsError("; ".join(wrong))
        return cls(**values)
