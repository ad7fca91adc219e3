"""The inbox: what a message may be, and what becomes of each event of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from perkwire.accepting.acceptance import Acceptance
from perkwire.accepting.inbox import Inbox
from perkwire.accepting.rejected_event import RejectedEvent
from perkwire.adapters.data_schemas import DataSchemas
from perkwire.model.event import MAX_EVENTS
from perkwire.model.messages import Received
from perkwire.primitives.ids import EventId
from perkwire.primitives.problem import FieldError
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import parse_rfc3339
from tests.builders import ACCOUNT, NOW, OTHER_ACCOUNT
from tests.fakes import FakeRejectedEvents, FakeSignals
from tests.unit.accepting.test_accepting import Ingest
from tests.unit.strategies import JSON

TIME = "2026-11-21T09:30:00Z"
MOMENT = parse_rfc3339(TIME)
DATA: dict[str, Json] = {"member": {"id": "m-1"}}
SENT_AT = NOW - 5_000_000
INTERVAL_MINUTES = 60


class Box(Ingest):
    """An inbox with fakes around it."""

    def __init__(self) -> None:
        super().__init__()
        self.rejected = FakeRejectedEvents()
        self.signals = FakeSignals()
        self.schemas = DataSchemas()

    def inbox(self) -> Inbox:
        return Inbox(
            acceptance=Acceptance(
                claims=self.claims,
                kept_events=self.kept_events,
                accounts=self.lookup,
                queue=self.queue,
                check_data=self.schemas,
                journal=self.journal,
                clock=self.clock,
            ),
            rejected=self.rejected,
            check_data=self.schemas,
            journal=self.journal,
            signals=self.signals,
            signal_interval_minutes=INTERVAL_MINUTES,
            clock=self.clock,
        )

    def take(self, *bodies: Any) -> list[str]:  # noqa: ANN401 - whatever is sent
        """Each body as a message of its own, `m0` and on; those that are left."""
        messages = [a_message(body, f"m{number}") for number, body in enumerate(bodies)]
        return self.take_messages(*messages)

    def take_messages(self, *messages: Received) -> list[str]:
        return [*self.inbox().take(messages, lambda: True)]

    def refused(self) -> list[RejectedEvent]:
        """Those that are kept, in the order of their places."""
        return sorted(self.rejected.kept.values(), key=lambda one: one.heading.place or 0)

    def fields(self) -> list[str]:
        errors: Any = [error for one in self.refused() for error in as_errors(one)]
        return [error["field"] for error in errors]


def as_errors(rejected: RejectedEvent) -> list[Any]:
    errors: Any = rejected.problem.get("errors", [])
    return list(errors)


def a_message(body: Any, message_id: str = "m0", receive_count: int = 1) -> Received:  # noqa: ANN401
    return Received(
        message_id=message_id,
        body=body if isinstance(body, str) else json.dumps(body),
        receive_count=receive_count,
        receipt="receipt",
        queue_arn="arn:aws:sqs:us-east-1:000000000000:InboxQueue",
        sent_at=SENT_AT,
        sender="AIDA:tills",
    )


def own(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """One of ours, as an operator posts it; a change to None leaves a member out."""
    whole = {"account_id": ACCOUNT, "type": "custom.visit", "data": DATA}
    return {name: value for name, value in (whole | changes).items() if value is not None}


def of_bus(detail: Any = None, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """As EventBridge sends it to a target."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "custom.visit",
        "source": "com.example.tills",
        "account": "123456789012",
        "time": TIME,
        "region": "eu-west-1",
        "resources": [],
        "detail": {"account_id": ACCOUNT, "data": DATA} if detail is None else detail,
    } | changes


def of_topic(message: str, notification_id: str = "n-1") -> dict[str, Any]:
    """As SNS sends it to a queue, unless it is delivered raw."""
    return {
        "Type": "Notification",
        "MessageId": notification_id,
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:loyalty",
        "Message": message,
        "Timestamp": TIME,
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/a.pem",
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
    }


def a_cloud_event(**changes: Any) -> CloudEvent:  # noqa: ANN401
    attributes = {
        "specversion": "1.0",
        "id": "order-7",
        "source": "/tills/7",
        "type": "custom.visit",
        "time": datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        "accountid": ACCOUNT,
        "programid": "gold",
    }
    return CloudEvent(attributes | changes, DATA)


def structured(event: CloudEvent) -> str:
    """As the `cloudevents` package writes it."""
    written = JSONFormat().write(event)
    return written.decode()


