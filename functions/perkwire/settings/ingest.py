"""What ingest reads from its environment."""

from perkwire.primitives.dataclass import dataclass
from perkwire.settings.environment import FromEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings(FromEnvironment):
    """Settings of ingest. The last three are there with an inbox alone."""

    config_table: str
    event_table: str
    event_queue_url: str
    event_retention_days: int
    account_rate_limit: int
    account_burst_limit: int
    inbox_queue_url: str = ""
    notice_interval_minutes: int = 0
    signal_bus_name: str = ""
