"""The accounts that an operator names in events: whatever is named, what is wrong is said."""

import json
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.accepting.acceptance import Acceptance
from perkwire.primitives.ids import AccountId, is_account_id, new_account_id
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem
from tests.builders import ACCOUNT, NOW, an_account, an_operator, any_data, event_body
from tests.fakes import (
    FakeClaimTable,
    FakeClock,
    FakeConfigItems,
    FakeEventItems,
    FakeEventReader,
    FakeQueue,
    FakeTelemetry,
    FakeWebhookLookup,
)

FOREIGN = [
    "shop-42",
    "acct_",
    "acct_0000000000000001#keys",
    "acct_000000000000000",
    "acct_00000000000000011",
    "ACCT_0000000000000001",
    "acct_0000000000000001\n",
    "health#acct_0000000000000001",
    "accounts",
    "é" * 128,
]


class RefusedKeys(FakeWebhookLookup):
    """The table as ingest's role has it: AWS refuses to look for keys of another form."""

    def existing(self, account_ids: Collection[AccountId]) -> set[AccountId]:
        if not all(is_account_id(one) for one in account_ids):
            raise Unavailable("DynamoDB: AccessDeniedException")
        return super().existing(account_ids)


def acceptance() -> Acceptance:
    config = FakeConfigItems()
    config.put(an_account())
    clock = FakeClock(NOW)
    events = FakeEventItems()
    return Acceptance(
        claims=FakeClaimTable(events, event_retention_days=30, clock=clock),
        kept_events=FakeEventReader(events),
        accounts=RefusedKeys(config),
        queue=FakeQueue(),
        check_data=any_data,
        journal=FakeTelemetry(),
        clock=clock,
    )


def refusal(body: object) -> list[tuple[str, str]]:
    with pytest.raises(Problem) as raised:
        acceptance().accept(an_operator(), json.dumps(body).encode(), {})
    assert raised.value.status == 422
    errors = raised.value.document()["errors"]
    assert isinstance(errors, list)
    return [(one["field"], one["detail"]) for one in errors if isinstance(one, dict)]  # type: ignore[misc]


@pytest.mark.parametrize("named", FOREIGN)
def test_what_is_no_accounts_id_names_no_account(named: str) -> None:
    assert refusal(event_body(account_id=named)) == [("account_id", "names no account")]


def test_of_a_list_each_event_that_names_no_account_is_said() -> None:
    named = [ACCOUNT, "shop-42", "acct_zzzzzzzzzzzzzzzz", ACCOUNT, "shop-43"]

    assert refusal({"events": [event_body(account_id=one) for one in named]}) == [
        (f"events[{position}].account_id", "names no account") for position in (1, 2, 4)
    ]


@given(st.text(min_size=1, max_size=256))
def test_no_text_is_looked_for_under_a_key_that_would_be_refused(named: str) -> None:
    if not is_account_id(named):
        (error,) = refusal(event_body(account_id=named))
        assert error == ("account_id", "names no account")


def test_every_account_id_that_is_made_has_the_form() -> None:
    assert all(is_account_id(new_account_id()) for _ in range(100))
