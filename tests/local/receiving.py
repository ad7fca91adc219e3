"""The code of docs/receiving.md as somebody would save it, and requests to run it against."""

import base64
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.emulator import ROOT
from perkwire.catalogue.event_types import event_types
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.registry import find_format
from perkwire.model.event import Event
from perkwire.model.sending import Request
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.timestamps import MICROSECONDS, now
from tests.builders import SECRET, a_delivery_message, a_webhook, an_event
from tests.tools import node

LANGUAGES = ["python", "node"]
FORMATS = ["standard", "okendo", "zoho-thrive", "zinrelo", "qualifio", "voucherify"]
TOKEN = "of-the-receivers-own-choice"

PYTHON = """
import base64, json, sys
sys.path.insert(0, sys.argv[1])
from receive import receive
answers = []
for call in json.load(sys.stdin):
    worked = []
    body = base64.b64decode(call["body"])
    answers.append([receive(call["headers"], body, call["secret"], worked.append), worked])
print(json.dumps(answers))
"""
NODE = """
import { readFileSync } from "node:fs";
import { receive } from "./receive.mjs";
const answers = JSON.parse(readFileSync(0)).map(({ headers, body, secret }) => {
  const worked = [];
  const work = (event) => worked.push(event);
  return [receive(headers, Buffer.from(body, "base64"), secret, work), worked];
});
console.log(JSON.stringify(answers));
"""


def blocks() -> dict[str, str]:
    """The page's blocks of code by the name in their first line."""
    page = (ROOT / "docs" / "receiving.md").read_text(encoding="utf-8")
    found = re.findall(r"^```(?:python|js)\n(?:#|//) (\S+)\n(.*?)^```$", page, re.M | re.S)
    programs = re.findall(r"^```(?!json|sh)\S", page, re.M)
    assert len(found) == len(programs), "a block without a name"
    return dict(found)


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
                "headers": dict(request.headers),
                "body": base64.b64encode(request.body).decode(),
                "secret": secret,
            }
            for request in requests
        ]
        return [(status, worked) for status, worked in self.run(calls, THRIVE_TOKEN=TOKEN)]

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


def saved(language: str, format_name: str, folder: Path) -> Example:
    module = format_name.replace("-", "_")
    for name, code in blocks().items():
        if name == "receive.py":
            code = code.replace("from standard import", f"from {module} import")
        elif name == "receive.mjs":
            code = code.replace("./standard.mjs", f"./{module}.mjs")
        (folder / name).write_text(code, encoding="utf-8")
    return Example(language, format_name, folder)


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
    return render(a_delivery_message(webhook, *events), webhook, opened, at)


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
