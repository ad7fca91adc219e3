"""Refuses the AWS calls that a function's role does not allow, and remembers which rights are used.

Where pynamodb's and boto3's calls both pass, before they go out.
"""

import json
import os
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.iam.calls import Data
from tests.iam.evaluator import Call, Unjudgeable, judge

# The statement of a function's policy by its name, with one of its actions.
type Right = tuple[str, str, str]
type Policies = Mapping[str, list[dict[str, Any]]]

# As the services name it, which code may look at.
_REFUSED_AS = {"dynamodb": "AccessDeniedException", "kms": "AccessDeniedException"}


@dataclass(frozen=True)
class Rules:
    """What each function may do, and what has to be known to judge it."""

    policies: Policies
    data: Data
    # ARNs that stand for others.
    substitutes: Mapping[str, str] = field(default_factory=dict)


class Judge:
    """What functions may do. `folder` is where it writes what was used and refused, for others."""

    def __init__(self, rules: Callable[[], Rules], folder: Path) -> None:
        self._rules = rules
        self._folder = folder
        self._known: set[Right] = set()

    def check(self, function: str, service: str, operation: str, parameters: Any) -> None:  # noqa: ANN401
        """Raise botocore's ClientError, as AWS would have it raised, unless the call is allowed."""
        rules = self._rules()
        try:
            for call in rules.data.asked(service, operation, parameters):
                resource = rules.substitutes.get(call.resource, call.resource)
                decision = judge(rules.policies[function], replace(call, resource=resource))
                if not decision.allowed:
                    raise self._refusal(function, service, operation, call)
                self._remember((function, str(decision.sid), call.action))
        except Unjudgeable as error:
            _append(self._folder, "refused", [function, f"{service}:{operation}", str(error)])
            raise

    def _refusal(self, function: str, service: str, operation: str, call: Call) -> Exception:
        from botocore.exceptions import ClientError

        where = f"{call.action} on {call.resource} with {json.dumps(call.context, default=str)}"
        _append(self._folder, "refused", [function, f"{service}:{operation}", where])
        said = f"{function} is not authorized to perform: {where}"
        code = _REFUSED_AS.get(service, "AccessDenied")
        return ClientError(
            {
                "Error": {"Code": code, "Message": said},
                "ResponseMetadata": {
                    "HTTPStatusCode": 400 if service == "dynamodb" else 403,
                    "RequestId": "",
                    "HostId": "",
                    "HTTPHeaders": {},
                    "RetryAttempts": 0,
                },
            },
            operation,
        )

    def _remember(self, right: Right) -> None:
        if right not in self._known:
            self._known.add(right)
            _append(self._folder, "used", [*right])


# Of a coroutine of the simulation its own: these go on in turns, and end in any order.
_FUNCTION: ContextVar[str | None] = ContextVar("function", default=None)
_REHEARSES: ContextVar[bool] = ContextVar("rehearses", default=False)


class Running:
    """Which function is running in this thread or coroutine, or started it."""

    _everywhere: str | None = None

    @classmethod
    def function(cls) -> str | None:
        """The function's name, None outside of all."""
        if _REHEARSES.get():
            return None
        started_by = getattr(threading.current_thread(), "started_by_function", None)
        return _FUNCTION.get() or started_by or cls._everywhere

    @classmethod
    def always(cls, function: str) -> None:
        """Say that this process runs nothing else."""
        cls._everywhere = function

    @classmethod
    def within(cls, function: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        """The handler of a function, so that what is called in it is known to be the function's."""

        def handle(*arguments: Any) -> Any:  # noqa: ANN401 - any handler's
            before = _FUNCTION.get()
            _FUNCTION.set(function)
            try:
                return handler(*arguments)
            finally:
                _FUNCTION.set(before)

        return handle

    @classmethod
    def rehearsing(cls, rehearse: Callable[..., None]) -> Callable[..., None]:
        """`initialising.rehearse`, whose calls are nobody's: they never go out."""

        def unjudged(*arguments: Any, **request: Any) -> None:  # noqa: ANN401 - any call's
            _REHEARSES.set(True)
            try:
                rehearse(*arguments, **request)
            finally:
                _REHEARSES.set(False)

        return unjudged

    @classmethod
    def inherited(cls, start: Callable[..., None]) -> Callable[..., None]:
        """`Thread.start`, so that what a function's threads call is the function's too."""

        def start_knowing(thread: threading.Thread) -> None:
            thread.started_by_function = cls.function()  # type: ignore[attr-defined]
            start(thread)

        return start_knowing


def judged(make_api_call: Callable[..., Any], judge: Judge) -> Callable[..., Any]:
    """`BaseClient._make_api_call`, judged before it is made."""

    def call(client: Any, operation: str, parameters: Any) -> Any:  # noqa: ANN401
        if function := Running.function():
            judge.check(function, client.meta.service_model.service_name, operation, parameters)
        return make_api_call(client, operation, parameters)

    return call


def lines(folder: Path, kind: str) -> list[tuple[str, ...]]:
    """What all processes have written into a folder so far: `used` rights, or `refused` calls."""
    return [
        tuple(json.loads(line))
        for file in sorted(folder.glob(f"{kind}-*"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


def _append(folder: Path, kind: str, entry: list[str]) -> None:
    with (folder / f"{kind}-{os.getpid()}").open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
