"""POST /v1/events: all or nothing, 202 only once the queue holds it, repeats harmless."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from perkwire.accepting.acceptance import Acceptance, Claim
from perkwire.model.account import Caller, Scope
from perkwire.model.event import Event
from perkwire.model.messages import read_event_message
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.builders import (
    ACCOUNT,
    NOW,
    OTHER_ACCOUNT,
    a_caller,
    an_account,
    an_operator,
    any_data,
    event_body,
)
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

DAY = 86_400


class Ingest:
    """Acceptance with fakes around it; `post` answers the 202's body or raises Problem."""

    def __init__(self) -> None:
        self.config = FakeConfigItems()
        self.config.put(an_account(), an_account(id=OTHER_ACCOUNT))
        self.lookup = FakeWebhookLookup(self.config)
        self.clock = FakeClock(NOW)
        self.events = FakeEventItems()
        self.claims = FakeClaimTable(self.events, event_retention_days=30, clock=self.clock)
        self.kept_events = FakeEventReader(self.events)
        self.queue = FakeQueue()
        self.journal = FakeTelemetry()

    def post(self, body: Json, key: str | None = None, caller: Caller | None = None) -> Any:  # noqa: ANN401
        return self.post_bytes(json.dumps(body).encode(), key, caller)

    def post_bytes(self, body: bytes, key: str | None = None, caller: Caller | None = None) -> Json:
        headers = {} if key is None else {"idempotency-key": key}
        return self.send(body, headers, caller)

    def send(self, body: bytes, headers: Mapping[str, str], caller: Caller | None = None) -> Json:
        acceptance = Acceptance(
            claims=self.claims,
            kept_events=self.kept_events,
            accounts=self.lookup,
            queue=self.queue,
            check_data=any_data,
            journal=self.journal,
            clock=self.clock,
        )
        return acceptance.accept(caller or a_caller(), body, headers)

    def refusal(self, body: Json, key: str | None = None, caller: Caller | None = None) -> Problem:
        with pytest.raises(Problem) as raised:
            self.post(body, key, caller)
        return raised.value

    def queued(self) -> list[tuple[AccountId, Event]]:
        """Every event that the queue holds, as often as it does."""
        messages = [read_event_message(one.body) for one in self.queue.messages]
        return [(message.account_id, event) for message in messages for event in message.events]

    def queued_ids(self) -> list[EventId]:
        return [event.id for _, event in self.queued()]


@pytest.fixture
def ingest() -> Ingest:
    return Ingest()


def fields_of(problem: Problem) -> list[str]:
    errors: Any = problem.document().get("errors", [])
    return [error["field"] for error in errors]


# One event, many events.


def test_one_event_is_answered_with_its_id_once_the_queue_holds_it(ingest: Ingest) -> None:
    answer = ingest.post(
        event_body(program_id="gold", occurred_at="2026-11-21T09:30:00+01:00", data={"points": 1.5})
    )

    ((account_id, event),) = ingest.queued()
    assert answer == {"id": event.id, "duplicate": False}
    assert account_id == ACCOUNT
    assert event == Event(
        id=event.id,
        type="points.earned",
        accepted_at=NOW,
        occurred_at=1_795_249_800_000_000,
        program_id="gold",
        data={"points": 1.5},
    )


def test_many_events_are_answered_one_by_one_and_accepted_in_their_order(ingest: Ingest) -> None:
    answer = ingest.post({"events": [event_body(data={"n": n}) for n in range(3)]})

    events = [event for _, event in ingest.queued()]
    assert answer == {"events": [{"id": event.id, "duplicate": False} for event in events]}
    assert [event.data["n"] for event in events] == [0, 1, 2]
    assert [event.accepted_at for event in events] == [NOW, NOW + 1, NOW + 2]
    assert len(ingest.queue.messages) == 1


def test_a_list_of_one_is_answered_as_a_list(ingest: Ingest) -> None:
    assert [*ingest.post({"events": [event_body()]})] == ["events"]


def test_an_event_may_bring_its_own_id(ingest: Ingest) -> None:
    assert ingest.post(event_body(id="order-7")) == {"id": "order-7", "duplicate": False}
    assert ingest.queued_ids() == ["order-7"]


