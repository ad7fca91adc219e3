"""Watches with the real handlers: admins are told of a webhook that nobody pulls."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import jobs.app
from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.waiting_table import WaitingTable
from perkwire.model.messages import WatchMessage, write_watch_message
from perkwire.model.waiting import WATCH_MICROSECONDS, ListEnd
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.timestamps import MICROSECONDS, now
from tests.aws_events import Context, sqs_event, sqs_record
from tests.integration.dispatching.deliveries import route
from tests.integration.dispatching.test_notices import Admin
from tests.integration.pulling.conftest import Lambda, Puller
from tests.integration.system import System, Tenant

MINUTE = 60 * MICROSECONDS


class Watched(Puller):
    """A webhook that is pulled, and its watch."""

    @property
    def end(self) -> ListEnd:
        return WaitingTable(tables.connect(), log_retention_days=1).end(
            AccountId(self.tenant.id), WebhookId(self.webhook["id"])
        )

    def watch(self) -> dict[str, Any]:
        """Have its watch look, by the message that SQS still delays; what jobs answers."""
        message = WatchMessage(
            account_id=AccountId(self.tenant.id),
            webhook_id=WebhookId(self.webhook["id"]),
            watch=self.end.watch or 0,
        )
        event = sqs_event(sqs_record(write_watch_message(message)))
        return jobs.app.handler(event, Context())


@contextmanager
def a_day_later(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(jobs.app, "now", lambda: now() + WATCH_MICROSECONDS + MINUTE)
        system.cold_start("jobs")
        yield
    system.cold_start("jobs")


@pytest.fixture
def admin(system: System, tenant: Tenant, operator_key: str) -> Admin:
    return Admin(system, tenant, operator_key)


def test_admins_are_told_once_nothing_was_pulled_for_a_day(
    system: System,
    tenant: Tenant,
    admin: Admin,
    client: Lambda,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = Watched(tenant, name="Till 7")
    route(system, tenant, *tenant.some_events(2))
    own = [one for one in system.messages("JobQueue") if one["account_id"] == tenant.id]
    assert [one["watch"] for one in own] == [watched.end.watch]

    assert watched.watch() == {"batchItemFailures": []}
    assert admin.mail() == []
    with a_day_later(system, monkeypatch):
        assert watched.watch() == {"batchItemFailures": []}
        again = watched.watch()
    (mail,) = admin.mail()

    assert again == {"batchItemFailures": []}
    assert mail["Subject"] == 'Webhook "Till 7": nothing pulled for a day'
    assert "At most 2 deliveries wait to be pulled, the first since " in mail["Message"]
    assert f"/webhooks/{watched.webhook['id']}\n" in mail["Message"]
    assert watched.end.watch is not None


def test_a_watch_ends_once_all_is_pulled(
    system: System,
    tenant: Tenant,
    admin: Admin,
    client: Lambda,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = Watched(tenant)
    route(system, tenant)
    assert len(watched.pull()) == 1
    assert watched.pull() == []

    with a_day_later(system, monkeypatch):
        assert watched.watch() == {"batchItemFailures": []}

    assert watched.end == ListEnd(1)
    assert admin.mail() == []
