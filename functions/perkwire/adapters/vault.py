"""Secrets and header values under KMS, bound to their account and webhook.

Management seals and cannot open; the dispatcher opens and cannot seal. The encryption context
makes a ciphertext that was copied to another webhook unreadable. KMS takes 4096 bytes.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from perkwire.adapters.aws import failing_as_unavailable
from perkwire.dispatching.rendering import OpenedSecrets
from perkwire.model.webhook import SealedSecrets, Webhook
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.strict_json import compact

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

CACHE_SECONDS = 300
_MOST_CACHED = 1000


class Sealer:
    """Management's side: encrypts."""

    def __init__(self, client: "KMSClient", key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def seal_secret(self, account_id: AccountId, webhook_id: WebhookId, secret: str) -> bytes:
        """The secret's ciphertext; raises Unavailable."""
        return self._seal(secret.encode(), _context(account_id, webhook_id, "secret"))

    def seal_headers(
        self, account_id: AccountId, webhook_id: WebhookId, headers: Mapping[str, str]
    ) -> bytes | None:
        """The headers' ciphertext, None for no headers; raises Unavailable."""
        if not headers:
            return None
        return self._seal(compact(dict(headers)), _context(account_id, webhook_id, "headers"))

    def _seal(self, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        with failing_as_unavailable("KMS"):
            return self._client.encrypt(
                KeyId=self._key_id, Plaintext=plaintext, EncryptionContext=context
            )["CiphertextBlob"]


type _Clocks = tuple[float, float]
"""The wall's and the monotonic one. A frozen function sleeps through the latter, so both count."""


def _both_clocks() -> _Clocks:
    return time.time(), time.monotonic()


class Opener:
    """The dispatcher's side: decrypts, and remembers for at most CACHE_SECONDS.

    Fulfils dispatching.Vault; safe for many threads.
    """

    def __init__(
        self,
        client: "KMSClient",
        key_id: str,
        clocks: Callable[[], _Clocks] = _both_clocks,
    ) -> None:
        self._client = client
        self._key_id = key_id
        self._clocks = clocks
        self._cache: dict[tuple[WebhookId, SealedSecrets], tuple[_Clocks, OpenedSecrets]] = {}
        self._lock = threading.Lock()

    def open(self, webhook: Webhook) -> OpenedSecrets:
        """The secrets of exactly this webhook; raises Unavailable."""
        key = (webhook.id, webhook.sealed)
        now = self._clocks()
        with self._lock:
            self._forget(now)
            cached = self._cache.get(key)
        if cached is not None:
            return cached[1]
        opened = self._open(webhook)
        with self._lock:
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            self._cache[key] = (now, opened)
        return opened

    def _forget(self, now: _Clocks) -> None:
        """What may not be used any more is not kept either."""
        old = [
            key
            for key, (since, _) in self._cache.items()
            if max(now[0] - since[0], now[1] - since[1]) >= CACHE_SECONDS
        ]
        for key in old:
            del self._cache[key]

    def _open(self, webhook: Webhook) -> OpenedSecrets:
        secret = self._decrypt(webhook.sealed.secret, webhook, "secret")
        headers: dict[str, str] = {}
        if webhook.sealed.headers is not None:
            headers = json.loads(self._decrypt(webhook.sealed.headers, webhook, "headers"))
        retired = tuple(
            (self._decrypt(one.secret, webhook, "secret").decode(), one.until)
            for one in webhook.sealed.retired
        )
        return OpenedSecrets(secret.decode(), headers, retired)

    def _decrypt(self, ciphertext: bytes, webhook: Webhook, purpose: str) -> bytes:
        with failing_as_unavailable("KMS"):
            return self._client.decrypt(
                CiphertextBlob=ciphertext,
                KeyId=self._key_id,
                EncryptionContext=_context(webhook.account_id, webhook.id, purpose),
            )["Plaintext"]


def _context(account_id: AccountId, webhook_id: WebhookId, purpose: str) -> dict[str, str]:
    return {"account": account_id, "webhook": webhook_id, "purpose": purpose}
