"""What the console reads from its environment."""

from perkwire.primitives.dataclass import dataclass
from perkwire.settings.management import ManagementSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings(ManagementSettings):
    """Settings of the console, which sends samples as well."""

    event_queue_url: str
    embedding_hosts: str = ""
