"""What a function does before its first event, while Lambda gives it at least a whole CPU.

Later it has the share that its memory buys, a third of one: what it makes then takes three times as
long, and an event waits for it.
"""

import codecs
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

_NAME = "AWS_LAMBDA_FUNCTION_NAME"


def while_initialising(*makers: Callable[[], object]) -> None:
    """Call each of them, in their order, if it is Lambda that imports the module.

    Lambda, and the local system as well, names the function in the environment; a test or a tool
    that imports the module makes nothing. What fails here, for lack of a setting for instance,
    fails at the first event again, and is told there.
    """
    if _is_function():
        for make in makers:
            with suppress(Exception):
                make()


def rehearse(client: Any, operation: str, **request: object) -> None:  # noqa: ANN401 - any service's
    """Have an AWS client go through a call in a function, but for the network: nothing is sent.

    The rules of its endpoint, its signer and its parser are made at a client's first call. It is
    answered with nothing, and what the client makes of that is nobody's.
    """
    if not _is_function():
        return
    codecs.lookup("idna")  # as the first connection does, to whatever host
    events = client.meta.events
    events.register_first("before-send", _answer_nothing)
    try:
        with suppress(Exception):
            getattr(client, operation)(**request)
    finally:
        events.unregister("before-send", _answer_nothing)


def _is_function() -> bool:
    return _NAME in os.environ


class _Nothing:
    def stream(self) -> list[bytes]:
        return [b"{}"]


def _answer_nothing(request: "AWSPreparedRequest", **_: object) -> AWSResponse:
    return AWSResponse(request.url, 200, HTTPHeaders(), _Nothing())
