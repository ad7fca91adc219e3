"""Ids that we make up are not the caller's to choose; what is shown may be posted again."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from perkwire.model.event import Event
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.ids import (
    AccountId,
    EventId,
    event_id_for_key,
    is_own,
    new_account_id,
    new_event_id,
    new_job_id,
    new_key_id,
    new_sample_event_id,
    new_test_delivery_id,
    new_test_event_id,
    new_webhook_id,
)
from perkwire.primitives.strict_json import Json
from tests.builders import ACCOUNT, NOW, OTHER_ACCOUNT, a_webhook, an_operator, event_body
from tests.unit.accepting.test_accepting import Ingest, fields_of

MADE_UP = [
    new_account_id(),
    new_webhook_id(),
    new_key_id(),
    new_job_id(NOW),
    new_event_id(NOW),
    new_test_event_id(NOW),
    new_sample_event_id(NOW),
    new_test_delivery_id(NOW),
    event_id_for_key(ACCOUNT, "import-7", 0),
]


@pytest.fixture
def ingest() -> Ingest:
    return Ingest()


def route(ingest: Ingest, account_id: AccountId = ACCOUNT) -> Event:
    """Keep the event that was queued last."""
    _, event = ingest.queued()[-1]
    routed = RoutedEvent(account_id=account_id, event=event, deliveries={})
    ingest.events.events[routed.key] = routed
    return event


@pytest.mark.parametrize(
    "event_id",
    [*MADE_UP, "evt_X", "sample-1", "wh_", "job_order"],
    ids=lambda event_id: event_id.rstrip("0123456789abcdefghijklmnopqrstuvwxyz"),
)
def test_no_id_of_ours_is_a_callers_to_choose(ingest: Ingest, event_id: str) -> None:
    assert is_own(event_id)

    problem = ingest.refusal(event_body(id=event_id))

    assert (problem.status, fields_of(problem)) == (422, ["id"])
    assert ingest.queued() == []
    assert ingest.events.claims == {}


@pytest.mark.parametrize(
    "event_id", ["order-1", "event_1", "EVT_1", "evt-1", "samples-1", "jobs_1"]
)
def test_any_other_id_is(ingest: Ingest, event_id: str) -> None:
    assert ingest.post(event_body(id=event_id)) == {"id": event_id, "duplicate": False}


def test_an_event_of_ours_may_come_again_as_it_is(ingest: Ingest) -> None:
    event_id = ingest.post(event_body())["id"]
    route(ingest)

    again = ingest.post(event_body(id=event_id))

    assert again == {"id": event_id, "duplicate": True}
    assert ingest.queued_ids() == [event_id]


@pytest.mark.parametrize(
    "forged", [{"data": {"points": 9}}, {"program_id": "gold"}, {"type": "custom.x"}]
)
def test_never_with_another_body(ingest: Ingest, forged: dict[str, Json]) -> None:
    event_id = ingest.post(event_body())["id"]
    route(ingest)

    problem = ingest.refusal({"events": [event_body(), event_body(id=event_id, **forged)]})

    assert (problem.status, fields_of(problem)) == (422, ["events[1].id"])
    assert ingest.queued_ids() == [event_id]


def test_never_before_it_is_kept(ingest: Ingest) -> None:
    event_id = ingest.post(event_body(), "import-7")["id"]

    assert ingest.refusal(event_body(id=event_id)).status == 422


def test_never_in_another_account(ingest: Ingest) -> None:
    operator = an_operator()
    event_id = ingest.post(event_body(account_id=ACCOUNT), caller=operator)["id"]
    route(ingest)
    foreign = event_body(id=event_id, account_id=OTHER_ACCOUNT)

    assert ingest.refusal(foreign, caller=operator).status == 422
    own = ingest.post(event_body(id=event_id, account_id=ACCOUNT), caller=operator)
    assert own == {"id": event_id, "duplicate": True}


def test_only_such_ids_cost_a_look_at_the_kept_events(ingest: Ingest) -> None:
    ingest.post({"events": [event_body(), event_body(id="order-1")]}, "import-7")

    assert ingest.kept_events.calls == {}


@pytest.mark.parametrize("event_id", ["order-1", None])
def test_what_is_shown_of_an_event_may_be_posted(ingest: Ingest, event_id: str | None) -> None:
    posted: dict[str, Any] = event_body() if event_id is None else event_body(id=event_id)
    answered = ingest.post(posted)
    event = route(ingest)
    shown = posted | {
        "id": event.id,
        "program_id": None,
        "occurred_at": None,
        "accepted_at": "2026-11-21T09:30:00.000000Z",
        "deliveries": [{"webhook_id": a_webhook().id, "id": "dlv_1", "status": "pending"}],
    }

    assert ingest.post(shown) == answered | {"duplicate": True}

    assert ingest.queued_ids() == [EventId(answered["id"])]


@pytest.mark.parametrize("name", ["id", "type", "data", "account_id"])
def test_null_stands_for_nothing_else(ingest: Ingest, name: str) -> None:
    assert fields_of(ingest.refusal(event_body(**{name: None}))) == [name]


def test_a_number_is_the_same_however_it_is_written(ingest: Ingest) -> None:
    def of(points: str) -> bytes:
        return f'{{"id":"order-1","type":"custom.a","data":{{"points":{points}}}}}'.encode()

    ingest.post_bytes(of("1.0"))

    for same in ("1", "1.0", "1.00", "1e0", "0.1e1"):
        assert ingest.post_bytes(of(same)) == {"id": "order-1", "duplicate": True}
    for other in ("2", "1.5", "true", '"1.0"'):
        assert ingest.refusal(json.loads(of(other))).status == 422


def test_a_claim_of_a_former_release_is_recognised(ingest: Ingest) -> None:
    body = event_body(id="order-1", type="custom.a", data={"points": 1.0})
    ingest.post(body)
    ((claim, expires_at),) = ingest.events.claims.values()
    said = json.dumps(["custom.a", None, None, {"points": 1.0}], sort_keys=True)
    former = hashlib.sha256(said.encode()).hexdigest()
    assert former != claim.digest
    ingest.events.claims[claim.key] = (replace(claim, digest=former), expires_at)

    assert ingest.post(body) == {"id": "order-1", "duplicate": True}