@pytest.fixture
def box() -> Box:
    return Box()


# The forms.


@pytest.mark.parametrize("wrap", [list, lambda events: {"events": events}])
def test_our_own_form_may_be_one_or_a_list(box: Box, wrap: Any) -> None:  # noqa: ANN401
    assert (
        box.take(own(id="a-1"), wrap([own(id="a-2"), own(id="a-3", account_id=OTHER_ACCOUNT)]))
        == []
    )

    assert [(account, event.id) for account, event in box.queued()] == [
        (ACCOUNT, "a-1"),
        (ACCOUNT, "a-2"),
        (OTHER_ACCOUNT, "a-3"),
    ]
    assert box.refused() == []


def test_an_event_of_a_bus_is_what_its_envelope_and_detail_say(box: Box) -> None:
    detail = {"account_id": ACCOUNT, "id": "visit-1", "program_id": "gold", "data": DATA}
    assert box.take(of_bus(detail)) == []

    ((account, event),) = box.queued()
    assert account == ACCOUNT
    assert (event.id, event.type, event.program_id) == ("visit-1", "custom.visit", "gold")
    assert (event.occurred_at, event.data) == (MOMENT, DATA)


def test_an_event_of_a_bus_without_an_id_has_its_envelopes(box: Box) -> None:
    """EventBridge may send one event as two messages: it stays one."""
    box.take(of_bus(), of_bus())
    assert box.queued_ids() == ["53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa"]


def test_a_cloud_event_of_the_package_is_taken_as_the_api_takes_it(box: Box) -> None:
    one = structured(a_cloud_event())
    batch = f"[{structured(a_cloud_event(id='order-8'))},{structured(a_cloud_event(id='order-9'))}]"
    assert box.take(one, batch) == []

    assert box.queued_ids() == ["order-7", "order-8", "order-9"]
    ((_, event), *_) = box.queued()
    assert (event.type, event.program_id, event.occurred_at) == ("custom.visit", "gold", MOMENT)
    assert event.data == DATA


@pytest.mark.parametrize(
    ("text", "event_id"),
    [
        (json.dumps(own(id="a-1")), "a-1"),
        (json.dumps(of_bus()), "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa"),
        (structured(a_cloud_event()), "order-7"),
    ],
)
def test_what_a_topic_wraps_is_the_same_as_raw(box: Box, text: str, event_id: str) -> None:
    assert box.take(of_topic(text)) == []
    assert box.queued_ids() == [event_id]


def test_the_forms_may_stand_beside_each_other(box: Box) -> None:
    assert box.take([own(id="a-1"), of_bus(), json.loads(structured(a_cloud_event()))]) == []
    assert len(box.queued()) == 3


# Ids and repeats.


def test_events_without_ids_have_one_by_message_and_place_and_a_repeat_is_the_same(
    box: Box,
) -> None:
    body = [own(), own()]
    box.take(body)
    ids = box.queued_ids()
    assert len(set(ids)) == 2

    box.clock.pass_seconds(600)
    assert box.take_messages(a_message(body, receive_count=2)) == []
    assert box.queued_ids() == ids

    box.take_messages(a_message(body, "another"))
    assert len(set(box.queued_ids())) == 4


def test_a_notification_that_comes_as_two_messages_is_one(box: Box) -> None:
    box.take(of_topic(json.dumps(own())), of_topic(json.dumps(own())))
    assert len(box.queued()) == 1

    box.take(of_topic(json.dumps(own()), "n-2"))
    assert len(box.queued()) == 2


@pytest.mark.parametrize("wrong", ["\ud800", "", " ", "n-1\n", "n/1", "x" * 101, "x" * 500_000])
def test_what_cannot_be_an_id_of_sns_names_nothing(box: Box, wrong: str) -> None:
    good, bad = json.dumps(own()), json.dumps(own(type="No"))

    assert box.take(*(of_topic(one, wrong) for one in (good, good, bad, bad))) == []

    assert len(box.queued()) == 2
    assert sorted(one.heading.message_id for one in box.refused()) == ["m2", "m3"]


def test_both_doors_know_the_same_event(box: Box) -> None:
    box.post({"id": "a-1", "type": "custom.visit", "data": DATA})
    assert box.take(own(id="a-1")) == []
    assert box.queued_ids() == ["a-1"]
    assert box.refused() == []


# What is wrong.


