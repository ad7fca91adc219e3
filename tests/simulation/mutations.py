"""Bugs to plant in the real code, each of which the simulation has to find."""

from perkwire.accepting import acceptance as accepting
from perkwire.dispatching import strain
from perkwire.jobs import pages, working
from perkwire.model import event, lanes, messages, routed_event
from perkwire.model.hand_over import HandOver
from perkwire.model.webhook import Webhook
from perkwire.recovering import retrying
from perkwire.routing import account_webhooks
from perkwire.routing import router as routing
from tests.simulation.dispatcher_mutations import DISPATCHER_MUTATIONS
from tests.simulation.erasure_mutations import ERASURE_MUTATIONS
from tests.simulation.pace_mutations import PACE_MUTATIONS
from tests.simulation.planting import Mutation
from tests.simulation.pull_mutations import PULL_MUTATIONS

_Routing = routing.Router
_Acceptance = accepting.Acceptance
_JobWork = working.JobWorker

LANE_MUTATIONS = (
    Mutation(
        "all goes into the prompt lane",
        HandOver,
        "_put",
        "(sending.lane_of(place), outgoing[place])",
        "(Lane.PROMPT, outgoing[place])",
    ),
    Mutation(
        "lanes are exchanged",
        HandOver,
        "_put",
        "(sending.lane_of(place), outgoing[place])",
        "([*Lane][sending.lane_of(place) is Lane.PROMPT], outgoing[place])",
    ),
    Mutation(
        "what has waited for its slot goes into the prompt lane",
        HandOver,
        "hand_on",
        "lambda place: lane_of(paced[place].message)",
        "lambda place: Lane.PROMPT",
    ),
    Mutation(
        "what has waited for its slot goes into the lane of another webhook",
        account_webhooks.LanesNow,
        "of",
        ".get(message.webhook_id, Lane.PROMPT)",
        "and max(self._found[account_id].values())",
    ),
    Mutation(
        "what one lane has refused counts as held",
        lanes.DeliveryQueues,
        "send",
        "held[place] = is_held",
        "held[place] = is_held is not None",
    ),
    Mutation(
        "a webhook is strained by its first failure",
        strain,
        "lane_after",
        "strain >= STRAINED_AFTER",
        "strain >= 1",
    ),
    Mutation(
        "no webhook is ever strained",
        strain,
        "lane_after",
        "strain >= STRAINED_AFTER",
        "strain < 0",
    ),
    Mutation(
        "one fast success leads back",
        strain,
        "lane_after",
        "ease >= RECOVERED_AFTER",
        "ease >= 1",
    ),
    Mutation(
        "nothing leads back",
        strain,
        "lane_after",
        "ease >= RECOVERED_AFTER",
        "ease < 0",
    ),
    Mutation(
        "a webhook that a person has mended stays strained",
        Webhook,
        "changed_to",
        "Lane.PROMPT if is_mended else after.lane",
        "after.lane",
    ),
)