def test_the_queues_group_is_the_account(ingest: Ingest) -> None:
    ingest.post(event_body())

    assert [message.group for message in ingest.queue.messages] == [ACCOUNT]


def test_the_largest_request_is_taken_in_messages_that_sqs_can_hold(ingest: Ingest) -> None:
    # Two bytes in UTF-8 are six in the ASCII that the queue carries.
    body = {"events": [event_body(data={"text": "é" * 100_000}) for _ in range(5)]}
    text = json.dumps(body, ensure_ascii=False).encode()
    assert len(text) <= 1024 * 1024

    ingest.post_bytes(text)

    assert len(ingest.queued()) == 5
    assert all(len(message.body) < 1024 * 1024 for message in ingest.queue.messages)


def test_events_without_id_or_key_cost_no_claim(ingest: Ingest) -> None:
    ingest.post({"events": [event_body(), event_body()]})

    assert ingest.claims.calls.total() == 0


def test_the_same_event_twice_without_id_or_key_is_two_events(ingest: Ingest) -> None:
    first, second = ingest.post(event_body()), ingest.post(event_body())

    assert first["id"] != second["id"]
    assert len(ingest.queued()) == 2


# Who may post, and for whom.


def test_a_key_without_the_scope_is_refused(ingest: Ingest) -> None:
    assert ingest.refusal(event_body(), caller=a_caller(ACCOUNT, Scope.WEBHOOKS)).status == 403
    assert ingest.queue.messages == []


def test_an_accounts_key_may_not_name_an_account_not_even_its_own(ingest: Ingest) -> None:
    problem = ingest.refusal({"events": [event_body(), event_body(account_id=ACCOUNT)]})

    assert problem.status == 403
    assert fields_of(problem) == ["events[1].account_id"]
    assert ingest.queue.messages == []


def test_every_event_that_an_accounts_key_names_an_account_in_is_told_of(ingest: Ingest) -> None:
    names: list[dict[str, Json]] = [{"account_id": ACCOUNT}, {}, {"account_id": OTHER_ACCOUNT}]

    problem = ingest.refusal({"events": [event_body(**name) for name in names]})

    assert problem.status == 403
    assert fields_of(problem) == ["events[0].account_id", "events[2].account_id"]
    assert ingest.lookup.calls.total() == 0


def test_a_key_of_no_account_that_is_no_operators_posts_nothing(ingest: Ingest) -> None:
    nobody = Caller(None, frozenset({Scope.EVENTS}))

    assert ingest.refusal(event_body(), caller=nobody).status == 403
    assert ingest.refusal(event_body(account_id=ACCOUNT), caller=nobody).status == 403


def test_an_operator_must_name_an_account(ingest: Ingest) -> None:
    problem = ingest.refusal(event_body(), caller=an_operator())

    assert problem.status == 422
    assert fields_of(problem) == ["account_id"]


def test_an_operator_is_told_of_every_account_that_is_missing_or_unknown(ingest: Ingest) -> None:
    names: list[dict[str, Json]] = [{}, {"account_id": ACCOUNT}, {"account_id": "acct_no"}, {}]

    problem = ingest.refusal(
        {"events": [event_body(**name) for name in names]}, caller=an_operator()
    )

    assert problem.status == 422
    assert problem.document()["errors"] == [
        {"field": "events[0].account_id", "detail": "is required with an operator's API key"},
        {"field": "events[2].account_id", "detail": "names no account"},
        {"field": "events[3].account_id", "detail": "is required with an operator's API key"},
    ]
    assert ingest.queue.messages == []


def test_an_operators_account_must_exist(ingest: Ingest) -> None:
    events: list[Json] = [event_body(account_id=name) for name in (ACCOUNT, "acct_no", "acct_nil")]

    problem = ingest.refusal({"events": events}, caller=an_operator())

    assert problem.status == 422
    assert fields_of(problem) == ["events[1].account_id", "events[2].account_id"]
    assert ingest.queue.messages == []


