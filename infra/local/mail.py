"""Mails of the local system: SES's sender is let through, and what it would mail is shown.

The emulator sends no mail. What the stack hands to SES is printed instead, and stays readable at
the emulator's own address of SES's messages.
"""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.local.emulator import client

_PATH = "/_ministack/ses/messages"
_SECONDS = 1


def let_through(endpoint_url: str, sender: str) -> None:
    """Have SES take this address for verified, as its owner does on AWS; none: nothing."""
    if sender:
        client("ses", endpoint_url).verify_email_identity(EmailAddress=sender)


def sent(endpoint_url: str) -> list[dict[str, Any]]:
    """The mails that SES has taken, the oldest first."""
    with urllib.request.urlopen(f"{endpoint_url}{_PATH}", timeout=10) as answer:  # noqa: S310
        by_account: dict[str, list[dict[str, Any]]] = json.load(answer)["messages"]
    mails = [mail for mails in by_account.values() for mail in mails]
    return sorted(mails, key=lambda mail: float(mail["Timestamp"]))


@contextmanager
def shown(endpoint_url: str) -> Iterator[None]:
    """Print each mail that is sent from now on."""
    stop = threading.Event()
    seen = {str(mail["MessageId"]) for mail in sent(endpoint_url)}
    thread = threading.Thread(target=_show, args=(endpoint_url, seen, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _show(endpoint_url: str, seen: set[str], stop: threading.Event) -> None:
    while not stop.wait(_SECONDS):
        try:
            mails = sent(endpoint_url)
        except (OSError, ValueError):
            continue  # it is stopping, or busy
        for mail in mails:
            if mail["MessageId"] not in seen:
                seen.add(mail["MessageId"])
                print(as_text(mail), flush=True)


def as_text(mail: dict[str, Any]) -> str:
    """A mail as it is printed."""
    lines = str(mail["BodyText"]).rstrip().splitlines()
    head = f"Mail to {', '.join(mail['To'])}: {mail['Subject']}"
    return "\n".join(["", head, *(f"  {line}".rstrip() for line in lines), ""])
