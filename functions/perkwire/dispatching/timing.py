"""How long the steps of an invocation may take."""

from collections.abc import Callable
from concurrent.futures import Executor

from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.journal import Unavailable

LOG_SECONDS = 0.2
"""What the log needs once the last request is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchRule:
    """The stack's parameters for dispatching; `request_seconds` is the time-out of a request.

    `log_successes`: whether a success is a line of the function's log, too.
    """

    max_attempts: int
    retry_interval_seconds: int
    request_seconds: float
    log_successes: bool


def in_time[T](executor: Executor, seconds_left: Callable[[], float], step: Callable[[], T]) -> T:
    """What a step gives; raises Unavailable if it has not ended in time."""
    try:
        (result,) = executor.map(lambda _: step(), (None,), timeout=max(0.0, seconds_left()))
    except TimeoutError as error:
        raise Unavailable("no answer in the time that was left") from error
    return result
