"""Attempts lost to connections that a server closes while they are idle.

Servers close after 1, 2 and 5 idle seconds, with and without 80 ms of round trip on the wire; each
sender waits, after each answer, about as long as the server does. What counts is how many of the
attempts fail: none may.

    python -m bench.bench_idle [--attempts 1000]
"""

import argparse
import random
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from bench.idle_servers import idle_server
from perkwire.adapters.sender.http import HttpSender
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.sending import Request, Response

IDLE_SECONDS = (1.0, 2.0, 5.0)
ONE_WAY_SECONDS = (0.0, 0.04)
AROUND_SECONDS = 0.05
SENDERS = 20


class Tally:
    """How many attempts there were, how many of them failed, and how many went out twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.attempts = self.lost = self.twice = 0

    def add(self, *, lost: bool, twice: bool) -> None:
        """Count one attempt."""
        with self._lock:
            self.attempts += 1
            self.lost += lost
            self.twice += twice


def attempts(idle_seconds: float, one_way_seconds: float, count: int, senders: int) -> Tally:
    """So many attempts at a server, by senders side by side, each with a connection of its own."""
    tally = Tally()
    with idle_server(idle_seconds, one_way_seconds) as url, ThreadPoolExecutor(senders) as threads:
        shares = [len(range(number, count, senders)) for number in range(senders)]
        for done in [
            threads.submit(_keep_sending, url, idle_seconds, one_way_seconds, share, tally)
            for share in shares
        ]:
            done.result()
    return tally


def _keep_sending(
    url: str, idle_seconds: float, one_way_seconds: float, count: int, tally: Tally
) -> None:
    sender = HttpSender(timeout_seconds=10, policy=EndpointPolicy.LOCAL)
    chance = random.Random(f"{url} {threading.get_ident()}")  # noqa: S311  # gaps, no secrets
    twice: list[Request] = []

    def anew() -> Request:
        twice.append(request)
        return request

    request = Request(url, b"{}", {"content-type": "application/json"}, anew)
    for number in range(count):
        if number:
            # The server's count has begun, and its end is seen, a way and a way back later.
            about = idle_seconds - 2 * one_way_seconds
            time.sleep(max(0.0, about + chance.uniform(-AROUND_SECONDS, AROUND_SECONDS)))
        twice.clear()
        outcome = sender.send(request)
        lost = not (isinstance(outcome, Response) and outcome.status == 200)
        tally.add(lost=lost, twice=bool(twice))
    sender.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; fails if an attempt is lost."""
    options = argparse.ArgumentParser(description="attempts lost to idle connections")
    options.add_argument("--attempts", type=int, default=1000)
    chosen = options.parse_args(arguments)
    cases = [(idle, way) for idle in IDLE_SECONDS for way in ONE_WAY_SECONDS]
    share = -(-chosen.attempts // len(cases))
    with ThreadPoolExecutor(len(cases)) as threads:
        tallies = list(threads.map(lambda case: attempts(case[0], case[1], share, SENDERS), cases))
    sys.stdout.write(
        f"{'idle s':>6} {'round trip ms':>13} {'attempts':>8} {'twice':>6} {'lost':>5}\n"
    )
    for (idle, way), tally in zip(cases, tallies, strict=True):
        figures = f"{tally.attempts:8} {tally.twice:6} {tally.lost:5}"
        sys.stdout.write(f"{idle:6.0f} {2000 * way:13.0f} {figures}\n")
    if any(tally.lost for tally in tallies):
        raise SystemExit("attempts were lost")


if __name__ == "__main__":
    main()
