"""Bugs for the dispatcher: in its table, its log, pauses and notices."""

from perkwire.adapters.sqs import event_source
from perkwire.dispatching import (
    attempts,
    follow_up,
    health,
    in_flight,
    lookup,
    next_receive,
    noticing,
    pausing,
    rendering,
    schedule,
    settlement,
    verdict,
)
from perkwire.model import delivery
from tests.fakes import deliveries
from tests.simulation.planting import Mutation

_Lookup = lookup.Lookup
_Attempts = attempts.Attempts
_Settlement = settlement.Settlement

SCHEDULE_MUTATIONS = (
    Mutation(
        "what is received after the webhook's last attempt is sent",
        schedule,
        "used_up",
        "is_over = delays is not None and",
        "is_over = delays is None and",
    ),
    Mutation(
        "receives after the last attempt wait for the stack's interval",
        schedule,
        "delay_seconds",
        "delivery.finding in (Finding.SPENT, Finding.USED_UP)",
        "delivery.finding is Finding.USED_UP",
    ),
    Mutation(
        "a redriven message counts as spent",
        schedule,
        "used_up",
        "and receive_count > failed_at",
        "and receive_count > 0",
    ),
    Mutation(
        "each delay is the one before",
        schedule,
        "delay_seconds",
        "delays[delivery.received.receive_count - 1]",
        "delays[delivery.received.receive_count - 2]",
    ),
    Mutation(
        "Retry-After brings an attempt earlier",
        schedule,
        "delay_seconds",
        "delay = max(delay, (",
        "delay = min(delay, (",
    ),
    Mutation(
        "a delay is longer than SQS takes",
        next_receive,
        "within_limit",
        "return min(",
        "return max(",
    ),
    Mutation(
        "what is due under a schedule is due by the stack's interval",
        _Settlement,
        "_due_at",
        "if delay is None else delay",
        "if delay is None else self._rule.retry_interval_seconds",
    ),
    Mutation(
        "our own faults come back sooner than by the stack's rule",
        schedule,
        "delay_seconds",
        "if delay <= rule.retry_interval_seconds:",
        "if delay <= 0:",
    ),
    Mutation(
        "a webhook's own choice whether to pause is not looked at",
        pausing,
        "at_once",
        "rule.when_exhausted if own is None else own",
        "rule.when_exhausted",
    ),
)

