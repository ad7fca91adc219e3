"""listen: the file that pulls a webhook and posts to a receiver on somebody's own machine."""

from functools import cache
from pathlib import Path

from perkwire.primitives.ids import WebhookId

KEY_HOURS = 24
KEY_NAME = "listen"
FILE_NAME = "listen.py"

_SOURCE = Path(__file__).parents[1] / "templates" / "listen.py.txt"


def listen_file(api_url: str, webhook_id: WebhookId, key: str) -> str:
    """The file for one webhook, with a key of its own."""
    text = _source()
    for name, value in (("@API@", api_url), ("@WEBHOOK@", webhook_id), ("@KEY@", key)):
        text = text.replace(f'"{name}"', repr(value))
    return text


@cache
def _source() -> str:
    return _SOURCE.read_text(encoding="utf-8")
