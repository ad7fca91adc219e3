"""Managing contracts: an account's own, and the operators' for all accounts."""

from collections.abc import Callable, Sequence
from typing import Protocol

from perkwire.formats.contracts.contract import read_contract
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Format
from perkwire.formats.lookup import FormatLookup, Owner, digest_of, usable
from perkwire.formats.registry import FORMATS, find_format
from perkwire.formats.versions import product
from perkwire.managing.stores import Accounts
from perkwire.model.account import Caller, Scope
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.problem import (
    FieldError,
    conflict,
    invalid,
    not_found,
    too_many_this_minute,
)
from perkwire.primitives.strict_json import Json, compact

MOST_CONTRACTS = 50
"""Of an account, or of the operators: each version of each name counts."""
MOST_CHECKS_PER_MINUTE = 10
"""Contracts that are checked to be stored: each is read and says every example that it names."""
_MOST_NAMED = 10  # webhooks, in the answer that a contract is in use


type Check = Callable[[ContractFormat], Sequence[FieldError]]
"""What of a contract cannot say the examples of the types that it names."""


class ContractTaken(Exception):
    """There is one of this name and version."""


class TooManyContracts(Exception):
    """There are as many as there may be."""


class ContractInUse(Exception):
    """A webhook has it by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractHeading:
    """A stored contract without its JSON. `created_at` in microseconds since the epoch."""

    owner: Owner
    format: str
    title: str
    digest: str
    says: tuple[str, ...]
    largest_batch: int
    secret_rule: str
    created_at: int


@dataclass(frozen=True, slots=True)
class ContractUser:
    """A webhook that has a contract."""

    account_id: AccountId
    webhook_id: WebhookId


class Contracts(Protocol):
    """Where contracts are kept: each version once, and a bounded number, under any race."""

    def add(self, contract: ContractHeading, text: str, most: int) -> None:
        """Store a new one; raises ContractTaken, TooManyContracts, Unavailable."""
        ...

    def find(self, owner: Owner, format_name: str) -> ContractHeading | None:
        """One of an owner, read consistently; raises Unavailable."""
        ...

    def headings(self, owner: Owner, product: str | None = None) -> Sequence[ContractHeading]:
        """All of an owner, or those of one name; raises Unavailable."""
        ...

    def users(
        self, contract: ContractHeading
    ) -> tuple[Sequence[ContractUser], Sequence[ContractUser]]:
        """Webhooks that have it, and those that are only said to have it; raises Unavailable."""
        ...

    def remove(self, contract: ContractHeading, unused: Sequence[ContractUser]) -> None:
        """Delete one that no webhook has, and what says that `unused` have it.

        Raises ContractInUse, Unavailable.
        """
        ...


class CheckCounter(Protocol):
    """Counts the checks of each owner in each minute of the clock."""

    def take(self, owner: Owner, now: int, most: int) -> bool:
        """Count one more, unless the minute has `most` already; raises Unavailable."""
        ...


class ContractManagement:
    """The contracts of accounts and operators."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        contracts: Contracts,
        counter: CheckCounter,
        check: Check,
        clock: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._contracts = contracts
        self._counter = counter
        self._check = check
        self._clock = clock

    def owner(self, caller: Caller, named: str | None) -> Owner:
        """Whose contracts a request is about; an operator who names no account means their own.

        Raises Problem and Unavailable.
        """
        caller.require(Scope.WEBHOOKS)
        if caller.is_operator and named is None:
            return None
        account_id = caller.acting_for(named, "Perkwire-Account")
        if caller.is_operator and self._accounts.find(account_id) is None:
            raise not_found("account")
        return account_id

    def visible(self, caller: Caller, named: str | None) -> list[ContractHeading]:
        """Those that the caller may read: an account's own, then the operators'.

        None for a key that is not for webhooks. Raises Problem and Unavailable.
        """
        if not caller.is_operator and Scope.WEBHOOKS not in caller.scopes:
            return []
        return self.of(self.owner(caller, named))

    def find(
        self, caller: Caller, named: str | None, name: str, formats: FormatLookup
    ) -> Format | None:
        """A format that the caller may read: one of the release, or as `visible` has them.

        A name without a version is the newest of it. Raises Problem and Unavailable.
        """
        if not caller.is_operator and Scope.WEBHOOKS not in caller.scopes:
            return find_format(name)
        return formats.find(self.owner(caller, named), name)

    def of(self, account_id: Owner) -> list[ContractHeading]:
        """Those that an account can use, its own before the operators'; raises Unavailable."""
        found = usable(account_id, self._contracts.headings, lambda one: one.format)
        return [one for _, one in found]

    def create(self, owner: Owner, value: dict[str, Json]) -> ContractFormat:
        """Store a contract that says every example of the types that it names.

        Raises Problem and Unavailable.
        """
        now = self._clock()
        if not self._counter.take(owner, now, MOST_CHECKS_PER_MINUTE):
            raise too_many_this_minute(
                f"At most {MOST_CHECKS_PER_MINUTE} contracts are checked in a minute.", now
            )
        format_ = read_storable(value, self._check)
        if owner is not None and self._contracts.find(None, format_.name) is not None:
            raise _taken(format_.name, "The operators have")
        text = compact(value).decode()
        heading = ContractHeading(
            owner=owner,
            format=format_.name,
            title=format_.contract.title,
            digest=digest_of(text),
            says=tuple(format_.contract.events),
            largest_batch=format_.largest_batch,
            secret_rule=format_.check_secret("") or "",
            created_at=now,
        )
        try:
            self._contracts.add(heading, text, MOST_CONTRACTS)
        except ContractTaken:
            raise _taken(format_.name, "There is") from None
        except TooManyContracts:
            raise conflict(
                f"At most {MOST_CONTRACTS} contracts are kept, every version counted; delete one "
                "that no webhook has."
            ) from None
        return format_

    def delete(self, owner: Owner, format_name: str) -> None:
        """Delete a contract that no webhook has; raises Problem, 409 with who has it."""
        found = self._contracts.find(owner, format_name)
        if found is None:
            raise not_found("contract")
        users, unused = self._contracts.users(found)
        if users:
            raise _in_use(found, users)
        try:
            self._contracts.remove(found, unused)
        except ContractInUse:
            raise conflict("A webhook has the contract by now; look again.") from None


def read_storable(value: dict[str, Json], check: Check) -> ContractFormat:
    """The contract, if it may be stored; raises the 422 problem that names each place."""
    format_ = ContractFormat(read_contract(value))
    errors = [*check(format_)]
    if format_.contract.name in {product(name) for name in FORMATS}:
        taken = FieldError("name", "is that of one of Perkwire's own formats", "/name")
        errors.insert(0, taken)
    if errors:
        raise invalid(errors)
    return format_


def _taken(format_name: str, who: str) -> Exception:
    told = f"{who} a contract {format_name} already. A version never changes: give it another."
    errors = [FieldError("version", "is taken", "/version")]
    return conflict(told, errors)


def _in_use(contract: ContractHeading, users: Sequence[ContractUser]) -> Exception:
    """Names the webhooks; of another account's, which operators see, the account too."""
    shown = [
        one.webhook_id if contract.owner else f"{one.webhook_id} of {one.account_id}"
        for one in users[:_MOST_NAMED]
    ]
    more = " and more" if len(users) > len(shown) else ""
    return conflict(f"{contract.format} is the format of {', '.join(shown)}{more}.")
