"""How long healthy webhooks wait while one of 50 times out, beside none, in a model of SQS.

The numbers are the template's defaults. It is a model because no emulator has fair queues: see
`bench.fair_queue` for what it takes over from AWS. The ten minutes are those before a webhook that
only times out is paused. In the first SETTLING_SECONDS of them nobody can know yet that it does.

    python -m bench.bench_isolation [--seconds 600]
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from bench.fair_queue import Load, Stack, Waits, simulate

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"
WEBHOOKS = 50
GOAL_SECONDS = 0.25
SETTLING_SECONDS = 30.0
MOST_IN_FLIGHT = 10_000
CASES = (  # its share of the deliveries, and all of them in a second
    (1 / WEBHOOKS, 100),
    (1 / WEBHOOKS, 250),
    (0.1, 25),
    (0.1, 100),
    (0.1, 250),
)
FAILING = Load(webhooks=WEBHOOKS, per_second=400, share=0.5, seconds=600, times_out=False)
"""One that fails 200 times a second, as fast as the others succeed."""
SEED = 1


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="isolation")
    parser.add_argument("--seconds", type=float, default=600)
    seconds = parser.parse_args().seconds
    stack = Stack.of_template(TEMPLATE)
    one_lane = replace(stack, slow_slots=0)
    print(f"wait of {WEBHOOKS - 1} healthy webhooks while another times out, in a model: {stack}")
    print("p50 of all, p99 of the first 30 s, and p99 from then on, when it is known that it does")
    print("| its share, all a second | none | one slow, one lane | one slow, two lanes | added |")
    print("|---|---|---|---|---|")
    for share, per_second in CASES:
        load = Load(webhooks=WEBHOOKS, per_second=per_second, share=share, seconds=seconds)
        floor = simulate(stack, replace(load, fails=False), SEED)
        single = simulate(one_lane, load, SEED)
        slow = simulate(stack, load, SEED)
        added = _settled(slow) - _settled(floor)
        verdict = "met" if added <= GOAL_SECONDS else "missed"
        print(
            f"| {share:.0%}, {per_second} | {_all(floor)} | {_all(single)} | {_all(slow)} "
            f"| {_ms(added)} ({_ms(GOAL_SECONDS)} {verdict}) |"
        )
    print()
    print("most in flight while a webhook fails 200 times a second")
    print("| | prompt lane | slow lane |")
    print("|---|---|---|")
    load = replace(FAILING, seconds=seconds)
    prompt, slow_lane = simulate(one_lane, load, SEED).most_in_flight
    print(f"| one lane | {prompt:,} | {slow_lane:,} |")
    prompt, slow_lane = simulate(stack, load, SEED).most_in_flight
    verdict = "met" if prompt < MOST_IN_FLIGHT else "missed"
    print(f"| two lanes | {prompt:,} ({MOST_IN_FLIGHT:,} {verdict}) | {slow_lane:,} |")


def _settled(waits: Waits) -> float:
    return waits.percentile(0.99, since=SETTLING_SECONDS)


def _all(waits: Waits) -> str:
    first = waits.percentile(0.99, until=SETTLING_SECONDS)
    return f"{_ms(waits.percentile(0.5))}, {_ms(first)}, {_ms(_settled(waits))}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
