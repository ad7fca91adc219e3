"""A webhook as the dispatcher finds it."""

from perkwire.dispatching.noticing import UnreportedFailures, UnreportedPauses
from perkwire.model.erasures import Erasures
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class WebhookState:
    """A webhook as of now; `failing` says that a streak of failures is on record.

    `strain` is how many attempts in a row have failed or been slow, `ease` how many have been fast
    successes since it is in the slow lane; both are of its endpoint as it is. `notice_topic` is
    where its account's notices go, None if nobody wants them. `untold` are the failed deliveries
    that no notice has told of, `untold_pauses` the pauses, `unsignalled` the failed deliveries that
    no signal has told of, None if there are none. `erasures` are its account's, None likewise.
    """

    webhook: Webhook
    failing: bool
    strain: int = 0
    ease: int = 0
    notice_topic: str | None = None
    untold: UnreportedFailures | None = None
    untold_pauses: UnreportedPauses | None = None
    unsignalled: UnreportedFailures | None = None
    erasures: Erasures | None = None
