"""Signing secrets.

`whsec_` and base64, as Standard Webhooks 1.0 writes a symmetric key; or plain text, whose UTF-8
bytes are the key, so that an existing receiver of a product keeps the secret that it has.
"""

import base64
import binascii
import secrets

from perkwire.primitives.regexes import regex

_PREFIX = "whsec_"
_SHORTEST_BYTES = 24
_LONGEST_BYTES = 64
_NEW_BYTES = 32
# Any text of one line that UTF-8 can say: existing receivers have what somebody once typed.
_PLAIN = regex(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,256}")
_SAFE_LENGTH = 16


class UnusableSecret(Exception):
    """A stored secret that cannot sign; the message never holds it."""


def new_secret() -> str:
    """A secret of 32 random bytes."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_NEW_BYTES)).decode()


def check_secret(secret: str) -> str | None:
    """What is wrong with a given secret, or None. The sentence never holds the secret."""
    key = _decoded(secret)
    if key is None:
        return f"must be {_PREFIX} and the base64 of {_SHORTEST_BYTES} to {_LONGEST_BYTES} bytes"
    if _PREFIX + base64.b64encode(key).decode() != secret:
        # RFC 4648 §3.5. A receiver whose decoder refuses it could verify nothing.
        return "must be canonical base64: its last character says more than there are bytes"
    return None


def signing_key(secret: str) -> bytes:
    """The HMAC key: the decoded part; raises UnusableSecret.

    One that is not canonical signs: such have been taken before.
    """
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
        return "must have 1 to 256 characters of one line"
    return None


def doubt_plain_secret(secret: str) -> str | None:
    """What may come of a plain secret that a receiver already has, or None; never with it."""
    doubts = []
    if len(secret) < _SAFE_LENGTH:
        doubts.append(
            f"has fewer than {_SAFE_LENGTH} characters: who guesses it can forge requests, so "
            "rotate it once the receiver can take a longer one"
        )
    if secret != secret.strip():
        doubts.append(
            "begins or ends with a blank, which is part of the key and easily lost on the way to "
            "the receiver"
        )
    return "; ".join(doubts) or None


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
