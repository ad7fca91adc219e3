"""Rejected events in the hands of operators: looked at, sent again, mended, dismissed."""

import json
from typing import Any

import pytest

from perkwire.accepting.acceptance import Acceptance
from perkwire.accepting.mending import Mending
from perkwire.primitives.ids import RejectedEventId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.builders import ACCOUNT, OTHER_ACCOUNT, a_caller, an_operator
from tests.fakes import FakeActivity
from tests.unit.accepting.test_accepting import fields_of
from tests.unit.accepting.test_inbox import Box, a_cloud_event, of_bus, of_topic, own, structured


class Desk(Box):
    """An inbox, and an operator at it."""

    def __init__(self) -> None:
        super().__init__()
        self.records = FakeActivity()

    def mending(self, *, has_inbox: bool = True) -> Mending:
        acceptance = Acceptance(
            claims=self.claims,
            kept_events=self.kept_events,
            accounts=self.lookup,
            queue=self.queue,
            check_data=self.schemas,
            journal=self.journal,
            clock=self.clock,
        )
        return Mending(
            rejected=self.rejected,
            acceptance=acceptance,
            check_data=self.schemas,
            records=self.records,
            has_inbox=has_inbox,
        )

    def rejects(self, body: Any) -> RejectedEventId:  # noqa: ANN401
        """The one that comes of a message."""
        before = {*self.rejected.kept}
        self.take(body)
        (new,) = {*self.rejected.kept} - before
        return new

    def resend(self, rejected_id: RejectedEventId, text: Any = None) -> Any:  # noqa: ANN401
        value: dict[str, Json] = {}
        if text is not None:
            value["text"] = text if isinstance(text, str) else json.dumps(text)
        return self.mending().send(an_operator(), rejected_id, value)

    def refusal(self, rejected_id: RejectedEventId, text: Any = None) -> Problem:  # type: ignore[override] # noqa: ANN401
        with pytest.raises(Problem) as raised:
            self.resend(rejected_id, text)
        return raised.value


@pytest.fixture
def desk() -> Desk:
    return Desk()


def actions(desk: Desk) -> list[str]:
    return [change.action for change in desk.records.changes]


def test_one_is_listed_and_shown_with_why_and_whence(desk: Desk) -> None:
    rejected_id = desk.rejects([own(), own(type="points.earnt")])

    page = desk.mending().list(an_operator(), 50, None)
    shown = desk.mending().get(an_operator(), rejected_id).to_json()

    assert [heading.to_json() for heading in page.items] == [
        {name: shown[name] for name in shown if name not in ("text", "problem")}
    ]
    assert (shown["message_id"], shown["place"], shown["sender"]) == ("m0", 1, "AIDA:tills")
    assert (shown["account_id"], shown["type"]) == (ACCOUNT, "points.earnt")
    problem: Any = shown["problem"]
    assert problem["status"] == shown["status"] == 422
    assert problem["errors"][0]["field"] == "[1].type"


def test_mended_it_is_accepted_and_gone_and_it_is_known_who_did_it(desk: Desk) -> None:
    rejected_id = desk.rejects([own(id="a-1"), own(id="a-2", type="points.earnt")])

    answer = desk.resend(rejected_id, own(id="a-2"))

    assert answer == {"events": [{"id": "a-2", "duplicate": False}]}
    assert desk.queued_ids() == ["a-1", "a-2"]
    assert desk.rejected.kept == {}
    assert actions(desk) == ["rejected_event.sent"]
    (change,) = desk.records.changes
    assert (change.owner, change.subject, change.name) == (None, rejected_id, "mended")


def test_as_it_was_it_is_accepted_once_what_was_wrong_is_right(desk: Desk) -> None:
    account = desk.config.accounts.pop(OTHER_ACCOUNT)
    rejected_id = desk.rejects(own(id="a-1", account_id=OTHER_ACCOUNT))
    assert fields_of(desk.refusal(rejected_id)) == ["account_id"]
    assert rejected_id in desk.rejected.kept

    desk.config.put(account)
    assert desk.resend(rejected_id) == {"events": [{"id": "a-1", "duplicate": False}]}
    assert desk.records.changes[0].name == "as it was"


