"""What the code of docs/receiving/ says to a handler that hands over no request as it came."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import SECRET
from tests.local.receiving import FORMATS, TOKEN, an_upgrade, sent
from tests.receivers.handlers import every, lay_out, needs
from tests.tools import node, run

pytestmark = pytest.mark.timeout(300)

# Each says of each call which events it has found, or the error's own words.
PROGRAMS = {
    "python": (
        "main.py",
        """
import base64, importlib, json, sys
sys.path.insert(0, ".")
answers = []
for name, headers, body, parsed in json.load(sys.stdin):
    events = importlib.import_module(name.replace("-", "_")).events
    raw = base64.b64decode(body)
    for given in ((headers, raw), ({k.title(): v for k, v in headers.items()}, raw),
                  (headers, raw.decode()), (headers, parsed), (list(headers.items()), raw),
                  ({f"HTTP_{k}": v for k, v in headers.items()}, raw), (None, raw)):
        try:
            found = events(*given, SECRET)
            answers.append(None if found is None else list(found))
        except TypeError as error:
            answers.append(str(error))
print(json.dumps(answers))
""",
    ),
    "node": (
        "main.mjs",
        """
import { readFileSync } from "node:fs";
const answers = [];
for (const [name, headers, body, parsed] of JSON.parse(readFileSync(0))) {
  const { events } = await import(`./${name.replace("-", "_")}.mjs`);
  const raw = Buffer.from(body, "base64");
  const entries = Object.entries(headers);
  const renamed = (rename) => Object.fromEntries(entries.map(([k, v]) => [rename(k), v]));
  const upper = renamed((k) => k.toUpperCase());
  const cgi = renamed((k) => `HTTP_${k}`);
  for (const given of [
    [headers, raw], [upper, raw], [headers, raw.toString()], [headers, parsed],
    [entries.flat(), raw], [cgi, raw], [undefined, raw], [new Headers(headers), raw],
  ]) {
    try {
      const found = events(...given, SECRET);
      answers.push(found && [...found.keys()]);
    } catch (error) {
      answers.push(error.message);
    }
  }
}
console.log(JSON.stringify(answers));
""",
    ),
    "php": (
        "main.php",
        """<?php
require __DIR__ . '/webhooks.php';
$answers = [];
foreach (json_decode(file_get_contents('php://stdin'), true) as [$name, $headers, $body, $parsed]) {
    $raw = base64_decode($body);
    $renamed = fn($rename) => array_combine(array_map($rename, array_keys($headers)), $headers);
    $server = $renamed(fn($k) => 'HTTP_' . strtoupper(strtr($k, '-', '_')));
    $words = $renamed('ucwords');
    $all = [[$headers, $raw], [$words, $raw], [$headers, $parsed], [$server, $raw], [null, $raw]];
    foreach ($all as $given) {
        try {
            $found = events($name, ...$given, secret: SECRET);
            $answers[] = $found === null ? null : array_keys($found);
        } catch (TypeError | InvalidArgumentException $error) {
            $answers[] = $error->getMessage();
        }
    }
}
echo json_encode($answers);
""",
    ),
    "ruby": (
        "main.rb",
        """
require_relative 'webhooks'
answers = JSON.parse($stdin.read).flat_map do |name, headers, body, parsed|
  raw = body.unpack1('m')
  upper = headers.transform_keys(&:upcase)
  [[headers, raw], [upper, raw], [headers, parsed],
   [headers.transform_keys { |key| "HTTP_#{key.upcase.tr('-', '_')}" }, raw]].map do |given|
    Webhooks.events(name, *given, SECRET)&.keys
  rescue TypeError => error
    error.message
  end
end
puts JSON.generate(answers)
""",
    ),
}
BLOCKS = {"php": ["webhooks.php"], "ruby": ["webhooks.rb"]}
COMMANDS = {"python": "python", "node": "node", "php": "php", "ruby": "ruby"}


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_mistake_of_the_handler_never_looks_like_a_forged_request(
    language: str, tmp_path: Path
) -> None:
    if language not in ("python", "node") and (missing := needs(language)()):
        pytest.skip(f"{language}: {missing}")
    name, program = PROGRAMS[language]
    suffix = {"python": ".py", "node": ".mjs"}.get(language, "")
    lay_out(tmp_path, *BLOCKS.get(language) or every(suffix))
    (tmp_path / name).write_text(program.replace("SECRET", json.dumps(SECRET)), encoding="utf-8")
    event = an_upgrade()
    calls = [call(format_name, event) for format_name in FORMATS]

    said = run(
        [node() if language == "node" else COMMANDS[language], name],
        tmp_path, stdin=json.dumps(calls), environment={"THRIVE_TOKEN": TOKEN},
    )  # fmt: skip

    answers: list[Any] = json.loads(said)
    of_one = len(answers) // len(FORMATS)
    for index, answer in enumerate(answers):
        taken = index % of_one < 2 or (language == "node" and index % of_one == of_one - 1)
        if taken:
            assert answer == [event.id], (FORMATS[index // of_one], index % of_one)
        else:
            assert isinstance(answer, str), (FORMATS[index // of_one], index % of_one)
            assert "pass" in answer or "must be of type" in answer


def call(format_name: str, event: Any) -> list[Any]:  # noqa: ANN401 - an Event
    request = sent(format_name, event)
    body = base64.b64encode(request.body).decode()
    return [format_name, dict(request.headers), body, json.loads(request.body)]
