"""ConfigTable as contracts are kept in it: stored once, never changed."""

from collections.abc import Sequence

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from perkwire.adapters.dynamodb.config_items import (
    CONTRACT_COUNT_SK,
    ConfigItem,
    ContractCountItem,
    ContractItem,
    ContractTextItem,
    ContractUseItem,
    WebhookItem,
    contract_texts_pk,
    contract_use_sk,
    contract_uses_pk,
    contracts_pk,
    webhook_sk,
)
from perkwire.adapters.dynamodb.contract_texts import ContractTexts
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, failure, find, find_all
from perkwire.adapters.dynamodb.webhook_store import conditions
from perkwire.formats.lookup import Owner
from perkwire.formats.versions import VERSION
from perkwire.managing.contracts import (
    ContractHeading,
    ContractInUse,
    ContractTaken,
    ContractUser,
    TooManyContracts,
)
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.journal import Unavailable

_MOST_USERS = 50  # of a contract, that are looked at before it is deleted


class ContractStore(ContractTexts):
    """Fulfils formats.Contracts and managing.Contracts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def names(self, owner: Owner, product: str | None = None) -> Sequence[str]:
        """Every `name@version` of an owner, or those of one name; raises Unavailable."""
        return [one.format for one in self.headings(owner, product)]

    def headings(self, owner: Owner, product: str | None = None) -> list[ContractHeading]:
        """Every contract of an owner, or those of one name, by their names; raises Unavailable."""
        with failing_as_unavailable():
            items = ContractItem.query(
                contracts_pk(owner),
                None if product is None else ContractItem.sk.startswith(f"{product}{VERSION}"),
                consistent_read=True,
            )
            return [_heading(owner, item) for item in items]

    def find(self, owner: Owner, format_name: str) -> ContractHeading | None:
        """One contract, read consistently; raises Unavailable."""
        item = find(ContractItem, contracts_pk(owner), format_name)
        return None if item is None else _heading(owner, item)

    def add(self, contract: ContractHeading, text: str, most: int) -> None:
        """Store a new one; raises ContractTaken, TooManyContracts, Unavailable."""
        owner, name = contract.owner, contract.format
        total = ContractCountItem.total
        try:
            with TransactWrite(connection=self._connection) as transaction:
                transaction.save(
                    ContractItem(
                        contracts_pk(owner),
                        name,
                        title=contract.title,
                        digest=contract.digest,
                        says=[*contract.says],
                        largest_batch=contract.largest_batch,
                        secret_rule=contract.secret_rule,
                        created_at=contract.created_at,
                    ),
                    condition=ContractItem.pk.does_not_exist(),
                )
                transaction.save(ContractTextItem(contract_texts_pk(owner), name, text=text))
                transaction.update(
                    ContractCountItem(contract_texts_pk(owner), CONTRACT_COUNT_SK),
                    actions=[ContractCountItem.kind.set(ContractCountItem), total.add(1)],
                    condition=total.does_not_exist() | (total < most),
                )
        except TransactWriteError as error:
            is_new, _, has_room = conditions(error, 3)
            if not is_new:
                raise ContractTaken from None
            if not has_room:
                raise TooManyContracts from None
            raise Unavailable(f"DynamoDB: {failure(error)}") from error

    def users(self, contract: ContractHeading) -> tuple[list[ContractUser], list[ContractUser]]:
        """Webhooks that have it, and those that are only said to have it; of the first fifty.

        A release that knows no stored contracts deletes a webhook without saying so here. Raises
        Unavailable.
        """
        pk = contract_uses_pk(contract.owner)
        prefix = f"{contract.format}#"
        with failing_as_unavailable():
            items = list(
                ContractUseItem.query(
                    pk,
                    ContractUseItem.sk.startswith(prefix),
                    limit=_MOST_USERS,
                    consistent_read=True,
                )
            )
        said = [_user(item.sk.removeprefix(prefix)) for item in items]
        found = find_all(ConfigItem, {(one.account_id, webhook_sk(one.webhook_id)) for one in said})
        having = {
            (item.pk, item.sk)
            for item in found
            if isinstance(item, WebhookItem)
            and item.format == contract.format
            and item.status != WebhookStatus.DELETED
        }
        users = [one for one in said if (one.account_id, webhook_sk(one.webhook_id)) in having]
        return users, [one for one in said if one not in users]

    def remove(self, contract: ContractHeading, unused: Sequence[ContractUser]) -> None:
        """Delete one that only `unused` are said to have, none of which has it, and what says so.

        Else a contract that is stored anew under its name would have them too. Raises
        ContractInUse, Unavailable.
        """
        owner, name = contract.owner, contract.format
        uses = ContractItem.uses
        try:
            with TransactWrite(connection=self._connection) as transaction:
                transaction.delete(
                    ContractItem(contracts_pk(owner), name), condition=uses == len(unused)
                )
                for user in unused:
                    sk = contract_use_sk(name, user.account_id, user.webhook_id)
                    transaction.delete(ContractUseItem(contract_uses_pk(owner), sk))
                transaction.delete(ContractTextItem(contract_texts_pk(owner), name))
                transaction.update(
                    ContractCountItem(contract_texts_pk(owner), CONTRACT_COUNT_SK),
                    actions=[ContractCountItem.total.add(-1)],
                )
        except TransactWriteError as error:
            if not conditions(error, 3 + len(unused))[0]:
                raise ContractInUse from None
            raise Unavailable(f"DynamoDB: {failure(error)}") from error


def _heading(owner: Owner, item: ContractItem) -> ContractHeading:
    return ContractHeading(
        owner=owner,
        format=item.sk,
        title=item.title,
        digest=item.digest,
        says=tuple(item.says),
        largest_batch=int(item.largest_batch),
        secret_rule=item.secret_rule,
        created_at=int(item.created_at),
    )


def _user(key: str) -> ContractUser:
    account_id, _, webhook_id = key.partition("#")
    return ContractUser(AccountId(account_id), WebhookId(webhook_id))
