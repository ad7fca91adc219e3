"""The long crash test on the local system: `python -m tests.soak`.

While events come in through the HTTP API, processes of functions are killed (-9), the emulator is
stopped cleanly and started again, and endpoints change their minds. Then everything is let heal,
dead letters are redriven, and each accepted event has to be accounted for at each webhook, every
repeat with the same ids. `SOAK_SECONDS` (300) is how long it all takes, about; `SOAK_SEED` decides
what happens, but not in which microsecond.
"""

import os
import random
import sys
import time
from collections import Counter

from tests.e2e.system import LocalSystem, free_port
from tests.invariant import violations
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
        _shorten_time_outs(world)
        make_trouble(world, seconds * _TROUBLE)
        healed = heal(world, max(seconds * (1 - _TROUBLE), _HEAL_SECONDS_AT_LEAST))
        return report(world, healed)


def make_trouble(world: World, seconds: float) -> None:
    """Load and faults, side by side, for so long."""
    end = time.monotonic() + seconds
    restart = time.monotonic() + min(_RESTART_EVERY_SECONDS, seconds / 2)
    while time.monotonic() < end:
        world.post()
        if world.chance.random() < 0.35:
            world.kill()
        if world.chance.random() < 0.15:
            world.change_mood()
        if time.monotonic() > restart:
            world.restart()
            restart = time.monotonic() + _RESTART_EVERY_SECONDS
        world.verify()
        time.sleep(_TICK_SECONDS)


def heal(world: World, seconds: float) -> bool:
    """No more faults, and dead letters are redriven; whether no message is left in time."""
    world.be_well()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if world.has_unanswered:
            world.post()
        world.redrive()
        world.verify()
        if not world.has_unanswered and not world.under_way():
            return True
        time.sleep(1)
    return False


def report(world: World, healed: bool) -> int:
    """Print the figures, and all that is wrong."""
    requests, matched = world.requests, world.matched
    wrong = violations(world.account, matched, requests)
    arrived = Counter(
        (position, event_id)
        for position, endpoint in enumerate(world.endpoints)
        for request in endpoint.requests
        if request.succeeded
        for event_id in request.event_ids
    )
    wanted = {(position, one) for position in range(len(world.endpoints)) for one in matched}
    wrong += [f"{one} has not arrived at endpoint {at}" for at, one in wanted - arrived.keys()]
    if not healed:
        wrong.append("there were messages left in the queues at the end")
    figures = world.figures
    say(
        f"{figures.accepted} events accepted ({figures.posts_repeated} posts repeated), "
        f"{len(wanted)} deliveries, {len(requests)} requests, "
        f"{sum(arrived.values()) - len(arrived)} repeats of a success, "
        f"{figures.kills} kills, {figures.restarts} restarts, {figures.moods} changes of mood, "
        f"{figures.redriven} dead letters redriven, {len(wrong)} violations"
    )
    for line in wrong[:50]:
        say(line)
    return 1 if wrong or not figures.accepted else 0


def say(line: str) -> None:
    """Write a line for whoever watches."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _shorten_time_outs(world: World) -> None:
    # A router's message that was cut off comes again after three minutes: too long to wait for.
    world.system.sqs.set_queue_attributes(
        QueueUrl=world.system.local["EventQueueUrl"], Attributes={"VisibilityTimeout": "15"}
    )


if __name__ == "__main__":
    sys.exit(main())
