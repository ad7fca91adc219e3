"""What management reads from its environment."""

from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.members import MemberIndex
from perkwire.primitives.dataclass import dataclass
from perkwire.settings.environment import FromEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementSettings(FromEnvironment):
    """Settings of management. The last four are there with an inbox alone."""

    config_table: str
    event_table: str
    delivery_table: str
    delivery_queue_url: str
    pacing_queue_url: str
    slow_delivery_queue_url: str
    dead_letter_queue_arn: str
    event_dead_letter_queue_arn: str
    dead_letter_queue_url: str
    event_dead_letter_queue_url: str
    job_queue_url: str
    secret_key_id: str
    dispatcher_function: str
    endpoint_policy: EndpointPolicy
    max_webhooks_per_account: int
    event_retention_days: int
    log_retention_days: int
    member_index: MemberIndex
    dispatcher_timeout_seconds: int
    max_attempts: int
    retry_interval_seconds: int
    account_rate_limit: int
    account_burst_limit: int
    stack_name: str
    console_url: str = ""
    mail_sender: str = ""
    signal_bus_name: str = ""
    inbox_queue_url: str = ""
    inbox_dead_letter_queue_arn: str = ""
    inbox_dead_letter_queue_url: str = ""
    event_queue_url: str = ""
