"""The code of docs/receiving/ in Python and Node, on requests as the real formats sign them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from console.views.receiver_code import receiver_code
from perkwire.formats import registry
from perkwire.formats.contracts.built_in import BUILT_IN
from perkwire.model.sending import Request
from perkwire.primitives.ids import DeliveryId
from perkwire.primitives.timestamps import MICROSECONDS, now
from tests.builders import NOW, SECRET, an_event
from tests.local.receiving import (
    FORMATS,
    LANGUAGES,
    TOKEN,
    Example,
    an_upgrade,
    blocks,
    said,
    saved,
    sent,
)

OTHER_SECRET = "whsec_" + "B" * 32
TOLERANCE_SECONDS = 300

# Where a format says when it was signed, in which part of a second; the others do not.
SIGNED_TIMES = {
    "standard": ("webhook-timestamp", MICROSECONDS),
    "okendo": ("svix-timestamp", MICROSECONDS),
    "zoho-thrive": ("webhook-timestamp", MICROSECONDS),
    "zinrelo": ("nonce", 1_000),
}
SIGNATURES = {
    "standard": ["webhook-signature"],
    "okendo": ["svix-signature", "webhook-signature"],  # Svix's library reads either
    "zoho-thrive": ["webhook-signature"],
    "zinrelo": ["x-zinrelo-signature"],
    "qualifio": ["x-hub-signature"],
    "voucherify": ["x-voucherify-signature"],
}


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=FORMATS)
def example(language: str, request: pytest.FixtureRequest, tmp_path: Path) -> Example:
    return saved(language, request.param, tmp_path)


def with_headers(request: Request, headers: Mapping[str, str | None]) -> Request:
    """The request with other headers, without those that are None."""
    changed: Mapping[str, str | None] = {**request.headers, **headers}
    return replace(request, headers={k: v for k, v in changed.items() if v is not None})


def test_a_receiver_is_shown_for_every_format() -> None:
    in_code = {*registry.FORMATS} - {*BUILT_IN}

    assert {*FORMATS} == {name.partition("@")[0] for name in in_code}


def test_an_event_is_worked_on_once_however_often_it_comes(example: Example) -> None:
    event, other = an_upgrade(), an_upgrade(accepted_at=NOW + 1)
    first, retried = (sent(example.format, event, seconds_ago=one) for one in (20, 0))
    another = sent(example.format, other)

    answers = example.receive(first, first, retried, another)

    assert answers == [(200, said(first)), (200, []), (200, []), (200, said(another))]


def test_what_is_not_genuine_is_refused(example: Example) -> None:
    genuine = sent(example.format, an_upgrade())
    name = SIGNATURES[example.format][0]
    value, of_another = (one.headers[name] for one in (genuine, sent(example.format, an_upgrade())))

    def signed(signature: str | None) -> Request:
        names = SIGNATURES[example.format]
        return with_headers(genuine, dict.fromkeys(names, signature))

    forged = {
        "another body": replace(genuine, body=genuine.body.replace(b"Gold", b"gold")),
        "white space": replace(genuine, body=genuine.body + b" "),
        "another secret": sent(example.format, an_upgrade(), secret=OTHER_SECRET),
        "no signature": signed(None),
        "an empty signature": signed(""),
        "half a signature": signed(value[: len(value) // 2]),
        "a signature of letters that are not ASCII": signed("v1,é"),
        "the signature of another": signed(of_another),
    }
    assert forged["another body"].body != genuine.body

    answers = dict(zip(forged, example.receive(*forged.values()), strict=True))

    assert answers == dict.fromkeys(forged, (401, []))


@pytest.mark.parametrize("format_name", SIGNED_TIMES)
def test_a_request_signed_long_ago_or_in_the_future_is_refused(
    language: str, format_name: str, tmp_path: Path
) -> None:
    header, part_of_second = SIGNED_TIMES[format_name]
    event = an_upgrade()
    recent = sent(format_name, event, seconds_ago=TOLERANCE_SECONDS - 60)
    old, early = (
        sent(format_name, event, seconds_ago=sign * (TOLERANCE_SECONDS + 60)) for sign in (1, -1)
    )
    renewed = replace(old, headers=dict(old.headers) | {header: str(now() // part_of_second)})
    timeless = replace(old, headers={k: v for k, v in old.headers.items() if k != header})

    answers = saved(language, format_name, tmp_path).receive(old, early, renewed, timeless, recent)

    assert answers == [(401, [])] * 4 + [(200, said(recent))]


@pytest.mark.parametrize("format_name", sorted(set(FORMATS) - set(SIGNED_TIMES)))
def test_an_old_request_whose_signature_covers_no_time_is_a_repeat(
    language: str, format_name: str, tmp_path: Path
) -> None:
    old = sent(format_name, an_upgrade(), seconds_ago=24 * 3600)

    answers = saved(language, format_name, tmp_path).receive(old, old)

    assert answers == [(200, said(old)), (200, [])]


def test_an_event_under_another_webhook_id_is_not_worked_on_again(example: Example) -> None:
    event = an_upgrade()
    first = sent(example.format, event)
    elsewhere = sent(example.format, event, webhook_id="wh_0000000000000002")
    assert first.headers["webhook-id"] != elsewhere.headers["webhook-id"]

    answers = example.receive(first, elsewhere)

    assert answers == [(200, said(first)), (200, [])]


def test_an_integer_that_javascript_rounds_is_genuine(language: str, tmp_path: Path) -> None:
    data = {"member": {"id": "m-1"}, "transaction": {"points": 2**53 + 1}}
    request = sent("voucherify", an_event(data=data))
    assert str(2**53 + 1).encode() in request.body

    ((status, _),) = saved(language, "voucherify", tmp_path).receive(request)

    assert status == 200


@pytest.mark.parametrize("format_name", ["standard", "zinrelo", "qualifio"])
def test_of_a_batch_only_what_is_new_is_worked_on(
    language: str, format_name: str, tmp_path: Path
) -> None:
    event, other = an_upgrade(), an_upgrade(accepted_at=NOW + 1)
    first, batch = sent(format_name, event), sent(format_name, event, other)

    answers = saved(language, format_name, tmp_path).receive(first, batch)

    assert answers == [(200, said(first)), (200, said(batch)[1:])]


def test_while_a_secret_is_rotated_the_old_one_verifies(example: Example) -> None:
    request = sent(example.format, an_upgrade(), secret=OTHER_SECRET, retired=SECRET)

    assert example.receive(request, secret=SECRET) == [(200, said(request))]


@pytest.mark.parametrize("format_name", ["standard", "okendo", "zoho-thrive"])
def test_where_two_signatures_fit_the_new_secret_verifies_too(
    language: str, format_name: str, tmp_path: Path
) -> None:
    request = sent(format_name, an_upgrade(), secret=OTHER_SECRET, retired=SECRET)

    answers = saved(language, format_name, tmp_path).receive(request, secret=OTHER_SECRET)

    assert answers == [(200, said(request))]


@pytest.mark.parametrize("token", [None, "", TOKEN[:-1] + "E", TOKEN + "e"])
def test_zoho_thrives_receiver_asks_for_its_own_header(
    language: str, token: str | None, tmp_path: Path
) -> None:
    request = with_headers(sent("zoho-thrive", an_upgrade()), {"x-thrive-token": token})

    assert saved(language, "zoho-thrive", tmp_path).receive(request) == [(401, [])]


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_test_is_answered_and_not_booked(language: str, format_name: str, tmp_path: Path) -> None:
    event = an_upgrade()
    tested = sent(format_name, event, delivery_id=DeliveryId("dlv_test_01KB9T"))
    forged = replace(tested, body=tested.body + b" ")

    answers = saved(language, format_name, tmp_path).receive(tested, forged)

    assert answers == [(200, []), (401, [])]


def test_the_console_shows_the_code_of_the_page() -> None:
    shown = "\n".join(code for name in FORMATS for code in receiver_code(name, {}).values())
    pages = blocks()
    modules = ["checked", "plain_hmac", *(name.replace("-", "_") for name in FORMATS)]

    for name in (f"{module}.{suffix}" for module in modules for suffix in ("py", "mjs")):
        assert pages[name] in shown, name
