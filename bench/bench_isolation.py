"""How long healthy webhooks wait while one of 50 times out, beside none, in a model of SQS's queue.

The numbers are the template's defaults. It is a model because no emulator has fair queues: see
`bench.fair_queue` for what it takes over from AWS. The ten minutes are those before a webhook that
only times out is paused.

    python -m bench.bench_isolation [--seconds 600]
"""

import argparse
from dataclasses import replace
from pathlib import Path

from bench.fair_queue import Load, Stack, Waits, simulate

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"
WEBHOOKS = 50
GOAL_SECONDS = 0.25
CASES = (  # its share of the deliveries, all of them in a second, and more invocations at a time
    (1 / WEBHOOKS, 100, 1),
    (1 / WEBHOOKS, 250, 1),
    (1 / WEBHOOKS, 250, 2),
    (0.1, 25, 1),
    (0.1, 100, 1),
    (0.1, 100, 4),
)
SEED = 1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="isolation")
    parser.add_argument("--seconds", type=float, default=600)
    seconds = parser.parse_args().seconds
    stack = Stack.of_template(TEMPLATE)
    print(f"wait of {WEBHOOKS - 1} healthy webhooks while another times out, in a model: {stack}")
    print("| its share, all a second, invocations | none p50, p99 | one slow p50, p99 | added |")
    print("|---|---|---|---|")
    for share, per_second, times in CASES:
        load = Load(
            webhooks=WEBHOOKS, per_second=per_second, share=share, seconds=seconds, times_out=True
        )
        own = replace(stack, slots=stack.slots * times)
        floor = simulate(own, replace(load, times_out=False), SEED)
        slow = simulate(own, load, SEED)
        added = slow.percentile(0.99) - floor.percentile(0.99)
        verdict = "met" if added <= GOAL_SECONDS else "missed"
        print(
            f"| {share:.0%}, {per_second}, {own.slots} | {_both(floor)} | {_both(slow)} "
            f"| {_ms(added)} ({_ms(GOAL_SECONDS)} {verdict}) |"
        )


def _both(waits: Waits) -> str:
    return f"{_ms(waits.percentile(0.5))}, {_ms(waits.percentile(0.99))}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
