"""A webhook's schedule as requests give it: what is taken, what is wrong, what null means."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.managing.webhook_draft import (
    EndpointRules,
    WebhookDraft,
    parse_webhook,
    parse_webhook_change,
)
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.schedule import LONGEST_DELAY_SECONDS, most_attempts
from perkwire.model.webhook import Webhook
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.builders import a_webhook, webhook_body
from tests.unit.managing.test_managing import Management

MAX_ATTEMPTS = 13
RULES = EndpointRules(EndpointPolicy.PUBLIC, max_attempts=MAX_ATTEMPTS)
VOUCHERIFY = [60, *(60 * 2**power for power in range(10)), 24_960]
SVIX = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]


def created(**members: Json) -> WebhookDraft:
    return parse_webhook(webhook_body(**members), RULES)


def wrong(**members: Json) -> dict[str, str]:
    """What is said of each wrong field, of a creation and of a change alike."""
    found = []
    for parse in (
        lambda: parse_webhook(webhook_body(**members), RULES),
        lambda: parse_webhook_change(members, RULES, a_webhook()),
    ):
        with pytest.raises(Problem) as raised:
            parse()
        document: Any = raised.value.document()
        found.append({error["field"]: error["detail"] for error in document["errors"]})
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    "delays",
    [[], [1], [LONGEST_DELAY_SECONDS], [300] * 5, [300] * 7, VOUCHERIFY, SVIX, [14_400] * 12],
)
def test_delays_of_every_product_are_taken(delays: list[Json]) -> None:
    assert created(retry_delays_seconds=delays).retry_delays_seconds == tuple(delays)


@pytest.mark.parametrize("delay", [0, -1, LONGEST_DELAY_SECONDS + 1, 1.5, 1.0, "60", True, None])
def test_a_delay_is_a_whole_number_of_seconds_up_to_twelve_hours(delay: Json) -> None:
    said = wrong(retry_delays_seconds=[60, delay])

    assert said == {"retry_delays_seconds[1]": "must be a whole number from 1 to 43200"}


@pytest.mark.parametrize("delays", [60, "60", {}, True, [60] * MAX_ATTEMPTS])
def test_there_are_no_more_than_the_stack_has_attempts_for(delays: Json) -> None:
    said = wrong(retry_delays_seconds=delays)

    assert said == {
        "retry_delays_seconds": "must be a list of 0 to 12 whole numbers, "
        "one fewer than the stack's MaxAttempts, 13"
    }


def test_all_together_are_two_days_at_most() -> None:
    said = wrong(retry_delays_seconds=[43_200, 43_200, 43_200, 43_200, 1])

    assert said == {"retry_delays_seconds": "must be 172800 seconds at most, all together"}


@pytest.mark.parametrize("value", [0, 1, "true", []])
def test_whether_to_pause_is_true_or_false(value: Json) -> None:
    assert wrong(pause_when_exhausted=value) == {"pause_when_exhausted": "must be true or false"}


def test_null_is_the_stacks_rule_as_is_silence() -> None:
    silent, null = created(), created(retry_delays_seconds=None, pause_when_exhausted=None)

    for draft in (silent, null):
        assert (draft.retry_delays_seconds, draft.pause_when_exhausted) == (None, None)


def scheduled(management: Management) -> Webhook:
    return management.create(retry_delays_seconds=[60, 600], pause_when_exhausted=True)


def test_a_change_leaves_what_it_does_not_name() -> None:
    management = Management()

    after = management.change(scheduled(management), name="Other")

    assert (after.retry_delays_seconds, after.pause_when_exhausted) == ((60, 600), True)


def test_a_change_replaces_what_it_names() -> None:
    management = Management()

    after = management.change(
        scheduled(management), retry_delays_seconds=[], pause_when_exhausted=False
    )

    assert (after.retry_delays_seconds, after.pause_when_exhausted) == ((), False)


def test_null_in_a_change_brings_the_stacks_rule_back() -> None:
    management = Management()
    webhook = scheduled(management)

    after = management.change(webhook, retry_delays_seconds=None)
    assert (after.retry_delays_seconds, after.pause_when_exhausted) == (None, True)
    after = management.change(after, pause_when_exhausted=None)
    assert (after.retry_delays_seconds, after.pause_when_exhausted) == (None, None)


def test_a_schedule_is_no_repair_of_the_endpoint() -> None:
    management = Management()
    webhook = scheduled(management)

    assert management.change(webhook, retry_delays_seconds=[5]).endpoint_version == 1


def test_a_stack_that_has_fewer_attempts_now_still_takes_other_changes() -> None:
    management = Management()  # whose stack has six
    webhook = a_webhook(retry_delays_seconds=(60,) * 12)
    management.items.put(webhook)

    assert management.change(webhook, name="Other").retry_delays_seconds == (60,) * 12


@given(st.none() | st.lists(st.integers(1, 100)).map(tuple), st.integers(1, 100))
def test_attempts_are_one_more_than_delays_and_never_more_than_the_stacks(
    delays: tuple[int, ...] | None, max_attempts: int
) -> None:
    most = most_attempts(delays, max_attempts)

    assert 1 <= most <= max_attempts
    assert most == max_attempts or (delays is not None and most == len(delays) + 1)