DISPATCHER_MUTATIONS = (
    *SCHEDULE_MUTATIONS,
    Mutation(
        "a second copy has the time and the signature of the first",
        rendering,
        "render_now",
        "max(clock(), at + _MILLISECOND)",
        "at",
    ),
    Mutation(
        "a second copy is another delivery",
        rendering,
        "render_now",
        "render(message, webhook, opened, max(",
        "render(replace(message, delivery_id=message.delivery_id + '0'), webhook, opened, max(",
    ),
    Mutation(
        "the log is not read before sending",
        _Lookup,
        "_look_up",
        "{(message.account_id, message.delivery_id) for message in messages}",
        "set()",
    ),
    Mutation(
        "the log is read for the first of a batch only",
        _Lookup,
        "_look_up",
        "{(message.account_id, message.delivery_id) for message in messages}",
        "{(message.account_id, message.delivery_id) for message in messages[:1]}",
    ),
    Mutation(
        "run numbers are ignored",
        _Lookup,
        "_decided_unsent",
        " or message.run < entry.run",
        "",
    ),
    Mutation(
        "a delivery is marked as succeeded before it is sent",
        _Settlement,
        "log_unlogged",
        "[Change(None, one.entry, None) for one in unlogged if one.entry]",
        """[
            Change(one.entry, self._entry(one, done), None)
            for done in [Verdict(DeliveryStatus.SUCCEEDED, None, Disposition.DELETE)]
            for one in deliveries
            if one.to_send
        ]""",
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
        deliveries,
        "_may_change",
        "if current.status is DeliveryStatus.SUCCEEDED or current.run > after.run:",
        "if current.run > after.run:",
        seed=840,
    ),
    Mutation(
        "a copy that is still retried undoes what the other has settled",
        deliveries,
        "_may_change",
        "return current.status in (DeliveryStatus.RETRYING, read)",
        "return read is None or True",
    ),
    Mutation(
        "a paused webhook is sent to",
        _Lookup,
        "_decided_unsent",
        "else Finding.PAUSED",
        "else used_up_as",
    ),
    Mutation(
        "a webhook that is absent counts as deleted",
        _Lookup,
        "find",
        """delivery_fault(self._journal, delivery, "webhook_absent")""",
        "delivery.finding = Finding.SETTLED",
    ),
    Mutation(
        "webhooks are looked up once and remembered",
        _Lookup,
        "_look_up",
        """return self._records.look_up(
        {(message.account_id, message.webhook_id) for message in messages},
        {(message.account_id, message.delivery_id) for message in messages},
    )""",
        """states = self.__dict__.setdefault("remembered", {})
    found, entries = self._records.look_up(
        {
            (message.account_id, message.webhook_id)
            for message in messages
            if message.webhook_id not in states
        },
        {(message.account_id, message.delivery_id) for message in messages},
    )
    states.update(found)
    return states, entries""",
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
        _Settlement,
        "log_unlogged",
        "for one in unlogged if one.entry]",
        "for one in unlogged if not one.entry]",
    ),
    Mutation(
        "what is cancelled or paused is deleted before the log has it",
        _Settlement,
        "settle",
        "decided.message is Disposition.DELETE_ONCE_LOGGED and not stored",
        "not deliveries",
    ),
    Mutation(
        "both copies in a batch are sent",
        _Lookup,
        "find",
        "elif delivery is not firsts[message.delivery_id]:",
        "elif not deliveries:",
    ),
    Mutation(
        "a crash of the whole batch deletes it",
        event_source,
        "batch_item_failures",
        "left = [one.message_id for one in received]",
        "left = []",
    ),
    Mutation(
        "each failure is told of at once",
        noticing.Noticing,
        "_tell_of_failures",
        "due = self._is_due(untold.noticed_at, now)",
        "due = True",
    ),
    Mutation(
        "each dispatcher that finds a reason tells of the pause",
        health,
        "record",
        "if reason is not None and store.pause(webhook, Pause(now, reason)):",
        """if reason is not None:
        store.pause(webhook, Pause(now, reason))""",
    ),
    Mutation(
        "the last of several messages that failed is not named",
        event_source,
        "batch_item_failures",
        "for message_id in left]",
        "for message_id in (left[:-1] if len(left) > 1 else left)]",
    ),
    Mutation(
        "a message is deleted because its failure could not be logged",
        _Settlement,
        "settle",
        "if decided.message is Disposition.LEAVE or (",
        "if (decided.message is Disposition.LEAVE and stored) or (",
    ),
    Mutation(
        "a webhook is paused before ten quiet minutes have passed",
        pausing,
        "is_long",
        "failures >= rule.after_failures and lasts >= QUIET_SECONDS * MICROSECONDS",
        "failures >= rule.after_failures",
    ),
    Mutation(
        "a webhook is paused on its first failure",
        pausing,
        "is_long",
        "failures >= rule.after_failures and lasts >= QUIET_SECONDS * MICROSECONDS",
        "failures > 0",
    ),
    Mutation(
        "no streak of failures is long enough for a pause",
        pausing,
        "is_long",
        "failures >= rule.after_failures and lasts >= QUIET_SECONDS * MICROSECONDS",
        "failures < 0",
    ),
    Mutation(
        "a success does not end the streak of failures",
        health,
        "record",
        "if succeeded:",
        "if succeeded and not state.failing:",
    ),
    Mutation(
        "a 410 does not pause",
        pausing,
        "at_once",
        "any(one.gone for one in attempts)",
        "not attempts",
    ),
    Mutation(
        "used-up attempts never pause",
        pausing,
        "at_once",
        "if when_exhausted and exhausted",
        "if when_exhausted and not attempts",
    ),
    Mutation(
        "used-up attempts always pause",
        pausing,
        "at_once",
        "if when_exhausted and exhausted",
        "if exhausted",
    ),
    Mutation(
        "attempts are not logged",
        _Settlement,
        "settle",
        "Change(one.entry, one.after, one.attempt)",
        "Change(one.entry, one.after, None)",
    ),
    Mutation(
        "each attempt is the first",
        in_flight,
        "attempt_number",
        "return max(logged[-1].number + 1 if logged else 1, delivery.received.receive_count)",
        "return 1",
    ),
    Mutation(
        "what is still retrying is overdue at once",
        _Settlement,
        "_due_at",
        "return now + (",
        "return now - 3 * (",
    ),
    Mutation(
        "a delivery that has lost its message is retrying for ever",
        delivery.Delivery,
        "standing",
        "if now > self.due_at + patience:",
        "if now < 0:",
    ),
    Mutation(
        "a delivery that is retrying counts as lost",
        delivery.Delivery,
        "standing",
        "patience = 2 * retry_interval_seconds * MICROSECONDS",
        "patience = -2 * retry_interval_seconds * MICROSECONDS",
    ),
    Mutation(
        "a burnt receive leaves no entry before the third",
        _Settlement,
        "log_unlogged",
        "delivery.received.receive_count > 1",
        "delivery.received.receive_count > 2",
    ),
    Mutation(
        "a success that is not logged is sent again",
        verdict,
        "verdict",
        "Verdict(DeliveryStatus.SUCCEEDED, None, Disposition.DELETE)",
        "Verdict(DeliveryStatus.SUCCEEDED, None, Disposition.DELETE_ONCE_LOGGED)",
    ),
    Mutation(
        "nobody is told of a success that is not logged",
        _Settlement,
        "_report",
        "if not stored:",
        "if not delivery:",
    ),
    Mutation(
        "of two copies the older run is sent",
        _Lookup,
        "find",
        "if delivery.message.run > first.message.run:",
        "if delivery.message.run < first.message.run:",
    ),
    Mutation(
        "a copy is deleted though the other has failed",
        _Settlement,
        "settle",
        "if first is not None and first.received.message_id not in left:",
        "if first is not None:",
    ),
    Mutation(
        "a retry's outcome is logged in the run before",
        _Settlement,
        "_entry",
        "run=message.run,\n        status=decided",
        "run=before.run,\n        status=decided",
    ),
    Mutation(
        "a request is sent without time for its answer",
        _Attempts,
        "_attempt",
        "if seconds_left() <= self._rule.request_seconds + LOG_SECONDS:",
        "if seconds_left() <= 0:",
    ),
    Mutation(
        "a paused webhook's message stays in the queue",
        verdict,
        "verdict",
        "Verdict(DeliveryStatus.FAILED, Reason.PAUSED, Disposition.DELETE_ONCE_LOGGED)",
        "Verdict(DeliveryStatus.RETRYING, Reason.PAUSED, Disposition.LEAVE)",
    ),
    Mutation(
        "a disabled webhook counts as paused",
        _Lookup,
        "_decided_unsent",
        "return Finding.DISABLED",
        "return Finding.PAUSED",
    ),
    Mutation(
        "what the format cannot say counts as unavailable",
        _Attempts,
        "_request",
        "\n    return Finding.UNRENDERABLE",
        "\n    return Finding.UNAVAILABLE",
    ),
    Mutation(
        "a delivery whose secret cannot be read is dropped",
        _Attempts,
        "_request",
        """"secret_unreadable", str(error))
        return Finding.UNAVAILABLE""",
        """"secret_unreadable", str(error))
        return Finding.SETTLED""",
    ),
    Mutation(
        "a crash while sending counts as a success",
        _Attempts,
        "_run",
        "delivery.outcome = Finding.UNAVAILABLE, None",
        "delivery.outcome = Finding.ACCEPTED, None",
    ),
    Mutation(
        "the last receive is taken for one before it",
        schedule,
        "is_last_attempt",
        ">=",
        ">",
    ),
    Mutation(
        "failures whose notice was not sent are forgotten",
        noticing.Noticing,
        "_tell_of_failures",
        "except Exception:\n        self._counts.give_back(webhook, untold)",
        "except Exception:\n        pass",
    ),
    Mutation(
        "nobody is told of a pause",
        noticing.Noticing,
        "_tell_of_pause",
        "if occasion.pause is not None:",
        "if occasion is None:",
    ),
    Mutation(
        "each pause is told of at once",
        noticing.Noticing,
        "_tell_of_pause",
        "not self._is_due(pauses.noticed_at, now)",
        "False",
    ),
    Mutation(
        "a receive that comes to nothing lets a delivery look lost",
        _Settlement,
        "_still_due",
        "if delivery.finding is not Finding.UNAVAILABLE or",
        "if delivery.finding is not None or",
    ),
    Mutation(
        "the only receive of a delivery leaves no entry if it is burnt",
        _Settlement,
        "log_unlogged",
        "(delivery.received.receive_count > 1 or self._is_last(delivery))",
        "delivery.received.receive_count > 1",
    ),
    Mutation(
        "nobody is told of what failed because a service was away",
        follow_up,
        "_is_to_be_told",
        "delivery.after.status is DeliveryStatus.FAILED",
        "delivery.after.status is None",
    ),
    Mutation(
        "what could not be looked up is told of to nobody",
        follow_up.FollowUp,
        "_states",
        "if not unseen:",
        "if unseen is not None:",
    ),
    Mutation(
        "what could not be looked up is not counted with what was",
        follow_up,
        "_unsuccessful",
        "if delivery.after is not None and _is_to_be_told(delivery):",
        "if delivery.after is not None and delivery.state and _is_to_be_told(delivery):",
    ),
)
