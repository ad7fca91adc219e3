"""The platform's own name, logo and colour, by which its merchants know the console."""

from collections.abc import Mapping

from perkwire.model.logo import LONGEST_DATA_URL, Logo, UnusableLogo
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json

OWN_NAME = "Perkwire"
LONGEST_NAME = 40
"""It stands beside the navigation."""

_COLOUR = regex("#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """What the console is called, and how it looks; what is None is Perkwire's own.

    `version` differs after each change; 0 of what nobody has set.
    """

    name: str = OWN_NAME
    colour: str | None = None
    logo: Logo | None = None
    version: int = 0

    def to_json(self) -> dict[str, Json]:
        """The brand as the API answers it."""
        return {
            "name": self.name,
            "colour": self.colour,
            "logo": None if self.logo is None else self.logo.data_url,
            "version": self.version,
        }


def parse_brand(value: Mapping[str, Json], version: int) -> Brand:
    """A request that sets the brand as a whole; raises the 422 problem."""
    fields = Fields({**value})
    name = fields.name()
    if name is not None and len(name) > LONGEST_NAME:
        fields.wrong("name", f"must have 1 to {LONGEST_NAME} characters")
    colour = fields.text("colour", longest=7, pattern=_COLOUR, form="a colour as #22614f")
    text = fields.text("logo", longest=LONGEST_DATA_URL)
    logo = None
    if text is not None:
        try:
            logo = Logo.parse(text)
        except UnusableLogo as error:
            fields.wrong("logo", str(error))
    fields.raise_if_wrong()
    return Brand(
        name=name or OWN_NAME, colour=colour and colour.lower(), logo=logo, version=version
    )