def test_one_that_is_wrong_keeps_none_of_the_others(box: Box) -> None:
    events = [own(id=f"a-{number}") for number in range(MAX_EVENTS)]
    events[40] = own(id="a-40", type="points.earnt", program_id=7)
    assert box.take({"events": events}) == []

    assert box.queued_ids() == [f"a-{number}" for number in range(MAX_EVENTS) if number != 40]
    (rejected,) = box.refused()
    heading = rejected.heading
    assert (heading.place, heading.status, heading.account_id) == (40, 422, ACCOUNT)
    assert (heading.message_id, heading.sender, heading.received_at) == (
        "m0",
        "AIDA:tills",
        SENT_AT,
    )
    assert json.loads(rejected.text) == events[40]
    assert [error["field"] for error in as_errors(rejected)] == [
        "events[40].type",
        "events[40].program_id",
    ]


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (own(account_id=None), "account_id"),
        (own(account_id="acct_0000000000000009"), "account_id"),
        (own(account_id="../x"), "account_id"),
        (own(type=None), "type"),
        (own(data=[]), "data"),
        (own(surprise=1), "surprise"),
        (own(id="evt_made-up"), "id"),
        (own(type="points.earned", data={"member": {"id": 5}}), "data.member.id"),
        (of_bus([]), "detail"),
        (of_bus({"account_id": ACCOUNT, "data": DATA, "type": "x.y"}), "detail.type"),
        (of_bus({"account_id": ACCOUNT, "data": DATA, "surprise": 1}), "detail.surprise"),
        (of_bus({"data": DATA}), "detail.account_id"),
        (of_bus(**{"detail-type": "EC2 Instance State-change Notification"}), "detail-type"),
        (of_bus(time="yesterday"), "time"),
    ],
)
def test_what_is_wrong_with_an_event_is_said_of_its_field(
    box: Box, event: dict[str, Any], field: str
) -> None:
    assert box.take(event) == []
    assert box.queued() == []
    assert field in box.fields()
    (rejected,) = box.refused()
    assert json.loads(rejected.text) == event
    assert box.journal.count("event_rejected")


def test_what_is_wrong_with_a_cloud_event_is_said_of_its_attribute(box: Box) -> None:
    event = json.loads(structured(a_cloud_event()))
    box.take([event | {"accountid": "nobody"}, event | {"specversion": "0.3"}])
    assert box.fields() == ["[0].accountid", "[1].specversion"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{'type': 'points.earned'}", 400),
        ("[1, 2", 400),
        ("42", 400),
        ('{"a": 1, "a": 2}', 400),
        ("[" * 2_000, 400),
        ("[]", 422),
        ('{"events": []}', 422),
        ('{"events": {}}', 422),
        (json.dumps({"events": [own()], "more": 1}), 422),
        (json.dumps([own()] * 1_000), 422),
        (json.dumps(of_topic("no JSON")), 400),
    ],
)
def test_a_message_that_cannot_be_read_is_rejected_whole(box: Box, body: str, status: int) -> None:
    assert box.take(body) == []
    assert box.queued() == []
    (rejected,) = box.refused()
    assert (rejected.heading.place, rejected.heading.status) == (None, status)
    assert rejected.text in (body, "no JSON")


def test_a_notification_that_is_no_text_is_kept_with_what_is_around_it(box: Box) -> None:
    body = json.dumps(of_topic("\ud800"))
    box.take(body)
    (rejected,) = box.refused()
    assert rejected.text == body


def test_a_thousand_events_are_one_rejected_event(box: Box) -> None:
    body = json.dumps({"events": [own(id=f"a-{number}") for number in range(1_000)]})
    box.take(body)
    (rejected,) = box.refused()
    assert rejected.text == body
    assert box.fields() == ["events"]


def test_a_message_as_large_as_sqs_takes_is_taken(box: Box) -> None:
    text = "x" * 250_000
    events = [own(id=f"a-{number}", data={"text": text}) for number in range(4)]
    assert box.take(events) == []
    assert len(box.queued()) == 4

    large = json.dumps(own(id="b-1", data={"text": "x" * 1_040_000}))
    assert box.take(large) == []
    (rejected,) = box.refused()
    assert (rejected.heading.status, rejected.text) == (413, large)


def test_an_id_with_another_body_is_rejected_and_the_first_stays(box: Box) -> None:
    box.take([own(id="a-1"), own(id="a-1", data={"x": 1}), own(id="a-2")])
    assert box.queued_ids() == ["a-1", "a-2"]
    assert box.fields() == ["[1].id"]


