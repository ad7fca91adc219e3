"""managing.Sealer and dispatching.Vault: a secret opens for its own webhook, or not at all."""

import gc
from dataclasses import dataclass, replace

import pytest

from infra.local.emulator import client
from perkwire.adapters.vault import CACHE_SECONDS, Opener, Sealer
from perkwire.dispatching.rendering import OpenedSecrets
from perkwire.model.webhook import SealedSecrets, Webhook
from perkwire.primitives.ids import new_account_id, new_webhook_id
from perkwire.primitives.journal import Unavailable
from tests.builders import NOW, SECRET, a_webhook
from tests.fakes import FakeOpener, FakeSealer
from tests.integration.system import Stack

HEADERS = {"X-Shop": "Kölner Straße 7", "authorization": "Bearer of-the-receiver"}


@dataclass(frozen=True)
class Vault:
    """Both sides of it."""

    sealer: Sealer | FakeSealer
    opener: Opener | FakeOpener

    def sealed(self, webhook: Webhook, headers: dict[str, str]) -> Webhook:
        secret = self.sealer.seal_secret(webhook.account_id, webhook.id, SECRET)
        sealed_headers = self.sealer.seal_headers(webhook.account_id, webhook.id, headers)
        return replace(webhook, sealed=SealedSecrets(secret=secret, headers=sealed_headers))


@pytest.fixture(params=["fake", "real"])
def vault(request: pytest.FixtureRequest) -> Vault:
    if request.param == "fake":
        return Vault(FakeSealer(), FakeOpener())
    stack: Stack = request.getfixturevalue("stack")
    client, key_id = stack.client("kms"), stack.resources["SecretKey"]
    return Vault(Sealer(client, key_id), Opener(client, key_id))


@pytest.fixture
def webhook() -> Webhook:
    return a_webhook(id=new_webhook_id(), account_id=new_account_id())


def test_what_was_sealed_opens(vault: Vault, webhook: Webhook) -> None:
    opened = vault.opener.open(vault.sealed(webhook, HEADERS))

    assert (opened.secrets(NOW), opened.headers) == ((SECRET,), HEADERS)


def test_no_headers_are_no_ciphertext(vault: Vault, webhook: Webhook) -> None:
    sealed = vault.sealed(webhook, {})

    assert sealed.sealed.headers is None
    assert vault.opener.open(sealed).headers == {}


def test_headers_of_three_kibibytes_fit(vault: Vault, webhook: Webhook) -> None:
    headers = {f"x-{number}": "v" * 90 for number in range(30)}

    assert vault.opener.open(vault.sealed(webhook, headers)).headers == headers


def test_another_webhooks_ciphertext_does_not_open(vault: Vault, webhook: Webhook) -> None:
    sealed = vault.sealed(webhook, HEADERS)

    for thief in (
        replace(sealed, id=new_webhook_id()),
        replace(sealed, account_id=new_account_id()),
    ):
        with pytest.raises(Unavailable):
            vault.opener.open(thief)


def test_headers_do_not_open_as_a_secret(vault: Vault, webhook: Webhook) -> None:
    sealed = vault.sealed(webhook, HEADERS).sealed
    assert sealed.headers is not None

    with pytest.raises(Unavailable):
        vault.opener.open(
            replace(webhook, sealed=SealedSecrets(secret=sealed.headers, headers=None))
        )


@pytest.mark.parametrize("ciphertext", [b"", b"no ciphertext"])
def test_what_is_no_ciphertext_does_not_open(
    ciphertext: bytes, vault: Vault, webhook: Webhook
) -> None:
    with pytest.raises(Unavailable):
        vault.opener.open(replace(webhook, sealed=SealedSecrets(secret=ciphertext, headers=None)))


def test_a_key_that_is_away_is_unavailable_for_both_sides(stack: Stack, webhook: Webhook) -> None:
    kms = client("kms", "http://127.0.0.1:9")

    for call in (
        lambda: Sealer(kms, "key").seal_secret(webhook.account_id, webhook.id, SECRET),
        lambda: Opener(kms, "key").open(webhook),
        lambda: Sealer(stack.client("kms"), "no-such-key").seal_headers(
            webhook.account_id, webhook.id, HEADERS
        ),
    ):
        with pytest.raises(Unavailable) as failed:
            call()
        assert SECRET not in str(failed.value)


@pytest.mark.parametrize("standing", ["none", "wall", "monotonic"])
def test_an_opened_secret_is_remembered_for_five_minutes_and_no_longer(
    stack: Stack, webhook: Webhook, standing: str
) -> None:
    """A function that is frozen sleeps through its monotonic clock; the wall's may be set back."""
    kms, key_id = stack.emulator.client("kms"), stack.resources["SecretKey"]
    calls: list[str] = []
    kms.meta.events.register("before-call.kms.Decrypt", lambda **_: calls.append("Decrypt"))
    moment = [0.0]

    def clocks() -> tuple[float, float]:
        wall, monotonic = 1_000 + moment[0], moment[0]
        return (1_000 if standing == "wall" else wall, 0 if standing == "monotonic" else monotonic)

    opener = Opener(kms, key_id, clocks)
    sealed = Vault(Sealer(kms, key_id), opener).sealed(webhook, {})

    for moment[0] in (0, CACHE_SECONDS - 1, CACHE_SECONDS, CACHE_SECONDS + 1):
        assert opener.open(sealed).secret == SECRET

    assert len(calls) == 2


def test_a_secret_that_may_not_be_used_any_more_is_not_kept(stack: Stack) -> None:
    """It is forgotten by the next opening, also by one that finds its own remembered."""
    kms, key_id = stack.emulator.client("kms"), stack.resources["SecretKey"]
    moment = [0.0]
    opener = Opener(kms, key_id, lambda: (moment[0], moment[0]))
    vault = Vault(Sealer(kms, key_id), opener)
    first, second = (
        vault.sealed(a_webhook(id=new_webhook_id()), {"X-Of": which}) for which in ("one", "two")
    )

    opener.open(first)
    assert kept("one")
    moment[0] = CACHE_SECONDS - 1
    opener.open(second)
    assert kept("one")
    moment[0] = CACHE_SECONDS
    opener.open(second)

    assert kept("two")
    assert not kept("one")


def kept(which: str) -> bool:
    """Whether the opened secrets of the webhook with this header are anywhere in memory."""
    gc.collect()
    return any(
        isinstance(one, OpenedSecrets) and one.headers == {"X-Of": which}
        for one in gc.get_objects()
    )
