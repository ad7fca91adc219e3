"""The demonstration's receivers, driven by requests that the real formats render and sign."""

import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus

import pytest

from infra.local import demo
from infra.local.arrivals import WIDTH, Arrivals, line, listed
from infra.local.emulator import ROOT
from infra.local.receiver import Attempt, Receiver
from infra.local.verifying import PRODUCTS
from perkwire.adapters.data_schemas import DataSchemas
from perkwire.catalogue.event_types import event_types
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.contracts.built_in import BUILT_IN
from perkwire.formats.registry import FORMATS, find_format
from perkwire.model.event import Event
from perkwire.model.sending import Request
from perkwire.primitives.fields import Fields
from perkwire.primitives.timestamps import now
from tests.builders import SECRET, a_delivery_message, a_webhook, an_event

UPGRADE_NAMES = {
    "standard": "tier.upgraded",
    "zinrelo": "event_member_tierupgrade",
    "zoho-thrive": "tier_upgrade",
    "qualifio": "change_in_level",
    "okendo": "loyalty_customer update",
    "voucherify": "customer.loyalty.tier.upgraded",
}


@pytest.fixture
def attempts() -> list[Attempt]:
    return []


@pytest.fixture
def receiver(attempts: list[Attempt]) -> Iterator[Receiver]:
    with Receiver(attempts.append) as running:
        yield running


def upgrade() -> Event:
    return an_event(type="tier.upgraded", data=demo.TIER_UPGRADE["data"])


def sent(product: str, *events: Event, **headers: str) -> Request:
    """The request of a delivery, of the demonstration's tier upgrade unless told otherwise."""
    format_ = find_format(product)
    assert format_ is not None
    webhook = a_webhook(
        format=format_.name,
        format_settings=format_.read_settings(Fields({})),
        batch_size=10 if len(events) > 1 else 1,
    )
    message = a_delivery_message(webhook, *(events or (upgrade(),)))
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    return render(message, webhook, OpenedSecrets(SECRET, own), now())


