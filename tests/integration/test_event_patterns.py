"""Event patterns before judges that are not ours: the emulator, and moto.

PATTERN_PAIRS says how many generated pairs they are asked about; `make second-opinion` asks about
ten thousand. moto's server does not answer TestEventPattern: its matcher is asked itself.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.events.models import EventPattern as MotoPattern

from perkwire.model.event_pattern import EventPattern, read_pattern
from perkwire.primitives.strict_json import Json
from tests.builders import an_event
from tests.event_patterns import DOCUMENTED, REFUSED, pairs
from tests.integration.system import Stack

_PAIRS = int(os.environ.get("PATTERN_PAIRS", "400"))
_ENVELOPE = {
    "id": "1",
    "account": "123456789012",
    "source": "perkwire",
    "time": "2026-11-21T09:30:00Z",
    "region": "eu-central-1",
    "resources": [],
    "detail-type": "event",
}


def emulator_matches(client: Any, pattern: Json, data: Json) -> bool:  # noqa: ANN401 - boto3's
    answer = client.test_event_pattern(
        EventPattern=json.dumps({"detail": pattern}),
        Event=json.dumps({**_ENVELOPE, "detail": data}),
    )
    return answer["Result"] is True


def moto_matches(pattern: Json, data: Json) -> bool:
    event: Any = {"detail": data}
    return MotoPattern.load(json.dumps({"detail": pattern})).matches_event(event)


def ours_matches(pattern: Json, data: Json) -> bool:
    read = read_pattern({"data": pattern})
    assert isinstance(read, EventPattern), (pattern, read)
    return read.matches(an_event(data=data))


def is_beyond_moto(value: Json) -> bool:
    """What moto reads otherwise than AWS documents it.

    True and false as the numbers 1 and 0, lists in lists and objects in lists as values of their
    own, an empty list as a field that is there, an empty object as one that is anything but a text.
    """
    if isinstance(value, list):
        inner = [one for one in value if isinstance(one, list | dict)]
        return not value or bool(inner) or any(map(is_beyond_moto, value))
    if isinstance(value, dict):
        return not value or any(map(is_beyond_moto, value.values()))
    return isinstance(value, bool)


def names_a_truth(pattern: Json) -> bool:
    """Whether true or false is a value of it, which moto takes for 1 and 0 there too."""
    if isinstance(pattern, list):
        return any(isinstance(one, bool) or names_a_truth(one) for one in pattern)
    return isinstance(pattern, dict) and any(map(names_a_truth, pattern.values()))


def test_the_documented_examples_are_what_the_judges_say(stack: Stack) -> None:
    client = stack.emulator.client("events")
    for pattern, data, expected in DOCUMENTED:
        assert emulator_matches(client, pattern, data) is expected, (pattern, data)
        if not is_beyond_moto(data) and not names_a_truth(pattern):
            assert moto_matches(pattern, data) is expected, (pattern, data)


def test_what_we_say_that_eventbridge_refuses_the_emulator_refuses(stack: Stack) -> None:
    client = stack.emulator.client("events")
    for pattern in REFUSED:
        with pytest.raises(ClientError, match="InvalidEventPattern"):
            emulator_matches(client, pattern, {"a": "x"})


def test_generated_pairs_are_judged_alike(stack: Stack) -> None:
    client = stack.emulator.client("events")
    asked = [*pairs(seed=20261121, number=_PAIRS)]
    ours = [ours_matches(*pair) for pair in asked]
    with ThreadPoolExecutor(8) as executor:
        theirs = [*executor.map(lambda pair: emulator_matches(client, *pair), asked)]
    differing = [
        pair for pair, one, other in zip(asked, ours, theirs, strict=True) if one is not other
    ]
    assert differing == []
    assert _PAIRS / 8 < sum(ours) < _PAIRS / 2
    moto_asked = [
        pair for pair in asked if not is_beyond_moto(pair[1]) and not names_a_truth(pair[0])
    ]
    assert len(moto_asked) > _PAIRS / 20
    for pattern, data in moto_asked:
        assert moto_matches(pattern, data) is ours_matches(pattern, data), (pattern, data)
