"""What failed before and during a pause that is over: since when, and in words."""

from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.timestamps import MICROSECONDS, parse_rfc3339, to_rfc3339
from perkwire.reading.health import Health
from perkwire.reading.troubles import FailureStreak

_ON_ITS_WAY = 60 * MICROSECONDS  # from an event's acceptance to the first attempt, usually less


@dataclass(frozen=True, slots=True)
class AfterPause:
    """From when on events were accepted of which deliveries failed, in RFC 3339, and which."""

    since: str
    words: str


def began_at(paused_at: int, health: Health, streak: FailureStreak | None) -> str:
    """From when on to retry what led to a pause and what fell into it, by acceptance as jobs do.

    What led to it was accepted before it began.
    """
    moments = [paused_at]
    if health.failing_from is not None:
        moments.append(health.failing_from)
    if streak is not None and (health.is_capped or streak.since < health.since):
        moments.append(streak.since - _ON_ITS_WAY)
    return to_rfc3339(min(moments))


def after_pause(webhook: Webhook, health: Health, began: str) -> AfterPause | None:
    """What to say of a pause that is over; None if none is known, or all has been sent since.

    `began` is what began_at said when the webhook was enabled.
    """
    if webhook.status is not WebhookStatus.ENABLED:
        return None
    moments = [one for one in (health.paused_from, parse_rfc3339(began)) if one is not None]
    if not moments:
        return None
    since = min(moments)
    failed = [one for one in health.failed if one.accepted_at >= since]
    sees_all = not health.is_capped and health.since <= since
    if not failed:
        words = "Deliveries may have failed before the webhook was paused, or while it was."
        return None if sees_all else AfterPause(to_rfc3339(since), words)
    during = any(one.for_pause for one in failed)
    if all(one.for_pause for one in failed) and sees_all:
        words = "Deliveries failed while the webhook was paused."
    elif during:
        words = "Deliveries have failed, some of them while the webhook was paused."
    elif sees_all:
        words = "Deliveries have failed, none of them while the webhook was paused."
    else:
        words = "Deliveries have failed."
    return AfterPause(to_rfc3339(since), words)
