"""The emulator's own process: ministack with our patches, until SIGTERM or the end of stdin.

Started by `infra.local.emulator`, which gives it its whole environment and holds the other end of
its stdin: when that process dies, however it dies, stdin ends and so does the emulator, and with
it every function's process.
"""

import asyncio
import logging
import os
import signal
import sys
import threading

from infra.local.front_door import FrontDoor
from infra.local.patches import apply_all
from infra.local.patches.upstream import UpstreamChangedError, check_version, lookup, replace

_SETTLE_SECONDS = 3.0


async def _serve() -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app as ministack

    front_door = FrontDoor(ministack.app)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def watch_parent() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch_parent, daemon=True).start()

    async def until_stopped() -> None:
        await stop.wait()
        await _settle(front_door)

    config = Config()
    config.bind = [f"{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    config.loglevel = os.environ["LOG_LEVEL"]
    await serve(front_door, config, shutdown_trigger=until_stopped)  # type: ignore[arg-type]


async def _settle(front_door: FrontDoor) -> None:
    """Let what is under way end, so that what is saved of one service fits what is of another."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    batches = lookup(lambda_svc, "_esm_inflight")
    replace(lambda_svc, "_poll_sqs", lambda: False)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _SETTLE_SECONDS
    while (batches or front_door.requests_under_way) and loop.time() < deadline:
        await asyncio.sleep(0.05)
    # What has not ended by now is retried after the next start, as on Lambda.
    await asyncio.to_thread(lambda_runtime.reset)


def main() -> int:
    """Serve until told to stop; the exit status is 1 when the emulator is not the pinned one."""
    try:
        check_version()
        apply_all()
    except UpstreamChangedError as error:
        print(error, file=sys.stderr)
        return 1
    asyncio.run(_serve())
    logging.shutdown()
    # A thread that still waits for a function must not hold the process.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
