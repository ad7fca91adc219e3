"""No answer is larger than Lambda carries, whatever has been stored."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

import management.resolver
from management.resolver import MOST_PAGE_BYTES, page_response
from perkwire.model.delivery import Attempt
from perkwire.primitives.ids import DeliveryId, EventId
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json
from perkwire.reading.log import as_listed
from tests.builders import NOW, a_delivery
from tests.integration.browsing import Browser
from tests.integration.console.deliveries import deliver
from tests.integration.system import APPS, System, Tenant
from tests.receiver import Answer, Receiver

LAMBDA_ANSWER_BYTES = 6_291_556


def carried(answer: Any) -> int:  # noqa: ANN401 - what a handler answers
    """What Lambda measures: the answer as JSON."""
    return len(json.dumps(answer, ensure_ascii=False).encode())


@contextmanager
def measured(app: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The sizes of what a function answers within the block."""
    sizes: list[int] = []
    handler = APPS[app].handler

    def measuring(*arguments: Any) -> Any:  # noqa: ANN401
        answer = handler(*arguments)
        sizes.append(carried(answer))
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(APPS[app], "handler", measuring)
        yield sizes


def test_a_page_of_the_largest_webhooks_is_short_and_says_where_it_goes_on(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.restart(MAX_WEBHOOKS_PER_ACCOUNT="100")
    programs = [f"{number:03}" + "\x01" * 125 for number in range(100)]
    made = [tenant.webhook(receiver.endpoint().url, program_ids=programs)["id"] for _ in range(30)]

    found: list[str] = []
    cursors: dict[str, str] = {}
    with measured("management", monkeypatch) as sizes:
        while True:
            page = tenant.get("/v1/webhooks", limit="100", **cursors)
            found += [one["id"] for one in page["data"]]
            if page["next_cursor"] is None:
                break
            cursors = {"cursor": page["next_cursor"]}

    assert found == sorted(made)
    assert len(sizes) > 1
    assert max(sizes) < LAMBDA_ANSWER_BYTES / 2


def test_lists_carry_no_answers_and_the_delivery_does(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint(Answer(500, b"out of order")).url)
    deliver(system, tenant)

    (listed,) = tenant.deliveries()

    assert [sorted(one) for one in listed["attempts"]] == [
        ["at", "duration_ms", "number", "status_code"]
    ] * len(listed["attempts"])
    shown = tenant.delivery(listed["id"])
    assert shown is not None
    assert [one["response"] for one in shown["attempts"]] == ["out of order"] * 3
    assert as_listed(shown) == listed


def the_largest_delivery(number: int) -> dict[str, Json]:
    attempts = tuple(
        Attempt(number=one, at=NOW, duration_ms=10_000, status_code=500, response="\"'" * 256)
        for one in range(100)
    )
    return replace(
        a_delivery(),
        id=DeliveryId(f"dlv_{number:016}_{number:026}"),
        event_ids=tuple(EventId(f"{one:0128}") for one in range(100)),
        event_types=tuple(f"custom.{one:0121}" for one in range(100)),
        attempts=attempts,
    ).to_json(NOW, 60)


@pytest.mark.parametrize("item", [the_largest_delivery(1), {"a": '"\\' * 400_000}])
def test_a_page_never_has_more_bytes_than_it_may(item: dict[str, Json]) -> None:
    asked: list[int] = []

    def read(limit: int) -> Page[dict[str, Json]]:
        asked.append(limit)
        return Page([item] * limit, "next")

    body = page_response(100, read).body
    assert body is not None

    assert len(json.loads(body)["data"]) == asked[-1] >= 1
    assert carried(body) < max(MOST_PAGE_BYTES, carried(json.dumps(item))) + 200
    assert len(asked) == 2


def test_a_page_that_fits_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(management.resolver, "MOST_PAGE_BYTES", 1000)
    asked: list[int] = []

    def read(limit: int) -> Page[dict[str, Json]]:
        asked.append(limit)
        return Page([{"id": "a"}] * 5, None)

    page_response(100, read)

    assert asked == [100]


@pytest.mark.parametrize("character", ["'", '"', "&", "é"])
def test_the_page_of_a_large_delivery_fits(
    character: str,
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser.sign_in(tenant.key)
    tenant.webhook(receiver.endpoint(500).url, event_types=["*"], batch_size=3, batch_bytes=900_000)
    text = character * (98_000 // len(character.encode()))
    tenant.post(*[{"type": "custom.large", "data": {"text": text}} for _ in range(3)])
    system.route()
    system.dispatch_all()
    (delivery,) = tenant.deliveries()
    event_id = delivery["event_ids"][0]

    with measured("console", monkeypatch) as sizes:
        browser.get(f"/console/log/{delivery['id']}")
        browser.get(f"/console/events/{event_id}")
        browser.get("/console/log/export.json")

    assert len(delivery["event_ids"]) == 3
    assert max(sizes) < 0.6 * LAMBDA_ANSWER_BYTES
