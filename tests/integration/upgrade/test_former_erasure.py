"""An erasure, which the release before did not know, reaches what that release has written."""

import base64
import json
import zlib

import pytest

from tests.integration.jobs.test_erasures import ADA, ask, stored, work
from tests.integration.system import System, Tenant
from tests.integration.upgrade.test_former_release import ORDER, WRITTEN
from tests.receiver import Receiver

MEMBER = {"id": ADA, "email": f"{ADA}@member.example"}


def test_what_is_kept_loses_its_data_and_what_is_queued_is_not_sent(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.secrets.add(ADA)
    endpoint = receiver.endpoint()
    webhook_id = tenant.webhook(endpoint.url)["id"]
    text = WRITTEN.replace("acct_0000000000000001", tenant.id)
    text = text.replace("0000000000000001", webhook_id.removeprefix("wh_"))
    written = json.loads(text)
    event = next(item for item in written["events"] if item["sk"]["S"] == "event")
    data = json.loads(zlib.decompress(base64.b64decode(event["data"]["B"]))) | {"member": MEMBER}
    event["data"] = {"B": zlib.compress(json.dumps(data).encode())}
    table = system.stack.resources["EventTable"]
    system.stack.client("dynamodb").put_item(TableName=table, Item=event)
    for queue in ("event", "delivery"):
        message = json.loads(written[f"{queue}_message"])
        message["events"][0]["data"] = data
        url = system.queue(f"{queue.capitalize()}Queue")
        system.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))

    asked = ask(tenant)
    system.route()
    system.dispatch_all()
    work(system, tenant, asked, monkeypatch)

    assert endpoint.requests == []
    assert ADA not in stored(tenant)
    assert tenant.get(f"/v1/events/{ORDER}")["data"] == {}
    assert {one["status"] for one in tenant.deliveries()} == {"cancelled"}
    assert system.bodies("DeliveryQueue") == system.bodies("EventQueue") == []
