"""What goes out when a kept connection has ended: the same delivery, signed at its own moment."""

import hashlib
import hmac

import pytest
from standardwebhooks import Webhook as Verifier

from perkwire.formats.registry import FORMATS
from perkwire.model.sending import Request
from perkwire.primitives.fields import Fields
from perkwire.primitives.timestamps import MICROSECONDS, now
from perkwire.trials.samples import sample_event
from tests.builders import NOW, SECRET, a_delivery_message, a_received, a_webhook, an_account
from tests.unit.dispatching.harness import DispatcherHarness

EVENT_TYPES = ("tier.upgraded", "points.earned")  # of these each format knows one


def copies(dispatcher: DispatcherHarness, format_name: str, seconds: float) -> list[Request]:
    """A request and, so much later, its second copy."""
    settings = FORMATS[format_name].read_settings(Fields({}))
    dispatcher.config.put(an_account(), a_webhook(format=format_name, format_settings=settings))
    known = next(one for one in EVENT_TYPES if FORMATS[format_name].name_of(one))
    dispatcher.dispatch(a_received(a_delivery_message(None, sample_event(known, NOW))))
    (first,) = dispatcher.sender.requests
    dispatcher.clock.now += round(seconds * MICROSECONDS)
    assert first.anew is not None
    return [first, first.anew()]


@pytest.mark.parametrize("seconds", [0, 0.0001, 3])
@pytest.mark.parametrize("format_name", FORMATS)
def test_a_second_copy_is_the_same_delivery(
    dispatcher: DispatcherHarness, format_name: str, seconds: float
) -> None:
    first, second = copies(dispatcher, format_name, seconds)

    assert (first.url, first.body) == (second.url, second.body)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert set(first.headers) == set(second.headers)


@pytest.mark.parametrize("seconds", [0, 0.0001, 3])
def test_a_nonce_is_used_once(dispatcher: DispatcherHarness, seconds: float) -> None:
    first, second = copies(dispatcher, "zinrelo", seconds)

    assert int(first.headers["nonce"]) < int(second.headers["nonce"])
    signed = second.body + b":" + second.headers["nonce"].encode()
    expected = hmac.digest(SECRET.encode(), signed, hashlib.sha512).hex()
    assert second.headers["x-zinrelo-signature"] == expected


def test_a_second_copy_is_signed_at_its_own_moment(dispatcher: DispatcherHarness) -> None:
    dispatcher.clock.now = now()
    first, second = copies(dispatcher, "standard", 3)

    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 3
    Verifier(SECRET).verify(second.body, dict(second.headers))
