"""Webhooks and formats, in words for people."""

from collections.abc import Mapping

from console.http.spans import span
from console.views.schedules import delays_of
from perkwire.dispatching.pausing import QUIET_SECONDS
from perkwire.dispatching.strain import RECOVERED_AFTER, STRAINED_AFTER
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Attempt, Format, Settings
from perkwire.formats.lookup import RELEASE_FORMATS, AccountFormats
from perkwire.formats.registry import known_format
from perkwire.formats.unknown import UnknownFormat
from perkwire.formats.versions import product
from perkwire.model.lanes import Lane
from perkwire.model.webhook import PauseReason, Webhook, WebhookStatus
from perkwire.primitives.ids import DeliveryId

_LABELS: Mapping[str, str] = {
    "standard": "Standard",
    "zinrelo": "Zinrelo",
    "zoho-thrive": "Zoho Thrive",
    "qualifio": "Qualifio Loyalty",
    "okendo": "Okendo",
    "voucherify": "Voucherify",
}
_HINTS: Mapping[str, str] = {
    "standard": "For a receiver of your own: the body and signature of Standard Webhooks 1.0, "
    "which libraries for every language verify. Any 2xx answer is a success.",
    "zinrelo": "For a receiver made for Zinrelo: always a batch, signed with HMAC-SHA512 of body "
    "and nonce. Only 200 is a success.",
    "zoho-thrive": "For a receiver made for Zoho Thrive, which signs nothing: use a header of your "
    "own. The headers of Standard Webhooks come on top. Any 2xx answer is a success.",
    "qualifio": "For a receiver made for Qualifio Loyalty: an array of events, with an HMAC in a "
    "header that you name. Any 2xx answer is a success.",
    "okendo": "For a receiver made for Okendo: one event, signed as Svix signs. Any 2xx answer is "
    "a success.",
    "voucherify": "For a receiver made for Voucherify: one event in the envelope of v2024-01-01, "
    "with an HMAC-SHA256 header. Any 2xx answer is a success.",
}

_OF_NO_PRODUCT = ("standard", "cloudevents")
_WHSEC = "whsec_"

STATUS_KINDS: Mapping[str, str] = {
    WebhookStatus.ENABLED: "good",
    WebhookStatus.PAUSED: "warn",
    WebhookStatus.DISABLED: "off",
}
"""Which kind of badge a webhook's status has."""

PAUSED_WHY: Mapping[str, str] = {
    PauseReason.FAILURES: "Too many attempts in a row have failed, with no success for "
    f"{QUIET_SECONDS // 60} minutes.",
    PauseReason.EXHAUSTED: "A delivery has used up all its attempts.",
    PauseReason.GONE: "The endpoint has answered 410 Gone, which asks for no more requests.",
}
"""Why the system has paused a webhook."""

_PROMPT_WORDS = (
    "The prompt lane: what comes is sent at once, beside that of all others, and no slow endpoint "
    "is waited for."
)
_SLOW_WORDS = (
    "The slow lane, as it is strained: its deliveries may wait behind those of other strained "
    "webhooks."
)

STRAINED_WHY = (
    f"At least its last {STRAINED_AFTER} attempts each failed, or took longer than a fifth of the "
    "time that an answer may take."
)
"""Why new deliveries travel in the slow lane."""

STRAINED_UNTIL = (
    f"Once the endpoint answers well, it ends by itself, after {RECOVERED_AFTER} fast successes in "
    "a row; or at once, if you change the webhook's URL, headers, secret or format settings."
)
"""When they no longer do."""

_SWITCHING: Mapping[str, str] = {
    "enable": "Events are sent to it again from now on. What has failed before stays in the log, "
    "where you can retry it; what came while it was disabled can be replayed.",
    "disable": "No more events are sent to it. Deliveries that are still waiting, or are being "
    "retried, are cancelled when it is their turn. Its settings and its log stay.",
}
_SWITCHING_PULLED: Mapping[str, str] = {
    "enable": "It can be pulled again, what has waited first, and events are routed to it again "
    "from now on. What came while it was disabled can be replayed.",
    "disable": "No more events are routed to it, and nothing is given to whoever pulls it. What "
    "waits goes on waiting, as long as the log keeps it. Its settings and its log stay.",
}
_SWITCHING_ENDED: Mapping[str, str] = {
    "enable": "What has waited can be pulled again. Nothing new is routed to it, as it has ended.",
    "disable": "Nothing is given to whoever pulls it. What waits goes on waiting, as long as the "
    "log keeps it.",
}