def test_without_an_id_it_gets_the_one_that_it_would_have_had(desk: Desk) -> None:
    healthy = Desk()
    healthy.take([own(), own()])
    rejected_id = desk.rejects([own(), own(type="points.earnt")])

    desk.resend(rejected_id, own())

    assert desk.queued_ids() == healthy.queued_ids()
    # The message comes again, and whoever sent it has mended nothing: the same is rejected.
    desk.rejected.kept.clear()
    assert desk.take([own(), own(type="points.earnt")]) == []
    assert desk.queued_ids() == healthy.queued_ids()


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (of_bus(**{"detail-type": "Nothing"}), of_bus()),
        (of_topic(json.dumps(own(type="points.earnt"))), own()),
        (structured(a_cloud_event(type="nothing.of.ours")), structured(a_cloud_event())),
    ],
)
def test_every_form_is_mended_as_it_was_sent(desk: Desk, message: Any, text: Any) -> None:  # noqa: ANN401
    rejected_id = desk.rejects(message)
    assert len(desk.resend(rejected_id, text)["events"]) == 1
    assert len(desk.queued()) == 1


def test_a_message_as_a_whole_is_mended_as_a_whole(desk: Desk) -> None:
    many = [own(id=f"a-{number}") for number in range(1_000)]
    rejected_id = desk.rejects(many)

    answer = desk.resend(rejected_id)

    assert [one["id"] for one in answer["events"]] == [f"a-{number}" for number in range(1_000)]
    assert desk.queued_ids() == [f"a-{number}" for number in range(1_000)]
    assert desk.rejected.kept == {}


@pytest.mark.parametrize("ids", [True, False])
def test_a_long_message_that_fails_in_its_middle_stays_and_is_sent_again_harmlessly(
    desk: Desk, *, ids: bool
) -> None:
    many = [own(id=f"a-{number}" if ids else None, data={"n": number}) for number in range(250)]
    rejected_id = desk.rejects({"events": many})
    desk.queue.refuse(2)
    problem = desk.refusal(rejected_id)
    events: Any = problem.document()["events"]
    assert (problem.status, len(events)) == (503, 200)
    assert [one["accepted"] for one in events] == [True] * 100 + [False] * 100
    assert rejected_id in desk.rejected.kept
    assert actions(desk) == []

    again = desk.resend(rejected_id)["events"]

    assert [one["duplicate"] for one in again[:100]] == [True] * 100
    assert len({one["id"] for one in again}) == len(desk.queued_ids()) == 250
    assert len({*desk.queued_ids()}) == 250


def test_what_is_wrong_in_the_middle_of_a_long_message_is_named_and_it_stays(desk: Desk) -> None:
    desk.take(own(id="a-150", data={"x": 1}))
    many = [own(id=f"a-{number}") for number in range(250)]
    rejected_id = desk.rejects(many)

    problem = desk.refusal(rejected_id)

    assert fields_of(problem) == ["[150].id"]
    assert str(problem.document()["detail"]).startswith("100 events ahead of them are accepted")
    assert rejected_id in desk.rejected.kept
    many[150]["id"] = "b-150"
    assert len(desk.resend(rejected_id, many)["events"]) == 250
    assert len(desk.queued_ids()) == 251


def test_a_bad_event_or_account_of_a_long_message_is_named_before_any_is_accepted(
    desk: Desk,
) -> None:
    many = [own(id=f"a-{number}") for number in range(250)]
    rejected_id = desk.rejects(many)
    for number, wrong in ((200, {"surprise": 1}), (210, {"account_id": "acct_0000000000000000"})):
        some = [*many[:number], many[number] | wrong, *many[number + 1 :]]
        assert fields_of(desk.refusal(rejected_id, some)) == [f"[{number}].{next(iter(wrong))}"]
    assert desk.queued() == []


