"""Bugs that only a crash brings out, planted in the process that dies and in those that go on."""

from perkwire.dispatching import schedule
from perkwire.model import hand_over
from perkwire.model import schedule as rule
from tests.simulation.dispatcher_mutations import DISPATCHER_MUTATIONS
from tests.simulation.planting import Mutation

_OF_THE_SIMULATION = (
    "a delivery is marked as succeeded before it is sent",
    "the log is not read before sending",
    "what is received after the webhook's last attempt is sent",
)

CRASH_BUGS = {
    mutation.bug: mutation
    for mutation in (
        *(one for one in DISPATCHER_MUTATIONS if one.bug in _OF_THE_SIMULATION),
        Mutation(
            "what is used up is deleted",
            schedule,
            "used_up",
            "return Finding.USED_UP",
            "return Finding.SETTLED",
        ),
        Mutation(
            "what is handed on is another delivery",
            hand_over,
            "_outgoing",
            "write_delivery_message(message, encode), message.webhook_id, seconds",
            "write_delivery_message(message, encode).replace("
            "message.delivery_id, f'{message.delivery_id[:-8]}{now % 10**8:08}'"
            "), message.webhook_id, seconds",
        ),
        Mutation(
            "fewer attempts of the stack do not shorten a schedule",
            rule,
            "most_attempts",
            "min(len(delays) + 1, max_attempts)",
            "len(delays) + 1",
        ),
    )
}
