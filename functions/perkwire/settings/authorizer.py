"""What the authorizer reads from its environment."""

from perkwire.primitives.dataclass import dataclass
from perkwire.settings.environment import FromEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizerSettings(FromEnvironment):
    """Settings of the authorizer."""

    config_table: str
