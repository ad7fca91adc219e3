"""How docs/receiving.md orders events, against what the formats and the API say of them."""

import ast
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from infra.local.emulator import ROOT
from perkwire.catalogue.event_types import event_types
from perkwire.formats.registry import find_format
from perkwire.model.event import Event
from perkwire.model.routed_event import RoutedEvent
from perkwire.reading.log import LogReader
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
from tests.local.receiving import FORMATS, LANGUAGES, an_upgrade, blocks, said, saved, sent

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
calls, moments = json.load(sys.stdin)
print(json.dumps([[is_to_be_applied(*call, accepted_at) for call in calls], asked]))
""",
    "node": """
import { readFileSync } from "node:fs";
import { isToBeApplied } from "./order.mjs";
const [calls, moments] = JSON.parse(readFileSync(0));
const asked = [];
const acceptedAt = async (eventId) => {
  asked.push(eventId);
  return moments[eventId];
};
const applied = [];
for (const call of calls) applied.push(await isToBeApplied(...call, acceptedAt));
console.log(JSON.stringify([applied, asked]));
""",
}
SNAPSHOT = {
    "python": """
import json, sys
sys.path.insert(0, sys.argv[1])
from order import snapshot
print(json.dumps([snapshot(*call) for call in json.load(sys.stdin)]))
""",
    "node": """
import { readFileSync } from "node:fs";
import { snapshot } from "./order.mjs";
console.log(JSON.stringify(JSON.parse(readFileSync(0)).map((call) => snapshot(...call))));
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
    language: str, events: Sequence[Event], folder: Path, format_name: str = "standard"
) -> tuple[list[bool], list[str]]:
    """Whether each event is to be applied, as they come, and whose moments were asked for."""
    calls = [(format_name, event.id, said(sent(format_name, event))[0]) for event in events]
    moments = {event.id: f"{event.accepted_at:020}" for event in events}
    example = saved(language, format_name, folder)
    applied, asked = example.run([calls, moments], ARE_TO_BE_APPLIED[language])
    return applied, asked


def snapshots(file: str = "order.py") -> dict[str, Any]:
    """The page's own table of them, of which both languages have the same text."""
    found = re.search(r"^(?:const )?SNAPSHOTS = (\{.*?^\})", blocks()[file], re.M | re.S)
    assert found
    table: dict[str, Any] = ast.literal_eval(found[1])
    return table


def kind_in(format_name: str, event: Event) -> str | None:
    """The kind of snapshot that an event is: what its type says, in `okendo` its resource."""
    told_by, name = "standard", event.type
    if format_name == "okendo":
        told_by, name = format_name, said(sent(format_name, event))[0]["resourceType"]
    _, kinds = snapshots()[told_by]
    return next((kind for kind, (_, names) in kinds.items() if name in names), None)


def thing_of(event: Event) -> Any:  # noqa: ANN401 - any part of the data
    data: Any = event.data
    for part in ("quiz_response", "survey_response", "transaction", "review", "level"):
        if part in data:
            return data[part]
    return data["member"]


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


def test_a_thing_without_an_id_is_applied_whenever_it_comes(language: str, tmp_path: Path) -> None:
    nameless = {"review": {"body": "Fine."}}
    events = [example_of("review.created", later=one, **nameless) for one in (2, 1)]

    assert applied_of(language, events, tmp_path) == ([True, True], [])


def test_both_languages_have_the_same_snapshots_of_every_format() -> None:
    assert snapshots() == snapshots("order.mjs")
    assert set(snapshots()) == set(FORMATS)


def test_every_type_about_tiers_and_reviews_of_the_platform_is_a_snapshot() -> None:
    _, kinds = snapshots()["standard"]
    named = {one for _, names in kinds.values() for one in names}

    own_reviews = {f"review.{done}" for done in ("created", "updated", "deleted")}
    assert {one for one in event_types() if one.startswith("tier.")} | own_reviews <= named
    assert named <= set(event_types())


@pytest.mark.parametrize("format_name", FORMATS)
def test_kind_and_thing_are_where_the_format_says_them(
    language: str, format_name: str, tmp_path: Path
) -> None:
    format_ = find_format(format_name)
    assert format_ is not None
    events = [example_of(one) for one in event_types() if format_.name_of(one)]
    calls = [(format_name, said(sent(format_name, event))[0]) for event in events]

    found = saved(language, format_name, tmp_path).run(calls, SNAPSHOT[language])

    kinds = [kind_in(format_name, event) for event in events]
    assert [one and one[0] for one in found] == kinds
    assert any(kinds)
    things = [thing_of(event)["id"] for event, kind in zip(events, kinds, strict=True) if kind]
    assert [str(one[1]) for one in found if one] == things


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_late_tier_is_left_out_in_each_format(
    language: str, format_name: str, tmp_path: Path
) -> None:
    events = [example_of("tier.upgraded", later=one) for one in (10, 9, 11)]
    asked = [] if format_name == "okendo" else [event.id for event in events]

    assert applied_of(language, events, tmp_path, format_name) == ([True, False, True], asked)


def test_the_pages_table_says_the_same() -> None:
    page = (ROOT / "docs" / "receiving.md").read_text(encoding="utf-8")
    _, _, table = page.partition("| format | the event's id | what happened |")
    rows = [re.findall(r"[^|]+", line) for line in table.split("\n\n")[0].splitlines()[2:]]
    places = {
        row[0].strip(" `"): [re.findall(r"`([^`]+)`", one) for one in row[1:]] for row in rows
    }
    event = example_of("tier.upgraded")

    assert set(places) == set(FORMATS)
    for name, ((event_id,), happened, things, (moment,)) in places.items():
        request = sent(name, event)
        (body,) = said(request)
        found: Any = request.headers.get(event_id) or body
        for part in event_id.split(".") if found is body else ():
            found = found[part]
        assert found == event.id
        place, kinds = snapshots()[name]
        assert happened[0] == place
        assert set(things) == {thing for thing, _ in kinds.values()}
        assert moment == ("sequenceNumber" if name == "okendo" else "accepted_at")


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
    reading = LogReader(
        deliveries=FakeDeliveryReader(FakeDeliveryItems()),
        events=FakeEventReader(items),
        webhooks=FakeWebhookLookup(FakeConfigItems()),
        retry_interval_seconds=300,
        log_retention_days=30,
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
