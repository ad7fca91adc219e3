"""How a contract signs: which bytes, with which hash, written how, in which header."""

import base64
import binascii
import hmac
import re
import secrets as random
from collections.abc import Mapping, Sequence

from perkwire.model.endpoint import check_header_name
from perkwire.model.secret import (
    UnusableSecret,
    check_plain_secret,
    doubt_plain_secret,
    new_plain_secret,
    plain_key,
)
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields, one_of
from perkwire.primitives.ids import DeliveryId
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS

HASHES = ("sha256", "sha1", "sha384", "sha512")
ENCODINGS = ("hex", "base64", "base64url")
SCHEMES = ("hmac", "bearer", "basic")
KEYS = ("text", "base64")
ROTATIONS = ("old", "new", "each")
OF_STANDARD_WEBHOOKS = frozenset(
    {"svix-id", "svix-timestamp", "svix-signature", "webhook-timestamp", "webhook-signature"}
)
"""Headers of Standard Webhooks and of Svix that a contract may set. `webhook-id` is Perkwire's."""
_SIGNED_PARTS = ("body", "url", "timestamp_s", "timestamp_ms", "delivery_id")
_VALUE_PARTS = ("signature", "timestamp_s", "timestamp_ms", "delivery_id")
_PART = regex(r"\{\{|\}\}|\{([a-z_]*)\}|[{}]")
_VISIBLE = regex(r"[ -~]*")
_LONGEST = 128
_FEWEST_BYTES = 16
_MOST_BYTES = 64
_NEW_BYTES = 32
_MILLISECOND = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What an attempt has that a signature may cover; `at` in microseconds."""

    body: bytes
    url: str
    delivery_id: DeliveryId
    at: int

    def parts(self) -> dict[str, bytes]:
        """Each by its name in a recipe."""
        return {
            "body": self.body,
            "url": self.url.encode(),
            "timestamp_s": str(self.at // MICROSECONDS).encode(),
            "timestamp_ms": str(self.at // _MILLISECOND).encode(),
            "delivery_id": self.delivery_id.encode(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A signature, or with `bearer` and `basic` the secret itself in `Authorization`.

    `signed`, `value` and `each` are texts in which names in braces stand for parts. `rotation`
    says who signs while two secrets are live: the one before (`old`), the current one (`new`), or
    all, `each` once and joined.
    """

    scheme: str = "hmac"
    header: str = "authorization"
    hash: str = "sha256"
    key: str = "text"
    key_prefix: str = ""
    signed: str = "{body}"
    encoding: str = "hex"
    value: str = "{signature}"
    each: str = "{signature}"
    joined_by: str = " "
    rotation: str = "old"

    def headers(self, secrets: Sequence[str], signed: Signed) -> dict[str, str]:
        """The header that signs. Raises UnusableSecret."""
        secrets = {"old": secrets[-1:], "new": secrets[:1], "each": secrets}[self.rotation]
        if self.scheme != "hmac":
            return {self.header: _authorization(self.scheme, secrets[0])}
        parts = signed.parts()
        message = filled(self.signed, parts)
        texts = {name: parts[name] for name in _VALUE_PARTS if name in parts}
        signatures = [
            filled(self.each, {**texts, "signature": self._signature(secret, message)})
            for secret in secrets
        ]
        joined = self.joined_by.encode().join(signatures)
        return {self.header: filled(self.value, {**texts, "signature": joined}).decode()}

    def new_secret(self) -> str:
        """One made up of 32 random bytes."""
        if self.key == "base64":
            return self.key_prefix + base64.b64encode(random.token_bytes(_NEW_BYTES)).decode()
        made = new_plain_secret()
        return f"perkwire:{made}" if self.scheme == "basic" else made

    def check_secret(self, secret: str) -> str | None:
        """What is wrong with a given secret, or None; never with the secret."""
        if self.key == "base64":
            key = self._decoded(secret)
            before = f"{self.key_prefix} and " if self.key_prefix else ""
            if key is None:
                return f"must be {before}the base64 of {_FEWEST_BYTES} to {_MOST_BYTES} bytes"
            if self.key_prefix + base64.b64encode(key).decode() != secret:
                return "must be canonical base64: its last character says more than there are bytes"
            return None
        if wrong := check_plain_secret(secret):
            return wrong
        if self.scheme == "basic" and ":" not in secret:
            return "must be a user name, a colon and a password"
        if self.scheme == "bearer" and not re.fullmatch(r"[!-~]+", secret):
            return "must be visible ASCII without blanks"
        return None

    def doubt_secret(self, secret: str) -> str | None:
        """What may come of a given secret that is not wrong, or None; never with it."""
        return None if self.key == "base64" else doubt_plain_secret(secret)

    def _signature(self, secret: str, message: bytes) -> bytes:
        key = plain_key(secret) if self.key == "text" else self._decoded(secret)
        if key is None:
            raise UnusableSecret("The secret is not of the form that its format asks for.")
        digest = hmac.digest(key, message, self.hash)
        if self.encoding == "hex":
            return digest.hex().encode()
        if self.encoding == "base64":
            return base64.b64encode(digest)
        return base64.urlsafe_b64encode(digest).rstrip(b"=")

    def _decoded(self, secret: str) -> bytes | None:
        if not secret.startswith(self.key_prefix):
            return None
        try:
            key = base64.b64decode(secret.removeprefix(self.key_prefix), validate=True)
        except (binascii.Error, ValueError):
            return None
        return key if _FEWEST_BYTES <= len(key) <= _MOST_BYTES else None