def test_several_of_one_take_no_ids_of_those_that_were_beside_it(desk: Desk) -> None:
    rejected_id = desk.rejects([own(type="points.earnt"), own(data={"x": 1})])
    desk.resend(rejected_id, [own(data={"x": 2}), own(data={"x": 3})])
    assert len(set(desk.queued_ids())) == 3


def test_all_of_a_text_is_accepted_or_none(desk: Desk) -> None:
    rejected_id = desk.rejects("no JSON")
    wrong = [own(id="a-1"), own(id="a-2", account_id="nobody"), own(id="a-3", surprise=1)]
    assert fields_of(desk.refusal(rejected_id, wrong)) == ["[2].surprise"]
    assert fields_of(desk.refusal(rejected_id, wrong[:2])) == ["[1].account_id"]
    assert desk.queued() == []
    assert rejected_id in desk.rejected.kept
    assert actions(desk) == []


def test_an_id_with_another_body_is_refused_here_too(desk: Desk) -> None:
    desk.take(own(id="a-1"))
    rejected_id = desk.rejects(own(id="a-1", data={"x": 1}))
    assert fields_of(desk.refusal(rejected_id)) == ["id"]
    assert len(desk.resend(rejected_id, own(id="a-2", data={"x": 1}))["events"]) == 1


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "7"])
def test_what_is_no_event_is_refused(desk: Desk, text: str) -> None:
    rejected_id = desk.rejects(own(type="points.earnt"))
    assert desk.refusal(rejected_id, text).status in (400, 422)
    assert rejected_id in desk.rejected.kept


@pytest.mark.parametrize("value", [{"text": 7}, {"text": "{}", "more": 1}, {"event": {}}])
def test_a_request_says_the_text_and_nothing_else(desk: Desk, value: dict[str, Json]) -> None:
    rejected_id = desk.rejects(own(type="points.earnt"))
    with pytest.raises(Problem) as raised:
        desk.mending().send(an_operator(), rejected_id, value)
    assert raised.value.status == 422


def test_dismissed_it_is_gone_and_it_is_known_who_did_it(desk: Desk) -> None:
    rejected_id = desk.rejects("no JSON")
    desk.mending().dismiss(an_operator(), rejected_id)
    assert desk.rejected.kept == {}
    assert desk.queued() == []
    assert actions(desk) == ["rejected_event.dismissed"]


def test_what_cannot_be_recorded_is_not_dismissed(desk: Desk) -> None:
    rejected_id = desk.rejects("no JSON")
    desk.records.fail("record")
    with pytest.raises(Unavailable):
        desk.mending().dismiss(an_operator(), rejected_id)
    assert rejected_id in desk.rejected.kept


def test_a_crash_before_it_is_gone_leaves_it_to_be_sent_again_harmlessly(desk: Desk) -> None:
    rejected_id = desk.rejects([own(type="points.earnt"), own(id="a-1")])
    desk.rejected.fail("remove")
    with pytest.raises(Unavailable):
        desk.resend(rejected_id, own())

    desk.rejected.mend()
    (again,) = desk.resend(rejected_id, own())["events"]
    assert again["duplicate"]
    assert len(desk.queued()) == 2


def test_it_is_an_operators_work(desk: Desk) -> None:
    rejected_id = desk.rejects("no JSON")
    mending, caller = desk.mending(), a_caller()
    for call in (
        lambda: mending.list(caller, 50, None),
        lambda: mending.get(caller, rejected_id),
        lambda: mending.send(caller, rejected_id, {}),
        lambda: mending.dismiss(caller, rejected_id),
    ):
        with pytest.raises(Problem) as raised:
            call()
        assert raised.value.status == 403


def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    mending = desk.mending()
    for call in (mending.get, mending.dismiss):
        with pytest.raises(Problem) as raised:
            call(an_operator(), RejectedEventId("rej_0"))
        assert raised.value.status == 404


def test_a_stack_without_an_inbox_says_so(desk: Desk) -> None:
    with pytest.raises(Problem) as raised:
        desk.mending(has_inbox=False).list(an_operator(), 50, None)
    assert raised.value.status == 404
