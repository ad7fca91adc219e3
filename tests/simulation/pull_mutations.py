"""Bugs to plant in what waits to be pulled, and in who gives it."""

from perkwire.dispatching import pulling, signing
from perkwire.model import hand_over, waiting
from tests.simulation.lists import simulate_lists
from tests.simulation.planting import Mutation

_Pulling = pulling.Pulling
PULL_MUTATIONS = (
    Mutation(
        "a page is given though the one before it is not there yet",
        _Pulling,
        "_pages",
        "if page.first > expected:",
        "if page.first > expected + 10**9:",
        simulates=simulate_lists,
        seed=14,
    ),
    Mutation(
        "a page that is being written is taken for one that is no longer kept",
        _Pulling,
        "_pages",
        "return\n",
        "pass\n",
        simulates=simulate_lists,
        seed=14,
    ),
    Mutation(
        "deliveries of which one is known count as waiting, all of them",
        waiting.WaitingList,
        "_append",
        "if not left:",
        "if not_added.known:",
        simulates=simulate_lists,
    ),
    Mutation(
        "a page that another has beaten counts as written",
        waiting.WaitingList,
        "_append",
        "if not_added is None:",
        "if not_added is None or not_added.was_beaten:",
        simulates=simulate_lists,
    ),
    Mutation(
        "what a repeat brings waits once more",
        waiting,
        "_entry",
        "place=place)",
        "place=place, run=message.run + (place > 1))",
        simulates=simulate_lists,
    ),
    Mutation(
        "what the log does not have counts as waiting",
        hand_over.HandOver,
        "_have_wait",
        "continue\n        for place in own:",
        "pass\n        for place in own:",
        seed=26,
    ),
    Mutation(
        "what is pulled is given before its slot",
        _Pulling,
        "_turn",
        "one.not_before > now:",
        "one.not_before < 0:",
        seed=8,
    ),
    Mutation(
        "all of a pulled webhook waits for the first slot",
        hand_over.HandOver,
        "_have_wait",
        "slots.get(one)) for one in own]",
        "1) for one in own]",
        seed=8,
    ),
    Mutation(
        "the last of a turn is passed over",
        _Pulling,
        "_signed",
        "for place, one in turn:",
        "for place, one in turn[:1] + turn[2:]:",
        seed=17,
    ),
    Mutation(
        "an entry that is not there yet is taken for one that is no longer kept",
        _Pulling,
        "_entry",
        "return self._lists.entry(webhook.account_id, one.id)",
        "return found",
        seed=1133,
    ),
    Mutation(
        "what has been erased is given",
        signing.PullSigner,
        "_sign",
        "if event.id not in erased)",
        "if event.id)",
        seed=98,
    ),
    Mutation(
        "what cannot be given is passed over in silence",
        _Pulling,
        "_note",
        "self._settle(entry, DeliveryStatus.FAILED, Reason.FORMAT)",
        "pass",
        seed=1133,
    ),
    Mutation(
        "whose events are gone is passed over in silence",
        _Pulling,
        "_message",
        "self._settle(entry, DeliveryStatus.FAILED, Reason.LOST)",
        "pass",
        seed=269,
    ),
)
