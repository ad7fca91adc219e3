"""Every handler of docs/receiving/, over HTTP, against deliveries of every format."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from perkwire.model.sending import Request
from perkwire.primitives.ids import DeliveryId
from tests.builders import NOW, an_event
from tests.local.receiving import FORMATS, an_upgrade, said, sent
from tests.receivers.handlers import HANDLERS, Running, running

# A handler's packages may have to be installed first, or its program to be compiled.
pytestmark = pytest.mark.timeout(400)

LARGEST = 2 * 1024 * 1024
_BATCHES = ("standard", "zinrelo", "qualifio")
_TIMED = ("standard", "okendo", "zoho-thrive", "zinrelo")
_later = count(1)


@pytest.fixture(scope="module", params=HANDLERS)
def handler(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    wanted = HANDLERS[request.param]
    if missing := wanted.missing():
        pytest.skip(f"{wanted.name}: {missing}")
    with running(wanted, tmp_path_factory.mktemp(wanted.name)) as one:
        yield one


def an_event_now() -> Any:  # noqa: ANN401 - an Event
    return an_upgrade(accepted_at=NOW + next(_later))


def exchange(handler: Running, format_name: str, *requests: Request) -> tuple[list[int], list[Any]]:
    """The statuses, and the events that were worked on meanwhile."""
    before = len(handler.worked())
    statuses = [handler.post(format_name, request) for request in requests]
    return statuses, [without_empty(json.loads(line)) for line in handler.worked()[before:]]


def without_empty(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A value whose empty objects are lists, as PHP has them."""
    return json.loads(json.dumps(value), object_pairs_hook=lambda pairs: dict(pairs) or [])


@pytest.mark.parametrize("format_name", FORMATS)
def test_what_comes_is_worked_on_once_and_a_test_never(handler: Running, format_name: str) -> None:
    event = an_event_now()
    first, again = (sent(format_name, event, seconds_ago=one) for one in (20, 0))
    tested = sent(format_name, an_event_now(), delivery_id=DeliveryId("dlv_test_01KB9T"))

    statuses, worked = exchange(handler, format_name, tested, first, again, first)

    assert statuses == [200] * 4
    assert worked == without_empty(said(first))


@pytest.mark.parametrize("format_name", FORMATS)
def test_what_is_not_genuine_is_401_and_not_worked_on(handler: Running, format_name: str) -> None:
    request = sent(format_name, an_event_now())
    other = sent(format_name, an_event_now(), secret="whsec_" + "B" * 32)
    unsigned = replace(
        request, headers={k: v for k, v in request.headers.items() if not k.endswith("signature")}
    )
    forged = [replace(request, body=request.body + b" "), other, unsigned]
    if format_name in _TIMED:
        forged.append(sent(format_name, an_event_now(), seconds_ago=600))

    statuses, worked = exchange(handler, format_name, *forged)

    assert statuses == [401] * len(forged)
    assert worked == []


@pytest.mark.parametrize("format_name", _BATCHES)
def test_of_a_batch_what_is_new_is_worked_on(handler: Running, format_name: str) -> None:
    event, other = an_event_now(), an_event_now()
    first, batch = sent(format_name, event), sent(format_name, event, other)

    statuses, worked = exchange(handler, format_name, first, batch)

    assert statuses == [200, 200]
    assert worked == without_empty(said(first) + said(batch)[1:])


def test_a_large_body_is_taken_and_one_above_the_limit_refused(handler: Running) -> None:
    data = {"member": {"id": "m-1"}, "text": "é" * 125_000}
    events = [an_event(type="custom.x", data=data, accepted_at=NOW + one) for one in range(7)]
    large = sent("standard", *events)
    assert 1_700_000 < len(large.body) < LARGEST
    too_large = replace(large, body=large.body + b" " * (LARGEST - len(large.body) + 200_000))

    statuses, worked = exchange(handler, "standard", large, too_large)

    assert statuses == [200, 413]
    assert worked == said(large)


def test_a_format_without_a_secret_is_404(handler: Running) -> None:
    assert handler.post("talon-one", sent("standard", an_event_now())) == 404
