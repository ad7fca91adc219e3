"""The code of docs/receiving/ as somebody would save it, and requests to run it against."""

import base64
import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.local.emulator import ROOT
from perkwire.catalogue.event_types import event_types
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.registry import find_format
from perkwire.model.event import Event
from perkwire.model.sending import Request
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import DeliveryId, WebhookId
from perkwire.primitives.timestamps import MICROSECONDS, now
from tests.builders import SECRET, a_delivery_message, a_webhook, an_event
from tests.tools import node

LANGUAGES = ["python", "node"]
FORMATS = ["standard", "okendo", "zoho-thrive", "zinrelo", "qualifio", "voucherify"]
PAGES = [ROOT / "docs" / "receiving.md", *sorted((ROOT / "docs" / "receiving").glob("*.md"))]
TOKEN = "of-the-receivers-own-choice"

PYTHON = """
import base64, json, sys
sys.path.insert(0, sys.argv[1])
from receive import receive
answers = []
for call in json.load(sys.stdin):
    worked = []
    body = base64.b64decode(call["body"])
    answers.append([receive(call["format"], call["headers"], body, worked.append), worked])
print(json.dumps(answers))
"""
NODE = """
import { readFileSync } from "node:fs";
import { receive } from "./receive.mjs";
const answers = [];
for (const { format, headers, body } of JSON.parse(readFileSync(0))) {
  const worked = [];
  const work = (event) => worked.push(event);
  answers.push([await receive(format, headers, Buffer.from(body, "base64"), work), worked]);
}
console.log(JSON.stringify(answers));
"""


_BLOCK = re.compile(r"^```\w+\n((?:<\?php )?(?:#|//) (\S+\.\w+)\n.*?)^```$", re.M | re.S)


def blocks() -> dict[str, str]:
    """The pages' blocks of code by the name in their first line, which is left in."""
    found: dict[str, str] = {}
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        here = {name: code for code, name in _BLOCK.findall(page)}
        assert len(here) == len(re.findall(r"^```(?!json|sh)\S", page, re.M)), f"{path}: no name"
        assert not here.keys() & found.keys(), f"{path}: a name that is taken"
        found |= here
    return found


@dataclass(frozen=True)
class Example:
    """The page's code of one language, as somebody would save it for a format."""

    language: str
    format: str
    folder: Path

    def receive(self, *requests: Request, secret: str = SECRET) -> list[tuple[int, list[Any]]]:
        """The status of each request, and the events that were worked on, in one process."""
        calls = [
            {
                "format": self.format,
                "headers": dict(request.headers),
                "body": base64.b64encode(request.body).decode(),
            }
            for request in requests
        ]
        settings = {"THRIVE_TOKEN": TOKEN, secret_name(self.format): secret}
        return [(status, worked) for status, worked in self.run(calls, **settings)]

    def run(self, stdin: object, script: str | None = None, **environment: str) -> Any:  # noqa: ANN401
        """What a script prints, as JSON; without one, what `receive` does with each request."""
        if self.language == "python":
            command = [sys.executable, "-I", "-c", script or PYTHON, str(self.folder)]
        else:
            (self.folder / "main.mjs").write_text(script or NODE)
            command = [node(), str(self.folder / "main.mjs")]
        finished = subprocess.run(
            command, input=json.dumps(stdin), env=environment, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)


def secret_name(format_name: str) -> str:
    """The variable of the environment in which the pages' code finds a format's secret."""
    return f"SECRET_{format_name.upper().replace('-', '_')}"


def saved(language: str, format_name: str, folder: Path) -> Example:
    """The code that a format needs, as somebody has it who takes no other."""
    save(folder, *(name for name in blocks() if name.endswith((".py", ".mjs"))))
    others = {one.replace("-", "_") for one in FORMATS if one != format_name}
    path = folder / "receive.py"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True)
            if others.isdisjoint(re.findall(r"(?:^import |: )(\w+)", line))]  # fmt: skip
    path.write_text("".join(kept), encoding="utf-8")
    return Example(language, format_name, folder)


def save(folder: Path, *names: str) -> None:
    """Blocks of the pages, each under its name."""
    found = blocks()
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(found[name], encoding="utf-8")


def an_upgrade(**overrides: object) -> Event:
    """An event that every product has a word for, in letters that need care."""
    data = dict(event_types()["tier.upgraded"].example)
    member = data["member"]
    assert isinstance(member, dict)
    data["member"] = member | {"first_name": "Zoë 🎉", "email": "zoë@example.com"}
    return an_event(type="tier.upgraded", data=data, **overrides)


def sent(
    format_name: str,
    *events: Event,
    seconds_ago: int = 0,
    webhook_id: str = "wh_0000000000000001",
    secret: str = SECRET,
    retired: str | None = None,
    delivery_id: DeliveryId | None = None,
) -> Request:
    """The request of a delivery of these events, as the dispatcher sends it."""
    format_ = find_format(format_name)
    assert format_ is not None
    webhook = a_webhook(
        id=WebhookId(webhook_id),
        format=format_.name,
        format_settings=format_.read_settings(Fields({})),
        batch_size=10 if len(events) > 1 else 1,
    )
    at = now() - seconds_ago * MICROSECONDS
    headers = {"x-thrive-token": TOKEN}
    opened = OpenedSecrets(secret, headers, ((retired, at + MICROSECONDS),) if retired else ())
    message = a_delivery_message(webhook, *events)
    message = replace(message, delivery_id=delivery_id or message.delivery_id)
    return render(message, webhook, opened, at)


def said(request: Request) -> list[Any]:
    """The events in a request's body, each as `receive` should hand it to the work."""
    body = json.loads(request.body)
    match body:
        case [*events] | {"data": {"events": [*events]}} | {"events": [*events]}:
            return events
        case {"message": message}:
            return [message]
        case event:
            return [event]