def filled(text: str, parts: Mapping[str, bytes]) -> bytes:
    """The text with its parts in place of their names; `{{` and `}}` are braces."""
    made, before = [], 0
    for found in _PART.finditer(text):
        made += [text[before : found.start()].encode(), parts.get(found[1], found[0][:1].encode())]
        before = found.end()
    return b"".join([*made, text[before:].encode()])


def read_recipe(value: dict[str, Json], fields: Fields, *, kept: bool = False) -> Recipe:
    """Read `signature`, the object that `fields` holds; what is wrong is noted there."""
    scheme = _choice(fields, "scheme", SCHEMES)
    rotation = _choice(fields, "rotation", ROTATIONS if scheme == "hmac" else ROTATIONS[:2])
    if scheme != "hmac":
        return Recipe(scheme=scheme, rotation=rotation)
    header = fields.required_text("header", longest=_LONGEST).lower()
    is_known = header in OF_STANDARD_WEBHOOKS
    wrong = None if is_known else check_header_name(header, signs=True, kept=kept)
    if header and wrong:
        fields.wrong("header", wrong)
    recipe = Recipe(
        header=header,
        hash=_choice(fields, "hash", HASHES),
        key=_choice(fields, "key", KEYS),
        key_prefix=_visible(fields, "key_prefix", ""),
        signed=_visible(fields, "signed", "{body}"),
        encoding=_choice(fields, "encoding", ENCODINGS),
        value=_visible(fields, "value", "{signature}"),
        each=_visible(fields, "each", "{signature}"),
        joined_by=_visible(fields, "joined_by", " "),
        rotation=rotation,
    )
    if recipe.key == "text" and recipe.key_prefix:
        fields.wrong("key_prefix", "belongs to a key in base64")
    if rotation != "each" and ("each" in value or "joined_by" in value):
        fields.wrong("rotation", "must be each where `each` or `joined_by` says how")
    for name, text, known, needed in (
        ("signed", recipe.signed, _SIGNED_PARTS, "body"),
        ("value", recipe.value, _VALUE_PARTS, "signature"),
        ("each", recipe.each, _VALUE_PARTS, "signature"),
    ):
        _check_parts(fields, name, text, known, needed)
    return recipe


def _check_parts(fields: Fields, name: str, text: str, known: Sequence[str], needed: str) -> None:
    found = [one for one in _PART.finditer(text) if one[0] not in ("{{", "}}")]
    wrong = next((one for one in found if one[1] not in known), None)
    if wrong is not None:
        fields.wrong(name, f"has {wrong[0]}, and knows {one_of([f'{{{one}}}' for one in known])}")
    elif needed not in [one[1] for one in found]:
        fields.wrong(name, f"must have {{{needed}}}: nothing else would be covered")


def _choice(fields: Fields, name: str, choices: Sequence[str]) -> str:
    chosen = fields.text(name) or choices[0]
    if chosen in choices:
        return chosen
    fields.wrong(name, f"must be {one_of(choices)}")
    return choices[0]


def _visible(fields: Fields, name: str, default: str) -> str:
    given = fields.text(name, longest=_LONGEST, pattern=_VISIBLE, form="visible ASCII and blanks")
    return default if given is None else given


def _authorization(scheme: str, secret: str) -> str:
    key = plain_key(secret)
    if scheme == "bearer":
        return f"Bearer {secret}"
    return f"Basic {base64.b64encode(key).decode()}"
