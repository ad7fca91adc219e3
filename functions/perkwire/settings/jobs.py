"""What jobs reads from its environment."""

from perkwire.primitives.dataclass import dataclass
from perkwire.settings.environment import FromEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsSettings(FromEnvironment):
    """Settings of jobs."""

    config_table: str
    event_table: str
    delivery_table: str
    delivery_queue_url: str
    pacing_queue_url: str
    slow_delivery_queue_url: str
    job_queue_url: str
    retry_interval_seconds: int
    event_retention_days: int
    log_retention_days: int
    console_url: str = ""
    signal_bus_name: str = ""
