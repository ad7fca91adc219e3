"""A Lambda client of our own stands between management and the dispatcher, which signs."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

import dispatcher.app
from perkwire.adapters import aws
from tests.aws_events import Context
from tests.integration.system import System, Tenant

LAMBDA_BYTES = 6_291_556


class Lambda:
    """A LambdaClient that invokes the dispatcher's handler in this process.

    It carries what Lambda does: 6 MB there, and 6 MB back.
    """

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.fault: dict[str, Any] | None = None

    def invoke(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401
        assert len(asked["Payload"]) <= LAMBDA_BYTES
        self.asked.append(json.loads(asked["Payload"]))
        answer = self.fault or dispatcher.app.handler(self.asked[-1], Context())
        payload = json.dumps(answer, ensure_ascii=False).encode()
        if len(payload) > LAMBDA_BYTES:
            refused = b'{"errorType": "Function.ResponseSizeTooLarge"}'
            return {
                "StatusCode": 200,
                "FunctionError": "Unhandled",
                "Payload": io.BytesIO(refused),
            }
        return {"StatusCode": 200, "Payload": io.BytesIO(payload)}


@pytest.fixture
def client(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    client = Lambda()
    monkeypatch.setattr(aws, "functions", lambda _: client)
    system.cold_start("management")
    yield client
    system.cold_start("management")


class Puller:
    """Somebody who pulls one webhook, and goes on where he was."""

    def __init__(self, tenant: Tenant, **fields: object) -> None:
        self.tenant = tenant
        body = {"name": "till", "delivery": "pull", "event_types": ["*"], **fields}
        answer = tenant.call("POST", "/v1/webhooks", body)
        assert answer.status == 201, answer
        self.webhook: dict[str, Any] = answer.json
        tenant.system.secrets.add(self.webhook["secret"])
        self.path = f"/v1/webhooks/{self.webhook['id']}/pull"
        self.cursor: str | None = None

    def pull(self, **query: str) -> list[dict[str, Any]]:
        """What comes next."""
        after = {} if self.cursor is None else {"after": self.cursor}
        page = self.tenant.get(self.path, **after, **query)
        self.cursor = page["next_cursor"]
        pulled: list[dict[str, Any]] = page["data"]
        return pulled
