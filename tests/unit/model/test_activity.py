"""What a record says of a change: which fields, never what stands in them."""

import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from perkwire.model.activity import Action, Change, webhook_change
from perkwire.model.webhook import SealedSecrets, Webhook, WebhookStatus
from tests.builders import a_webhook

SECRETS = SealedSecrets(secret=b"sealed", headers=b"sealed headers", retired=())
BEFORE = replace(a_webhook(), sealed=SECRETS, header_names=("x-shop",))


def changed(**members: Any) -> Change:  # noqa: ANN401
    return webhook_change(BEFORE, BEFORE.changed_to(replace(BEFORE, **members), 1))


@pytest.mark.parametrize(
    ("members", "action", "fields"),
    [
        ({"url": "https://b.example/"}, Action.WEBHOOK_CHANGED, ("url",)),
        (
            {"name": "B", "filter": '{"type":["a.b"]}', "max_per_second": 2.0},
            Action.WEBHOOK_CHANGED,
            ("filter", "max_per_second", "name"),
        ),
        ({"status": WebhookStatus.DISABLED}, Action.WEBHOOK_DISABLED, ("status",)),
        (
            {"sealed": replace(SECRETS, headers=b"others")},
            Action.WEBHOOK_CHANGED,
            ("headers",),
        ),
        ({"sealed": replace(SECRETS, secret=b"new")}, Action.SECRET_ROTATED, ("secret",)),
        (
            {"sealed": replace(SECRETS, secret=b"new"), "status": WebhookStatus.DISABLED},
            Action.WEBHOOK_CHANGED,
            ("secret", "status"),
        ),
    ],
)
def test_a_change_names_what_differs(
    members: dict[str, Any], action: Action, fields: tuple[str, ...]
) -> None:
    change = changed(**members)

    assert (change.action, change.fields) == (action, fields)
    assert (change.owner, change.subject) == (BEFORE.account_id, BEFORE.id)


def test_one_that_is_enabled_again_is_said_to_be() -> None:
    paused = replace(BEFORE, status=WebhookStatus.PAUSED)

    change = webhook_change(paused, BEFORE)

    assert (change.action, change.fields) == (Action.WEBHOOK_ENABLED, ("status",))


def test_every_field_that_somebody_sets_is_told_of() -> None:
    """A field of a webhook that comes later is told of, unless the list of others names it."""
    set_by_nobody = {"id", "account_id", "version", "endpoint_version", "created_at", "updated_at"}
    told_by_others = {"contract", "header_names", "sealed", "pause", "lane"}
    for field in dataclasses.fields(Webhook):
        if field.name not in set_by_nobody | told_by_others:
            other: dict[str, Any] = {field.name: object()}
            assert webhook_change(BEFORE, replace(BEFORE, **other)).fields == (field.name,)
