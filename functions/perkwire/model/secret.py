"""Signing secrets.

`whsec_` and base64, as Standard Webhooks 1.0 writes a symmetric key; or plain text, whose UTF-8
bytes are the key, so that an existing receiver of a product keeps the secret that it has.
"""

import base64
import binascii
import re
import secrets

_PREFIX = "whsec_"
_SHORTEST_BYTES = 24
_LONGEST_BYTES = 64
_NEW_BYTES = 32
_PLAIN = re.compile(r"[\x21-\x7e]{16,256}")


class UnusableSecret(Exception):
    """A stored secret that cannot sign; the message never holds it."""


def new_secret() -> str:
    """A secret of 32 random bytes."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_NEW_BYTES)).decode()


def check_secret(secret: str) -> str | None:
    """What is wrong with a given secret, or None. The sentence never holds the secret."""
    if _decoded(secret) is None:
        return f"must be {_PREFIX} and the base64 of {_SHORTEST_BYTES} to {_LONGEST_BYTES} bytes"
    return None


def signing_key(secret: str) -> bytes:
    """The HMAC key: the decoded part; raises UnusableSecret."""
    key = _decoded(secret)
    if key is None:
        raise UnusableSecret("The secret is not of the form that its format asks for.")
    return key


def new_plain_secret() -> str:
    """A secret of 43 visible characters, from 32 random bytes."""
    return secrets.token_urlsafe(_NEW_BYTES)


def check_plain_secret(secret: str) -> str | None:
    """What is wrong with a given plain secret, or None. The sentence never holds the secret."""
    if not _PLAIN.fullmatch(secret):
        return "must have 16 to 256 visible ASCII characters"
    return None


def plain_key(secret: str) -> bytes:
    """The HMAC key: the UTF-8 bytes; raises UnusableSecret."""
    if not _PLAIN.fullmatch(secret):
        raise UnusableSecret("The secret is not of the form that its format asks for.")
    return secret.encode()


def _decoded(secret: str) -> bytes | None:
    if not secret.startswith(_PREFIX):
        return None
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if _SHORTEST_BYTES <= len(key) <= _LONGEST_BYTES else None
