"""Events routed for the dispatcher, and the attempts of what became of them."""

from typing import Any

from tests.integration.system import System, Tenant


def route(system: System, tenant: Tenant, *events: dict[str, Any]) -> list[str]:
    """Post events, or one, and bring them as far as DeliveryQueue."""
    event_ids = tenant.post(*(events or (tenant.an_event(),)))
    system.route()
    return event_ids


def attempts_of(delivery: dict[str, Any]) -> list[tuple[int, int | str]]:
    return [
        (attempt["number"], attempt.get("status_code") or attempt["error"])
        for attempt in delivery["attempts"]
    ]
