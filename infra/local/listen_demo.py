"""The demonstration's part of a receiver that nobody can call: listen.py, given out by the console.

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

_PAGE = "/console/webhooks/listen"
_TELLS_IT = "its secret, for the receiver: "
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
    """Listen to the account's events while one is posted.

    `others` are the receivers that get the event too; `home` is where the folder may be.
    """
    print(
        "\nFor a receiver that somebody is writing, where no request gets to: the console gives out"
        "\nlisten.py. It runs here now, the same event is posted once more, and it prints:\n",
        flush=True,
    )
    arrivals.show()
    with tempfile.TemporaryDirectory(prefix="listen-", dir=home) as folder:
        file = Path(folder) / "listen.py"
        file.write_text(browser.send(_PAGE, _PAGE), encoding="utf-8")
        with _printing(file, receiver.url(_NAME)) as lines:
            for line in lines:
                _show(line)
                if _TELLS_IT in line:
                    receiver.add(_NAME, line.partition(_TELLS_IT)[2].strip())
                    api.call("POST", "/v1/events", event)
                if line.strip().startswith(("answered", "no answer")):
                    break
    browser.send(_PAGE, f"{_PAGE}/end")
    arrivals.wait_for(dict.fromkeys([*others, _NAME], 1))
    print("\nWhat its receiver says:\n")
    arrivals.show(_NAME)
    arrivals.show()
    print("\nFor yours: in the console Webhooks, Listen on your own machine.", flush=True)


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
