"""What is sent and signed, and what logs and values show of it."""

from dataclasses import replace

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from perkwire.dispatching.rendering import OpenedSecrets
from perkwire.model.delivery import Reason
from perkwire.model.sending import NoResponse, Response, TransportError
from perkwire.model.webhook import RetiredSecret
from perkwire.primitives.timestamps import MICROSECONDS, now
from tests.builders import NOW, SECRET, a_delivery_message, a_received, a_webhook, an_event
from tests.unit.dispatching.harness import (
    BROKEN,
    INTERVAL,
    MAX_ATTEMPTS,
    MESSAGE,
    OK,
    DispatcherHarness,
    received,
)


def test_the_request_verifies_with_the_reference_library(dispatcher: DispatcherHarness) -> None:
    dispatcher.clock.now = now()
    message = a_delivery_message(None, an_event(data={"name": "Zoë"}, program_id="p"))

    dispatcher.dispatch(a_received(message))

    (request,) = dispatcher.sender.requests
    said = Verifier(SECRET).verify(request.body, dict(request.headers))
    assert said["data"] == {"name": "Zoë"}
    assert said["program_id"] == "p"
    assert request.url == dispatcher.webhook.url


def test_each_attempt_is_signed_anew_and_carries_the_same_id_and_body(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.answer(BROKEN)

    dispatcher.dispatch(received(1))
    dispatcher.clock.pass_seconds(INTERVAL)
    dispatcher.dispatch(received(2))

    first, second = dispatcher.sender.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) == NOW // MICROSECONDS + INTERVAL
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_custom_headers_are_sent_and_ours_stay_ours(dispatcher: DispatcherHarness) -> None:
    dispatcher.webhook = a_webhook(headers={"Authorization": "Bearer t", "x-shop": "7"})
    dispatcher.config.put(dispatcher.webhook)

    dispatcher.dispatch(received())

    (request,) = dispatcher.sender.requests
    assert request.headers["Authorization"] == "Bearer t"
    assert request.headers["x-shop"] == "7"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Perkwire/")
    assert request.headers["webhook-id"] == MESSAGE.delivery_id


@pytest.mark.parametrize("name", ["x-mine", "x_mine", "X_Mine"])
@pytest.mark.parametrize("signature_header", ["x-mine", "x_mine"])
def test_a_signature_header_is_never_sent_twice(
    dispatcher: DispatcherHarness, signature_header: str, name: str
) -> None:
    """As a webhook may be stored since before a rule."""
    dispatcher.config.put(
        a_webhook(
            secret="a-secret-of-plain-characters",
            headers={name: "forged"},
            format="qualifio",
            format_settings={
                "signature_header": signature_header,
                "signature_algorithm": "sha256",
                "signature_encoding": "hex",
            },
        )
    )

    message = received(MAX_ATTEMPTS)

    assert dispatcher.dispatch(message) == [message.message_id]

    assert dispatcher.sender.requests == []
    assert (dispatcher.entry().status, dispatcher.entry().reason) == ("failed", Reason.FORMAT)


def test_an_answer_that_echoes_is_logged_without_secrets(dispatcher: DispatcherHarness) -> None:
    dispatcher.webhook = a_webhook(headers={"Authorization": "Bearer of/the+receiver"})
    dispatcher.config.put(dispatcher.webhook)
    echo = f'{{"authorization": "Bearer of\\/the+receiver", "key": "{SECRET}", "why": "no"}}'
    dispatcher.answer(Response(500, echo, 7))

    dispatcher.dispatch(received())

    (attempt,) = dispatcher.entry().attempts
    assert attempt.response == '{"authorization": "Bearer …", "key": "…", "why": "no"}'


def test_so_it_is_without_the_secret_that_was_rotated(dispatcher: DispatcherHarness) -> None:
    retired = "whsec_" + "B" * 40
    sealed = dispatcher.webhook.sealed
    until = NOW + MICROSECONDS
    dispatcher.change_webhook(
        sealed=replace(
            sealed, retired=(RetiredSecret(a_webhook(secret=retired).sealed.secret, until),)
        )
    )
    dispatcher.answer(Response(500, f"not signed with {retired}", 7))

    dispatcher.dispatch(received())

    assert dispatcher.entry().attempts[0].response == "not signed with …"


