"""Code for receivers of each format: the blocks of docs/receiving.md, which its tests run."""

import json
from collections.abc import Mapping
from pathlib import Path

from console.views.webhook_wording import product
from perkwire.formats.format import Settings
from perkwire.formats.reading import text

_FOLDER = Path(__file__).parents[1] / "receivers"
_SHARED: Mapping[str, str] = {
    "okendo": "standard",
    "zinrelo": "hex_hmac",
    "qualifio": "hex_hmac",
    "voucherify": "hex_hmac",
    "zoho-thrive": "standard",
}
"""What the code of a format stands on. In Python those signed as `standard` use a library."""


_SIGNATURE = '"x-hub-signature", "", "sha256"'
"""What stands in the code of `qualifio` for the header, prefix and hash of the signature."""


def receiver_code(format_name: str, settings: Settings) -> dict[str, str]:
    """The code that verifies a request of a webhook with this format and settings, by language.

    It reads signatures in hex.
    """
    name = product(format_name)
    own, shared = name.replace("-", "_"), _SHARED.get(name)
    python = [shared] if shared == "hex_hmac" else []
    node = [shared] if shared else []
    own_signature = ", ".join(
        json.dumps(text(settings, f"signature_{setting}") or default)
        for setting, default in (
            ("header", "x-hub-signature"),
            ("prefix", ""),
            ("algorithm", "sha256"),
        )
    )
    return {
        "Python": _joined([*python, own], "py").replace(_SIGNATURE, own_signature),
        "Node": _joined([*node, own], "mjs").replace(_SIGNATURE, own_signature),
    }


def _joined(names: list[str], suffix: str) -> str:
    files = (_FOLDER / f"{name}.{suffix}.txt" for name in names)
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
