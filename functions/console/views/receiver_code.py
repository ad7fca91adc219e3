"""Code for receivers of each format: the blocks of docs/receiving.md, which its tests run."""

from collections.abc import Mapping
from pathlib import Path

from console.views.webhook_wording import product

_FOLDER = Path(__file__).parents[1] / "receivers"
_SHARED: Mapping[str, str] = {
    "okendo": "standard",
    "zinrelo": "hex_hmac",
    "qualifio": "hex_hmac",
    "voucherify": "hex_hmac",
    "zoho-thrive": "standard",
}
"""What the code of a format stands on. In Python those signed as `standard` use a library."""


def receiver_code(format_name: str) -> dict[str, str]:
    """The code that verifies a request of the format, by language."""
    name = product(format_name)
    own, shared = name.replace("-", "_"), _SHARED.get(name)
    python = [shared] if shared == "hex_hmac" else []
    node = [shared] if shared else []
    return {
        "Python": _joined([*python, own], "py"),
        "Node": _joined([*node, own], "mjs"),
    }


def _joined(names: list[str], suffix: str) -> str:
    files = (_FOLDER / f"{name}.{suffix}.txt" for name in names)
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
