"""A log entry written by hand is the one that pynamodb's models make."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.adapters.dynamodb.delivery_items import delivery_item, raw_item
from perkwire.adapters.dynamodb.delivery_table import DeliveryTable
from perkwire.model.delivery import Attempt, DeliveryStatus, Reason
from perkwire.model.sending import ErrorDetail, TransportError
from tests.builders import a_delivery
from tests.fakes import FakeTelemetry

DAYS = 30
wholes = st.integers(0, 2**53)
texts = st.text(st.characters(exclude_categories=["Cs"]))


def maybe(some: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | some


attempts = st.builds(
    Attempt,
    number=wholes,
    at=wholes,
    duration_ms=wholes,
    status_code=maybe(wholes),
    error=maybe(st.sampled_from(TransportError)),
    error_detail=maybe(st.sampled_from(ErrorDetail)),
    response=maybe(texts),
    location=maybe(texts),
    run=maybe(wholes),
)
entries = st.fixed_dictionaries(
    {
        "event_ids": st.lists(texts).map(tuple),
        "event_types": st.lists(texts).map(tuple),
        "run": wholes,
        "status": st.sampled_from(DeliveryStatus),
        "reason": maybe(st.sampled_from(Reason)),
        "attempts": st.lists(attempts, max_size=3).map(tuple),
        "due_at": maybe(wholes),
        "spent_after": maybe(wholes),
        "place": maybe(wholes),
        "erased": st.lists(texts).map(tuple),
        "created_at": wholes,
        "updated_at": wholes,
    }
)


@given(entries)
def test_an_entry_written_by_hand_is_the_models(fields: dict[str, Any]) -> None:
    delivery = a_delivery(**fields)
    table = DeliveryTable(None, FakeTelemetry(), log_retention_days=DAYS)  # type: ignore[arg-type]

    expires_at = table._expires_at(delivery)
    by_models = delivery_item(delivery, expires_at).serialize()

    assert raw_item(delivery, expires_at) == by_models


@pytest.mark.parametrize("status", DeliveryStatus)
def test_the_index_of_failures_holds_what_is_not_settled(status: DeliveryStatus) -> None:
    is_in_it = "failed_key" in raw_item(a_delivery(status=status), 0)

    assert is_in_it == (status in (DeliveryStatus.FAILED, DeliveryStatus.RETRYING))
