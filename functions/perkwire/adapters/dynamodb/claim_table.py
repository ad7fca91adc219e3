"""EventTable as ingest keeps claims in it: what makes repeats of an event harmless."""

from collections.abc import Callable, Collection, Mapping, Sequence

from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.transactions import TransactWrite

from perkwire.accepting.acceptance import Claim
from perkwire.adapters.dynamodb.event_table import CLAIM_SK, ClaimItem, event_pk
from perkwire.adapters.dynamodb.tables import failure, find_all, is_condition_failure, put_all
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS


class ClaimTable:
    """Fulfils accepting.Claims, in EventTable. `clock` gives microseconds since the epoch."""

    def __init__(
        self, connection: Connection, *, event_retention_days: int, clock: Callable[[], int]
    ) -> None:
        self._connection = connection
        self._retention_seconds = event_retention_days * DAY_SECONDS
        self._clock = clock

    def find(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[tuple[AccountId, EventId], Claim]:
        """The claims that exist and have not expired, in one consistent batch.

        Raises Unavailable. DynamoDB removes expired items days late; they do not count.
        """
        now = self._now_seconds()
        items = find_all(ClaimItem, {(event_pk(*key), CLAIM_SK) for key in keys})
        claims = [_to_claim(item) for item in items if item.expires_at > now]
        return {claim.key: claim for claim in claims}

    def take(self, claims: Sequence[Claim]) -> bool:
        """Store all of them in one transaction, or none if one is there; raises Unavailable."""
        free = ClaimItem.pk.does_not_exist() | (ClaimItem.expires_at <= self._now_seconds())
        items = [self._item(claim) for claim in claims]
        try:
            if len(items) == 1:
                items[0].save(condition=free)
            else:
                with TransactWrite(connection=self._connection) as transaction:
                    for item in items:
                        transaction.save(item, condition=free)
        except (PutError, TransactWriteError) as error:
            if _is_taken(error):
                return False
            raise Unavailable(f"DynamoDB: {failure(error)}") from error
        return True

    def mark_sent(self, claims: Sequence[Claim]) -> None:
        """Note that SQS holds these events; raises Unavailable."""
        if put_all(ClaimItem, [self._item(claim) for claim in claims]):
            raise Unavailable("DynamoDB: items left unprocessed")

    def _item(self, claim: Claim) -> ClaimItem:
        return ClaimItem(
            event_pk(claim.account_id, claim.event_id),
            CLAIM_SK,
            digest=claim.digest,
            accepted_at=claim.accepted_at,
            sent_at=self._clock() if claim.sent else None,
            expires_at=self._now_seconds() + self._retention_seconds,
        )

    def _now_seconds(self) -> int:
        return self._clock() // MICROSECONDS


def _to_claim(item: ClaimItem) -> Claim:
    account_id, _, event_id = item.pk.partition("#")
    return Claim(
        account_id=AccountId(account_id),
        event_id=EventId(event_id),
        digest=item.digest,
        accepted_at=int(item.accepted_at),
        sent=item.sent_at is not None,
    )


def _is_taken(error: PutError | TransactWriteError) -> bool:
    if isinstance(error, TransactWriteError):
        codes = {reason.code for reason in error.cancellation_reasons if reason is not None}
        # Of two transactions at once on the same ids one is cancelled with a conflict.
        return bool(codes & {"ConditionalCheckFailed", "TransactionConflict"})
    return is_condition_failure(error)
