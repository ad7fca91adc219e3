"""Formats of webhooks, those of the release and the stored contracts alike."""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from perkwire.formats.format import Format
from perkwire.formats.registry import FORMATS, find_format, format_names, known_format
from perkwire.formats.unknown import UnknownFormat
from perkwire.formats.versions import VERSION, age, product
from perkwire.model.webhook import ContractUse, Webhook
from perkwire.primitives.ids import AccountId
from perkwire.primitives.problem import Problem

if TYPE_CHECKING:
    from perkwire.formats.contracts.contract_format import ContractFormat

MOST_KEPT = 32
"""Contracts that an execution environment keeps read: of the largest, some tens of megabytes."""

type Owner = AccountId | None
"""Whose a contract is: an account's, or (None) the operators', for all accounts."""
type ContractKey = tuple[Owner, str]
"""A stored contract: its owner, and its name with its version."""


class Contracts(Protocol):
    """Where contracts are stored."""

    def texts(self, keys: Collection[ContractKey]) -> Mapping[ContractKey, str]:
        """The JSON of those that there are, read consistently; raises Unavailable."""
        ...

    def names(self, owner: Owner, product: str | None = None) -> Sequence[str]:
        """Every `name@version` of an owner, or those of one name; raises Unavailable."""
        ...


class NoContracts:
    """Where there are none."""

    def texts(self, _keys: Collection[ContractKey]) -> Mapping[ContractKey, str]:
        """None."""
        return {}

    def names(self, _owner: Owner, _product: str | None = None) -> Sequence[str]:
        """None."""
        return ()


class FormatLookup:
    """Every format that a stack has. What was read of a contract is kept: it never changes."""

    def __init__(self, contracts: Contracts | None = None, most: int = MOST_KEPT) -> None:
        self._contracts: Contracts = contracts or NoContracts()
        self._most = most
        self._kept: OrderedDict[tuple[Owner, str, str], Format] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, webhook: Webhook) -> Format:
        """A webhook's format; raises Unavailable."""
        return self.named(webhook.account_id, webhook.format, webhook.contract)

    def named(self, account_id: Owner, name: str, use: ContractUse | None) -> Format:
        """The format of a webhook of this account; one that is gone or unreadable says nothing.

        Raises Unavailable.
        """
        if use is None:
            known = known_format(name)
            if not isinstance(known, UnknownFormat) or VERSION not in name:
                return known
            # A release that knows no stored contracts has changed it, and left out whose it is.
            found = self.find(account_id, name)
            return known if found is None else found
        key = (use.owner, name, use.digest)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        text = self._contracts.texts([key[:2]]).get(key[:2])
        if text is None or digest_of(text) != use.digest:
            return UnknownFormat(name)
        return self._keep(use.owner, name, text)

    def find(self, account_id: Owner, name: str) -> Format | None:
        """The format that a new webhook of this name gets; without a version, the newest.

        The release's own come first, then the account's, then the operators'. Raises Unavailable.
        """
        if (known := find_format(name)) is not None:
            return known
        keys = [(owner, name) for owner in _owners(account_id)]
        if VERSION not in name:
            versions = ((owner, self._contracts.names(owner, name)) for owner, _ in keys)
            keys = next(([(owner, max(own, key=age))] for owner, own in versions if own), [])
        texts = self._contracts.texts(keys)
        return next((self._keep(*key, texts[key]) for key in keys if key in texts), None)

    def all_of(self, digests: Mapping[ContractKey, str]) -> list["ContractFormat"]:
        """Those of the stored contracts that can be read, in their order; raises Unavailable.

        Each by its digest: none is read that is kept.
        """
        from perkwire.formats.contracts.contract_format import ContractFormat

        found: dict[ContractKey, Format] = {}
        with self._lock:
            for key, digest in digests.items():
                if (*key, digest) in self._kept:
                    self._kept.move_to_end((*key, digest))
                    found[key] = self._kept[*key, digest]
        if missing := [key for key in digests if key not in found]:
            texts = self._contracts.texts(missing)
            found |= {key: self._keep(*key, text) for key, text in texts.items()}
        in_order = [found[key] for key in digests if key in found]
        return [one for one in in_order if isinstance(one, ContractFormat)]

    def keys(self, account_id: Owner) -> list[ContractKey]:
        """Every stored contract that an account can use, its own before the operators'.

        One that the release, or the account itself, has under the same name is left out. Raises
        Unavailable.
        """
        return usable(account_id, self._contracts.names, str)

    def of_account(self, account_id: Owner) -> "AccountFormats":
        """Those that webhooks of one account can have."""
        return AccountFormats(self, account_id)

    def _keep(self, owner: Owner, name: str, text: str) -> Format:
        key = (owner, name, digest_of(text))
        # Read under the lock: a batch of one webhook's deliveries asks for its contract at once.
        with self._lock:
            made = self._kept.pop(key, None) or _read(*key[:2], text, key[2])
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


