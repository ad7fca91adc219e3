"""dispatching.DeliveryLog, routing.PausedDeliveries and reading.Deliveries."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from perkwire.model.delivery import Attempt, Change, Delivery, DeliveryStatus, Reason
from perkwire.primitives.ids import (
    AccountId,
    DeliveryId,
    WebhookId,
    new_account_id,
    new_webhook_id,
    time_prefix,
)
from tests.builders import NOW, a_delivery, a_delivery_message, a_webhook, an_attempt, an_event
from tests.integration.contracts.conftest import Adapters
from tests.integration.system import Stack

RETRYING, SUCCEEDED = DeliveryStatus.RETRYING, DeliveryStatus.SUCCEEDED
FAILED, CANCELLED = DeliveryStatus.FAILED, DeliveryStatus.CANCELLED

_moments = count(1)


@pytest.fixture
def fresh(account_id: AccountId) -> Delivery:
    """The entry of a delivery that is in no log yet."""
    return a_fresh(account_id, new_webhook_id())


def a_fresh(account_id: AccountId, webhook_id: WebhookId, accepted_at: int = NOW) -> Delivery:
    webhook = a_webhook(id=webhook_id, account_id=account_id)
    events = [an_event(accepted_at=accepted_at), an_event(type="tier.upgraded")]
    return a_delivery(a_delivery_message(webhook, *events))


def change(
    before: Delivery | None, entry: Delivery, attempt: Attempt | None, **members: object
) -> Change:
    """Each at a moment of its own."""
    attempts = (*(before.attempts if before else ()), *((attempt,) if attempt else ()))
    after = replace(entry, attempts=attempts, updated_at=NOW + next(_moments))
    return Change(before, replace(after, **members), attempt)  # type: ignore[arg-type]


def found(adapters: Adapters, entry: Delivery) -> Delivery:
    return adapters.deliveries.find({(entry.account_id, entry.id)})[entry.id]


def numbers(entry: Delivery) -> list[int]:
    return [attempt.number for attempt in entry.attempts]


@pytest.mark.parametrize("status", [RETRYING, SUCCEEDED, FAILED, CANCELLED])
def test_an_entry_is_found_as_it_was_written(
    status: DeliveryStatus, adapters: Adapters, fresh: Delivery
) -> None:
    written = change(
        None,
        fresh,
        an_attempt(
            number=2,
            error="tls",
            error_detail="expired",
            status_code=None,
            response=None,
            location="https://new.example/",
        ),
        status=status,
        reason=Reason.FORMAT if status is FAILED else None,
        due_at=NOW + 5 if status is RETRYING else None,
        spent_after=6 if status is FAILED else None,
    )

    assert adapters.deliveries.write([written]) == set()

    assert found(adapters, fresh) == written.after


def test_a_delivery_that_is_tried_again_forgets_with_which_receive_it_failed(
    adapters: Adapters, fresh: Delivery
) -> None:
    failed = change(None, fresh, an_attempt(number=1), status=FAILED, spent_after=1)
    adapters.deliveries.write([failed])
    assert found(adapters, fresh).spent_after == 1

    again = change(failed.after, fresh, an_attempt(number=2), status=RETRYING, spent_after=None)
    adapters.deliveries.write([again])

    assert found(adapters, fresh).spent_after is None


def test_a_word_of_a_later_release_harms_no_other_entry(stack: Stack, real: Adapters) -> None:
    account_id, webhook_id = new_account_id(), new_webhook_id()
    entries = [a_fresh(account_id, webhook_id) for _ in range(3)]
    real.deliveries.write([change(None, entry, None, status=FAILED) for entry in entries])
    for entry, name in ((entries[0], "status"), (entries[1], "reason")):
        stack.client("dynamodb").update_item(
            TableName=stack.resources["DeliveryTable"],
            Key={
                "pk": {"S": f"{account_id}#{webhook_id}"},
                "sk": {"S": entry.id.rpartition("_")[2]},
            },
            UpdateExpression="SET #name = :word",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":word": {"S": "thawed"}},
        )

    by_id = real.deliveries.find({(account_id, entry.id) for entry in entries})
    listed = real.deliveries.newest(account_id, webhook_id, after="", before="~", limit=5)

    standings = [(by_id[entry.id].status, by_id[entry.id].reason) for entry in entries]
    assert standings == [(DeliveryStatus.UNKNOWN, None), (FAILED, None), (FAILED, None)]
    assert {entry.id for entry in listed} == {*by_id}


def test_an_absent_entry_and_another_accounts_are_not_found(
    adapters: Adapters, fresh: Delivery
) -> None:
    adapters.deliveries.write([change(None, fresh, an_attempt())])

    wanted = {
        (fresh.account_id, DeliveryId(f"{fresh.id}x")),
        (new_account_id(), fresh.id),
        (fresh.account_id, DeliveryId("no delivery's")),
    }
    assert adapters.deliveries.find(wanted) == {}


def test_attempts_are_appended(adapters: Adapters, fresh: Delivery) -> None:
    first = change(None, fresh, an_attempt(number=1), status=RETRYING, due_at=NOW + 5)
    second = change(first.after, fresh, an_attempt(number=2), status=FAILED)
    adapters.deliveries.write([first])

    adapters.deliveries.write([second])

    assert found(adapters, fresh) == second.after


def test_attempts_of_two_copies_at_once_are_all_kept(adapters: Adapters, fresh: Delivery) -> None:
    adapters.deliveries.write([change(None, fresh, an_attempt(number=1), status=RETRYING)])
    known = found(adapters, fresh)

    adapters.deliveries.write([change(known, fresh, an_attempt(number=2), status=RETRYING)])
    adapters.deliveries.write([change(known, fresh, an_attempt(number=3), status=RETRYING)])

    assert numbers(found(adapters, fresh)) == [1, 2, 3]


def test_the_last_hundred_attempts_are_kept(adapters: Adapters, fresh: Delivery) -> None:
    before: Delivery | None = None
    for number in range(1, 104):
        written = change(before, fresh, an_attempt(number=number), status=RETRYING)
        adapters.deliveries.write([written])
        before = written.after

    assert numbers(found(adapters, fresh)) == list(range(4, 104))


@pytest.mark.parametrize("status", [RETRYING, FAILED, CANCELLED])
def test_a_success_is_never_overwritten(
    status: DeliveryStatus, adapters: Adapters, fresh: Delivery
) -> None:
    success = change(None, fresh, an_attempt(number=1, status_code=200, response=None))
    adapters.deliveries.write([success])

    late = change(None, fresh, an_attempt(number=2), status=status, run=3, due_at=NOW)
    assert adapters.deliveries.write([late]) == set()

    assert found(adapters, fresh) == with_attempt(success.after, late)


def with_attempt(kept: Delivery, late: Change) -> Delivery:
    """The entry that a late write found, to which it has added its attempt and nothing else."""
    new = () if late.attempt is None else (late.attempt,)
    return replace(kept, attempts=(*kept.attempts, *new), updated_at=late.after.updated_at)


def test_a_success_of_an_older_run_or_copy_sets_no_run_back(
    adapters: Adapters, fresh: Delivery
) -> None:
    newer = change(None, fresh, an_attempt(number=1), status=RETRYING, run=2)
    adapters.deliveries.write([newer])

    late = change(None, fresh, an_attempt(number=1, status_code=200), run=1)
    assert adapters.deliveries.write([late]) == set()

    entry = found(adapters, fresh)
    assert (entry.status, entry.run, numbers(entry)) == (SUCCEEDED, 2, [1, 1])


@pytest.mark.parametrize(
    ("status", "reason"), [(CANCELLED, Reason.DISABLED), (FAILED, Reason.PAUSED), (FAILED, None)]
)
@pytest.mark.parametrize("was_logged", [False, True])
def test_a_late_retrying_undoes_nothing_that_another_copy_has_settled(
    was_logged: bool,
    status: DeliveryStatus,
    reason: Reason | None,
    adapters: Adapters,
    fresh: Delivery,
) -> None:
    before: Delivery | None = None
    if was_logged:
        first = change(None, fresh, an_attempt(number=1), status=RETRYING, due_at=NOW)
        adapters.deliveries.write([first])
        before = first.after
    settled = change(before, fresh, None, status=status, reason=reason)
    adapters.deliveries.write([settled])

    late = change(before, fresh, an_attempt(number=2), status=RETRYING, due_at=NOW + 5)
    assert adapters.deliveries.write([late]) == set()

    assert found(adapters, fresh) == with_attempt(settled.after, late)


@pytest.mark.parametrize("status", [CANCELLED, FAILED])
def test_what_was_settled_when_it_was_read_is_retried(
    status: DeliveryStatus, adapters: Adapters, fresh: Delivery
) -> None:
    settled = change(None, fresh, an_attempt(number=1), status=status)
    again = change(settled.after, fresh, an_attempt(number=2), status=RETRYING, due_at=NOW + 5)
    adapters.deliveries.write([settled])

    assert adapters.deliveries.write([again]) == set()

    assert found(adapters, fresh) == again.after


def test_a_newer_run_is_retried_whatever_an_older_one_has_settled(
    adapters: Adapters, fresh: Delivery
) -> None:
    read = change(None, fresh, an_attempt(number=1), status=RETRYING, run=0)
    settled = change(read.after, fresh, an_attempt(number=2), status=FAILED, run=0)
    newer = change(read.after, fresh, an_attempt(number=3), status=RETRYING, run=1, due_at=NOW)
    for one in (read, settled, newer):
        assert adapters.deliveries.write([one]) == set()

    entry = found(adapters, fresh)
    assert (entry.status, entry.run, numbers(entry)) == (RETRYING, 1, [1, 2, 3])


@pytest.mark.parametrize("status", [RETRYING, FAILED, SUCCEEDED])
def test_a_write_that_aws_repeats_after_a_lost_answer_adds_its_attempt_once(
    status: DeliveryStatus, real: Adapters
) -> None:
    fresh = a_fresh(new_account_id(), new_webhook_id())
    first = change(None, fresh, an_attempt(number=1), status=RETRYING)
    success = change(None, fresh, an_attempt(number=9, status_code=200))
    for before in (first, success):
        real.deliveries.write([before])
        again = change(before.after, fresh, an_attempt(number=2), status=status)

        real.deliveries.write([again])
        known = found(real, fresh)
        real.deliveries.write([again])

        assert found(real, fresh) == known


def test_a_success_overwrites_a_failure(adapters: Adapters, fresh: Delivery) -> None:
    failure = change(None, fresh, an_attempt(number=1), status=FAILED, reason=Reason.FORMAT)
    success = change(failure.after, fresh, an_attempt(number=2, status_code=200))
    adapters.deliveries.write([failure])

    assert adapters.deliveries.write([success]) == set()

    assert found(adapters, fresh) == success.after


def test_a_newer_run_is_not_set_back_by_an_older_one(adapters: Adapters, fresh: Delivery) -> None:
    newer = change(None, fresh, None, status=RETRYING, run=1, due_at=NOW + 5)
    adapters.deliveries.write([newer])

    older = change(None, fresh, an_attempt(number=3), status=FAILED, run=0)
    assert adapters.deliveries.write([older]) == set()

    assert found(adapters, fresh) == with_attempt(newer.after, older)


def test_an_older_runs_success_counts_and_leaves_the_run(
    adapters: Adapters, fresh: Delivery
) -> None:
    failed = change(None, fresh, an_attempt(number=1), status=FAILED)
    newer = change(failed.after, fresh, None, status=RETRYING, run=1)
    adapters.deliveries.write([failed])
    adapters.deliveries.write([newer])

    late = change(failed.after, fresh, an_attempt(number=2, status_code=200), run=0)
    assert adapters.deliveries.write([late]) == set()

    entry = found(adapters, fresh)
    assert (entry.status, entry.run, numbers(entry)) == (SUCCEEDED, 1, [1, 2])


@pytest.mark.parametrize("status", [FAILED, CANCELLED, RETRYING])
def test_a_hand_over_begins_the_next_run(
    status: DeliveryStatus, adapters: Adapters, fresh: Delivery
) -> None:
    ended = change(None, fresh, an_attempt(), status=status, reason=Reason.FORMAT)
    adapters.deliveries.write([ended])

    adapters.retryable.hand_over(ended.after, NOW + 7, NOW + 300)

    assert found(adapters, fresh) == replace(
        ended.after, run=1, status=RETRYING, reason=None, due_at=NOW + 300, updated_at=NOW + 7
    )


def test_a_hand_over_undoes_nothing_that_its_message_has_done_meanwhile(
    adapters: Adapters, fresh: Delivery
) -> None:
    ended = change(None, fresh, an_attempt(), status=FAILED)
    adapters.deliveries.write([ended])
    for meanwhile in (
        change(ended.after, fresh, an_attempt(number=2), status=FAILED, run=1),
        change(ended.after, fresh, an_attempt(number=3), status=SUCCEEDED, run=1),
    ):
        adapters.deliveries.write([meanwhile])
        known = found(adapters, fresh)

        adapters.retryable.hand_over(ended.after, NOW + 9, NOW + 300)

        assert found(adapters, fresh) == known


def test_a_hand_over_undoes_no_success_of_its_own_run(adapters: Adapters, fresh: Delivery) -> None:
    ended = change(None, fresh, an_attempt(), status=FAILED)
    success = change(ended.after, fresh, an_attempt(number=2), status=SUCCEEDED)
    adapters.deliveries.write([ended])
    adapters.deliveries.write([success])

    adapters.retryable.hand_over(ended.after, NOW + 9, NOW + 300)

    assert found(adapters, fresh) == success.after


def test_a_hand_over_of_an_entry_that_has_expired_makes_none(
    adapters: Adapters, fresh: Delivery
) -> None:
    adapters.retryable.hand_over(fresh, NOW, NOW + 300)

    assert adapters.deliveries.find({(fresh.account_id, fresh.id)}) == {}


def test_what_has_succeeded_is_reopened_for_its_next_run_alone(
    adapters: Adapters, fresh: Delivery
) -> None:
    ended = change(None, fresh, an_attempt(status_code=200), status=SUCCEEDED)
    adapters.deliveries.write([ended])

    assert adapters.retryable.reopen(ended.after, NOW + 7, NOW + 300)
    reopened = replace(ended.after, status=RETRYING, due_at=NOW + 300, updated_at=NOW + 7)
    assert found(adapters, fresh) == reopened
    # The same call again, whose answer was lost, and then somebody else's.
    assert adapters.retryable.reopen(ended.after, NOW + 7, NOW + 300)
    assert not adapters.retryable.reopen(ended.after, NOW + 8, NOW + 300)

    adapters.retryable.hand_over(reopened, NOW + 9, NOW + 400)
    assert (found(adapters, fresh).run, found(adapters, fresh).due_at) == (1, NOW + 400)
    assert not adapters.retryable.reopen(ended.after, NOW + 10, NOW + 300)


def test_what_could_not_be_sent_again_has_succeeded_as_before(
    adapters: Adapters, fresh: Delivery
) -> None:
    ended = change(None, fresh, an_attempt(status_code=200), status=SUCCEEDED)
    adapters.deliveries.write([ended])
    adapters.retryable.reopen(ended.after, NOW + 7, NOW + 300)

    adapters.retryable.close(ended.after, NOW + 8)
    assert found(adapters, fresh) == replace(ended.after, updated_at=NOW + 8)

    # Not once its next run is noted, though.
    adapters.retryable.reopen(ended.after, NOW + 9, NOW + 300)
    adapters.retryable.hand_over(ended.after, NOW + 10, NOW + 400)
    adapters.retryable.close(ended.after, NOW + 11)
    assert found(adapters, fresh).status is RETRYING


def test_what_has_failed_is_not_reopened(adapters: Adapters, fresh: Delivery) -> None:
    ended = change(None, fresh, an_attempt(), status=FAILED)
    adapters.deliveries.write([ended])

    assert not adapters.retryable.reopen(ended.after, NOW + 7, NOW + 300)
    assert found(adapters, fresh) == ended.after


def test_a_split_ends_the_whole_and_names_its_parts(adapters: Adapters, fresh: Delivery) -> None:
    ended = change(None, fresh, an_attempt(status_code=413), status=FAILED, due_at=NOW)
    adapters.deliveries.write([ended])
    parts = (DeliveryId("dlv_1_a"), DeliveryId("dlv_1_b"))

    adapters.retryable.split(ended.after, parts, NOW + 7)

    split = replace(
        ended.after,
        run=1,
        status=CANCELLED,
        reason=Reason.SPLIT,
        parts=parts,
        due_at=None,
        updated_at=NOW + 7,
    )
    assert found(adapters, fresh) == split
    adapters.retryable.split(ended.after, parts[:1], NOW + 9)
    assert found(adapters, fresh) == split, "that run is noted"


def test_a_split_undoes_no_success(adapters: Adapters, fresh: Delivery) -> None:
    ended = change(None, fresh, an_attempt(status_code=413), status=FAILED)
    success = change(ended.after, fresh, an_attempt(number=2), status=SUCCEEDED)
    adapters.deliveries.write([ended])
    adapters.deliveries.write([success])

    adapters.retryable.split(ended.after, (DeliveryId("dlv_1_a"),), NOW + 9)

    assert found(adapters, fresh) == success.after


def test_many_are_written_at_once(adapters: Adapters, account_id: AccountId) -> None:
    webhook_id = new_webhook_id()
    entries = [a_fresh(account_id, webhook_id) for _ in range(12)]
    changes = [
        change(None, entry, an_attempt(), status=RETRYING if position % 3 else SUCCEEDED)
        for position, entry in enumerate(entries)
    ]

    assert adapters.deliveries.write(changes) == set()

    written = adapters.deliveries.find({(account_id, entry.id) for entry in entries})
    assert written == {one.after.id: one.after for one in changes}


def test_paused_deliveries_are_added_only_where_there_is_nothing(
    adapters: Adapters, account_id: AccountId
) -> None:
    webhook_id = new_webhook_id()
    paused = [
        replace(a_fresh(account_id, webhook_id), status=FAILED, reason=Reason.PAUSED)
        for _ in range(105)
    ]
    there = change(None, paused[3], an_attempt(), status=RETRYING, reason=None)
    adapters.deliveries.write([there])

    adapters.deliveries.add(paused)
    adapters.deliveries.add(paused[:2])

    entries = adapters.deliveries.find({(account_id, one.id) for one in paused})
    assert entries == {one.id: one for one in paused} | {there.after.id: there.after}


def test_the_entries_of_one_moment_are_found(adapters: Adapters, account_id: AccountId) -> None:
    webhook_id = new_webhook_id()
    entries = [
        a_fresh(account_id, webhook_id, accepted_at=NOW + milliseconds * 1000)
        for milliseconds in (-1, 0, 0, 0, 1)
    ]
    others = [a_fresh(account_id, new_webhook_id()), a_fresh(new_account_id(), webhook_id)]
    adapters.deliveries.write([change(None, entry, None) for entry in [*entries, *others]])

    def ids(limit: int) -> list[DeliveryId]:
        found = adapters.deliveries.of_moment(account_id, webhook_id, time_prefix(NOW), limit)
        return [entry.id for entry in found]

    assert ids(10) == sorted(entry.id for entry in entries[1:4])
    assert ids(2) == ids(10)[:2]


def test_the_newest_entries_of_a_webhook_come_first(
    adapters: Adapters, account_id: AccountId
) -> None:
    webhook_id, other = new_webhook_id(), new_webhook_id()
    entries = [
        a_fresh(account_id, webhook_id, accepted_at=NOW + second * 1_000_000) for second in range(5)
    ]
    others = [a_fresh(account_id, other), a_fresh(new_account_id(), webhook_id)]
    adapters.deliveries.write(
        [change(None, entry, None) for entry in [*entries[3:], *others, *entries[:3]]]
    )

    def newest(after: str = "", before: str = "~", limit: int = 10) -> list[DeliveryId]:
        listed = adapters.deliveries.newest(
            account_id, webhook_id, after=after, before=before, limit=limit
        )
        return [entry.id for entry in listed]

    def oldest(after: str = "0", before: str = "~", limit: int = 10) -> list[DeliveryId]:
        listed = adapters.deliveries.oldest(
            account_id, webhook_id, after=after, before=before, limit=limit
        )
        return [entry.id for entry in listed]

    ids = [entry.id for entry in reversed(entries)]
    position = [one.rpartition("_")[2] for one in ids]
    assert newest() == ids
    assert newest(limit=2) == ids[:2]
    assert newest(before=position[1]) == ids[2:]
    assert newest(after=position[3]) == ids[:4]
    assert oldest() == ids[::-1]
    assert oldest(limit=2) == ids[:2:-1]
    assert oldest(after=position[3]) == ids[2::-1]
    assert oldest(before=position[3]) == ids[4:]


def test_the_newest_unsettled_entries_of_a_webhook_come_first(
    adapters: Adapters, account_id: AccountId
) -> None:
    webhook_id = new_webhook_id()
    statuses = (FAILED, RETRYING, SUCCEEDED, FAILED, CANCELLED, RETRYING)
    entries = [
        a_fresh(account_id, webhook_id, accepted_at=NOW + second * 1_000_000)
        for second, _ in enumerate(statuses)
    ]
    others = [a_fresh(account_id, new_webhook_id()), a_fresh(new_account_id(), webhook_id)]
    adapters.deliveries.write(
        [
            *(change(None, one, None, status=FAILED) for one in others),
            *(
                change(None, entry, None, status=status)
                for entry, status in zip(entries, statuses, strict=True)
            ),
        ]
    )

    def newest(after: str = "", before: str = "~", limit: int = 10) -> list[DeliveryId]:
        return adapters.deliveries.newest_unsettled(
            account_id, webhook_id, after=after, before=before, limit=limit
        )

    ids = [entries[place].id for place in (5, 3, 1, 0)]
    position = [one.rpartition("_")[2] for one in ids]
    assert newest() == ids
    assert newest(limit=2) == ids[:2]
    assert newest(before=position[1]) == ids[2:]
    assert newest(after=position[2]) == ids[:3]


def test_only_what_is_unsettled_is_in_the_index_of_failures(stack: Stack, real: Adapters) -> None:
    account_id, webhook_id = new_account_id(), new_webhook_id()
    entry = a_fresh(account_id, webhook_id)

    def in_index() -> list[Any]:
        answer = stack.client("dynamodb").query(
            TableName=stack.resources["DeliveryTable"],
            IndexName="failed",
            KeyConditionExpression="failed_key = :key",
            ExpressionAttributeValues={":key": {"S": f"{account_id}#{webhook_id}"}},
        )
        return list(answer["Items"])

    before: Delivery | None = None
    presence = []
    for status in (RETRYING, FAILED, CANCELLED, FAILED, SUCCEEDED):
        real.deliveries.write([change(before, entry, an_attempt(), status=status)])
        before = found(real, entry)
        presence.append(len(in_index()))

    assert presence == [1, 1, 0, 1, 0]
    real.deliveries.write([change(None, a_fresh(account_id, webhook_id), None)])
    assert in_index() == []
    real.deliveries.add([replace(a_fresh(account_id, webhook_id), status=FAILED)])
    assert len(in_index()) == 1
