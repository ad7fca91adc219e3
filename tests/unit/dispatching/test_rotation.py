"""Secrets that overlap: a receiver on any of them verifies what it gets."""

import hashlib
import hmac
from dataclasses import replace

import pytest
from standardwebhooks import Webhook as Verifier
from svix.webhooks import Webhook as SvixVerifier

from perkwire.formats.registry import FORMATS
from perkwire.model.sending import Request, Response
from perkwire.model.webhook import RetiredSecret
from perkwire.primitives.fields import Fields
from perkwire.primitives.timestamps import MICROSECONDS, now
from perkwire.trials.samples import sample_event
from tests.builders import a_delivery_message, a_received, a_webhook, an_account
from tests.unit.dispatching.harness import DispatcherHarness, received

NEWEST, MIDDLE, OLDEST = (f"whsec_{letter * 40}" for letter in "CBA")
ENDED = "whsec_" + "Z" * 40


def sent(dispatcher: DispatcherHarness, format_name: str, *retired: tuple[str, int]) -> Request:
    """What goes out at this moment; each retired secret ends so many seconds from now."""
    dispatcher.clock.now = at = now()
    settings = FORMATS[format_name].read_settings(Fields({}))
    webhook = a_webhook(secret=NEWEST, format=format_name, format_settings=settings)
    sealed = tuple(
        RetiredSecret(a_webhook(secret=secret).sealed.secret, at + seconds * MICROSECONDS)
        for secret, seconds in retired
    )
    dispatcher.config.put(
        an_account(), replace(webhook, sealed=replace(webhook.sealed, retired=sealed))
    )
    dispatcher.dispatch(a_received(a_delivery_message(None, sample_event("tier.upgraded", at))))
    return dispatcher.sender.requests[-1]


@pytest.mark.parametrize("secret", [NEWEST, MIDDLE, OLDEST])
@pytest.mark.parametrize("format_name", ["standard", "zoho-thrive", "okendo@2025-02-01"])
def test_with_room_for_more_signatures_each_live_secret_verifies(
    dispatcher: DispatcherHarness, format_name: str, secret: str
) -> None:
    request = sent(dispatcher, format_name, (MIDDLE, 60), (OLDEST, 30))

    verifier = SvixVerifier if format_name.startswith("okendo") else Verifier
    verifier(secret).verify(request.body, dict(request.headers))


@pytest.mark.parametrize(
    ("retired", "signing"),
    [
        ([(MIDDLE, 60), (OLDEST, 30)], OLDEST),
        ([(MIDDLE, 60), (OLDEST, 0)], MIDDLE),
        ([(MIDDLE, 0), (OLDEST, 30)], OLDEST),
        ([(MIDDLE, 60)], MIDDLE),
        ([(MIDDLE, -1), (OLDEST, -2)], NEWEST),
        ([], NEWEST),
    ],
)
@pytest.mark.parametrize("format_name", ["zinrelo", "qualifio", "voucherify@2024-01-01"])
def test_with_room_for_one_the_oldest_live_secret_signs(
    dispatcher: DispatcherHarness, format_name: str, retired: list[tuple[str, int]], signing: str
) -> None:
    request = sent(dispatcher, format_name, *retired)

    headers = {name.lower(): value for name, value in request.headers.items()}
    nonce = headers.get("nonce")
    signed = request.body + b":" + nonce.encode() if nonce else request.body
    digest = hashlib.sha512 if nonce else hashlib.sha256
    expected = hmac.digest(signing.encode(), signed, digest).hex()
    assert expected in headers.values()


def test_an_answer_gives_no_secret_away_that_has_ended(dispatcher: DispatcherHarness) -> None:
    webhook = a_webhook(secret=NEWEST)
    sealed = tuple(
        RetiredSecret(a_webhook(secret=secret).sealed.secret, 0) for secret in (MIDDLE, ENDED)
    )
    dispatcher.config.put(
        an_account(), replace(webhook, sealed=replace(webhook.sealed, retired=sealed))
    )
    dispatcher.answer(Response(500, f"{NEWEST} {MIDDLE} {ENDED}", 1))

    dispatcher.dispatch(received())

    assert dispatcher.entry().attempts[0].response == "… … …"
