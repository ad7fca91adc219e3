"""The demonstration's part of a laptop that nobody can call: listen.py, given out by the console.

It runs as a process of its own, in a folder of its own, and neither is there afterwards.
"""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from infra.local.arrivals import WIDTH, Arrivals, cut
from infra.local.demo_calls import Api, Browser
from infra.local.receiver import Receiver

_NAME = "laptop"
_PATIENCE_SECONDS = 60


def play(
    api: Api,
    browser: Browser,
    arrivals: Arrivals,
    receiver: Receiver,
    others: Sequence[str],
    event: Mapping[str, Any],
    home: Path,
) -> None:
    """Listen to a webhook that is pulled while an event is posted.

    `others` are the receivers that get the event too; `home` is where the folder may be.
    """
    types = [event["type"], "points.earned"]
    request = {"name": _NAME, "delivery": "pull", "event_types": types}
    webhook = api.call("POST", "/v1/webhooks", request)
    receiver.add(_NAME, webhook["secret"])
    print(
        "\nNobody can call a laptop, so its webhook is pulled. The console gives out listen.py for"
        "\nit, which runs here now; the same event is posted once more, and it prints:\n",
        flush=True,
    )
    page = f"/console/webhooks/{webhook['id']}"
    arrivals.show()
    with tempfile.TemporaryDirectory(prefix="listen-", dir=home) as folder:
        file = Path(folder) / "listen.py"
        file.write_text(browser.send(page, f"{page}/listen"), encoding="utf-8")
        with _printing(file, receiver.url(_NAME)) as lines:
            _show(next(lines, ""))
            api.call("POST", "/v1/events", event)
            for line in lines:
                _show(line)
                if line.strip().startswith(("answered", "no answer")):
                    break
    browser.send(page, f"{page}/listen/end")
    arrivals.wait_for(dict.fromkeys([*others, _NAME], 1))
    print("\nWhat its receiver says:\n")
    arrivals.show(_NAME)
    arrivals.show()
    print(
        f"\nFor a receiver of your own: in the console Webhooks, {_NAME}, Get listen.py.",
        flush=True,
    )


@contextmanager
def _printing(file: Path, url: str) -> Iterator[Iterator[str]]:
    """Run it, and what it prints; a minute at most, and not longer than the block."""
    # In our process group: what ends the terminal's foreground ends it too.
    process = subprocess.Popen(
        [sys.executable, str(file), "--to", url],
        env={**os.environ, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    patience = threading.Timer(_PATIENCE_SECONDS, process.kill)
    patience.start()
    try:
        with cast(IO[str], process.stdout) as lines:
            yield iter(lines)
    finally:
        patience.cancel()
        process.kill()
        process.wait()


def _show(line: str) -> None:
    print(cut(line.rstrip(), WIDTH), flush=True)
