"""`qualifio`: the webhook of Qualifio Loyalty.

Its page prints eight events by their labels, that the body is an array with an object for each
event, that any custom header may authenticate, and that a secret may sign with an HMAC. It prints
no member of those objects and neither name, hash nor encoding of the signature. The members here
and their names are ours, not Qualifio's. The default header is inferred: for what is sent to it,
the product names `x-hub-signature`. Where others have that header, it holds `sha1=` or `sha256=`
and hex, which the settings can say.
"""

import base64
import hmac
from collections.abc import Sequence

from perkwire.catalogue.names import names_in
from perkwire.formats.format import Attempt, Payload, Settings, Unrenderable
from perkwire.formats.reading import present, text
from perkwire.model.endpoint import check_header_name
from perkwire.model.event import Event
from perkwire.model.secret import (
    check_plain_secret,
    doubt_plain_secret,
    new_plain_secret,
    plain_key,
)
from perkwire.primitives.fields import Fields, one_of
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.stringify import stringify
from perkwire.primitives.timestamps import to_rfc3339

_HEADER = "x-hub-signature"
_FORMER_HEADER = "x-qualifio-signature"
_LONGEST_HEADER = 128
_PREFIX = regex(r"[\x21-\x7e]*")
_LONGEST_PREFIX = 32
_ALGORITHMS = ("sha256", "sha1", "sha384", "sha512")
_ENCODINGS = ("hex", "base64")


class Qualifio:
    """An array of `{"eventId","eventType","date","programId","member","data"}`, also for one event.

    `date` is when it happened; `programId` and `member` are there if the event has them, and
    `data` is the rest of the event's data, with the names of the catalogue. The signature is the
    HMAC of the body, the key being the secret's UTF-8 bytes. There is one header for it, so while
    a rotation overlaps the old secret signs, and the new one afterwards. Any 2xx is a success.
    """

    name = "qualifio"
    largest_batch = 100

    def name_of(self, event_type: str) -> str | None:
        """The page's label in lower case, with underscores."""
        said = names_in("qualifio").get(event_type)
        return None if said is None else said.name

    def read_settings(self, fields: Fields, stored: Settings | None = None) -> Settings:
        """Header, algorithm and encoding of the signature, filled in; its prefix, if there is one.

        The header is in lower case, and one that a custom header could be. A webhook that was made
        with the former default keeps it. What is wrong reads as the default.
        """
        kept = (stored or {}).get("signature_header") == _FORMER_HEADER
        read = present(
            {
                "signature_header": _header(fields, _FORMER_HEADER if kept else _HEADER),
                "signature_algorithm": _choice(fields, "signature_algorithm", _ALGORITHMS),
                "signature_encoding": _choice(fields, "signature_encoding", _ENCODINGS),
                "signature_prefix": fields.text(
                    "signature_prefix",
                    longest=_LONGEST_PREFIX,
                    pattern=_PREFIX,
                    form="visible ASCII characters",
                ),
            }
        )
        if doubt := _doubt_prefix(read):
            fields.warn("signature_prefix", doubt)
        return read

    def new_secret(self) -> str:
        """43 visible characters."""
        return new_plain_secret()

    def check_secret(self, secret: str) -> str | None:
        """1 to 256 characters, as people type them."""
        return check_plain_secret(secret)

    def doubt_secret(self, secret: str) -> str | None:
        """One that is short enough to be guessed, or easily copied wrong."""
        return doubt_plain_secret(secret)

    def render(self, payload: Payload) -> bytes:
        """The events in their order."""
        return stringify([self._said(event) for event in payload.events])

    def sign(self, secrets: Sequence[str], attempt: Attempt) -> dict[str, str]:
        """The one header that the settings name."""
        key = plain_key(secrets[-1])
        digest = hmac.digest(key, attempt.body, str(attempt.settings["signature_algorithm"]))
        in_hex = attempt.settings["signature_encoding"] == "hex"
        signature = digest.hex() if in_hex else base64.b64encode(digest).decode()
        prefix = text(attempt.settings, "signature_prefix") or ""
        return {str(attempt.settings["signature_header"]): f"{prefix}{signature}"}

    def is_success(self, status: int) -> bool:
        """2xx."""
        return 200 <= status <= 299

    def _said(self, event: Event) -> Json:
        name = self.name_of(event.type)
        if name is None:
            raise Unrenderable(f"{event.id} is of a type that this format cannot say.")
        said: dict[str, Json] = {
            "eventId": event.id,
            "eventType": name,
            "date": to_rfc3339(event.happened_at),
        }
        if event.program_id is not None:
            said["programId"] = event.program_id
        rest = dict(event.data)
        if isinstance(rest.get("member"), dict):
            said["member"] = rest.pop("member")
        said["data"] = rest
        return said


def _header(fields: Fields, default: str) -> str:
    name = fields.text("signature_header", longest=_LONGEST_HEADER)
    if name is None:
        return default
    if wrong := check_header_name(name, signs=True):
        fields.wrong("signature_header", wrong)
        return default
    return name.lower()


def _doubt_prefix(settings: Settings) -> str | None:
    """A prefix that names another hash makes every request look forged."""
    named = (text(settings, "signature_prefix") or "").lower().rstrip("=:")
    algorithm = settings["signature_algorithm"]
    if named not in _ALGORITHMS or named == algorithm:
        return None
    return f"names {named}, and signature_algorithm is {algorithm}: a receiver would refuse it"


def _choice(fields: Fields, name: str, choices: Sequence[str]) -> str:
    """One of the choices; the first if none is named, or a wrong one."""
    chosen = fields.text(name) or choices[0]
    if chosen in choices:
        return chosen
    fields.wrong(name, f"must be {one_of(choices)}")
    return choices[0]
