"""Bugs to plant in the real code: each a small change of the source of one function.

The changed source is compiled into the function's own module, so that everything else stays real.
"""

import contextlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import dispatcher.app
import router.app
from perkwire import accepting, dispatching, noticing, pausing, retrying, routing, verdict
from perkwire.adapters import sqs_events
from tests import fakes


@dataclass(frozen=True, slots=True)
class Mutation:
    """`owner` is the class or module that has the function `name`, whose `old` text is replaced."""

    bug: str
    owner: Any
    name: str
    old: str
    new: str

    @contextlib.contextmanager
    def planted(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            mutant = self._compiled()
            owners = [self.owner]
            if inspect.ismodule(self.owner):
                owners += [module for module in _importers(self.name) if module is not self.owner]
            for owner in owners:
                stack.enter_context(patch.object(owner, self.name, mutant))
            yield

    def _compiled(self) -> Callable[..., Any]:
        function = getattr(self.owner, self.name)
        source = textwrap.dedent(inspect.getsource(function))
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name} does not have this text once: {self.old}")
        planted: dict[str, Any] = {}
        code = compile(source.replace(self.old, self.new), f"<{self.bug}>", "exec")
        exec(code, function.__globals__, planted)  # noqa: S102 - our own source
        mutant: Callable[..., Any] = planted[self.name]
        return mutant


def _importers(name: str) -> Iterator[Any]:
    """The modules that hold a function under their own name for it."""
    for module in (dispatching, router.app, dispatcher.app):
        if name in vars(module):
            yield module


_Dispatching = dispatching.Dispatching
_Routing = routing.Routing
_Acceptance = accepting.Acceptance

MUTATIONS = (
    Mutation(
        "the log is not read before sending",
        _Dispatching,
        "_look_up",
        "self._log.find(",
        "dict.fromkeys(",
    ),
    Mutation(
        "run numbers are ignored",
        dispatching,
        "_decided_unsent",
        " or message.run < entry.run",
        "",
    ),
    Mutation(
        "a delivery is marked as succeeded before it is sent",
        _Dispatching,
        "_attempt",
        "at = self._clock()",
        """at = self._clock()
    done = Verdict(DeliveryStatus.SUCCEEDED, None, Disposition.DELETE)
    self._log.write([Change(work.entry, self._entry(work, done), None)])""",
    ),
    Mutation(
        "a message whose request failed is reported as done",
        verdict,
        "verdict",
        "Verdict(unsuccessful, None, Disposition.LEAVE)",
        "Verdict(unsuccessful, None, Disposition.DELETE)",
    ),
    Mutation(
        "a late failure overwrites a success",
        fakes,
        "_may_change",
        "current.status is DeliveryStatus.SUCCEEDED or current.run > after.run",
        "current.run > after.run",
    ),
    Mutation(
        "deliveries are sent before their events are kept",
        _Routing,
        "route",
        """kept = self._keep(plans)
    sent = self._send(kept, may_go_on)""",
        """sent = self._send(plans, may_go_on)
    sent = self._keep(sent)""",
    ),
    Mutation(
        "events are not kept",
        _Routing,
        "_keep",
        "self._events.keep(events) if events else set()",
        "set()",
    ),
    Mutation(
        "a message is done although a delivery was refused",
        _Routing,
        "_send",
        "if all([next(held) for _ in plan.deliveries]):",
        "if [next(held) for _ in plan.deliveries] is not None:",
    ),
    Mutation(
        "a message is done although its paused deliveries were not logged",
        _Routing,
        "_log_paused",
        "return False",
        "return True",
    ),
    Mutation(
        "a delivery's id comes from its place in the batch",
        routing,
        "_delivery",
        "[event.id for event in events]",
        "[EventId(str(len(events)))]",
    ),
    Mutation(
        "a delivery's id changes with the webhook's version",
        routing,
        "_delivery",
        "[event.id for event in events]",
        "[*(event.id for event in events), EventId(str(webhook.version))]",
    ),
    Mutation(
        "a retry notes the next run before sending it",
        retrying.Retrying,
        "_send_group",
        "held = self._queue.send(",
        """for entry, _ in ready:
        self._deliveries.hand_over(entry, self._clock(), self._clock() + 300_000_000)
    held = self._queue.send(""",
    ),
    Mutation(
        "a retry sends the same run again",
        retrying,
        "_next_run",
        "entry.run + 1",
        "entry.run",
    ),
    Mutation(
        "a paused webhook is sent to",
        dispatching,
        "_decided_unsent",
        "return Finding.PAUSED",
        "return None",
    ),
    Mutation(
        "a webhook that is absent counts as deleted",
        _Dispatching,
        "_find",
        """self._fault(work, "webhook_absent")""",
        "work.finding = Finding.SETTLED",
    ),
    Mutation(
        "webhooks are looked up once and remembered",
        _Dispatching,
        "_look_up",
        """states = self._webhooks.states(
        {(work.message.account_id, work.message.webhook_id) for work in works}
    )""",
        """keys = {(work.message.account_id, work.message.webhook_id) for work in works}
    states = self.__dict__.setdefault("remembered", {})
    if not {webhook_id for _, webhook_id in keys} <= states.keys():
        states.update(self._webhooks.states(keys))""",
    ),
    Mutation(
        "the last receive leaves no entry",
        verdict,
        "verdict",
        "if last_attempt:",
        "if last_attempt is None:",
    ),
    Mutation(
        "earlier receives that were burnt leave no entry",
        _Dispatching,
        "_log_unlogged",
        "if work.to_send",
        "if not works",
    ),
    Mutation(
        "what is cancelled or paused is deleted before the log has it",
        _Dispatching,
        "_settle",
        "decided.message is Disposition.DELETE_ONCE_LOGGED and not stored",
        "not works",
    ),
    Mutation(
        "both copies in a batch are sent",
        _Dispatching,
        "_find",
        "elif work is not firsts[message.delivery_id]:",
        "elif not works:",
    ),
    Mutation(
        "a crash of the whole batch deletes it",
        sqs_events,
        "left_for_sqs",
        "left = [one.message_id for one in received]",
        "left = []",
    ),
    Mutation(
        "each failure is told of at once",
        noticing.Noticing,
        "_tell_of_failures",
        "due = at is None or now - at >= self._interval_minutes * _MINUTE",
        "due = True",
    ),
    Mutation(
        "each dispatcher that finds a reason tells of the pause",
        pausing,
        "record",
        "if reason is not None and store.pause(webhook, Pause(now, reason)):",
        """if reason is not None:
        store.pause(webhook, Pause(now, reason))""",
    ),
    Mutation(
        "events that SQS refused are answered 202",
        _Acceptance,
        "_send",
        "failed = self._send_events(to_send)",
        "failed = self._send_events(to_send) and set()",
    ),
    Mutation(
        "an event counts as sent before it is",
        _Acceptance,
        "_send",
        "failed = self._send_events(to_send)",
        """self._mark_sent([replace(found[key], sent=True) for key in to_send if key in found])
    failed = self._send_events(to_send)""",
    ),
    Mutation(
        "an id may be used for another body",
        accepting,
        "_check_bodies",
        "claim.digest != entry.claim.digest",
        "claim.digest is None",
    ),
)