class AccountFormats:
    """The formats that the webhooks of one account can have."""

    def __init__(self, lookup: FormatLookup, account_id: Owner) -> None:
        self._lookup = lookup
        self._account_id = account_id

    def of(self, webhook: Webhook) -> Format:
        """A webhook's format; raises Unavailable."""
        return self._lookup.of(webhook)

    def named(self, name: str, use: ContractUse | None) -> Format:
        """The format that a webhook is stored with, or would be; raises Unavailable."""
        return self._lookup.named(self._account_id, name, use)

    def find(self, name: str) -> Format | None:
        """The format that a new webhook of this name gets; raises Unavailable."""
        return self._lookup.find(self._account_id, name)

    def choices(self) -> list[str]:
        """The name of each format that a new webhook can have; raises Unavailable."""
        own = (find_format(name) for name in format_names())
        names = dict.fromkeys(format_.name for format_ in own if format_ is not None)
        return [*names, *(name for _, name in self._lookup.keys(self._account_id))]

    def names(self) -> list[str]:
        """Every name that a new webhook may have; raises Unavailable."""
        return [*format_names(), *(name for _, name in self._lookup.keys(self._account_id))]


class OneFormat(AccountFormats):
    """A format that is not stored, in place of all others."""

    def __init__(self, format_: Format) -> None:
        super().__init__(FormatLookup(), None)
        self._format = format_

    def of(self, _webhook: Webhook) -> Format:
        """That one."""
        return self._format

    def named(self, _name: str, _use: ContractUse | None) -> Format:
        """That one."""
        return self._format

    def find(self, _name: str) -> Format | None:
        """That one."""
        return self._format


def _owners(account_id: Owner) -> list[Owner]:
    return [None] if account_id is None else [account_id, None]


def usable[One](
    account_id: Owner, of: Callable[[Owner], Iterable[One]], name: Callable[[One], str]
) -> list[tuple[Owner, One]]:
    """What an account can use of all that each owner has: its own before the operators'.

    One that the release, or the account itself, has under the same name is left out.
    """
    found: dict[str, tuple[Owner, One]] = {}
    for owner in _owners(account_id):
        for one in sorted(of(owner), key=lambda one: (product(name(one)), age(name(one)))):
            if name(one) not in FORMATS:
                found.setdefault(name(one), (owner, one))
    return [*found.values()]


def use_of(format_: Format) -> ContractUse | None:
    """What a webhook keeps of its format, if that is a stored contract."""
    use: ContractUse | None = getattr(format_, "use", None)
    return use


def digest_of(text: str) -> str:
    """What tells two texts of a contract apart."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _read(owner: Owner, name: str, text: str, digest: str) -> Format:
    """A stored contract; one of a later release, that this one cannot read, says nothing."""
    # Imported once one is asked for: most invocations say no contract.
    from perkwire.formats.contracts.contract import read_contract
    from perkwire.formats.contracts.contract_format import StoredContract

    try:
        contract = read_contract(json.loads(text), kept=True)
    except (Problem, ValueError):
        return UnknownFormat(name)
    return StoredContract(contract, ContractUse(owner, digest, tuple(contract.events)))


RELEASE_FORMATS = FormatLookup().of_account(None)
"""The formats of the release alone."""