def test_a_changed_url_and_secret_act_on_queued_messages(dispatcher: DispatcherHarness) -> None:
    secret = "whsec_" + "B" * 40
    dispatcher.clock.now = now()
    dispatcher.webhook = a_webhook(secret=secret, url="https://moved.example/")
    dispatcher.config.put(dispatcher.webhook)

    dispatcher.dispatch(received())

    (request,) = dispatcher.sender.requests
    assert request.url == "https://moved.example/"
    Verifier(secret).verify(request.body, dict(request.headers))


@pytest.mark.parametrize("after", [-1, 0, 1])
def test_until_the_overlap_of_a_rotation_ends_the_old_secret_signs_too(
    dispatcher: DispatcherHarness, after: int
) -> None:
    dispatcher.clock.now = now()
    old, new = a_webhook(), a_webhook(secret="whsec_" + "B" * 40)
    retired = RetiredSecret(old.sealed.secret, dispatcher.clock.now - after)
    dispatcher.change_webhook(sealed=replace(new.sealed, retired=(retired,)))

    dispatcher.dispatch(received())

    (request,) = dispatcher.sender.requests
    Verifier("whsec_" + "B" * 40).verify(request.body, dict(request.headers))
    if after < 0:
        Verifier(SECRET).verify(request.body, dict(request.headers))
    else:
        with pytest.raises(WebhookVerificationError):
            Verifier(SECRET).verify(request.body, dict(request.headers))


def test_a_webhook_for_batches_gets_the_envelope_even_around_one_event(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.change_webhook(batch_size=10)

    dispatcher.dispatch(received())

    assert dispatcher.sender.requests[0].body.startswith(b'{"type":"batch"')


def test_no_line_of_the_journal_holds_a_url_body_secret_or_header(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.webhook = a_webhook(headers={"Authorization": "Bearer t0ken"})
    dispatcher.log_successes = True
    dispatcher.config.put(dispatcher.webhook)
    dispatcher.answer(Response(500, "snippet", 1), OK)
    message = a_delivery_message(None, an_event(data={"name": "Zoë"}))
    dispatcher.dispatch(a_received(message))
    dispatcher.dispatch(a_received(message, 2))
    dispatcher.vault.fail("open")
    dispatcher.dispatch(received(), a_received('{"v":1,"delivery_id":"Zoë"}'))

    lines = str(dispatcher.journal.notes + dispatcher.journal.faults)

    assert len(dispatcher.journal.notes) == 2
    for secret in (SECRET, "t0ken", "Zo", "till.example", "snippet"):
        assert secret not in lines


def test_opened_secrets_do_not_show_themselves() -> None:
    opened = OpenedSecrets(SECRET, {"authorization": "Bearer t0ken"}, ((SECRET, NOW),))

    assert SECRET not in f"{opened!r} {opened}"
    assert "t0ken" not in f"{opened!r} {opened}"


def test_a_request_does_not_show_its_body_and_headers(dispatcher: DispatcherHarness) -> None:
    dispatcher.webhook = a_webhook(headers={"Authorization": "Bearer t0ken"})
    dispatcher.config.put(dispatcher.webhook)
    dispatcher.dispatch(a_received(a_delivery_message(None, an_event(data={"name": "Zoe"}))))

    (request,) = dispatcher.sender.requests

    assert b"Zoe" in request.body
    for secret in ("Zoe", "t0ken", request.headers["webhook-signature"]):
        assert secret not in f"{request!r} {request}"


def test_each_attempt_makes_one_line_that_explains_it(dispatcher: DispatcherHarness) -> None:
    dispatcher.answer(NoResponse(TransportError.TIMEOUT, 10_000))

    dispatcher.dispatch(received(2))

    ((what, line),) = dispatcher.journal.notes
    assert what == "delivery.attempted"
    assert line["delivery_id"] == MESSAGE.delivery_id
    assert (line["status"], line["attempt"], line["error"]) == ("retrying", 2, "timeout")