MUTATIONS = (
    *DISPATCHER_MUTATIONS,
    *LANE_MUTATIONS,
    *PACE_MUTATIONS,
    *ERASURE_MUTATIONS,
    *PULL_MUTATIONS,
    Mutation(
        "deliveries are sent before their events are kept",
        _Routing,
        "route",
        "kept = self._keep(self._plans(events, encode))",
        """plans = self._plans(events, encode)
    self._send(plans, encode, may_go_on)
    kept = self._keep(plans)""",
    ),
    Mutation(
        "events are not kept",
        _Routing,
        "_kept",
        "return self._events.keep(events)",
        "return [True] * len(events)",
    ),
    Mutation(
        "a message is done although a delivery was refused",
        _Routing,
        "_send",
        "if all([next(sent) is not None for _ in plan.deliveries]):",
        "if [next(sent) is not None for _ in plan.deliveries] is not None:",
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
        "go_out = iter(",
        """for entry, _ in ready:
        self._deliveries.hand_over(entry, self._clock(), self._clock() + 300_000_000)
    go_out = iter(""",
    ),
    Mutation(
        "a retry sends the same run again",
        retrying,
        "_messages",
        "entry.run + 1 if",
        "entry.run if",
    ),
    Mutation(
        "events that SQS refused are answered 202",
        _Acceptance,
        "_send",
        "failed = send_events(self._queue, to_send)",
        "failed = send_events(self._queue, to_send) and set()",
    ),
    Mutation(
        "an id that was made up here may be used for another body",
        _Acceptance,
        "_recognised",
        "if not own:",
        "if own is not None:",
    ),
    Mutation(
        "another body replaces a kept event",
        routed_event,
        "merge",
        "elif _is_same(before.event, routed.event):",
        "elif before.event.id == routed.event.id:\n            before = routed",
    ),
    Mutation(
        "a message with a time beyond the calendar is taken for one of ours",
        messages,
        "_is_moment",
        "not isinstance(value, bool) and is_writable(value)",
        "value is not None",
    ),
    Mutation(
        "a message with an id longer than a key is taken for one of ours",
        event,
        "is_event_id",
        "len(text) <= LONGEST_EVENT_ID and",
        "text and",
    ),
    Mutation(
        "a change of the endpoint inherits its failures",
        Webhook,
        "changed_to",
        "version if is_mended else self.endpoint_version",
        "self.endpoint_version",
    ),
    Mutation(
        "any change ends the streak of failures",
        Webhook,
        "changed_to",
        "version if is_mended else self.endpoint_version",
        "version if after is not self else self.endpoint_version",
        seed=380,
    ),
    Mutation(
        "an event counts as sent before it is",
        _Acceptance,
        "_send",
        "failed = send_events(self._queue, to_send)",
        """self._mark_sent([replace(found[key], sent=True) for key in to_send if key in found])
    failed = send_events(self._queue, to_send)""",
    ),
    Mutation(
        "an id may be used for another body",
        accepting,
        "_check_bodies",
        "claim.digest not in (entry.claim.digest, entry.former_digest)",
        "claim.digest is None",
    ),
    Mutation(
        "a retry sends what is still retrying or has succeeded",
        retrying.Retrying,
        "_refusal",
        "if status not in sent_again:",
        "if status is DeliveryStatus.PENDING:",
    ),
    Mutation(
        "a retry refuses what was cancelled",
        retrying.Retrying,
        "_refusal",
        "if status not in sent_again:",
        "if status is not DeliveryStatus.FAILED:",
    ),
    Mutation(
        "a retry that SQS has taken is not noted",
        retrying.Retrying,
        "_noted",
        "self._deliveries.hand_over(entry, now, due_at)",
        "pass",
    ),
    Mutation(
        "of what was too large one part is left out",
        retrying,
        "_messages",
        "[*chunks(events, webhook.batch_size, webhook.batch_bytes)]",
        "[*chunks(events, webhook.batch_size, webhook.batch_bytes)][:2]",
        seed=1663,
    ),
    Mutation(
        "what was too large is split though SQS has refused a part",
        retrying.Retrying,
        "_send_group",
        "if len(held) == len(messages)",
        "if held",
        seed=1663,
    ),
    Mutation(
        "a part takes the id that a routing would have given it",
        retrying,
        "_part_id",
        "events[0].accepted_at, entry.id)",
        "events[0].accepted_at)",
    ),
    Mutation(
        "what was split is sent again as a whole",
        retrying.Retrying,
        "_refusal",
        "if entry.parts:",
        "if entry.parts and entry.status is DeliveryStatus.FAILED:",
        seed=452,
    ),
    Mutation(
        "a retry that SQS has refused is noted",
        retrying.Retrying,
        "_send_group",
        "if len(held) == len(messages)",
        """if self._noted(entry, messages, now, max(held, default=now))
            and len(held) == len(messages)""",
    ),
    Mutation(
        "what is not sent for want of time counts as sent",
        HandOver,
        "_send_slices",
        "return len(places) - start",
        """sending.goes_out_at[:] = [one or 1 for one in sending.goes_out_at]
            return len(places) - start""",
    ),
    Mutation(
        "results of sending are given to the wrong messages",
        _Routing,
        "_send",
        "all([next(sent) is not None for _ in plan.deliveries])",
        "all(next(sent) is not None for _ in plan.deliveries)",
        seed=337,
    ),
    Mutation(
        "one of the paused deliveries is not logged",
        _Routing,
        "_log_paused",
        "self._paused.add(plan.paused)",
        "self._paused.add(plan.paused[1:])",
    ),
    Mutation(
        "events that the format does not know are passed over in silence",
        _Routing,
        "_plan",
        "became[event.id][webhook.id] = NOT_IN_FORMAT",
        "pass",
    ),
    Mutation(
        "what the filter keeps out is sent",
        _Routing,
        "_plan",
        "elif webhook.lets_through(event):",
        "elif webhook.lets_through(event) or webhook.batch_size > 1:",
    ),
    Mutation(
        "what the filter keeps out is passed over in silence",
        _Routing,
        "_plan",
        "became[event.id][webhook.id] = FILTERED",
        "pass",
    ),
    Mutation(
        "a filter set between two routings makes an event forget its delivery",
        routed_event,
        "_became",
        "if became not in UNSENT or before.deliveries.get(webhook_id, became) in UNSENT",
        "if became",
        seed=380,
    ),
    Mutation(
        "a replay sends what the filter keeps out",
        pages.ReplayPages,
        "send",
        "if pattern.matches(event)",
        "if pattern.text",
    ),
    Mutation(
        "refused events are marked as sent",
        _Acceptance,
        "_send",
        "if key in to_send and key not in failed",
        "if key in to_send",
    ),
    Mutation(
        "a repeat has its own time of acceptance",
        _Acceptance,
        "_send",
        "_event(entry.draft, claim)",
        "_event(entry.draft, entry.claim)",
    ),
    Mutation(
        "a worker that was overtaken deletes its message",
        _JobWork,
        "_turn",
        """if stored is not None:
            return stored.has_ended or""",
        """if job is not None:
            return stored is None or stored.has_ended or""",
        seed=222,
    ),
    Mutation(
        "a job's next turn is stored though SQS has refused it",
        _JobWork,
        "_take",
        "if delay is not None and self._hand_on(after, next_turn, delay):",
        "if delay is not None and self._hand_on(after, next_turn, delay) is not None:",
        seed=465,
    ),
    Mutation(
        "a job passes over the first of each page",
        _JobWork,
        "_after",
        "page=step.items,",
        "page=step.items[1:],",
    ),
    Mutation(
        "a job counts what it has sent twice",
        _JobWork,
        "_after",
        "sent=job.sent + outcome.sent,",
        "sent=job.sent + 2 * outcome.sent,",
    ),
    Mutation(
        "a job that was cancelled goes on",
        _JobWork,
        "_turn",
        "if job.has_ended or",
        "if job.finished_at == 0 or",
    ),
    Mutation(
        "a page of a replay that SQS has refused counts as sent",
        pages.ReplayPages,
        "send",
        "if None in sent:",
        "if set(sent) == {None}:",
        seed=3619,
    ),
    Mutation(
        "two replays send under the same ids",
        pages.ReplayPages,
        "send",
        "chunk[0].accepted_at, job.id",
        "chunk[0].accepted_at",
    ),
)