def post(url: str, request: Request) -> int:
    posted = urllib.request.Request(  # noqa: S310
        url, data=request.body, headers=dict(request.headers)
    )
    try:
        with urllib.request.urlopen(posted, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_every_format_has_a_receiver_of_its_kind() -> None:
    in_code = {*FORMATS} - {*BUILT_IN}

    assert set(PRODUCTS) == {name.partition("@")[0] for name in in_code}


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_verified_request_is_taken_and_shown_in_the_products_words(
    product: str, receiver: Receiver, attempts: list[Attempt]
) -> None:
    receiver.add("crm", SECRET, product=product)
    request = sent(product)

    status = post(receiver.url("crm"), request)

    format_ = find_format(product)
    assert format_ is not None
    assert format_.is_success(status)
    (attempt,) = attempts
    assert attempt.verified
    assert (attempt.endpoint, attempt.number, attempt.status) == ("crm", 1, status)
    assert attempt.delivery_id == request.headers["webhook-id"]
    assert attempt.event_names == (UPGRADE_NAMES[product],)


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_wrong_signature_is_refused(
    product: str, receiver: Receiver, attempts: list[Attempt]
) -> None:
    receiver.add("crm", "whsec_" + "A" * 32, product=product)
    receiver.add("till", SECRET, product=product)
    request = sent(product)
    unsigned = replace(request, headers={})
    signature = next(name for name in request.headers if name.endswith("-signature"))
    garbled = replace(request, headers=dict(request.headers) | {signature: "garbled"})
    changed = replace(request, body=request.body.replace(b"gold", b"Gold"))

    assert post(receiver.url("crm"), request) == 401
    assert [post(receiver.url("till"), one) for one in (unsigned, garbled, changed)] == [401] * 3

    assert [attempt.verified for attempt in attempts] == [False] * 4
    assert [attempt.event_names for attempt in attempts] == [()] * 4


def test_a_request_without_the_receivers_own_header_is_refused(receiver: Receiver) -> None:
    receiver.add("crm", SECRET, product="zoho-thrive", headers={"X-Thrive-Token": "7"})

    statuses = [
        post(receiver.url("crm"), sent("zoho-thrive", **headers))
        for headers in ({}, {"x_thrive_token": "8"}, {"x_thrive_token": "7"})
    ]

    assert statuses == [401, 401, 200]


def test_endpoint_fails_as_often_as_told_and_recovers(
    receiver: Receiver, attempts: list[Attempt]
) -> None:
    receiver.add("mends", SECRET, failures=2)
    request = sent("standard")
    assert [post(receiver.url("mends"), request) for _ in range(3)] == [503, 503, 204]
    assert [attempt.number for attempt in attempts] == [1, 2, 3]


def test_a_delivery_that_comes_again_is_a_repeat(
    receiver: Receiver, attempts: list[Attempt]
) -> None:
    receiver.add("crm", SECRET, failures=1)
    request = sent("standard")
    assert [post(receiver.url("crm"), request) for _ in range(3)] == [503, 204, 204]
    assert [attempt.repeat for attempt in attempts] == [False, False, True]


def test_no_request_waits_for_the_verifying_of_another(
    receiver: Receiver, attempts: list[Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=5)

    def is_genuine(*_: object) -> bool:
        both.wait()
        return True

    slow = replace(PRODUCTS["standard"], is_genuine=is_genuine)
    monkeypatch.setitem(PRODUCTS, "standard", slow)
    for name in ("crm", "till"):
        receiver.add(name, SECRET)

    with ThreadPoolExecutor() as pool:
        urls = [receiver.url("crm"), receiver.url("till")]
        statuses = [*pool.map(lambda url: post(url, sent("standard")), urls)]

    assert statuses == [204, 204]
    assert len(attempts) == 2


def test_nothing_is_left_to_import_when_the_first_request_arrives() -> None:
    """An import takes seconds on a busy machine, longer than an attempt."""
    program = """
import sys, urllib.error
from pathlib import Path
from infra.local import demo
try:
    local = {"api_url": "http://127.0.0.1:1", "operator_key": "no key"}
    with demo.running(local, Path()):
        pass
except urllib.error.URLError:
    print("svix.webhooks" in sys.modules)
"""
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert finished.stdout == "True\n"


@pytest.mark.parametrize("product", ["standard", "zinrelo", "qualifio"])
def test_a_batch_shows_the_names_of_its_events(
    product: str, receiver: Receiver, attempts: list[Attempt]
) -> None:
    receiver.add("crm", SECRET, product=product)
    post(receiver.url("crm"), sent(product, upgrade(), upgrade(), upgrade()))
    assert attempts[0].event_names == (UPGRADE_NAMES[product],) * 3


def test_unknown_endpoint_is_not_found(receiver: Receiver, attempts: list[Attempt]) -> None:
    assert post(receiver.url("missing"), sent("standard")) == 404
    assert attempts == []


# What the demonstration posts and shows.


def test_the_demonstrations_events_fit_the_catalogue() -> None:
    assert DataSchemas()(demo.TIER_UPGRADE["type"], demo.TIER_UPGRADE["data"]) == ()
    assert set(demo.SAMPLES) <= set(event_types())
    assert len(set(demo.SAMPLES)) == 12


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_receiver_takes_some_of_the_samples(product: str) -> None:
    format_ = find_format(product)
    assert format_ is not None
    assert any(format_.name_of(event_type) for event_type in demo.SAMPLES)


def test_the_last_sample_is_one_that_not_every_format_can_say() -> None:
    assert None in {format_.name_of(demo.SAMPLES[-1]) for format_ in FORMATS.values()}


def an_attempt(
    endpoint: str = "crm",
    *names: str,
    status: HTTPStatus = HTTPStatus.OK,
    number: int = 1,
    repeat: bool = False,
) -> Attempt:
    return Attempt(
        at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        endpoint=endpoint,
        delivery_id="dlv_1",
        event_names=names or ("tier_upgrade",),
        number=number,
        verified=status != HTTPStatus.UNAUTHORIZED,
        status=status,
        repeat=repeat,
    )


def test_only_attempts_at_shown_endpoints_are_printed_earlier_ones_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arrivals = Arrivals()
    arrivals.show("crm")
    for endpoint in ("crm", "mends", "crm"):
        arrivals.note(an_attempt(endpoint))
    assert [one.split()[1] for one in capsys.readouterr().out.splitlines()] == ["crm", "crm"]

    arrivals.show("mends")
    arrivals.note(an_attempt("mends", number=2))
    assert [one.split()[1] for one in capsys.readouterr().out.splitlines()] == ["mends", "mends"]

    arrivals.show()
    arrivals.note(an_attempt("till"))
    arrivals.show_all_from_now_on()
    arrivals.note(an_attempt("crm"))
    assert [one.split()[1] for one in capsys.readouterr().out.splitlines()] == ["crm"]


def test_the_last_line_counts_what_was_taken_and_what_is_missing() -> None:
    arrivals = Arrivals()
    arrivals.note(an_attempt("crm", status=HTTPStatus.SERVICE_UNAVAILABLE))
    arrivals.note(an_attempt("crm", "one", "two", number=2))
    arrivals.note(an_attempt("till", status=HTTPStatus.UNAUTHORIZED))
    arrivals.wait_for({"crm": 1})
    arrivals.wait_for({"crm": 1})

    assert arrivals.taken("crm") == ["one", "two"]
    assert arrivals.summary() == "All 2 events taken, in 3 attempts, 2 signatures verified."


def test_a_repeat_is_shown_as_one_and_makes_up_for_nothing_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infra.local.arrivals._PATIENCE_SECONDS", 0)
    arrivals = Arrivals()
    repeat = an_attempt("crm", "one", number=2, repeat=True)
    arrivals.note(an_attempt("crm", "one"))
    arrivals.note(repeat)
    arrivals.wait_for({"crm": 1, "till": 1})

    assert arrivals.taken("crm") == ["one"]
    assert line(repeat).endswith("200  a repeat")
    assert arrivals.summary() == (
        "Only 1 of 2 events taken, in 2 attempts (1 of them a repeat), 2 signatures verified."
    )


def test_more_events_at_one_endpoint_make_up_for_none_at_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infra.local.arrivals._PATIENCE_SECONDS", 0)
    arrivals = Arrivals()
    arrivals.note(an_attempt("crm", "one", "two"))
    arrivals.wait_for({"crm": 1, "till": 1})

    assert arrivals.summary().startswith("Only 1 of 2 events taken")


def test_a_minute_without_an_event_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.arrivals._PATIENCE_SECONDS", 0)
    arrivals = Arrivals()
    arrivals.wait_for({"crm": 3})

    assert arrivals.summary().startswith("Only 0 of 3 events taken")


@pytest.mark.parametrize(
    "attempt",
    [
        an_attempt("zoho-thrive", "n" * 80, status=HTTPStatus.SERVICE_UNAVAILABLE, number=12),
        an_attempt("voucherify", "customer.voucher.loyalty_card.pending_points.activated"),
        an_attempt("zoho-thrive", "a", "b", status=HTTPStatus.UNAUTHORIZED),
        an_attempt("voucherify", "n" * 80, number=12, repeat=True),
    ],
)
def test_a_line_fits_the_terminal(attempt: Attempt) -> None:
    assert len(line(attempt)) <= WIDTH
    assert line(attempt)[10:].startswith(f"{attempt.endpoint:<13}")


@pytest.mark.parametrize(
    ("names", "width", "text"),
    [
        ([], 20, "-"),
        (["one", "two", "one"], 20, "one, two"),
        (["one", "two", "three"], 15, "one, two, three"),
        (["one", "two", "three"], 14, "one and 2 more"),
        (["one", "two", "three"], 5, "one"),
        (["fourteen"], 5, "four…"),
    ],
)
def test_as_many_names_are_listed_as_fit(names: list[str], width: int, text: str) -> None:
    assert listed(names, width) == text
