"""How docs/receiving.md orders events, against what the formats and the API say of them."""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from perkwire.catalogue import event_types
from perkwire.event import Event
from perkwire.reading import LogReading
from perkwire.routing import RoutedEvent
from tests.builders import ACCOUNT, NOW, an_event
from tests.fakes import (
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeDeliveryReader,
    FakeEventItems,
    FakeEventReader,
    FakeWebhookLookup,
)
from tests.local.receiving import LANGUAGES, an_upgrade, blocks, said, saved, sent

type Snapshot = tuple[str, str, str]
"""Kind, id of the thing, and moment."""

ARE_NEWEST = {
    "python": """
import json, sys
sys.path.insert(0, sys.argv[1])
from order import is_newest
print(json.dumps([is_newest(*snapshot) for snapshot in json.load(sys.stdin)]))
""",
    "node": """
import { readFileSync } from "node:fs";
import { isNewest } from "./order.mjs";
console.log(JSON.stringify(JSON.parse(readFileSync(0)).map((snapshot) => isNewest(...snapshot))));
""",
}
ARE_TO_BE_APPLIED = {
    "python": """
import json, sys
sys.path.insert(0, sys.argv[1])
from order import is_to_be_applied
asked = []
def accepted_at(event_id):
    asked.append(event_id)
    return moments[event_id]
events, moments = json.load(sys.stdin)
print(json.dumps([[is_to_be_applied(event, accepted_at) for event in events], asked]))
""",
    "node": """
import { readFileSync } from "node:fs";
import { isToBeApplied } from "./order.mjs";
const [events, moments] = JSON.parse(readFileSync(0));
const asked = [];
const acceptedAt = async (eventId) => {
  asked.push(eventId);
  return moments[eventId];
};
const applied = [];
for (const event of events) applied.push(await isToBeApplied(event, acceptedAt));
console.log(JSON.stringify([applied, asked]));
""",
}
ACCEPTED_AT = {
    "python": """
import json, sys
sys.path.insert(0, sys.argv[1])
from order import accepted_at
print(json.dumps([accepted_at(event_id) for event_id in json.load(sys.stdin)]))
""",
    "node": """
import { readFileSync } from "node:fs";
import { acceptedAt } from "./order.mjs";
console.log(JSON.stringify(await Promise.all(JSON.parse(readFileSync(0)).map(acceptedAt))));
""",
}


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def are_newest(language: str, snapshots: Sequence[Snapshot], folder: Path) -> list[bool]:
    answers: list[bool] = saved(language, "standard", folder).run(snapshots, ARE_NEWEST[language])
    return answers


def applied_of(
    language: str, events: Sequence[Event], folder: Path
) -> tuple[list[bool], list[str]]:
    """Whether each event is to be applied, as they come, and whose moments were asked for."""
    bodies = [said(sent("standard", event))[0] for event in events]
    moments = {event.id: f"{event.accepted_at:020}" for event in events}
    example = saved(language, "standard", folder)
    applied, asked = example.run([bodies, moments], ARE_TO_BE_APPLIED[language])
    return applied, asked


def example_of(event_type: str, later: int = 0, **data: object) -> Event:
    example = event_types()[event_type].example
    return an_event(type=event_type, accepted_at=NOW + later, data={**example, **data})


def test_a_late_transaction_is_applied(language: str, tmp_path: Path) -> None:
    upgraded, earned = example_of("tier.upgraded", later=1), example_of("points.earned")
    assert upgraded.data["member"]["id"] == earned.data["member"]["id"]  # type: ignore[index,call-overload]

    assert applied_of(language, [upgraded, earned], tmp_path) == ([True, True], [upgraded.id])


@pytest.mark.parametrize(
    ("first", "late"),
    [("tier.upgraded", "tier.downgraded"), ("member.updated", "member.enrolled")],
)
def test_a_late_snapshot_of_the_same_kind_and_thing_is_left_out(
    language: str, first: str, late: str, tmp_path: Path
) -> None:
    member = {"id": "m-1"}
    events = [example_of(first, later=1, member=member), example_of(late, member=member)]

    assert applied_of(language, events, tmp_path)[0] == [True, False]


