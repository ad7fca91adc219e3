"""Items as the release before stored them, and what it makes of ours."""

from perkwire.adapters.dynamodb.config_items import WebhookItem
from tests.builders import a_webhook


def stored(item: WebhookItem, **changes: object) -> WebhookItem:
    """The item as it would be read, with some attributes changed; None takes one away."""
    attributes = item.to_simple_dict(force=True) | changes
    read = WebhookItem()
    read.from_simple_dict({name: value for name, value in attributes.items() if value is not None})
    return read


def test_a_webhook_without_batch_bytes_keeps_the_batches_that_it_had() -> None:
    item = stored(WebhookItem.of(a_webhook(batch_size=100)), batch_bytes=None)

    assert item.to_webhook().batch_bytes == 900_000
