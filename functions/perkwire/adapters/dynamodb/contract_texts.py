"""ConfigTable as deliveries read contracts in it."""

from collections.abc import Collection, Mapping, Sequence

from perkwire.adapters.dynamodb.config_items import ContractTextItem, contract_texts_pk
from perkwire.adapters.dynamodb.tables import find_all
from perkwire.formats.lookup import ContractKey, Owner


class ContractTexts:
    """What the dispatcher has of contracts: the JSON of those that it is told of."""

    def texts(self, keys: Collection[ContractKey]) -> Mapping[ContractKey, str]:
        """The JSON of those that there are, read consistently; raises Unavailable."""
        wanted = {(contract_texts_pk(owner), name): (owner, name) for owner, name in keys}
        found = find_all(ContractTextItem, {*wanted})
        return {wanted[item.pk, item.sk]: item.text for item in found}

    def names(self, _owner: Owner, _product: str | None = None) -> Sequence[str]:
        """None: a webhook that is delivered to names its contract with a version."""
        return ()
