"""`qualifio`: the webhook of Qualifio Loyalty.

Its page prints eight events by their labels, that the body is an array with an object for each
event, that any custom header may authenticate, and that a secret may sign with an HMAC. It prints
no member of those objects and neither name, hash nor encoding of the signature: the members here,
their names and the defaults of the settings are ours, not Qualifio's.
"""

import base64
import hmac
from collections.abc import Sequence

from perkwire.catalogue.names import names_in
from perkwire.formats.format import Attempt, Payload, Settings, Unrenderable
from perkwire.model.endpoint import check_headers
from perkwire.model.event import Event
from perkwire.model.secret import (
    check_plain_secret,
    doubt_plain_secret,
    new_plain_secret,
    plain_key,
)
from perkwire.primitives.fields import Fields, one_of
from perkwire.primitives.strict_json import Json
from perkwire.primitives.stringify import stringify
from perkwire.primitives.timestamps import to_rfc3339

_HEADER = "x-qualifio-signature"
_LONGEST_HEADER = 128
_ALGORITHMS = ("sha256", "sha384", "sha512")
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

    def read_settings(self, fields: Fields) -> Settings:
        """`signature_header`, `signature_algorithm` and `signature_encoding`, all three filled in.

        The header is in lower case, and one that a custom header could be. What is wrong reads as
        the default.
        """
        return {
            "signature_header": _header(fields),
            "signature_algorithm": _choice(fields, "signature_algorithm", _ALGORITHMS),
            "signature_encoding": _choice(fields, "signature_encoding", _ENCODINGS),
        }

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
        return {str(attempt.settings["signature_header"]): signature}

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


def _header(fields: Fields) -> str:
    name = fields.text("signature_header", longest=_LONGEST_HEADER)
    if name is None:
        return _HEADER
    checked = check_headers({name: "signature"})
    if isinstance(checked, list):
        fields.wrong("signature_header", checked[0][1])
        return _HEADER
    return name.lower()


def _choice(fields: Fields, name: str, choices: Sequence[str]) -> str:
    """One of the choices; the first if none is named, or a wrong one."""
    chosen = fields.text(name) or choices[0]
    if chosen in choices:
        return chosen
    fields.wrong(name, f"must be {one_of(choices)}")
    return choices[0]
