"""Items as the release before stored them, and what it makes of ours."""

from dataclasses import replace

from perkwire.adapters.dynamodb.config_items import WebhookItem
from perkwire.model.webhook import RetiredSecret
from tests.builders import NOW, a_webhook


def stored(item: WebhookItem, **changes: object) -> WebhookItem:
    """The item as it would be read, with some attributes changed; None takes one away."""
    attributes = item.to_simple_dict(force=True) | changes
    read = WebhookItem()
    read.from_simple_dict({name: value for name, value in attributes.items() if value is not None})
    return read


def test_a_secret_that_was_retired_before_still_signs() -> None:
    """It has what that release wrote, and nothing else."""
    retired = RetiredSecret(b"old", NOW)
    webhook = a_webhook()
    webhook = replace(webhook, sealed=replace(webhook.sealed, retired=(retired,)))
    item = WebhookItem.of(webhook)

    attributes = item.to_simple_dict(force=True)
    assert attributes.keys().isdisjoint({"earlier_secret", "earlier_until"})
    assert attributes["retired_until"] == NOW
    assert stored(item).to_webhook().sealed.retired == (retired,)


def test_the_release_before_finds_the_newest_retired_secret_where_it_looks() -> None:
    newest, earlier = RetiredSecret(b"newest", NOW + 2), RetiredSecret(b"earlier", NOW + 1)
    webhook = a_webhook()
    webhook = replace(webhook, sealed=replace(webhook.sealed, retired=(newest, earlier)))
    item = WebhookItem.of(webhook)

    assert (item.retired_secret, item.retired_until) == (b"newest", NOW + 2)
    assert stored(item).to_webhook().sealed.retired == (newest, earlier)


def test_a_webhook_without_batch_bytes_keeps_the_batches_that_it_had() -> None:
    item = stored(WebhookItem.of(a_webhook(batch_size=100)), batch_bytes=None)

    assert item.to_webhook().batch_bytes == 900_000


def test_a_webhook_of_before_there_were_schedules_has_the_stacks_rule() -> None:
    item = WebhookItem.of(a_webhook())
    assert not {"retry_delays_seconds", "pause_when_exhausted"} & item.serialize().keys()

    webhook = stored(item).to_webhook()

    assert (webhook.retry_delays_seconds, webhook.pause_when_exhausted) == (None, None)
