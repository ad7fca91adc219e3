"""Signatures over the very bytes that are sent."""

import base64
import hashlib
import hmac
from collections.abc import Sequence


def standard_webhooks(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` value of Standard Webhooks 1.0: one `v1,` part for each key.

    `timestamp` is in seconds, of this attempt. While a secret is rotated two keys sign, and a
    receiver accepts either.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join(
        "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys
    )
