"""What the platform and its people do, drawn one after the other."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

from perkwire.dispatching.pulling import Pull
from perkwire.jobs.job import Job, JobKind
from perkwire.model.account import Caller, Scope
from perkwire.model.lanes import Lane
from perkwire.model.webhook import Pause, PauseReason, Webhook, WebhookStatus, pull_url
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem, not_found
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339
from tests.builders import ACCOUNT, NOW, OTHER_ACCOUNT, a_webhook, an_account
from tests.simulation.model import LATER_FORMAT
from tests.simulation.parts import was_too_large
from tests.simulation.pulls import is_of_seed
from tests.simulation.queues import SimulatedQueue
from tests.simulation.system import System

_FILTERS = tuple(f'{{"data":{{"transaction":{{"id":[{ids}]}}}}}}' for ids in ('"t0"', '"t0","t1"'))
_TYPES = ("points.earned", "tier.upgraded")
_FORMATS = (*["standard"] * 16, *["zoho-thrive"] * 3, LATER_FORMAT)
_PACES = (None, None, None, 2, 0.005, 0.001)  # slots further apart than SQS delays, too
_PROGRAMMES = (None, "p1", "p1", "p2")
_API_SECONDS = 30
_ERASING = (5, 10)  # of eleven
_ERASE = 0.05
_PULL = 0.7
_MOST_PULLS = 1_000
_MEMBERS = 3
_SCHEDULES = (None, None, None, (), (1,), (60, 600), (5, 5, 5, 5, 5), (7_200, 43_200))
_PAUSED: dict[str, Any] = {
    "status": WebhookStatus.PAUSED,
    "pause": Pause(NOW, PauseReason.FAILURES),
}
_TOPIC = "arn:aws:sns:us-east-1:000000000000:notices"


@dataclass(frozen=True, slots=True)
class Post:
    """A request to POST /v1/events."""

    account_id: AccountId
    events: tuple[dict[str, Any], ...]
    idempotency_key: str | None


class Actions:
    """Draws and does one thing at a time to a system."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._world = system.world
        self._draw = system.world.random
        self._posts: list[Post] = []
        self._named: list[dict[str, Any]] = []
        self._forged: set[tuple[AccountId, EventId]] = set()
        self._numbered = 0
        self._left_alone = False
        # Some seeds: what all others lead to is what it was before there were erasures.
        erases = system.world.seed % 11 in _ERASING
        self._erases = Random(f"{system.world.seed} erasures") if erases else None
        self._sizes = Random(f"{system.world.seed} batch sizes")
        pulls = is_of_seed(system.world.seed)
        self._pulls = Random(f"{system.world.seed} pulls") if pulls else None
        self._readers: dict[WebhookId, int | None] = {}
        self._queues = (
            system.event_queue,
            system.pacing_queue,
            system.delivery_queue,
            system.job_queue,
        )

    def set_up(self) -> None:
        """Two accounts, of which one wants notices, with a few webhooks."""
        items = self._system.config
        items.put(an_account(notice_topic=_TOPIC), an_account(id=OTHER_ACCOUNT))
        for position in range(self._draw.randint(1, 4)):
            webhook_id = WebhookId(f"wh_{position:016}")
            items.put(
                a_webhook(
                    id=webhook_id,
                    account_id=OTHER_ACCOUNT if position == 1 else ACCOUNT,
                    name=webhook_id,
                    url=self._url(),
                    **self._tastes(),
                    **(_PAUSED if self._draw.random() < 0.2 else {}),
                )
            )
        self._strain()
        if self._pulls is not None:
            self._have_some_pulled(self._pulls)
        self._system.oracle.webhooks_changed()

    def _have_some_pulled(self, draw: Random) -> None:
        """One or two more webhooks, that nobody can call."""
        for number in range(draw.choice((1, 2))):
            webhook_id = WebhookId(f"wh_pulled{number:010}")
            webhook = a_webhook(
                id=webhook_id,
                name=webhook_id,
                url=pull_url(webhook_id),
                is_pulled=True,
                **(self._tastes() if draw.random() < 0.4 else {}),
            )
            self._readers[webhook_id] = None
            self._system.config.put(webhook)

    def _strain(self) -> None:
        """Some webhooks are strained from before, and some of them on their way back."""
        draw, items = Random(f"{self._world.seed} lanes"), self._system.config
        for webhook in [*items.webhooks.values()]:
            if draw.random() < 0.3:
                items.put(replace(webhook, lane=Lane.SLOW))
                if draw.random() < 0.7:
                    items.eases[webhook.id] = draw.randint(1, 9)
                else:
                    items.strains[webhook.id] = draw.randint(5, 20)

    def act(self) -> None:
        """One thing."""
        if self._erases is not None and self._erases.random() < _ERASE:
            self.erase(self._erases)
            return
        if self._pulls is not None and self._pulls.random() < _PULL:
            ways = (self.pull, self.pull, self.post, self.post_simply, self.route_at_once)
            self._pulls.choice(ways)()
            return
        actions = (
            (self.post, 3),
            (self.poll_events, 5),
            (self.poll_paced, 4),
            (self.poll_deliveries, 12),
            (self.wait, 1),
            (self.change_webhook, 1.5),
            (self.retry, 1.5),
            (self.redrive, 0.7),
            (self.begin_job, 1.2),
            (self.cancel_job, 0.08),
            (self.poll_jobs, 3),
            (self.put_junk, 0.05),
            (self.put_poison, 0.15),
            (self.forget, 0.2),
            (self.deploy, 0.1),
            (self.leave_alone, 0.03),
        )
        chosen = self._draw.choices([one for one, _ in actions], [one for _, one in actions])
        chosen[0]()

    def post(self) -> None:
        """An event or a few, or an earlier request again, or its ids with other bodies."""
        if self._posts and self._draw.random() < 0.3:
            post = self._draw.choice(self._posts)
            if self._draw.random() < 0.3:
                events = tuple({**event, "data": self._data()} for event in post.events)
                post = replace(post, events=events)
        else:
            post = self._new_post()
            self._posts.append(post)
        self._world.say(f"post {[one.get('id') for one in post.events]}")
        self._world.start("ingest", lambda: self._accept(post), _API_SECONDS)

    def poll_events(self) -> None:
        self._poll(self._system.event_queue)

    def poll_paced(self) -> None:
        if self._system.pacing_queue.messages:
            self._poll(self._system.pacing_queue)

    def poll_deliveries(self) -> None:
        """Of the lane in which most wait, or now and then of the other."""
        queues = [self._system.delivery_queue, self._system.slow_queue]
        queues.sort(key=lambda queue: len(queue.messages), reverse=True)
        self._poll(queues[self._draw.random() < 0.2])

    def poll_jobs(self) -> None:
        """By both of the workers that there may be, or by one."""
        queue = self._system.job_queue
        if queue.messages:
            self._poll(queue)
            if self._draw.random() < 0.5:
                self._system.poll(queue)

    def begin_job(self) -> None:
        """A retry of all that failed, or a replay, of the last hours."""
        webhooks = self._system.config.webhooks
        webhook = self._draw.choice([webhooks[one] for one in sorted(webhooks)])
        kind = self._draw.choice([*JobKind])
        since = self._world.now - self._draw.choice((1, 3)) * 3_600_000_000
        request: dict[str, Json] = {
            "since": to_rfc3339(since),
            "per_second": self._draw.choice((1, 1, 2, 50)),
        }
        self._world.say(f"{kind} of {webhook.id} is begun")
        self._world.start(
            "management",
            lambda: self._begin(webhook.account_id, webhook.id, kind, request),
            _API_SECONDS,
        )

    def post_simply(self) -> None:
        """An event that every webhook wants and every format says."""
        event = {"type": "tier.upgraded", "program_id": "p1", "data": self._data()}
        post = Post(ACCOUNT, (event,), None)
        self._world.start("ingest", lambda: self._accept(post), _API_SECONDS)

    def route_at_once(self) -> None:
        """By several routers, though others are still at work."""
        for _ in range(3):
            self._system.poll(self._system.event_queue, most=1)

    def pull(self) -> None:
        """Somebody pulls one, mostly from where he was; now and then he has lost his place."""
        draw = self._pulls or self._draw
        webhook_id = draw.choice(sorted(self._readers))
        after = self._readers[webhook_id] if draw.random() < 0.85 else None
        asked = Pull(after, draw.choice((1, 2, 100)))
        self._world.start("management", lambda: self._pull(webhook_id, asked), _API_SECONDS)

    def pull_all(self) -> None:
        """Until nothing waits."""
        for webhook_id in sorted(self._readers):
            for _ in range(_MOST_PULLS):
                before = self._readers[webhook_id]
                asked = Pull(before, 100)
                self._world.start("management", partial(self._pull, webhook_id, asked), 3_600)
                self._world.finish_all()
                if self._readers[webhook_id] == before:
                    break

    def _pull(self, webhook_id: WebhookId, asked: Pull) -> None:
        webhook = self._system.config.webhooks[webhook_id]
        try:
            if webhook.status is WebhookStatus.DELETED:
                raise not_found("webhook")
            pulled = self._system.pulling.pull(webhook, asked)
        except (Problem, Unavailable, RuntimeError) as error:
            self._world.say(f"answers {error}")
            return
        self._world.say(f"gives {[one for _, one, _ in pulled.given]}, up to {pulled.through}")
        if self._world.current is not None:
            self._system.oracle.is_given(webhook_id, asked.after, pulled, self._world.current)
        self._readers[webhook_id] = pulled.through

    def erase(self, draw: Random) -> None:
        """Somebody asks to be forgotten."""
        account_id = draw.choice((ACCOUNT, ACCOUNT, ACCOUNT, OTHER_ACCOUNT))
        member = f"m{draw.randrange(_MEMBERS)}"
        self._world.say(f"{member} of {account_id} is erased")
        self._world.start("management", lambda: self._ask_erasure(account_id, member), _API_SECONDS)

    def cancel_job(self) -> None:
        known = sorted(self._system.oracle.promises.items.jobs.values(), key=lambda job: job.id)
        if known:
            job = self._draw.choice(known)
            self._world.start("management", lambda: self._cancel(job), _API_SECONDS)

    def _poll(self, queue: SimulatedQueue) -> None:
        """If all of its messages are in flight, mostly wait for the next."""
        at = queue.next_visible_at()
        if at is not None and at > self._world.now and self._draw.random() < 0.7:
            self._let_finish()
            self._world.now = max(self._world.now, at)
        self._system.poll(queue)

    def wait(self) -> None:
        self._let_finish()
        self._world.pass_seconds(self._draw.choice((1, 60, 300, 700)))

    def _let_finish(self) -> None:
        """Mostly: what still runs when time passes runs into its time-out."""
        if self._draw.random() < 0.8:
            self._world.finish_all()

    def change_webhook(self) -> None:
        """A person enables, disables, deletes or changes one."""
        webhooks = self._system.config.webhooks
        before = self._draw.choice([webhooks[one] for one in sorted(webhooks)])
        if before.status is WebhookStatus.DELETED:
            return
        draw = self._draw.random()
        if before.status is not WebhookStatus.ENABLED and draw < 0.7:
            self.enable(before)
        elif draw < 0.05:
            self._system.webhooks.bury(before, self._world.now)
            self._system.oracle.notices.forget(before.id)
            self._world.say(f"{before.id} is deleted")
            self._system.oracle.webhooks_changed()
        elif draw < 0.5:
            self._replace(before, status=WebhookStatus.DISABLED, pause=None)
        elif draw < 0.75 and not before.is_pulled:
            self._replace(before, url=self._url())
        else:
            self._replace(before, **self._tastes())

    def enable(self, webhook: Webhook) -> None:
        self._replace(webhook, status=WebhookStatus.ENABLED, pause=None)

    def retry(self, ids: Sequence[DeliveryId] = (), account_id: AccountId = ACCOUNT) -> None:
        """A person sends some deliveries again, whatever became of them."""
        if not ids:
            entries = self._system.deliveries.entries.values()
            known = sorted(one.id for one in entries if one.account_id == account_id)
            ids = self._draw.sample(known, min(len(known), 4))
            if self._draw.random() < 0.1:
                others = sorted(one.id for one in entries if one.account_id != account_id)
                ids += [*others[:1], DeliveryId("dlv_of_nobody")]
        if ids:
            self._lessen(ids)
            self._world.say(f"retry {ids}")
            self._world.start("retry", lambda: self._retry(account_id, ids), _API_SECONDS)

    def _lessen(self, ids: Sequence[DeliveryId]) -> None:
        """Mostly: a webhook whose batch was too large takes its events one by one from now on."""
        entries = [self._system.deliveries.entries.get(one) for one in ids]
        for entry in entries:
            if entry is None or not was_too_large(entry) or self._sizes.random() < 0.3:
                continue
            webhook = self._system.config.webhooks[entry.webhook_id]
            if webhook.batch_size > 1 and webhook.status is not WebhookStatus.DELETED:
                self._replace(webhook, batch_size=1)

    def redrive(self) -> None:
        self._draw.choice(self._queues).redrive()

    def put_junk(self) -> None:
        """A message that no version of ours has written."""
        body = self._draw.choice(("", "junk", "[1]", '{"v":2}'))
        self._draw.choice(self._queues).put(body)

    def put_poison(self) -> None:
        """One that is nearly right, or that has another body for an event that is kept."""
        kept = sorted(self._system.events.events)
        event: dict[str, Any] = {
            "id": "poison",
            "type": "points.earned",
            "accepted_at": NOW,
            "occurred_at": None,
            "program_id": None,
            "data": self._data(),
        }
        message: dict[str, Any] = {"v": 1, "account_id": ACCOUNT, "events": [event]}
        kind = self._draw.choice(("time", "id", "run", "forged"))
        if kind == "forged" and kept:
            account_id, event_id = self._draw.choice(kept)
            event |= {"id": event_id, "accepted_at": self._draw.choice((1, self._world.now))}
            message["account_id"] = account_id
            self._forged.add((account_id, event_id))
        elif kind == "id":
            event["id"] = "i" * 3000
        elif kind == "run":
            webhook_id = self._draw.choice(sorted(self._system.config.webhooks))
            delivery_id = f"dlv_{webhook_id.removeprefix('wh_')}_{'0' * 26}"
            message |= {"delivery_id": delivery_id, "webhook_id": webhook_id, "run": 10**40}
        else:
            event["accepted_at"] = 10**30
        queue = self._system.delivery_queue if "run" in message else self._system.event_queue
        self._world.say(f"{kind} poison for {queue.name}")
        queue.put(json.dumps(message))

    def forget(self) -> None:
        """An event's time in the store is over."""
        events = self._system.events.events
        # What is forged waits for less long than events are kept.
        if known := sorted(events.keys() - self._forged):
            key = self._draw.choice(known)
            self._world.say(f"{key[1]} is no longer kept")
            del events[key]
            self._system.oracle.routings.forgotten.add(key)

    def deploy(self) -> None:
        self._system.deploy(self._draw.randint(1, 5))

    def leave_alone(self) -> None:
        """For two weeks, once, nobody looks after anything, and no message is taken."""
        if self._left_alone:
            return
        self._left_alone = True
        self._world.finish_all()
        self._world.pass_seconds(15 * 86_400)
        for queue in self._queues:
            expired = queue.expire()
            self._world.say(f"{len(expired)} expire in {queue.name}")
            for body in expired:
                self._system.oracle.expires(body)

    def mend(self) -> None:
        """Formats of other releases go."""
        webhooks = self._system.config.webhooks
        for webhook in [webhooks[one] for one in sorted(webhooks)]:
            if webhook.format == LATER_FORMAT and webhook.status is not WebhookStatus.DELETED:
                self._replace(webhook, format="standard")

    def _new_post(self) -> Post:
        account_id = self._draw.choice((ACCOUNT, ACCOUNT, ACCOUNT, OTHER_ACCOUNT))
        events: list[dict[str, Any]] = []
        for _ in range(self._draw.choice((1, 1, 1, 2, 4))):
            event: dict[str, Any] = {"type": self._draw.choice(_TYPES), "data": self._data()}
            if program_id := self._draw.choice(_PROGRAMMES):
                event["program_id"] = program_id
            if self._draw.random() < 0.5:
                event["id"] = f"e{self._number()}"
                self._named.append(event)
            elif self._named and self._draw.random() < 0.4:
                event = self._draw.choice(self._named)
            elif self._draw.random() < 0.1:
                event |= self._made_up(account_id)
            events.append(event)
        key = f"key-{self._number()}" if self._draw.random() < 0.3 else None
        return Post(account_id, tuple(events), key)

    def _made_up(self, account_id: AccountId) -> dict[str, Any]:
        """The id of an event that got it from us, for another body."""
        ids = [one for owner, one in sorted(self._system.events.events) if owner == account_id]
        own = [one for one in ids if one.startswith("evt_")]
        return {"id": self._draw.choice(own)} if own else {}

    def _accept(self, post: Post) -> None:
        caller = Caller(post.account_id, frozenset({Scope.EVENTS}))
        body = json.dumps({"events": [*post.events]}).encode()
        key = post.idempotency_key
        headers = {} if key is None else {"idempotency-key": key}
        try:
            answer = self._system.acceptance.accept(caller, body, headers)
        except Problem as problem:
            self._world.say(f"answers {problem.status}")
            self._note(post, problem.document().get("events"))
        except (Unavailable, RuntimeError) as error:
            self._world.say(f"answers 503: {error}")
        else:
            self._world.say("answers 202")
            self._note(post, answer["events"] if isinstance(answer, dict) else None)

    def _note(self, post: Post, results: Json) -> None:
        """Tell the oracle which events are answered for, in a 202 or in a 503's list."""
        for event, result in zip(
            post.events, results if isinstance(results, list) else (), strict=False
        ):
            if isinstance(result, dict) and result.get("accepted", True):
                said = json.dumps([event["type"], event.get("program_id"), event["data"]])
                self._system.oracle.accepts(post.account_id, EventId(str(result["id"])), said)

    def _begin(
        self, account_id: AccountId, webhook_id: WebhookId, kind: JobKind, request: dict[str, Json]
    ) -> None:
        try:
            job = self._system.jobs.management.start(account_id, webhook_id, kind, request)
        except (Problem, Unavailable, RuntimeError) as error:
            self._world.say(f"answers {error}")
        else:
            if isinstance(job, Job):
                self._world.say(f"answers 202: {job.id}")
                self._system.oracle.promises.answered.add(job.id)

    def _ask_erasure(self, account_id: AccountId, member: str) -> None:
        erasures = self._system.oracle.erasures
        if self._world.current is not None:
            erasures.naming[self._world.current] = member
        try:
            erasure = self._system.jobs.erasing.ask(account_id, {"member_id": member})
        except (Problem, Unavailable, RuntimeError) as error:
            self._world.say(f"answers {error}")
        else:
            self._world.say(f"answers 202: {erasure.id}")
            erasures.answered.add(erasure.id)

    def _cancel(self, job: Job) -> None:
        try:
            self._system.jobs.management.cancel(job.account_id, job.id)
        except (Problem, Unavailable, RuntimeError) as error:
            self._world.say(f"answers {error}")
        else:
            self._world.say(f"{job.id} is cancelled")

    def _retry(self, account_id: AccountId, ids: Sequence[DeliveryId]) -> None:
        try:
            results = self._system.retrying.retry(account_id, ids)
        except (Unavailable, RuntimeError) as error:
            self._world.say(f"answers 503: {error}")
        else:
            self._world.say(f"answers {[int(one.status) for one in results]}")
            self._world.say(" ".join(one.detail for one in results if one.detail))
            if self._world.current is not None:
                self._system.retries.check(self._world.current, results)

    def _replace(self, before: Webhook, **changes: Any) -> None:  # noqa: ANN401 - as replace()'s
        after = before.changed_to(replace(before, **changes), self._world.now)
        self._system.webhooks.replace(before, after)
        self._world.say(f"{before.id} is changed: {sorted(changes)}, {after.status}")
        self._system.oracle.webhooks_changed()

    def _tastes(self) -> dict[str, Any]:
        spoken = self._draw.choice(_FORMATS)
        return {
            "format": spoken,
            "batch_size": 1 if spoken == "zoho-thrive" else self._draw.choice((1, 1, 2, 10)),
            "event_types": self._draw.choice((("*",), ("*",), ("*",), _TYPES[:1], _TYPES)),
            "program_ids": self._draw.choice((None, None, None, ("p1",), ("p1", "p2"))),
            "retry_delays_seconds": self._draw.choice(_SCHEDULES),
            "pause_when_exhausted": self._draw.choice((None, None, True, False)),
            "filter": self._draw.choice((None, None, None, *_FILTERS)),
            "max_per_second": self._draw.choice(_PACES),
        }

    def _data(self) -> dict[str, Json]:
        number = self._number()
        return {
            "member": {"id": "m1" if self._erases is None else f"m{number % _MEMBERS}"},
            "transaction": {"id": f"t{number % 3}", "points": number},
        }

    def _url(self) -> str:
        return f"https://till-{self._number()}.example/hook"

    def _number(self) -> int:
        self._numbered += 1
        return self._numbered
