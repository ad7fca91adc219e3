"""An account as one has it after some weeks: something on every page of the console."""

import json
from typing import Any

from tests.e2e.system import Account, LocalSystem, until
from tests.receiver import Answer, Endpoint, Receiver

POINTS_EARNED: dict[str, Any] = {
    "type": "points.earned",
    "data": {"member": {"id": "m-1"}, "transaction": {"id": "t-1", "points": 50}},
}
_TYPES = ("points.earned", "tier.upgraded", "reward.redeemed", "member.enrolled")
_DOWN = Answer(503, b"upstream connect error or disconnect/reset before headers")


class Scene:
    """The account, and what its pages are about.

    Its webhooks deliver, retry, have failed, are disabled and paused. Nothing is on its way when
    it is ready.
    """

    def __init__(self, system: LocalSystem, receiver: Receiver) -> None:
        self.system = system
        self.account = Account(system)
        self.endpoints: dict[str, Endpoint] = {}
        self._receiver = receiver
        self.ledger = self._webhook("Loyalty ledger")
        self.mailer = self._webhook("Campaign mailer", _DOWN, format="zinrelo", batch_size=10)
        self._webhook("CRM sync", format="voucherify", event_types=["tier.upgraded"])
        crm = self._webhook("Data lake", event_types=["points.earned", "tier.upgraded"])
        self.paused = self._webhook("Old till", Answer(410, b"This till is closed."))
        self._post()
        self._call("POST", f"/v1/webhooks/{crm['id']}/disable")
        self.job = self._replayed()
        self.erasure = self._call("POST", "/v1/erasures", {"member_id": "nobody-of-the-scene"})
        self.rejected_event_id = self._rejected()
        self.failed = self._of(f"webhook_id={self.mailer['id']}")
        self.succeeded = self._of(f"webhook_id={self.ledger['id']}")
        self.event_id = self.failed["event_ids"][0]

    @property
    def names(self) -> list[str]:
        """Those of the account and its webhooks."""
        return ["Brew & Bean", *self.endpoints]

    def urls(self) -> dict[str, str]:
        """The receiver's real URLs, and what pictures show instead of them."""
        return {
            endpoint.url: f"https://{name.lower().replace(' ', '-')}.brewandbean.example/webhooks"
            for name, endpoint in self.endpoints.items()
        }

    def link(self) -> str:
        """The path of an unused console link."""
        path = f"/v1/accounts/{self.account.id}/console-links"
        status, link = self.system.call("POST", path, {})
        assert status == 201, link
        return str(link["url"]).removeprefix(self.system.local["api_url"])

    def _rejected(self) -> str:
        """An event that the inbox would not take."""
        event = {"account_id": self.account.id, "type": "points.earnt", "data": {}}
        self.system.client("sqs").send_message(
            QueueUrl=self.system.local["InboxQueueUrl"], MessageBody=json.dumps(event)
        )
        key = self.system.local["operator_key"]

        def own() -> list[str]:
            _, listed = self.system.call("GET", "/v1/rejected-events?limit=100", key=key)
            return [one["id"] for one in listed["data"] if one["account_id"] == self.account.id]

        until(lambda: bool(own()), "the inbox has rejected an event")
        return own()[0]

    def _webhook(self, name: str, *answers: Answer, **fields: object) -> dict[str, Any]:
        self.endpoints[name] = self._receiver.endpoint(*answers)
        return self.account.webhook(self.endpoints[name].url, name=name, **fields)

    def _post(self) -> None:
        posted: list[str] = []
        for name in _TYPES:
            example = self.account.get(f"/v1/event-types/{name}")["example"]
            event = {"type": name, "data": example, "program_id": "bean-club"}
            posted += self.account.post(*[event] * 2)
        until(lambda: all(map(self._is_settled, posted)), "all of the scene has come")
        until(lambda: not self.account.waiting(), "nothing of the scene is on its way")

    def _is_settled(self, event_id: str) -> bool:
        event = self.account.event(event_id)
        statuses = {one["status"] for one in event["deliveries"]} if event else set()
        return bool(statuses) and not statuses & {"pending", "retrying"}

    def _replayed(self) -> dict[str, Any]:
        path = f"/v1/webhooks/{self.ledger['id']}/replay"
        asked = {"since": self.ledger["created_at"], "event_types": ["tier.upgraded"]}
        job = self._call("POST", path, asked)
        job_path = f"/v1/jobs/{job['id']}"
        until(lambda: self.account.get(job_path)["status"] == "done", "the replay is done")
        until(lambda: not self.account.waiting(), "all of it is delivered")
        return job

    def _of(self, query: str) -> dict[str, Any]:
        found: dict[str, Any] = self.account.get(f"/v1/deliveries?{query}")["data"][0]
        return found

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        status, answer = self.system.call(method, path, body, key=self.account.key)
        assert status < 300, answer
        made: dict[str, Any] = answer
        return made
