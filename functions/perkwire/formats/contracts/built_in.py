"""The products that are said by a contract: a file each in `built_in`, read once it is needed.

A file never changes once it was released: a correction is another version in another file.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perkwire.formats.contracts.contract_format import ContractFormat

_FOLDER = Path(__file__).parent / "built_in"
BUILT_IN: Mapping[str, str] = {
    "cloudevents@1.0": "cloudevents",
    "loyaltylion@2": "loyaltylion",
    "square-loyalty@1": "square-loyalty",
    "talon-one@1": "talon-one",
    "rivo@1": "rivo",
    "brevo-loyalty@1": "brevo-loyalty",
    "open-loyalty@1": "open-loyalty",
}
"""The file of each format, by the format's name."""


@cache
def built_in(name: str) -> "ContractFormat":
    """The format of a name of BUILT_IN."""
    # Imported once one is asked for: most functions never say a contract.
    from perkwire.formats.contracts.contract import read_contract
    from perkwire.formats.contracts.contract_format import ContractFormat

    text = (_FOLDER / f"{BUILT_IN[name]}.json").read_text(encoding="utf-8")
    return ContractFormat(read_contract(json.loads(text)))
