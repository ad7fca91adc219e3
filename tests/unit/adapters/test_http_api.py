"""What of a request is read, whatever its headers say."""

import pytest

from perkwire.adapters.http_api import body_of
from perkwire.primitives.problem import Problem


@pytest.mark.parametrize("length", ["7", "007", "", "seven", "\u0667", "7, 7"])
def test_a_body_of_the_length_that_is_said_is_taken(length: str) -> None:
    event = {"body": '"\ufffdab"', "headers": {"content-length": length}}

    assert body_of(event) == b'"\xef\xbf\xbdab"'


@pytest.mark.parametrize("length", ["6", "0", "1" * 5_000])
def test_a_body_of_another_length_was_altered(length: str) -> None:
    event = {"body": '"\ufffdab"', "headers": {"content-length": length}}

    with pytest.raises(Problem) as refused:
        body_of(event)

    assert refused.value.status == 400
