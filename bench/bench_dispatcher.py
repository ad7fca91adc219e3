"""A whole invocation of the dispatcher with ten deliveries, beside its floors, in one run.

CPU: the real handler with the real adapters, from the event of the mapping to its answer, with
stubs of DynamoDB, KMS and the endpoints in other processes; only this process's time counts.
Floor: the same ten bodies posted by a plain `requests.Session`, one after the other over a kept
connection, and the two calls that the log cannot do without, one BatchGetItem of all that is read
and one BatchWriteItem of the ten entries, by a plain botocore client, its requests made beforehand.
Wall: ten endpoints that take 100 ms, beside one plain request to one of them.

Rounds are interleaved and the least of each compared, as what else runs on the machine only adds:
the ratios are the result.

    python -m bench.bench_dispatcher [--rounds 15] [--invocations 60]
"""

import argparse
import base64
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import botocore.session
import requests
from botocore.client import BaseClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

import dispatcher.app
from bench.servers import answer, running
from perkwire.adapters.dynamodb.config_items import ACCOUNT_SK, AccountItem, WebhookItem
from perkwire.model.messages import write_delivery_message
from perkwire.model.webhook import SealedSecrets, Webhook
from perkwire.primitives.ids import WebhookId
from tests.aws_events import Context, sqs_event, sqs_record
from tests.builders import SECRET, a_delivery_message, a_webhook, an_account, an_event

DELIVERIES = 10
DATA = {
    "member": {"id": "m1", "attributes": {"note": "x" * 800}},
    "transaction": {"id": "t1", "points": 5},
}
BODY = json.dumps({"id": "evt_1", "type": "points.earned", "data": DATA}).ljust(1000).encode()
HEADERS = {
    "Content-Type": "application/json",
    "webhook-id": "dlv_01JABCDEFGHJKMNPQRSTVWXYZ0",
    "webhook-timestamp": "1700000000",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
}
GOALS = {"CPU, one webhook": 1.35, "CPU, ten webhooks": 1.35, "wall, 100 ms each": 1.3}
ENDPOINT_SECONDS = 0.1
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "CONFIG_TABLE": "config",
    "DELIVERY_TABLE": "deliveries",
    "SECRET_KEY_ID": "bench",
    "MAX_ATTEMPTS": "6",
    "RETRY_INTERVAL_SECONDS": "300",
    "LOG_RETENTION_DAYS": "30",
    "ENDPOINT_TIMEOUT_SECONDS": "10",
    "ENDPOINT_POLICY": "local",
    "PAUSE_AFTER_FAILURES": "20",
    "PAUSE_WHEN_EXHAUSTED": "false",
    "NOTICE_INTERVAL_MINUTES": "60",
    "LOG_SUCCESSES": "false",
}
BODY_OK = answer(b'{"status":"ok"}')


def endpoint(seconds: float, _head: bytes, _body: bytes) -> bytes:
    """An endpoint's answer, after a while."""
    if seconds:
        time.sleep(seconds)
    return BODY_OK


def aws(items: list[dict[str, Any]], head: bytes, body: bytes) -> bytes:
    """What DynamoDB or KMS would answer: those of the items, an empty log, a secret."""
    _, _, target = head.partition(b"X-Amz-Target: ")
    match target.partition(b"\r\n")[0]:
        case b"DynamoDB_20120810.BatchGetItem":
            wanted = json.loads(body)["RequestItems"]
            found = {
                table: [item for item in items if _key(item) in map(_key, asked["Keys"])]
                for table, asked in wanted.items()
            }
            given: object = {"Responses": found, "UnprocessedKeys": {}}
        case b"DynamoDB_20120810.BatchWriteItem":
            given = {"UnprocessedItems": {}}
        case b"TrentService.Decrypt":
            given = {"Plaintext": base64.b64encode(SECRET.encode()).decode()}
        case other:
            raise SystemExit(f"an unexpected call: {other!r}")
    return answer(json.dumps(given).encode(), "application/x-amz-json-1.0")


