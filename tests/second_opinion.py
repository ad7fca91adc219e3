"""moto's server, a second implementation of AWS beside the emulator: `make second-opinion`.

The contracts of the adapters run against it as they do against the emulator. What it does otherwise
stands here, test by test, with what it means; docs/local.md says it for people.
"""

import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

from infra.local.emulator import HOST, client

_START_SECONDS = 30

# The tests of adapters that may fail against moto, and why that is not ours to mend.
_TWO_WIN = "of writes under one condition at once, moto lets more than one succeed; DynamoDB one"
_SLOW = (
    "moto looks through all items for a query, and hundreds of them take longer than a count or a "
    "test may"
)
_NO_INSERT = "moto cannot read an INSERT with parameters, and the event goes the long way"
_WHOLE_BATCH = "of a batch that asks SQS for one wait too long moto takes nothing; SQS the others"
_OLD_HANDLE = "moto takes the handle of an earlier receive; the emulator and we do not"
DIFFERENCES = {
    "test_claims.py::test_of_many_at_once_one_takes": _TWO_WIN,
    "test_event_index.py::test_shards_are_read_as_one_in_either_direction": _SLOW,
    "test_job_store.py::test_of_many_at_once_one_is_added": _TWO_WIN,
    "test_job_store.py::test_a_month_is_counted_whole_by_many_threads": _SLOW,
    "test_unprocessed.py::test_only_a_name_that_is_not_inserted_is_put_again": _NO_INSERT,
    "test_notice_counts.py::test_an_hour_has_so_many_notices_under_any_race": _TWO_WIN,
    "test_notice_counts.py::test_of_many_notices_of_pauses_one_takes_and_none_is_lost": _TWO_WIN,
    "test_slots.py::test_of_many_at_once_each_has_slots_of_its_own": _TWO_WIN,
    "test_visibility.py::test_what_sqs_refuses_is_a_fault_of_its_own": _WHOLE_BATCH,
    "test_visibility.py::test_a_message_that_has_been_received_again_stays_as_it_is": _OLD_HANDLE,
    "test_sessions.py::test_of_many_at_once_one_gets_the_link": _TWO_WIN,
    "test_trial_counter.py::test_no_race_gets_past_the_limit": _TWO_WIN,
    "test_webhooks.py::test_of_many_with_one_url_at_once_one_is_added": _TWO_WIN,
    "test_webhooks.py::test_failures_counted_by_many_at_once_all_count": _TWO_WIN,
    "test_webhooks.py::test_of_many_who_would_tell_one_may": _TWO_WIN,
    "test_webhooks.py::test_of_many_who_pause_one_wins": _TWO_WIN,
}


class MotoServer:
    """A moto server on loopback, for the length of a `with`; it keeps nothing."""

    def __init__(self, port: int, home: Path) -> None:
        self.url = f"http://{HOST}:{port}"
        self._port = port
        self._log = home / "moto.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "--host", HOST, "--port", str(self._port)],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            running = self._process.poll() is None and time.monotonic() < deadline
            assert running, self._log.read_text(errors="replace")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def client(self, service: str) -> Any:  # noqa: ANN401 - one of boto3's generated classes
        """A client of a service of this server."""
        return client(service, self.url)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/moto-api/", timeout=1).close()  # noqa: S310
        except OSError:
            return False
        return True
