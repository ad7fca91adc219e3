"""A message that SQS has accepted is never lost.

The emulator's queues are lists that several steps replace (`messages = [those to keep]`): the
dead-letter sweep, the expiry of old messages, and every deletion. Its poller takes a lock for
that, its API does not, so a message sent through the API between the two halves of the poller's
step is answered 200 and gone. Every step takes the lock here.
"""

import inspect
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from infra.local.patches import upstream

# Steps of the two actions that wait, ReceiveMessage among them: these must not hold the lock.
_STEPS = ("_expire_retained", "_dlq_sweep", "_collect_msgs")


def apply() -> None:
    """Run every queue action, and every step of the waiting ones, under the queue lock."""
    from ministack.services import sqs

    # The steps run inside actions that hold the lock already.
    lock = threading.RLock()
    upstream.replace(sqs, "_queues_lock", lock)

    def locked(action: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(action)
        def run(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
            with lock:
                return action(*arguments, **options)

        return run

    for step in _STEPS:
        upstream.replace(sqs, step, locked(upstream.lookup(sqs, step)))
    upstream.replace(sqs, "get_state", locked(upstream.lookup(sqs, "get_state")))
    actions = upstream.queue_actions()
    for name, action in actions.items():
        if not inspect.iscoroutinefunction(action):
            actions[name] = locked(action)