def test_an_operators_events_go_to_the_accounts_named(ingest: Ingest) -> None:
    ingest.post(
        {"events": [event_body(account_id=name) for name in (ACCOUNT, OTHER_ACCOUNT, ACCOUNT)]},
        caller=an_operator(),
    )

    assert [account_id for account_id, _ in ingest.queued()] == [ACCOUNT, ACCOUNT, OTHER_ACCOUNT]
    assert [message.group for message in ingest.queue.messages] == [ACCOUNT, OTHER_ACCOUNT]


def test_the_accounts_own_key_costs_no_read_of_accounts(ingest: Ingest) -> None:
    ingest.post(event_body())

    assert ingest.lookup.calls.total() == 0


def test_if_accounts_cannot_be_read_nothing_is_sent(ingest: Ingest) -> None:
    ingest.lookup.fail("existing")

    with pytest.raises(Unavailable):
        ingest.post(event_body(account_id=ACCOUNT), caller=an_operator())

    assert ingest.queue.messages == []


# Validation is all or nothing.


def test_one_wrong_event_stops_the_others(ingest: Ingest) -> None:
    problem = ingest.refusal({"events": [event_body(id="a"), event_body(type="x", id="b")]})

    assert problem.status == 422
    assert fields_of(problem) == ["events[1].type"]
    assert ingest.queue.messages == []
    assert ingest.claims.calls.total() == 0


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "a\n"])
def test_an_idempotency_key_is_visible_ascii(ingest: Ingest, key: str) -> None:
    problem = ingest.refusal(event_body(), key)

    assert problem.status == 422
    assert fields_of(problem) == ["Idempotency-Key"]


# Repeats.


def test_a_repeat_by_id_is_answered_and_not_sent(ingest: Ingest) -> None:
    ingest.post(event_body(id="e"))
    ingest.clock.pass_seconds(60)

    assert ingest.post(event_body(id="e")) == {"id": "e", "duplicate": True}

    assert ingest.queued_ids() == ["e"]


def test_a_repeat_may_write_the_same_body_in_another_order(ingest: Ingest) -> None:
    ingest.post({"id": "e", "type": "points.earned", "data": {"a": 1, "b": 2}})

    repeat: Json = {"data": {"b": 2, "a": 1}, "id": "e", "type": "points.earned"}

    assert ingest.post(repeat)["duplicate"] is True


def test_duplicates_within_a_request_are_sent_once(ingest: Ingest) -> None:
    answer = ingest.post({"events": [event_body(id="e"), event_body(), event_body(id="e")]})

    assert [one["duplicate"] for one in answer["events"]] == [False, False, True]
    assert ingest.queued_ids().count(EventId("e")) == 1
    assert len(ingest.queued()) == 2


def test_old_and_new_in_one_request_sends_the_new(ingest: Ingest) -> None:
    ingest.post(event_body(id="old"))

    answer = ingest.post({"events": [event_body(id="old"), event_body(id="new")]})

    assert [one["duplicate"] for one in answer["events"]] == [True, False]
    assert ingest.queued_ids() == ["old", "new"]