def format_label(format_name: str) -> str:
    """`Okendo (2025-02-01)`."""
    name, _, version = format_name.partition("@")
    found = known_format(format_name)
    of_contract = found.contract.title if isinstance(found, ContractFormat) else name
    label = _LABELS.get(name, of_contract)
    return f"{label} ({version})" if version else label


def format_hint(format_: Format) -> str:
    """What the format is for, in a sentence or two."""
    if isinstance(format_, ContractFormat):
        return format_.contract.description or ""
    if isinstance(format_, UnknownFormat):
        return (
            "This release does not know the format: nothing can be sent. What fails stays in the "
            "log, to be retried once a release that knows it is back."
        )
    return _HINTS.get(product(format_.name), "")


def secret_rule(format_: Format) -> str:
    """What a given secret must be, as the format itself says it."""
    return format_.check_secret("") or ""


def secret_prefix(format_: Format) -> str:
    """What a secret that the format makes up begins with: `whsec_`, or nothing of its own."""
    return _WHSEC if format_.new_secret().startswith(_WHSEC) else ""


def signs_with_both(format_: Format, settings: Settings) -> bool:
    """Whether both secrets sign while a rotation overlaps; else the old one alone does."""
    new, old = format_.new_secret(), format_.new_secret()
    attempt = Attempt(delivery_id=DeliveryId("dlv_"), at=0, body=b"", settings=settings)
    return format_.sign([new, old], attempt) != format_.sign([old], attempt)


def format_options(
    formats: AccountFormats = RELEASE_FORMATS,
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every format that a new webhook can have, by who receives it; raises Unavailable."""
    kinds: dict[str, list[tuple[str, str]]] = {
        "A receiver of your own": [],
        "A receiver made for a product": [],
        "A contract that your account has stored": [],
    }
    own, of_product, stored = kinds.values()
    for name in formats.choices():
        is_known = known_format(name) is not None
        kind = own if product(name) in _OF_NO_PRODUCT else of_product if is_known else stored
        kind.append((name, format_label(name)))
    return [(kind, options) for kind, options in kinds.items() if options]


def lane_words(webhook: Webhook) -> str:
    """In which lane its deliveries travel, and what that means."""
    return _SLOW_WORDS if webhook.lane is Lane.SLOW else _PROMPT_WORDS


def strained_means(webhook: Webhook, max_attempts: int, interval: int) -> str:
    """What will become of the deliveries of a strained webhook, by its own schedule."""
    delays = delays_of(webhook, max_attempts, interval)
    tried = (
        f"tried up to {len(delays) + 1} times within {span(sum(delays))}, and one that fails each "
        "time is not tried again by itself"
        if delays
        else "tried once, and one that fails is not tried again by itself"
    )
    return (
        f"What happens next: each delivery is {tried}: it stands in the log as failed, where you "
        "can retry it. They travel in the slow lane: they may wait behind those of other strained "
        "webhooks, and your other webhooks do not wait for this one."
    )


def switching(webhook: Webhook, at: int) -> Mapping[str, str]:
    """What it will do to `enable` and to `disable` it."""
    if webhook.has_ended(at):
        return _SWITCHING_ENDED
    return _SWITCHING_PULLED if webhook.is_pulled else _SWITCHING


def pace_words(max_per_second: float | None) -> str:
    """How fast deliveries go out."""
    if max_per_second is None:
        return "As fast as events come."
    if max_per_second == 1:
        return "At most one delivery a second."
    if max_per_second < 1:
        return f"At most one delivery every {1 / max_per_second:.3g} seconds."
    return f"At most {max_per_second:,} deliveries a second."


def waiting_words(webhook: Webhook) -> str:
    """What becomes of what waits for its turn; after it stands the last one's time.

    Who is asked at its turn is the webhook as it is then.
    """
    more = (
        "More has come than its pace lets through."
        if webhook.max_per_second is not None
        else "What came while it had a pace keeps its turn."
    )
    match webhook.status:
        case WebhookStatus.PAUSED:
            becomes = "as long as the webhook is paused, each is logged as failed at its turn"
        case WebhookStatus.ENABLED:
            becomes = "each goes out by itself"
        case _:
            becomes = "as long as the webhook is disabled, each is cancelled at its turn"
    return f"{more} It waits its turn, and {becomes}: the last at"
