"""The long crash test on the local system: `python -m tests.soak`.

While events come in through the HTTP API and the inbox, and are pulled, processes of functions are
killed (-9), the emulator is stopped cleanly and started again, endpoints change their minds,
webhooks are changed, and failed deliveries are sent again by a person and by jobs. Then everything
is let heal, dead letters are redriven, and each accepted event has to be accounted for at each
webhook, every repeat with the same ids, and at those who pull in the order of their lists.
`SOAK_SECONDS` (300) is how long it all takes, about; `SOAK_SEED` decides what happens, but not in
which microsecond.
"""

import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "functions"))

from tests.e2e.system import LocalSystem, free_port
from tests.receiver import Receiver
from tests.soak.world import World

_TROUBLE = 0.6  # of the time; the rest is for healing
_RESTART_EVERY_SECONDS = 45
_TICK_SECONDS = 0.4
_HEAL_SECONDS_AT_LEAST = 180


def main() -> int:
    """Make trouble, heal, account; the exit status is 1 for any loss or wrong repeat."""
    seconds = float(os.environ.get("SOAK_SECONDS", "300"))
    seed = int(os.environ.get("SOAK_SEED", str(random.SystemRandom().getrandbits(32))))
    say(f"Crash test of {seconds:.0f} s, SOAK_SEED={seed}")
    with LocalSystem(free_port()) as system, Receiver() as receiver:
        world = World(system, receiver, random.Random(seed))
        # A router's message that was cut off comes again after three minutes: too long to wait.
        world.shorten_time_out(15)
        with world.under_load():
            make_trouble(world, seconds * _TROUBLE)
        healed = world.heal(max(seconds * (1 - _TROUBLE), _HEAL_SECONDS_AT_LEAST))
        return report(world, healed)


def make_trouble(world: World, seconds: float) -> None:
    """Faults under load, for so long."""
    end = time.monotonic() + seconds
    restart = time.monotonic() + min(_RESTART_EVERY_SECONDS, seconds / 2)
    while time.monotonic() < end:
        for act, often in (
            (world.kill, 0.9),
            (world.change_mood, 0.15),
            (world.change_webhook, 0.1),
            (world.retry, 0.1),
            (world.begin_job, 0.1),
        ):
            if world.chance.random() < often:
                act()
        if time.monotonic() > restart:
            world.restart()
            restart = time.monotonic() + _RESTART_EVERY_SECONDS
        world.verify()
        time.sleep(_TICK_SECONDS)


def report(world: World, healed: bool) -> int:
    """Print the figures, and all that is wrong."""
    wrong = world.wrong()
    if not healed:
        wrong.append("there were messages left in the queues at the end")
    arrived = Counter(
        (request.path, event_id)
        for request in world.requests
        if request.succeeded
        for event_id in request.event_ids
    )
    say(
        f"{world.figures}; {len(arrived)} events at a webhook, {len(world.requests)} requests, "
        f"{arrived.total() - len(arrived)} repeats of a success, {len(wrong)} violations"
    )
    for line in wrong[:50]:
        say(line)
    return 1 if wrong or not world.figures.accepted else 0


def say(line: str) -> None:
    """Write a line for whoever watches."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
