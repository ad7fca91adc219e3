"""Code for receivers of each format: the blocks of docs/receiving.md, which its tests run."""

import json
from collections.abc import Mapping
from pathlib import Path

from perkwire.formats.format import Settings
from perkwire.formats.reading import text
from perkwire.formats.versions import product

_FOLDER = Path(__file__).parents[1] / "receivers"
_SHARED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Python": {
        "standard": ("checked",),
        "okendo": ("checked",),
        "zoho-thrive": ("checked",),
        "zinrelo": ("checked", "plain_hmac"),
        "qualifio": ("checked", "plain_hmac"),
        "voucherify": ("checked", "plain_hmac"),
    },
    "Node": {
        "standard": ("checked",),
        "okendo": ("checked", "standard"),
        "zoho-thrive": ("checked", "standard"),
        "zinrelo": ("checked", "plain_hmac"),
        "qualifio": ("checked", "plain_hmac"),
        "voucherify": ("checked", "plain_hmac"),
    },
}
"""What the code of a format stands on. In Python those signed as `standard` use a library."""

_SUFFIXES = {"Python": "py", "Node": "mjs"}
_SIGNATURE = '"x-hub-signature", "", "sha256", "hex"'
"""What stands in the code of `qualifio` for header, prefix, hash and encoding of the signature."""


def receiver_code(format_name: str, settings: Settings) -> dict[str, str]:
    """The code that verifies a request of a webhook with this format and settings, by language.

    None for a contract: how to verify is what its signature says.
    """
    name = product(format_name)
    own_signature = ", ".join(
        json.dumps(text(settings, f"signature_{setting}") or default)
        for setting, default in (
            ("header", "x-hub-signature"),
            ("prefix", ""),
            ("algorithm", "sha256"),
            ("encoding", "hex"),
        )
    )
    return {
        language: _joined([*shared[name], name.replace("-", "_")], _SUFFIXES[language]).replace(
            _SIGNATURE, own_signature
        )
        for language, shared in _SHARED.items()
        if name in shared
    }


def _joined(names: list[str], suffix: str) -> str:
    files = (_FOLDER / f"{name}.{suffix}.txt" for name in names)
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
