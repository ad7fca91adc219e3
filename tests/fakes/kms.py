"""KMS, without a cipher."""

import base64
import json
from collections.abc import Mapping, Sequence

from perkwire.dispatching.rendering import OpenedSecrets
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.journal import Unavailable
from tests.fakes.failing import Failing


class FakeSealer(Failing):
    """For Sealer: managing.Sealer. Its ciphertexts are for one account, webhook and purpose."""

    def seal_secret(self, account_id: AccountId, webhook_id: WebhookId, secret: str) -> bytes:
        self._called("seal_secret")
        return _seal([account_id, webhook_id, "secret"], secret)

    def seal_headers(
        self, account_id: AccountId, webhook_id: WebhookId, headers: Mapping[str, str]
    ) -> bytes | None:
        self._called("seal_headers")
        if not headers:
            return None
        return _seal([account_id, webhook_id, "headers"], json.dumps(dict(headers)))


class FakeOpener(Failing):
    """For Opener: dispatching.Vault. Opens what FakeSealer has sealed for the webhook, only."""

    def open(self, webhook: Webhook) -> OpenedSecrets:
        self._called("open")
        own = [webhook.account_id, webhook.id]
        secret = _open([*own, "secret"], webhook.sealed.secret)
        headers: dict[str, str] = {}
        if webhook.sealed.headers is not None:
            headers = json.loads(_open([*own, "headers"], webhook.sealed.headers))
        retired = tuple(
            (_open([*own, "secret"], one.secret), one.until) for one in webhook.sealed.retired
        )
        return OpenedSecrets(secret, headers, retired)


def _seal(context: Sequence[str], plaintext: str) -> bytes:
    return base64.b64encode(json.dumps([context, plaintext]).encode())


def _open(context: Sequence[str], ciphertext: bytes) -> str:
    try:
        sealed_for, plaintext = json.loads(base64.b64decode(ciphertext))
    except ValueError:
        raise Unavailable("KMS: InvalidCiphertextException") from None
    if sealed_for != [*context]:
        raise Unavailable("KMS: InvalidCiphertextException")
    return str(plaintext)
