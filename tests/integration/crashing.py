"""A function in a process of its own, that dies at a point: `python -m tests.integration.crashing`.

It may have a bug planted in it, one of CRASH_BUGS.

Reads the function's event from standard input; its environment is that of the process. Dying is
`os._exit`: nothing is flushed, closed or rolled back, as when Lambda's sandbox goes away.
"""

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import dispatcher.app
import jobs.app
import router.app
from perkwire.adapters.dynamodb.delivery_table import DeliveryTable
from perkwire.adapters.sender.http import HttpSender
from perkwire.adapters.sqs.queues import SqsQueue
from tests.aws_events import Context

DIED = 9
_SENT_BEFORE_DYING = 5


def main(app: str, point: str, bug: str | None = None) -> None:
    _POINTS[point]()
    apps = {"dispatcher": dispatcher.app, "router": router.app, "jobs": jobs.app}
    with planted(bug):
        apps[app].handler(json.load(sys.stdin), Context())


def planted(bug: str | None) -> contextlib.AbstractContextManager[None]:
    """The bug is in the code meanwhile."""
    if bug is None:
        return contextlib.nullcontext()
    from tests.integration.crash_bugs import CRASH_BUGS

    return CRASH_BUGS[bug].planted()


def _while_sending() -> None:
    """Once five requests of the invocation are answered, while none of the others is sent."""
    send = HttpSender.send
    begun, left_to_answer = threading.Semaphore(_SENT_BEFORE_DYING), list(range(_SENT_BEFORE_DYING))

    def dying(self: HttpSender, request: Any) -> Any:  # noqa: ANN401 - as the method's
        if begun.acquire(blocking=False):
            send(self, request)
            left_to_answer.pop()
            if not left_to_answer:
                os._exit(DIED)
        threading.Event().wait()

    HttpSender.send = dying  # type: ignore[method-assign]


def _die(*_: object, **__: object) -> Any:  # noqa: ANN401 - does not return
    os._exit(DIED)


def _before_sending() -> None:
    HttpSender.send = _die  # type: ignore[method-assign]


def _before_the_log() -> None:
    DeliveryTable.write = _die  # type: ignore[method-assign]


def _after_the_log() -> None:
    write = DeliveryTable.write

    def dying(self: DeliveryTable, changes: Any) -> Any:  # noqa: ANN401 - as the method's
        write(self, changes)
        _die()

    DeliveryTable.write = dying  # type: ignore[method-assign]


def _before_queueing() -> None:
    SqsQueue.send = _die  # type: ignore[method-assign]


def _after_queueing() -> None:
    send = SqsQueue.send

    def dying(self: SqsQueue, messages: Any) -> Any:  # noqa: ANN401 - as the method's
        send(self, messages)
        _die()

    SqsQueue.send = dying  # type: ignore[method-assign]


def _never() -> None:
    """The process is killed from outside."""


_POINTS: dict[str, Callable[[], None]] = {
    "before sending": _before_sending,
    "while sending": _while_sending,
    "before the log": _before_the_log,
    "after the log": _after_the_log,
    "before queueing": _before_queueing,
    "after queueing": _after_queueing,
    "never": _never,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