@pytest.mark.parametrize(
    "change",
    [
        {"type": "points.redeemed"},
        {"data": {"points": 121}},
        {"program_id": "gold"},
        {"occurred_at": "2026-11-21T09:30:00Z"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_same_id_with_another_body_is_refused(ingest: Ingest, change: dict[str, Json]) -> None:
    ingest.post(event_body(id="e"))

    problem = ingest.refusal({"events": [event_body(id="f"), event_body(id="e") | change]})

    assert problem.status == 422
    assert fields_of(problem) == ["events[1].id"]
    assert ingest.queued_ids() == ["e"]


def test_the_same_id_with_another_body_within_a_request_is_refused(ingest: Ingest) -> None:
    problem = ingest.refusal({"events": [event_body(id="e"), event_body(id="e", data={})]})

    assert problem.status == 422
    assert fields_of(problem) == ["events[1].id"]
    assert ingest.queue.messages == []


def test_the_same_id_in_another_account_is_another_event(ingest: Ingest) -> None:
    ingest.post(event_body(id="e"))

    answer = ingest.post(event_body(id="e", data={}), caller=a_caller(OTHER_ACCOUNT))

    assert answer == {"id": "e", "duplicate": False}


def test_after_the_retention_an_id_is_free_again(ingest: Ingest) -> None:
    ingest.post(event_body(id="e"))
    ingest.clock.pass_seconds(30 * DAY - 1)
    assert ingest.post(event_body(id="e"))["duplicate"] is True

    ingest.clock.pass_seconds(1)

    assert ingest.post(event_body(id="e", data={})) == {"id": "e", "duplicate": False}


# Idempotency-Key.


def test_a_request_repeated_under_its_key_has_the_same_ids(ingest: Ingest) -> None:
    body: Json = {"events": [event_body(data={"n": n}) for n in range(3)]}

    first = ingest.post(body, "key-1")
    repeat = ingest.post(body, "key-1")

    assert [one["id"] for one in repeat["events"]] == [one["id"] for one in first["events"]]
    assert [one["duplicate"] for one in repeat["events"]] == [True, True, True]
    assert len(ingest.queued()) == 3


def test_equal_events_of_one_request_under_a_key_are_events_of_their_own(ingest: Ingest) -> None:
    answer = ingest.post({"events": [event_body(), event_body()]}, "key-1")

    assert len({one["id"] for one in answer["events"]}) == 2
    assert len(ingest.queued()) == 2


def test_another_key_or_account_is_another_request(ingest: Ingest) -> None:
    ids = {
        ingest.post(event_body(), "key-1")["id"],
        ingest.post(event_body(), "key-2")["id"],
        ingest.post(event_body(), "key-1", a_caller(OTHER_ACCOUNT))["id"],
    }

    assert len(ids) == 3


@pytest.mark.parametrize(
    "changed",
    [
        [event_body(), event_body(data={})],
        [event_body()],
        [event_body(), event_body(), event_body()],
    ],
    ids=["body", "fewer", "more"],
)
def test_another_request_under_the_same_key_is_refused(ingest: Ingest, changed: list[Json]) -> None:
    ingest.post({"events": [event_body(), event_body()]}, "key-1")

    problem = ingest.refusal({"events": changed}, "key-1")

    assert problem.status == 422
    assert fields_of(problem) == ["Idempotency-Key"]
    assert len(ingest.queued()) == 2


def test_an_events_own_id_goes_before_the_key(ingest: Ingest) -> None:
    ingest.post(event_body(id="e"), "key-1")

    assert ingest.post(event_body(id="e"), "key-2")["duplicate"] is True


# Faults, and what a repeat makes of them.


def test_a_queue_that_holds_nothing_means_503_and_says_so_of_each(ingest: Ingest) -> None:
    ingest.queue.fail("send", 1)
    body: Json = {"events": [event_body(id="a"), event_body(id="b"), event_body(id="a")]}

    problem = ingest.refusal(body)

    assert problem.status == 503
    assert problem.document()["events"] == [
        {"id": "a", "duplicate": False, "accepted": False},
        {"id": "b", "duplicate": False, "accepted": False},
        {"id": "a", "duplicate": True, "accepted": False},
    ]

    answer = ingest.post(body)
    assert [one["duplicate"] for one in answer["events"]] == [False, False, True]
    assert ingest.queued_ids() == ["a", "b"]


def test_a_queue_that_holds_a_part_says_which_and_a_repeat_sends_the_rest(ingest: Ingest) -> None:
    big = "x" * 200_000
    ids: list[str] = ["a", "b", "c", "d", "e"]
    body: Json = {"events": [event_body(id=one, data={"text": big}) for one in ids]}
    ingest.queue.refuse(2)

    problem = ingest.refusal(body)

    assert problem.status == 503
    results: Any = problem.document()["events"]
    assert [one["accepted"] for one in results] == [True, True, True, True, False]
    assert ingest.queued_ids() == ids[:4]

    answer = ingest.post(body)
    assert [one["duplicate"] for one in answer["events"]] == [True, True, True, True, False]
    assert ingest.queued_ids() == ids


def test_an_event_accepted_before_stays_accepted_when_another_fails(ingest: Ingest) -> None:
    ingest.post(event_body(id="old"))
    ingest.queue.fail("send", 2)

    problem = ingest.refusal({"events": [event_body(id="old"), event_body(id="new")]})

    assert problem.document()["events"] == [
        {"id": "old", "duplicate": True, "accepted": True},
        {"id": "new", "duplicate": False, "accepted": False},
    ]


@pytest.mark.parametrize("method", ["find", "take"])
def test_if_claims_cannot_be_kept_nothing_is_sent(ingest: Ingest, method: str) -> None:
    ingest.claims.fail(method)

    with pytest.raises(Unavailable):
        ingest.post(event_body(id="e"))

    assert ingest.queue.messages == []


def test_a_claim_that_cannot_be_marked_does_not_take_the_202_back(ingest: Ingest) -> None:
    ingest.claims.fail("mark_sent")
    body: Json = {"events": [event_body(id="e"), event_body(data={"name": "Zoe"})]}

    answer = ingest.post(body)

    assert [one["id"] for one in answer["events"]] == ingest.queued_ids()
    assert [one["duplicate"] for one in answer["events"]] == [False, False]
    assert ingest.journal.kinds == ["claims_not_marked"]
    assert "Zoe" not in str(ingest.journal.faults)


def test_a_claim_that_cannot_be_marked_does_not_hide_what_sqs_refused(ingest: Ingest) -> None:
    big = "x" * 200_000
    ids: list[str] = ["a", "b", "c", "d", "e"]
    body: Json = {"events": [event_body(id=one, data={"text": big}) for one in ids]}
    ingest.queue.refuse(2)
    ingest.claims.fail("mark_sent", 1)

    problem = ingest.refusal(body)

    results: Any = problem.document()["events"]
    assert [one["accepted"] for one in results] == [True, True, True, True, False]
    assert ingest.journal.kinds == ["claims_not_marked"]


def test_nothing_is_said_when_all_is_well(ingest: Ingest) -> None:
    ingest.post(event_body(id="e"))

    assert ingest.journal.faults == []


def test_a_repeat_after_the_mark_failed_sends_the_very_same_event(ingest: Ingest) -> None:
    ingest.claims.fail("mark_sent", 1)
    ingest.post(event_body(id="e"))
    ingest.clock.pass_seconds(3600)

    assert ingest.post(event_body(id="e")) == {"id": "e", "duplicate": False}

    (_, first), (_, second) = ingest.queued()
    assert first == second


def test_a_repeat_after_a_crash_before_sending_is_sent_with_the_first_time_of_acceptance(
    ingest: Ingest,
) -> None:
    class Crash(BaseException):
        """As if the machine stopped."""

    class Crashing(FakeQueue):
        def send(self, messages: object) -> list[bool]:
            raise Crash

    queue, ingest.queue = ingest.queue, Crashing()
    with pytest.raises(Crash):
        ingest.post(event_body(id="e"))
    ingest.queue = queue
    ingest.clock.pass_seconds(3600)

    assert ingest.post(event_body(id="e")) == {"id": "e", "duplicate": False}

    ((_, event),) = ingest.queued()
    assert event.accepted_at == NOW


def test_an_id_taken_by_another_request_meanwhile_is_looked_at_again(ingest: Ingest) -> None:
    ingest.claims = Overtaken(ingest, times=1)

    assert ingest.post(event_body(id="e")) == {"id": "e", "duplicate": True}

    assert ingest.queued_ids() == []


def test_a_request_that_is_overtaken_again_and_again_is_asked_to_come_back(ingest: Ingest) -> None:
    ingest.claims = Overtaken(ingest, times=3)

    problem = ingest.refusal({"events": [event_body(id=f"e{n}") for n in range(5)]})

    assert problem.status == 503
    assert ingest.queue.messages == []


class Overtaken(FakeClaimTable):
    """Another request has taken and sent one more of the events just before each `take`."""

    def __init__(self, ingest: Ingest, times: int) -> None:
        super().__init__(FakeEventItems(), event_retention_days=30, clock=ingest.clock)
        self._times = times

    def take(self, claims: Any) -> bool:  # noqa: ANN401
        if self.calls["take"] < self._times:
            first: Claim = claims[0]
            self.mark_sent([replace(first, sent=True)])
        return super().take(claims)