def _key(item: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def config_items(own: Sequence[Webhook]) -> list[dict[str, Any]]:
    """The account and its webhooks, as DynamoDB's JSON has them."""
    account = an_account()
    kept = AccountItem(
        account.id,
        ACCOUNT_SK,
        name=account.name,
        created_at=account.created_at,
        updated_at=account.updated_at,
    )
    items = [item.serialize() for item in (kept, *map(WebhookItem.of, own))]
    encoded = json.dumps(items, default=lambda binary: base64.b64encode(binary).decode())
    return list(json.loads(encoded))


def event_for(own: Sequence[Webhook]) -> dict[str, Any]:
    """The mapping's event with ten deliveries for these webhooks in turn, as SQS has them."""
    messages = [
        a_delivery_message(own[position % len(own)], an_event(data=DATA))
        for position in range(DELIVERIES)
    ]
    return sqs_event(*(sqs_record(write_delivery_message(message)) for message in messages))


def invoke(event: Mapping[str, Any]) -> None:
    """One invocation, of the function as it is deployed."""
    if dispatcher.app.handler(event, Context())["batchItemFailures"]:
        raise SystemExit("deliveries were left")


class Floor:
    """The same requests, and the fewest calls for the very items that an invocation has."""

    def __init__(self, url: str, event: Mapping[str, Any]) -> None:
        self._url = url
        self._session = requests.Session()
        self._dynamodb: Any = botocore.session.get_session().create_client("dynamodb")
        self._read: dict[str, Any] = {}
        make: Any = vars(BaseClient)["_make_api_call"]

        def recorded(client: object, operation: str, parameters: dict[str, Any]) -> object:
            if operation == "BatchGetItem":
                self._read |= parameters["RequestItems"]
            if operation == "BatchWriteItem":
                self._written = parameters["RequestItems"]
            return make(client, operation, parameters)

        with mock.patch.object(BaseClient, "_make_api_call", recorded):
            invoke(event)
        if len(self._written[ENVIRONMENT["DELIVERY_TABLE"]]) != DELIVERIES:
            raise SystemExit("not all deliveries have succeeded")

    def send(self) -> None:
        """One request."""
        self._session.post(self._url, data=BODY, headers=HEADERS, timeout=10)

    def sends(self) -> None:
        """Ten requests."""
        for _ in range(DELIVERIES):
            self.send()

    def calls(self) -> None:
        """One that reads all there is to read, and one that writes the ten entries."""
        self._dynamodb.batch_get_item(RequestItems=self._read)
        self._dynamodb.batch_write_item(RequestItems=self._written)


def spent(clock: Callable[[], float], call: Callable[[], None], times: int) -> float:
    """Milliseconds of a call by this clock, the mean of so many."""
    call()
    before = clock()
    for _ in range(times):
        call()
    return (clock() - before) / times * 1e3


def measure(
    url: str, slow_url: str, own: Mapping[str, Sequence[Webhook]], rounds: int, invocations: int
) -> Mapping[str, float]:
    """The least of all rounds for each figure, in milliseconds."""
    events = {name: event_for(some) for name, some in own.items()}
    floors = {name: Floor(url, event) for name, event in events.items()}
    slow = Floor(slow_url, events["slow"])
    figures: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, event in events.items():
            if name == "slow":
                measured = {
                    "slow": spent(time.perf_counter, partial(invoke, event), 2),
                    "slow sends": spent(time.perf_counter, slow.send, 2),
                }
            else:
                cpu = partial(spent, time.process_time, times=invocations)
                measured = {
                    name: cpu(partial(invoke, event)),
                    f"{name} sends": cpu(floors[name].sends),
                    f"{name} calls": cpu(floors[name].calls),
                }
            for figure, milliseconds in measured.items():
                figures.setdefault(figure, []).append(milliseconds)
    return {name: min(found) for name, found in figures.items()}


def webhooks_at(url: str, count: int, first: int = 0) -> list[Webhook]:
    """Some of one account, each with a path of its own."""
    return [
        replace(
            a_webhook(sealed=SealedSecrets(secret=b"sealed", headers=None)),
            id=WebhookId(f"wh_{first + position:016}"),
            url=f"{url}/hooks/{position}",
        )
        for position in range(count)
    ]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="a whole invocation beside its floors")
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--invocations", type=int, default=40)
    chosen = options.parse_args()
    with (
        running(partial(endpoint, 0)) as url,
        running(partial(endpoint, ENDPOINT_SECONDS)) as slow_url,
    ):
        own = {
            "one": webhooks_at(url, 1),
            "ten": webhooks_at(url, 10, first=100),
            "slow": webhooks_at(slow_url, 10, first=200),
        }
        found = config_items([webhook for some in own.values() for webhook in some])
        with (
            running(partial(aws, found)) as aws_url,
            mock.patch.dict(os.environ, ENVIRONMENT | {"AWS_ENDPOINT_URL": aws_url}, clear=True),
            Path(os.devnull).open("w") as nowhere,
            contextlib.redirect_stdout(nowhere),
        ):
            figures = measure(url, slow_url, own, chosen.rounds, chosen.invocations)
    rows = [
        ("CPU, one webhook", figures["one"], figures["one sends"], figures["one calls"]),
        ("CPU, ten webhooks", figures["ten"], figures["ten sends"], figures["ten calls"]),
        ("wall, 100 ms each", figures["slow"], figures["slow sends"], 0),
    ]
    head = f"{'invocation of 10':<18} {'ours ms':>8} {'sends ms':>9} {'calls ms':>9}"
    print(f"{head} {'ratio':>6} {'goal':>5}")
    for name, ours, sends, calls in rows:
        ratio = ours / (sends + calls)
        print(f"{name:<18} {ours:8.2f} {sends:9.2f} {calls:9.2f} {ratio:6.2f} {GOALS[name]:5.2f}")


if __name__ == "__main__":
    main()
