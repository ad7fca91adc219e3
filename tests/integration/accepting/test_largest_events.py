"""An event at the limit goes all the way, whatever it is written with."""

import pytest

from perkwire.model.event import MAX_EVENT_BYTES
from perkwire.primitives.strict_json import Json, compact
from tests.integration.system import System, Tenant
from tests.receiver import Receiver


def an_event_of(fill: str) -> bytes:
    """An event of MAX_EVENT_BYTES that says little else."""
    value: dict[str, Json] = {"type": "custom.s", "data": {"x": "", "y": ""}}
    room, width = MAX_EVENT_BYTES - len(compact(value)), len(compact(fill)) - 2
    value["data"] = {"x": fill * (room // width), "y": "y" * (room % width)}
    return compact(value)


@pytest.mark.parametrize("fill", ["\x7f", "\x00", '"', "é", "\uffff", "\U0001f600"])
def test_the_largest_event_arrives_and_is_kept(
    system: System, tenant: Tenant, receiver: Receiver, fill: str
) -> None:
    endpoint = receiver.endpoint(500)
    tenant.webhook(endpoint.url)
    body = an_event_of(fill)
    answer = tenant.call("POST", "/v1/events", body)
    assert answer.status == 202

    system.route()
    system.dispatch()

    (request,) = endpoint.requests
    assert compact({"data": request.json["data"]})[1:-1] in body
    shown = tenant.get(f"/v1/events/{answer.json['id']}")
    (delivery,) = shown["deliveries"]
    assert delivery["status"] == "retrying"


def test_an_event_above_the_limit_is_refused_for_good(tenant: Tenant) -> None:
    body = an_event_of("\x7f").replace(b'"y":"', b'"y":"y')

    answer = tenant.call("POST", "/v1/events", body)

    assert answer.status == 413
    assert str(MAX_EVENT_BYTES) in answer.json["detail"]
