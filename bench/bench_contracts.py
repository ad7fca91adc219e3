"""CPU time to render a contract's body, beside formats in code.

A contract of 20 leaves, the built-in ones, and Zoho Thrive's body of the same event once in code
and once as a contract with the same bytes. Rounds are interleaved, the best of each is taken.

    python -m bench.bench_contracts [--rounds 9]
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from perkwire.catalogue.event_types import event_types
from perkwire.formats.contracts.built_in import BUILT_IN
from perkwire.formats.contracts.contract import read_contract
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Format, Payload
from perkwire.formats.registry import FORMATS
from perkwire.primitives.fields import Fields
from tests.builders import a_payload, an_event
from tests.unit.formats.contracts.rewritten import QUALIFIO, STANDARD, ZOHO_THRIVE

GOAL_MICROSECONDS = 100
GOAL_AGAINST_CODE = 2
LEAVES = 20
_TURNS = 200
_PATHS = ("data.member.email", "data.transaction.points", "iso_ms(event.timestamp)", "event.id")


def contract_of(leaves: int) -> ContractFormat:
    """A contract whose body has so many expressions."""
    body = {f"member_{position}": f"={_PATHS[position % 4]}" for position in range(leaves)}
    written = {"name": "bench", "version": "1", "events": {"*": "{type}"}, "body": body}
    return ContractFormat(read_contract(written))  # type: ignore[arg-type]


def payload(format_: Format, event_type: str) -> Payload:
    """A delivery of the catalogue's example."""
    event = an_event(type=event_type, data=event_types()[event_type].example, program_id="7")
    return a_payload(event, settings=format_.read_settings(Fields({})))


def microseconds(render: Callable[[], bytes]) -> float:
    """CPU time of one call."""
    before = time.process_time()
    for _ in range(_TURNS):
        render()
    return (time.process_time() - before) / _TURNS * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the rendering of contracts.")
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    twenty, zoho = contract_of(LEAVES), ContractFormat(read_contract(ZOHO_THRIVE))
    measured: dict[str, tuple[Format, str]] = {
        f"a contract of {LEAVES} leaves": (twenty, "points.earned"),
        "Zoho Thrive in code": (FORMATS["zoho-thrive"], "tier.upgraded"),
        "Zoho Thrive as a contract": (zoho, "tier.upgraded"),
        "standard in code": (FORMATS["standard"], "points.earned"),
        "standard as a contract": (ContractFormat(read_contract(STANDARD)), "points.earned"),
        "Qualifio in code": (FORMATS["qualifio"], "points.earned"),
        "Qualifio as a contract": (ContractFormat(read_contract(QUALIFIO)), "points.earned"),
        **{name: (FORMATS[name], "points.earned") for name in BUILT_IN},
    }
    calls = {
        name: partial(format_.render, payload(format_, kind))
        for name, (format_, kind) in measured.items()
    }
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            best[name] = min(best[name], microseconds(call))
    print("Rendering one event, CPU")
    for name, found in best.items():
        print(f"  {name:28} {found:7.1f} µs")
    against = best["Zoho Thrive as a contract"] / best["Zoho Thrive in code"]
    print(f"  goal: at most {GOAL_MICROSECONDS} µs for {LEAVES} leaves")
    print(
        f"  the same format as a contract, against code: {against:.2f} (goal {GOAL_AGAINST_CODE})"
    )


if __name__ == "__main__":
    main()
