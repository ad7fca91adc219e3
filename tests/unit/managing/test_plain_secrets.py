"""Secrets that receivers of products already have: whatever was typed."""

import base64
import hmac

import pytest

from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.registry import FORMATS
from perkwire.managing.webhook_draft import EndpointRules
from perkwire.managing.webhooks import WebhookManagement
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.masking import masked
from perkwire.model.secret import new_plain_secret
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.reading.previewing import preview
from tests.builders import ACCOUNT, NOW, a_delivery_message, an_account, an_event, webhook_body
from tests.fakes import (
    FakeAccountStore,
    FakeClock,
    FakeConfigItems,
    FakeSealer,
    FakeWebhookStore,
)

# By product: the hash, what is signed (a name in braces is the body, the URL or a header), and how
# the signature is written.
SIGNING = {
    "zinrelo": ("sha512", "{body}:{nonce}", "hex"),
    "qualifio": ("sha256", "{body}", "hex"),
    "voucherify": ("sha256", "{body}", "hex"),
    "loyaltylion": ("sha256", "{body}", "base64"),
    "square-loyalty": ("sha256", "{url}{body}", "base64"),
    "rivo": ("sha256", "{body}", "base64"),
    "open-loyalty": ("sha256", "{x-webhook-timestamp}.{body}", "hex"),
}
PLAIN = [name for name in FORMATS if name.partition("@")[0] in SIGNING]
ENCODED = [name for name in FORMATS if name not in PLAIN]
RULES = EndpointRules(EndpointPolicy.PUBLIC)
TYPED = ["s", "mysecret", "fifteen letters", "pässwörd 🔑", "x" * 256]


@pytest.fixture
def management() -> WebhookManagement:
    items = FakeConfigItems()
    items.put(an_account())
    return WebhookManagement(
        accounts=FakeAccountStore(items),
        webhooks=FakeWebhookStore(items),
        sealer=FakeSealer(),
        rules=RULES,
        most_webhooks=99,
        clock=FakeClock(NOW),
    )


def warned(answer: dict[str, Json]) -> list[Json]:
    found = answer["warnings"]
    assert isinstance(found, list)
    return [one["field"] for one in found if isinstance(one, dict)]


@pytest.mark.parametrize("secret", TYPED)
@pytest.mark.parametrize("name", PLAIN)
def test_what_a_receiver_has_is_taken_and_signs(
    management: WebhookManagement, name: str, secret: str
) -> None:
    body = webhook_body(format=name, secret=secret)

    created = management.create(ACCOUNT, body)

    webhook, message = created.webhook, a_delivery_message(None, an_event(type="points.earned"))
    request = render(message, webhook, OpenedSecrets(secret, {}), NOW)
    hash_name, signed, encoding = SIGNING[name.partition("@")[0]]
    parts = {**request.headers, "url": webhook.url, "body": request.body.decode()}
    digest = hmac.digest(secret.encode(), signed.format_map(parts).encode(), hash_name)
    expected = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    assert any(expected in value for value in request.headers.values())
    assert created.secret == secret


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("secret", ["s", "x" * 15])
def test_a_short_one_comes_with_a_warning_that_does_not_hold_it(
    management: WebhookManagement, name: str, secret: str
) -> None:
    answer = management.create(ACCOUNT, webhook_body(format=name, secret=secret)).to_json()
    shown = preview(ACCOUNT, webhook_body(format=name, secret=secret), RULES, NOW)

    assert warned(answer) == ["secret"] == [one.field for one in shown.warnings]
    assert "fewer than 16 characters" in str(answer["warnings"])
    assert "x" * 15 not in str(answer["warnings"])


@pytest.mark.parametrize("name", PLAIN)
def test_a_long_one_and_a_made_up_one_come_without(
    management: WebhookManagement, name: str
) -> None:
    given = management.create(ACCOUNT, webhook_body(format=name, secret="x" * 16))
    made_up = management.create(ACCOUNT, webhook_body(format=name, url="https://two.example/"))

    assert given.to_json()["warnings"] == made_up.to_json()["warnings"] == []
    assert len(made_up.secret or "") == len(new_plain_secret()) == 43


def test_a_rotation_to_a_short_one_warns_too(management: WebhookManagement) -> None:
    webhook = management.create(ACCOUNT, webhook_body(format="zinrelo")).webhook

    rotated = management.rotate_secret(ACCOUNT, webhook.id, {"secret": "mysecret"})

    assert rotated.secret == "mysecret"
    assert warned(rotated.to_json()) == ["secret"]


def test_blanks_around_one_are_part_of_it_and_warned_of(management: WebhookManagement) -> None:
    created = management.create(ACCOUNT, webhook_body(format="zinrelo", secret=f" {'x' * 20}"))

    assert created.secret == f" {'x' * 20}"
    assert "begins or ends with a blank" in str(created.to_json()["warnings"])


@pytest.mark.parametrize("secret", ["", "x" * 257, "two\nlines", "a\x7f", "a\u2028b"])
@pytest.mark.parametrize("name", PLAIN)
def test_what_is_not_one_line_of_at_most_256_characters_is_refused(
    management: WebhookManagement, name: str, secret: str
) -> None:
    with pytest.raises(Problem) as raised:
        management.create(ACCOUNT, webhook_body(format=name, secret=secret))

    assert raised.value.status == 422


@pytest.mark.parametrize("name", ENCODED)
def test_the_other_formats_ask_for_random_bytes_as_before(
    management: WebhookManagement, name: str
) -> None:
    with pytest.raises(Problem):
        management.create(ACCOUNT, webhook_body(format=name, secret="mysecret"))
    assert management.create(ACCOUNT, webhook_body(format=name)).to_json()["warnings"] == []


@pytest.mark.parametrize(
    "echo", ["pässwort", "p\\u00e4sswort", "p%C3%A4sswort", "{'key': 'pässwort'}"]
)
def test_an_answer_that_echoes_one_is_shown_without_it(echo: str) -> None:
    shown = masked(f"your key is {echo}, is it not", ["pässwort"])

    assert "sswort" not in shown
    assert shown.startswith("your key is ")
