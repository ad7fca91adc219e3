"""CPU of an invocation of each function of the data path, by load and fan-out.

The loads are those of infra/calls.py: how many events a request has, how many messages or
deliveries an invocation. The real handlers in this process, the emulator and the endpoint in others
whose time does not count. Each figure is the least of all rounds: whatever else runs on the
machine makes an invocation dearer and never cheaper.

    python -m bench.bench_cpu [--rounds 15] [--write]

`--write` keeps the figures in infra/cpu.json, of which docs/cost.md is made.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from bench.handlers import a_system
from bench.servers import answer, running
from infra.calls import FAN_OUTS, LOADS, Load
from infra.cpu import FIGURES, FUNCTIONS, Milliseconds
from tests.aws_events import Context, http_api_event, sqs_event_of
from tests.integration.system import APPS, System, Tenant

BODY_OK = answer(b'{"status":"ok"}')
DATA = {
    "member": {"id": "m1", "attributes": {"note": "x" * 800}},
    "transaction": {"id": "t1", "points": 5},
}


def endpoint(_head: bytes, _body: bytes) -> bytes:
    """An endpoint's answer."""
    return BODY_OK


def spent(app: str, event: Mapping[str, Any]) -> float:
    """Milliseconds of CPU of an invocation, whose answer has to be good."""
    before = time.process_time()
    said = APPS[app].handler(event, Context())
    milliseconds = (time.process_time() - before) * 1e3
    if said.get("batchItemFailures") or said.get("statusCode", 202) != 202:
        raise SystemExit(f"{app} answered {said}")
    return milliseconds


def round_of(system: System, tenant: Tenant, load: Load) -> tuple[float, float, float]:
    """Of ingest, the router and the dispatcher, once each with this load."""
    body = json.dumps({"events": [{"type": "points.earned", "data": DATA}] * load.events}).encode()
    caller = {"account_id": tenant.id, "scopes": "events"}
    request = http_api_event("POST", "/v1/events", body=body, authorizer=caller)
    taken = min(spent("ingest", request) for _ in range(load.messages))
    events = system.receive("EventQueue", load.messages)
    if len(events) != load.messages:
        raise SystemExit(f"{len(events)} messages were received, not {load.messages}")
    routed = spent("router", sqs_event_of(events))
    deliveries = system.receive("DeliveryQueue", load.deliveries)
    if len(deliveries) != load.deliveries:
        raise SystemExit(f"{len(deliveries)} deliveries were received, not {load.deliveries}")
    sent = spent("dispatcher", sqs_event_of(deliveries))
    system.empty_queues()
    return taken, routed, sent


def measure(system: System, operator_key: str, url: str, rounds: int) -> Milliseconds:
    """The least of all rounds for each load, fan-out and function."""
    tenants: dict[int, Tenant] = {}
    for fan_out in FAN_OUTS:
        tenants[fan_out] = Tenant(system, operator_key)
        for position in range(fan_out):
            tenants[fan_out].webhook(f"{url}/{fan_out}/{position}")
    found: dict[tuple[str, int], list[Sequence[float]]] = {}
    for _ in range(rounds):
        for load in LOADS:
            for fan_out, tenant in tenants.items():
                times = round_of(system, tenant, load)
                found.setdefault((load.name, fan_out), []).append(times)
    return {
        load.name: {
            str(fan_out): {
                function: round(min(times), 1)
                for function, times in zip(
                    FUNCTIONS, zip(*found[load.name, fan_out], strict=True), strict=True
                )
            }
            for fan_out in FAN_OUTS
        }
        for load in LOADS
    }


def main() -> None:
    """Measure, print, and keep if asked to."""
    options = argparse.ArgumentParser(description="CPU of invocations by load")
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--write", action="store_true", help="keep the figures in infra/cpu.json")
    chosen = options.parse_args()
    with running(partial(endpoint)) as url, a_system() as (system, key):
        figures = measure(system, key, url, chosen.rounds)
    print(f"{'CPU of an invocation, ms':<26}" + "".join(f"{name:>12}" for name in FUNCTIONS))
    for load, fan_outs in figures.items():
        for fan_out, times in fan_outs.items():
            row = "".join(f"{times[name]:12.1f}" for name in FUNCTIONS)
            print(f"{load + ', F = ' + fan_out:<26}{row}")
    if chosen.write:
        kept = {"measured": f"{datetime.now(UTC):%Y-%m-%d}", "milliseconds": figures}
        FIGURES.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
