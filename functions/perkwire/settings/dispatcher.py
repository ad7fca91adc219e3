"""What the dispatcher reads from its environment."""

from perkwire.model.endpoint import EndpointPolicy
from perkwire.primitives.dataclass import dataclass
from perkwire.settings.environment import FromEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatcherSettings(FromEnvironment):
    """Settings of the dispatcher."""

    config_table: str
    delivery_table: str
    secret_key_id: str
    max_attempts: int
    retry_interval_seconds: int
    log_retention_days: int
    endpoint_timeout_seconds: float
    endpoint_policy: EndpointPolicy
    pause_after_failures: int
    pause_when_exhausted: bool
    notice_interval_minutes: int
    log_successes: bool
    console_url: str = ""
    signal_bus_name: str = ""
