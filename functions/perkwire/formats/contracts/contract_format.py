"""A format whose every rule is a contract."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from perkwire.formats.contracts.bounds import Allowance, Unsayable
from perkwire.formats.contracts.contract import IN_HEADER_FORM, SENDABLE, Contract, Said
from perkwire.formats.contracts.recipes import Signed
from perkwire.formats.format import Attempt, Payload, Settings, Unrenderable
from perkwire.formats.standard import Standard
from perkwire.model.event import Event
from perkwire.model.webhook import ContractUse
from perkwire.primitives.fields import Fields, one_of
from perkwire.primitives.strict_json import Json
from perkwire.primitives.stringify import stringify
from perkwire.primitives.timestamps import MICROSECONDS, to_rfc3339

_LONGEST_HEADER_VALUE = 1_000
_STAND_IN = "-"
_MILLISECOND = 1_000


class SecretRules(Protocol):
    """What a secret of a format must be."""

    def new_secret(self) -> str:
        """One made up."""
        ...

    def check_secret(self, secret: str) -> str | None:
        """What is wrong with one, or None."""
        ...

    def doubt_secret(self, secret: str) -> str | None:
        """What may come of one that is not wrong, or None."""
        ...


class ContractFormat:
    """What the contract says.

    One that signs nothing is signed as `standard` is: the headers of Standard Webhooks come on
    top. No root of a template holds a secret, a custom header or the endpoint's URL.
    """

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    @property
    def name(self) -> str:
        """`name@version`."""
        return f"{self.contract.name}@{self.contract.version}"

    @property
    def largest_batch(self) -> int:
        """As the contract says; 1 if it has no batches."""
        return self.contract.batch.largest if self.contract.batch else 1

    def name_of(self, event_type: str) -> str | None:
        """The contract's name of the type, without its further words."""
        said = self.contract.said(event_type)
        return None if said is None else said.name

    def read_settings(self, fields: Fields, _stored: Settings | None = None) -> Settings:
        """Those that the contract asks for, its defaults filled in."""
        found: dict[str, Json] = {}
        for name, setting in self.contract.settings.items():
            value = fields.text(name)
            if value is not None and setting.choices and value not in setting.choices:
                fields.wrong(name, f"must be {one_of(setting.choices)}")
                value = None
            if value is not None and setting.in_header and not SENDABLE.fullmatch(value):
                fields.wrong(name, IN_HEADER_FORM)
                value = None
            value = setting.default if value is None else value
            if value is not None:
                found[name] = value
        return found

    def new_secret(self) -> str:
        """Of the form that the contract's signature asks for."""
        return self._secrets().new_secret()

    def check_secret(self, secret: str) -> str | None:
        """As its signature asks."""
        return self._secrets().check_secret(secret)

    def doubt_secret(self, secret: str) -> str | None:
        """As its signature asks."""
        return self._secrets().doubt_secret(secret)

    def render(self, payload: Payload) -> bytes:
        """The contract's body; Unrenderable says at which place it has none, and never a value."""
        batch = self.contract.batch
        wrapped = self._is_wrapped(payload)
        if not wrapped and len(payload.events) != 1:
            raise Unrenderable(f"{payload.delivery_id} has not exactly one event.")
        allowance = Allowance(len(payload.events))
        bodies = [self._said(payload, event, allowance) for event in payload.events]
        if batch is None or not wrapped:
            return stringify(bodies[0])
        roots = {**self._roots_of_first(payload), "events": bodies}
        try:
            return stringify(batch.body.make(roots, Allowance(len(payload.events))))
        except Unsayable as wrong:
            raise _unrenderable(payload.delivery_id, wrong) from None

    def sign(self, secrets: Sequence[str], attempt: Attempt) -> dict[str, str]:
        """The contract's headers and its signature; raises Unrenderable too."""
        batched = attempt.payload is not None and self._is_wrapped(attempt.payload)
        batch = self.contract.batch
        content_type = batch.content_type if batch and batched else self.contract.content_type
        headers = {"content-type": content_type, **self._own_headers(attempt)}
        if self.contract.signature is None:
            return {**Standard().sign(secrets, attempt), **headers}
        signed = Signed(
            body=attempt.body,
            url=attempt.payload.url if attempt.payload else "",
            delivery_id=attempt.delivery_id,
            at=attempt.at,
        )
        return {**headers, **self.contract.signature.headers(secrets, signed)}

    def is_success(self, status: int) -> bool:
        """Whether the contract counts it as one."""
        return status in self.contract.success

    def _secrets(self) -> SecretRules:
        return self.contract.signature or Standard()

    def _is_wrapped(self, payload: Payload) -> bool:
        batch = self.contract.batch
        return batch is not None and (batch.always or payload.batched or len(payload.events) > 1)

    def _said(self, payload: Payload, event: Event, allowance: Allowance) -> Json:
        said, body = self.contract.said(event.type), self.contract.body_of(event.type)
        if said is None or body is None:
            raise Unrenderable(f"{event.id} is of a type that this format cannot say.")
        try:
            return body.make(self._roots(payload, event, said), allowance)
        except Unsayable as wrong:
            raise _unrenderable(event.id, wrong) from None

    def _own_headers(self, attempt: Attempt) -> dict[str, str]:
        payload = attempt.payload
        if payload is None:
            return dict.fromkeys(self.contract.headers, _STAND_IN)
        times: dict[str, Json] = {
            "timestamp": to_rfc3339(attempt.at),
            "timestamp_s": attempt.at // MICROSECONDS,
            "timestamp_ms": attempt.at // _MILLISECOND,
        }
        roots = {**self._roots_of_first(payload), "attempt": times}
        allowance = Allowance()
        found: dict[str, str] = {}
        for name, template in self.contract.headers.items():
            try:
                value = template.make_if_any(roots, allowance)
            except Unsayable as wrong:
                raise _unrenderable(payload.delivery_id, wrong) from None
            if value not in (None, ""):
                found[name] = _header_value(name, value, payload)
        return found

    def _roots_of_first(self, payload: Payload) -> Mapping[str, Json]:
        first = payload.events[0]
        return self._roots(payload, first, self.contract.said(first.type))

    def _roots(self, payload: Payload, event: Event, said: Said | None) -> Mapping[str, Json]:
        happened = to_rfc3339(event.happened_at)
        accepted = happened
        if event.accepted_at != event.happened_at:
            accepted = to_rfc3339(event.accepted_at)
        return {
            "event": {
                "id": event.id,
                "type": event.type,
                "name": None if said is None else said.name,
                "words": {} if said is None else dict(said.words),
                "program_id": event.program_id,
                "timestamp": happened,
                "accepted_at": accepted,
            },
            "data": event.data,
            "delivery": {"id": payload.delivery_id},
            "account": {"id": payload.account_id},
            "webhook": {"id": payload.webhook_id},
            "settings": dict(payload.settings),
        }


class StoredContract(ContractFormat):
    """A contract that is stored; `use` is what a webhook keeps of it."""

    def __init__(self, contract: Contract, use: ContractUse) -> None:
        super().__init__(contract)
        self.use = use


def _unrenderable(what: str, wrong: Unsayable) -> Unrenderable:
    made = Unrenderable(f"{what} cannot be said: {wrong}.")
    made.pointer = wrong.pointer
    return made


def _header_value(name: str, value: Json, payload: Payload) -> str:
    text = value if isinstance(value, str) else stringify(value).decode()
    if (
        isinstance(value, dict | list)
        or not SENDABLE.fullmatch(text)
        or len(text) > _LONGEST_HEADER_VALUE
    ):
        made = Unrenderable(f"{payload.delivery_id} has no value that header {name} may have.")
        made.pointer = f"/headers/{name}"
        raise made
    return text
