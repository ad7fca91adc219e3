"""What goes around `data`, and how it is signed.

Sources: Voucherify's pages on webhooks, on webhooks of a project and on webhooks of a
distribution, and its OpenAPI description of them, all of version v2024-01-01.
"""

import hashlib
import hmac
from collections.abc import Sequence

from perkwire.catalogue.event_types import CUSTOM
from perkwire.catalogue.names import ProductName, names_in
from perkwire.formats.format import Attempt, Payload, Settings, Unrenderable
from perkwire.formats.reading import Object, part, present, text
from perkwire.formats.voucherify.data import render_data
from perkwire.formats.voucherify.objects import iso
from perkwire.formats.voucherify.webhooks import WEBHOOKS
from perkwire.model.event import Event
from perkwire.model.secret import (
    check_plain_secret,
    doubt_plain_secret,
    new_plain_secret,
    plain_key,
)
from perkwire.primitives.fields import Fields, one_of
from perkwire.primitives.ids import DeliveryId
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.stringify import stringify

_LONGEST_NAME = 128
_EVENT_NAME = regex(r"(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]*")
_PUBLISHED_AS = ("voucher.published", "publication.succeeded")
_PROJECT_ID = regex(r"[A-Za-z0-9_-]*")

# Where the id of what an event happened to stands in `data`, by the first word of its type.
_ENTITIES = {
    "customer": ("customer",),
    "voucher": ("voucher",),
    "redemption": ("redemption_rollback", "redemption"),
    "publication": ("publication",),
    "campaign": ("campaign",),
    "manual_distribution_schedule": ("distribution",),
}


class Voucherify:
    """One event in the envelope of a project's webhook, or of a distribution's.

    It is a distribution's if the webhook has the setting `event_name`, which then is the `type`
    of all that it gets; `event.type` says what happened. The setting `project_id` is the
    account's id if it is not given. Either kind gets every type: also those that Voucherify
    itself sends in the other kind only (orders, tiers and segments in distributions, failed
    redemptions in a project's webhooks).

    A project tells a publication twice, as `voucher.published` and as `publication.succeeded`; here
    it is one delivery, and the setting `published_as` says which. Webhooks without it, made before
    there was a choice, get the latter.

    `id` is the delivery's, with `whs_` before it. `event.group_id` is the event's own id, for
    each is a group of its own here; `event.event_source.channel` is always `API`.

    The JSON is compact and as JavaScript writes it: a receiver verifies alike over the bytes, over
    the bytes without white space, and over what it has parsed and written again. The last fails
    in JavaScript for an integer beyond 2^53, which is exact here and changed there. The key is
    the UTF-8 bytes of the secret. There is room for one signature: while a rotation overlaps the
    old secret signs, afterwards the new one. Any 2xx is a success.
    """

    name = "voucherify@2024-01-01"
    largest_batch = 1

    def name_of(self, event_type: str) -> str | None:
        """The type of a project's webhook; of what only distributions have, theirs."""
        said = _product_name(event_type)
        return None if said is None else said.name

    def read_settings(self, fields: Fields, stored: Settings | None = None) -> Settings:
        """`event_name` and `project_id`, as far as they are given, and `published_as`.

        A webhook that was made without the last stays without it, unless it is given.
        """
        published_as = fields.text("published_as")
        if published_as is not None and published_as not in _PUBLISHED_AS:
            fields.wrong("published_as", f"must be {one_of(_PUBLISHED_AS)}")
        if published_as is None and (stored is None or "published_as" in stored):
            published_as = _PUBLISHED_AS[0]
        return present(
            {
                "event_name": fields.text(
                    "event_name",
                    longest=_LONGEST_NAME,
                    pattern=_EVENT_NAME,
                    form="without control characters, not blank",
                ),
                "project_id": fields.text(
                    "project_id",
                    longest=_LONGEST_NAME,
                    pattern=_PROJECT_ID,
                    form="letters, digits, - and _",
                ),
                "published_as": published_as,
            }
        )

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
        """The one event of the delivery."""
        if len(payload.events) != 1:
            raise Unrenderable(f"{payload.delivery_id} is not of one event.")
        event = payload.events[0]
        event_name = text(payload.settings, "event_name")
        happened = _webhook(event, payload.settings)
        data = render_data(event, happened)
        return stringify(
            {
                "id": _sendout_id(payload.delivery_id),
                "project_id": text(payload.settings, "project_id") or payload.account_id,
                "created_at": iso(event.accepted_at),
                "type": event_name or happened,
                "data": data,
                "source": {
                    "id": payload.webhook_id,
                    "object": "webhook" if event_name is None else "distribution",
                    "target_url": payload.url,
                },
                "event": _event(event, happened, data),
            }
        )

    def sign(self, secrets: Sequence[str], attempt: Attempt) -> dict[str, str]:
        """`x-voucherify-signature`, of the body."""
        signature = hmac.digest(plain_key(secrets[-1]), attempt.body, hashlib.sha256)
        return {"x-voucherify-signature": signature.hex()}

    def is_success(self, status: int) -> bool:
        """2xx."""
        return 200 <= status <= 299


def _product_name(event_type: str) -> ProductName | None:
    kept = f"{CUSTOM}*" if event_type.startswith(CUSTOM) else event_type
    return names_in("voucherify").get(kept)


def _webhook(event: Event, settings: Settings) -> str:
    said = _product_name(event.type)
    name = None
    if said is not None:
        name = said.name
        if said.otherwise is not None and text(settings, "published_as") != said.name:
            name = said.otherwise
        if text(settings, "event_name") is not None:
            name = said.in_distribution or name
    if name is None or name not in WEBHOOKS:
        raise Unrenderable(f"{event.id} is of a type that is not said in this format.")
    return name


def _sendout_id(delivery_id: DeliveryId) -> str:
    return f"whs_{delivery_id.removeprefix('dlv_')}"


def _event(event: Event, happened: str, data: Object) -> dict[str, Json]:
    return present(
        {
            "id": event.id,
            "type": happened,
            "created_at": iso(event.happened_at),
            "entity_id": _entity_id(happened, data),
            "group_id": event.id,
            "event_source": {"channel": "API"},
        }
    )


def _entity_id(happened: str, data: Object) -> str | None:
    for name in _ENTITIES[happened.partition(".")[0]]:
        if (found := part(data, name)) and (entity_id := text(found, "id")) is not None:
            return entity_id
    return None
