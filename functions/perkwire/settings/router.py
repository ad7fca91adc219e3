"""What the router reads from its environment."""

from perkwire.model.members import MemberIndex
from perkwire.primitives.dataclass import dataclass
from perkwire.settings.environment import FromEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterSettings(FromEnvironment):
    """Settings of the router."""

    config_table: str
    event_table: str
    delivery_table: str
    delivery_queue_url: str
    pacing_queue_url: str
    slow_delivery_queue_url: str
    job_queue_url: str
    event_retention_days: int
    log_retention_days: int
    member_index: MemberIndex
