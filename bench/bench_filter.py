"""What a filter costs the router: ten conditions on an event of a kilobyte.

python -m bench.bench_filter [--rounds 20000]
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from perkwire.model.event import Event
from perkwire.model.event_pattern import EventPattern, read_pattern, stored_pattern
from perkwire.primitives.ids import EventId
from perkwire.primitives.strict_json import Json

GOAL_MICROSECONDS = 20
PATTERN: Json = {
    "type": ["points.earned", "points.adjusted"],
    "program_id": [{"anything-but": "staff"}],
    "data": {
        "transaction": {
            "points": [{"numeric": [">=", 100, "<", 5000]}],
            "reason": [{"prefix": "purchase"}],
        },
        "member": {
            "tier": {"name": ["gold", "platinum"]},
            "email": [{"suffix": "@zylker.com"}],
            "address": {"country": [{"equals-ignore-case": "nl"}]},
            "blocked": [{"exists": False}],
        },
        "order": {
            "channel": [{"wildcard": "shop-*-nl"}],
            "lines": {"sku": [{"anything-but": {"prefix": "gift"}}]},
        },
    },
}
DATA: dict[str, Json] = {
    "member": {
        "id": "m-20417",
        "email": "ann@zylker.com",
        "tier": {"id": "t-3", "name": "gold"},
        "address": {"line1": "Singel 1", "city": "Amsterdam", "country": "NL"},
    },
    "transaction": {"id": "tx-1", "points": 120, "reason": "purchase in a shop"},
    "order": {
        "id": "order-7",
        "channel": "shop-12-nl",
        "lines": [
            {"sku": f"mug-{number}", "name": "A mug of one colour", "quantity": 1, "price": 12.5}
            for number in range(8)
        ],
    },
    "note": "n" * 150,
}


def microseconds(rounds: int) -> float:
    """CPU of one look at an event that matches, as the router has it: the least of five runs."""
    read = read_pattern(PATTERN)
    if not isinstance(read, EventPattern):
        raise TypeError(read)
    event = Event(
        id=EventId("evt_1"),
        type="points.earned",
        accepted_at=1_790_000_000_000_000,
        occurred_at=1_790_000_000_000_000,
        program_id="club",
        data=DATA,
    )
    if not stored_pattern(read.text).matches(event):
        raise ValueError(read.misfit(event))

    def run() -> float:
        begun = time.process_time()
        for _ in range(rounds):
            stored_pattern(read.text).matches(event)
        return (time.process_time() - begun) / rounds * 1_000_000

    return min(run() for _ in range(5))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a filter costs the router.")
    parser.add_argument("--rounds", type=int, default=20_000)
    rounds = parser.parse_args().rounds
    size = len(json.dumps(DATA))
    sys.stdout.write(
        f"a filter of ten conditions on an event of {size} bytes: {microseconds(rounds):.1f} µs "
        f"(goal: {GOAL_MICROSECONDS})\n"
    )


if __name__ == "__main__":
    main()