def test_a_late_snapshot_of_another_kind_or_thing_is_applied(language: str, tmp_path: Path) -> None:
    member, review = {"id": "m-1"}, {"id": "r-1"}
    events = [
        example_of("tier.upgraded", later=9, member=member),
        example_of("member.updated", later=8, member=member),
        example_of("review.updated", later=7, member=member, review=review),
        example_of("review.updated", later=6, member=member, review={"id": "r-2"}),
        example_of("tier.upgraded", later=5, member={"id": "m-2"}),
        example_of("tier.upgraded", later=10, member=member),
    ]

    assert applied_of(language, events, tmp_path)[0] == [True] * len(events)


def test_every_type_of_the_page_is_one_of_the_catalogue_with_its_thing() -> None:
    for file, pattern in (("order.py", r'"(\S+)": \("\w+", "(\w+)"\)'),
                          ("order.mjs", r'"(\S+)": \["\w+", "(\w+)"\]')):  # fmt: skip
        found = re.findall(pattern, blocks()[file])
        assert len(found) > 5
        for event_type, thing in found:
            example: Any = event_types()[event_type].example
            assert example[thing]["id"]


def test_a_sequence_number_tells_what_is_newest_of_one_resource_type(
    language: str, tmp_path: Path
) -> None:
    upgraded, earned = example_of("tier.upgraded", later=10), example_of("points.earned", later=9)
    bodies = [
        said(sent("okendo", one))[0]
        for one in (upgraded, earned, example_of("member.updated", later=9), upgraded)
    ]
    things = ["loyaltyCustomerId", "loyaltyTransactionId", "loyaltyCustomerId", "loyaltyCustomerId"]
    snapshots = [
        (body["resourceType"], body["resource"][thing], body["sequenceNumber"])
        for body, thing in zip(bodies, things, strict=True)
    ]

    assert are_newest(language, snapshots, tmp_path) == [True, True, False, False]
    assert are_newest(language, snapshots[2:], tmp_path) == [True, True]


def test_the_api_tells_when_an_event_was_accepted(language: str, tmp_path: Path) -> None:
    first, second = (an_upgrade(accepted_at=NOW + one, occurred_at=0) for one in (9, 10))
    example = saved(language, "standard", tmp_path)

    with api(first, second) as (url, keys):
        moments = example.run(
            [second.id, first.id], ACCEPTED_AT[language], PERKWIRE_API=url, PERKWIRE_KEY="pk_1"
        )

    assert moments == ["2026-09-21T14:13:20.000010Z", "2026-09-21T14:13:20.000009Z"]
    assert keys == ["Bearer pk_1"] * 2
    snapshots = [("tier", "m-1", moment) for moment in moments]
    assert are_newest(language, snapshots, tmp_path) == [True, False]


@contextmanager
def api(*events: Event) -> Iterator[tuple[str, list[str | None]]]:
    """A server that answers GET /v1/events/{id} as the API does; the keys that it was given."""
    items = FakeEventItems(
        {
            (ACCOUNT, event.id): RoutedEvent(account_id=ACCOUNT, event=event, deliveries={})
            for event in events
        }
    )
    reading = LogReading(
        deliveries=FakeDeliveryReader(FakeDeliveryItems()),
        events=FakeEventReader(items),
        webhooks=FakeWebhookLookup(FakeConfigItems()),
        retry_interval_seconds=300,
        clock=FakeClock(NOW),
    )
    keys: list[str | None] = []
    found = {f"/v1/events/{event.id}": reading.event(ACCOUNT, event.id) for event in events}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.append(self.headers["Authorization"])
            body = json.dumps(found[self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", keys
        finally:
            server.shutdown()
            thread.join()
