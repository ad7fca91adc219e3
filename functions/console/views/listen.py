"""listen: the file that pulls a webhook and posts to a receiver on somebody's own machine."""

from functools import cache
from pathlib import Path

from console.http.visit import HtmlResponse, Visit
from perkwire.primitives.ids import WebhookId
from perkwire.settings.console import ConsoleSettings

FILE_NAME = "listen.py"

_SOURCE = Path(__file__).parents[1] / "templates" / "listen.py.txt"


def given_out(
    visit: Visit,
    settings: ConsoleSettings,
    webhook_id: WebhookId,
    key: str,
    secret: str | None = None,
) -> HtmlResponse:
    """The answer that gives the file out."""
    api_url = visit.console_url(settings.console_url).removesuffix("/console")
    file = listen_file(api_url, webhook_id, key, secret)
    return visit.download(FILE_NAME, "text/x-python; charset=utf-8", file)


def listen_file(api_url: str, webhook_id: WebhookId, key: str, secret: str | None = None) -> str:
    """The file for one webhook, with a key of its own, and the secret if it can be told."""
    text = _source()
    for name, value in (
        ("@API@", api_url),
        ("@WEBHOOK@", webhook_id),
        ("@KEY@", key),
        ("@SECRET@", secret),
    ):
        text = text.replace(f'"{name}"', repr(value))
    return text


@cache
def _source() -> str:
    return _SOURCE.read_text(encoding="utf-8")
