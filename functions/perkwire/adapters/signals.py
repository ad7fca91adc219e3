"""EventBridge: signals, each once, to one bus."""

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perkwire.adapters import aws
from perkwire.adapters.aws import SignalClient, failure
from perkwire.model.signals import Signal
from perkwire.primitives.journal import Journal
from perkwire.primitives.timestamps import MICROSECONDS

if TYPE_CHECKING:
    from pynamodb.connection import Connection

SOURCE = "perkwire"
"""What template.yaml lets the functions call themselves, and nothing else."""

_MOST_ENTRIES = 10  # of one call


class EventBridgeSignals:
    """Fulfils signals.Signals."""

    def __init__(self, client: SignalClient, bus: str, journal: Journal) -> None:
        self._client = client
        self._bus = bus
        self._journal = journal

    def send(self, signals: Sequence[Signal]) -> None:
        """Hand them over; the first call that fails is the last, as little time may be left."""
        left = len(signals)
        for some in itertools.batched(signals, _MOST_ENTRIES, strict=False):
            try:
                refused = self._put(some)
            except Exception as error:  # a signal must not change what it tells of
                self._fault(signals, left, failure(error))
                return
            if refused is not None:
                self._fault(some, *refused)
            left -= len(some)

    def _put(self, signals: Sequence[Signal]) -> tuple[int, str] | None:
        """How many EventBridge has refused of those that it has taken, and why."""
        answer = self._client.put_events(Entries=[self._entry(one) for one in signals])
        refused = [one["ErrorCode"] for one in answer["Entries"] if one.get("ErrorCode")]
        return (len(refused), str(refused[0])) if refused else None

    def _entry(self, signal: Signal) -> dict[str, object]:
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": signal.kind,
            "Detail": json.dumps(signal.to_json()),
            "Time": datetime.fromtimestamp(signal.at // MICROSECONDS, UTC),
        }

    def _fault(self, signals: Sequence[Signal], count: int, detail: str) -> None:
        self._journal.fault(
            "signal_not_sent",
            kinds=", ".join(sorted({one.kind for one in signals})),
            signals=count,
            detail=detail,
        )


def signals_to(bus: str, connection: "Connection", journal: Journal) -> EventBridgeSignals | None:
    """Where signals go; None without a bus: then nothing is made for them."""
    return EventBridgeSignals(aws.events(connection), bus, journal) if bus else None
