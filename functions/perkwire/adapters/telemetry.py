"""One JSON line for each thing worth telling, and a count of each kind of fault.

Fields are ids, statuses, numbers and error classes. A fault `delivery_not_logged` counts in the
metric `DeliveryNotLogged`; docs/operations.md lists them.
"""

import threading
import traceback
from typing import Protocol

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit


class LambdaContext(Protocol):
    """What we use of the context that Lambda gives a handler."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda stops the invocation."""
        ...


class Telemetry:
    """Fulfils journal.Journal with Powertools."""

    def __init__(self, service: str) -> None:
        self._logger = Logger(service=service, location=None)
        self._metrics = Metrics(namespace="Perkwire", service=service)
        self._counted = False
        self._lock = threading.Lock()  # the dispatcher's threads report too

    def begin(self, request_id: str) -> None:
        """Put the invocation's id on every line from now on."""
        self._logger.append_keys(request_id=request_id)

    def note(self, what: str, /, **fields: str | int | None) -> None:
        """A line at level INFO, without the fields that are None."""
        self._logger.info(what, extra=_present(fields))

    def fault(self, what: str, /, **fields: str | int | None) -> None:
        """A line at level ERROR, and one more in the metric of its name."""
        self._logger.error(what, extra=_present(fields))
        name = "".join(part.capitalize() for part in what.split("_"))
        with self._lock:
            self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
            self._counted = True

    def crash(self, what: str, error: BaseException) -> None:
        """A fault with where it happened: the trace names code, and the message is left out.

        What an exception says may hold what it was raised over.
        """
        place = "; ".join(
            f"{frame.name} ({frame.filename}:{frame.lineno})"
            for frame in traceback.extract_tb(error.__traceback__)[-6:]
        )
        self.fault(what, detail=type(error).__name__, at=place)

    def flush(self) -> None:
        """Write out the counts of this invocation, if there are any."""
        if self._counted:
            self._metrics.flush_metrics()
            self._counted = False


def _present(fields: dict[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in fields.items() if value is not None}