def test_an_account_that_is_deleted_meanwhile_is_none(box: Box) -> None:
    box.config.accounts.pop(OTHER_ACCOUNT)
    box.take([own(account_id=OTHER_ACCOUNT), own(id="a-1")])
    assert box.queued_ids() == ["a-1"]
    ((error,),) = [as_errors(one) for one in box.refused()]
    assert error == FieldError("[0].account_id", "names no account").to_json()


def test_a_repeat_rejects_the_same_and_accepts_nothing_twice(box: Box) -> None:
    body = [own(), own(type="nothing")]
    box.take(body)
    kept = dict(box.rejected.kept)
    assert len(kept) == 1

    assert box.take_messages(a_message(body, receive_count=2)) == []
    assert box.rejected.kept == kept
    assert len(box.queued()) == 1


SCHEMAS = DataSchemas()
ANY = st.one_of(
    JSON,
    st.fixed_dictionaries({"detail-type": JSON, "detail": JSON}, optional={"id": JSON}),
    st.fixed_dictionaries({"specversion": JSON}, optional={"data": JSON, "accountid": JSON}),
    st.fixed_dictionaries({"events": JSON}),
    st.fixed_dictionaries({"account_id": st.just(ACCOUNT), "type": JSON, "data": JSON}),
)


@settings(max_examples=100, deadline=None)
@given(body=st.one_of(ANY, st.lists(ANY, max_size=3), st.text()))
def test_whatever_comes_is_accepted_or_rejected_and_nothing_is_left(body: Any) -> None:  # noqa: ANN401
    box = Box()
    box.schemas = SCHEMAS
    assert box.take(json.dumps(body)) == []
    assert box.queued() or box.refused()


# What fails for now.


@pytest.mark.parametrize(
    ("fake", "method", "left"),
    [
        ("claims", "find", ["m0"]),
        ("claims", "take", ["m0"]),
        ("lookup", "existing", ["m0"]),
        ("queue", "send", ["m0"]),
        ("rejected", "keep", ["m0", "m1"]),
    ],
)
def test_what_fails_for_now_is_left_and_done_once_when_it_comes_again(
    box: Box, fake: str, method: str, left: list[str]
) -> None:
    bodies = ([own(id="a-1"), own(type="nothing"), own()], own(id="b-1", type="nothing"))
    healthy = Box()
    healthy.take(*bodies)

    failing = getattr(box, fake)
    failing.fail(method)
    assert box.take(*bodies) == left
    assert box.journal.count("inbox_message_left") == len(left)

    failing.mend()
    assert box.take(*bodies) == []
    assert box.queued_ids() == healthy.queued_ids()
    assert box.rejected.kept.keys() == healthy.rejected.kept.keys()


def test_without_time_the_rest_is_left(box: Box) -> None:
    asked = iter([True, False])
    messages = [a_message(own(id="a-1"), "m0"), a_message(own(id="a-2"), "m1")]
    assert [*box.inbox().take(messages, lambda: next(asked))] == ["m1"]
    assert box.queued_ids() == ["a-1"]


# Telling.


def test_one_signal_an_interval_tells_of_rejected_events(box: Box) -> None:
    box.take([own(type="nothing"), own(type="nothing")], own(id="a-1"))
    (signal,) = box.signals.sent
    first = box.refused()[0].heading.id
    assert signal.kind == "events.rejected"
    assert signal.to_json().keys() == {"at", "count", "rejected_event_id"}
    assert signal.about == {"count": 2, "rejected_event_id": first}

    box.take_messages(a_message(own(type="nothing"), "later"))
    assert len(box.signals.sent) == 1
    box.clock.pass_seconds(INTERVAL_MINUTES * 60)
    box.take_messages(a_message(own(type="nothing"), "much-later"))
    assert len(box.signals.sent) == 2


def test_a_signal_that_cannot_be_counted_changes_nothing(box: Box) -> None:
    box.rejected.fail("take_signal")
    assert box.take(own(type="nothing")) == []
    assert len(box.refused()) == 1
    assert box.journal.count("signal_not_sent")


def test_nothing_that_an_event_says_is_in_a_line(box: Box) -> None:
    box.take(own(type="nothing", account_id="Ada", data={"member": {"id": "Ada"}}), "Ada")
    assert "Ada" not in str(box.journal.faults)


def test_ids_of_the_inbox_are_none_of_an_idempotency_key(box: Box) -> None:
    box.take(own())
    box.post({"type": "custom.visit", "data": DATA}, key="m0")
    ids: list[EventId] = box.queued_ids()
    assert len(set(ids)) == 2
