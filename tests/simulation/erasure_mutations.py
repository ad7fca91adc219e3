"""Bugs to plant in what erases members."""

from perkwire.dispatching import lookup
from perkwire.jobs import erasing, erasure, pages
from perkwire.model import erasures
from perkwire.recovering import retrying
from perkwire.routing import router as routing
from tests.simulation.planting import Mutation

ERASURE_MUTATIONS = (
    Mutation(
        "what is queued of an erased member is sent",
        lookup,
        "_leave_out_erased",
        "state.erasures.covered(message.events)",
        "set()",
        seed=65,
    ),
    Mutation(
        "a batch goes out whole if others are in it",
        lookup,
        "_leave_out_erased",
        "delivery.message = replace(message, events=left)",
        "pass",
        seed=1039,
    ),
    Mutation(
        "others in a batch go with the erased",
        lookup,
        "_leave_out_erased",
        "return bool(left)",
        "return len(left) == len(message.events)",
        seed=357,
    ),
    Mutation(
        "what comes later is erased too",
        erasures.Erasures,
        "cover",
        "any(event.accepted_at <= self._asked_at.get(key, 0) for key in named)",
        "any(key in self._asked_at for key in named)",
        seed=49,
    ),
    Mutation(
        "the router keeps what is erased",
        routing.Router,
        "_plan",
        "without_data(event, now) if event.id in erased else event",
        "event",
        seed=76,
    ),
    Mutation(
        "an event that has lost its data already is passed over",
        erasing.ErasureWorker,
        "_about",
        "if is_late else None",
        "if is_late is None else None",
        seed=1831,
    ),
    Mutation(
        "answers stay in the log",
        erasure,
        "_without_answer",
        "replace(attempt, response=None, location=None)",
        "attempt",
        seed=159,
    ),
    Mutation(
        "a success is cancelled by an erasure",
        erasing,
        "erased_entry",
        "if entry.status not in _SETTLED:",
        "if entry.status is not DeliveryStatus.UNKNOWN:",
        seed=65,
    ),
    Mutation(
        "the last turn's message is deleted before the next is held",
        erasing.ErasureWorker,
        "_hand_on",
        "if not held:\n        return False",
        "if not held:\n        return True",
        seed=676,
    ),
    Mutation(
        "a retry sends what it has read of an erased event",
        retrying.Retrying,
        "_send_group",
        "if event.erased_at is None and not entry.leaves_out(event.id)",
        "if True",
        seed=357,
    ),
    Mutation(
        "a replay sends an erased event, without its data",
        pages.ReplayPages,
        "send",
        "events=tuple(event for event in chunk if event.erased_at is None),",
        "events=tuple(chunk),",
        seed=428,
    ),
)
