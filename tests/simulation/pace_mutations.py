"""Bugs to plant in what keeps to a pace."""

from perkwire.jobs import pages
from perkwire.model import hand_over
from perkwire.recovering import retrying
from perkwire.routing import router as routing
from tests.simulation.planting import Mutation

_HandOver = hand_over.HandOver

PACE_MUTATIONS = (
    Mutation(
        "all deliveries of an invocation have the same slot",
        _HandOver,
        "_take_slots",
        "first + n * length",
        "first",
    ),
    Mutation(
        "what gets no slot goes out at once",
        _HandOver,
        "_take_slots",
        """self._journal.fault(
                "slots_not_taken",""",
        """slots |= dict.fromkeys(own)
            self._journal.fault(
                "slots_not_taken",""",
    ),
    Mutation(
        "slots are taken for all but one",
        _HandOver,
        "_take_slots",
        "self._slots.take(webhook, len(own), self._clock())",
        "self._slots.take(webhook, max(1, len(own) - 1), self._clock())",
    ),
    Mutation(
        "what is far from its slot goes out as far as SQS delays it",
        hand_over,
        "_is_near",
        "slot is None or _seconds_until(slot, now) <= LONGEST_DELAY_SECONDS",
        "slot is None or now > 0",
    ),
    Mutation(
        "what is handed on may lose its slot",
        _HandOver,
        "hand_on",
        "place: one.slot_at for",
        "place: self._clock() for",
    ),
    Mutation(
        "a refused hand-over deletes what waits",
        routing.Router,
        "_hand_on",
        "if is_held:",
        "if is_held is not None:",
        seed=262,
    ),
    Mutation(
        "a retry is due as if it went out at once",
        retrying.Retrying,
        "_noted",
        "max(now, goes_out_at)",
        "now",
    ),
    Mutation(
        "a replay keeps to no pace",
        pages.ReplayPages,
        "send",
        "Addressed(message, webhook)",
        "Addressed(message, None)",
    ),
)
