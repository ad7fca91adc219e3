"""Trying a contract: the request that a receiver would get of one event.

Made by the code that delivers, without storing or sending anything.
"""

from perkwire import VERSION
from perkwire.catalogue.event_types import CUSTOM, event_types
from perkwire.formats.contracts.contract import read_contract
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Attempt, Payload, Unrenderable
from perkwire.model.event import Event
from perkwire.model.sending import Request
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, new_test_delivery_id, new_webhook_id
from perkwire.primitives.problem import FieldError, invalid
from perkwire.primitives.strict_json import InvalidJson, parse
from perkwire.primitives.timestamps import now
from perkwire.trials.samples import sample_event

_CUSTOM = f"{CUSTOM}example"
_EXAMPLE_URL = "https://receiver.example/webhooks"


def read_written(text: bytes | str) -> ContractFormat:
    """The contract in a text; raises the 422 problem whose errors have JSON pointers."""
    try:
        value = parse(text)
    except InvalidJson as error:
        raise invalid([FieldError("contract", f"cannot be read. {error}", "")]) from None
    if not isinstance(value, dict):
        raise invalid([FieldError("contract", "must be an object", "")])
    return ContractFormat(read_contract(value))


def said_types(format_: ContractFormat) -> list[str]:
    """The types that a contract names, the platform's own by one of them."""
    return [one for one in (*event_types(), _CUSTOM) if format_.name_of(one) is not None]


def unsayable_examples(format_: ContractFormat) -> list[FieldError]:
    """What of a contract cannot say the examples of the types that it names, place by place.

    Also in a batch, if it has batches.
    """
    at, found = now(), dict[str, FieldError]()
    known = [one for one in said_types(format_) if one in event_types()]
    for one in known:
        try:
            _try_example(format_, one, at, batched=False)
            if one == known[0] and format_.contract.batch is not None:
                _try_example(format_, one, at, batched=True)
        except Unrenderable as unrenderable:
            pointer = unrenderable.pointer or ""
            why = str(unrenderable).partition(" cannot be said: ")[2] or str(unrenderable)
            told = f"cannot say the example of {one}: {why}"
            found.setdefault(pointer, FieldError(_name(pointer), told, pointer))
    return [*found.values()]


def _try_example(format_: ContractFormat, event_type: str, at: int, *, batched: bool) -> None:
    event = sample_event(event_type, at)
    account = AccountId("acct_0000000000000000")
    request_of(format_, event, account, _EXAMPLE_URL, at, "", batched=batched)


def _name(pointer: str) -> str:
    return pointer.removeprefix("/").replace("/", ".") or "contract"


def request_of(
    format_: ContractFormat,
    event: Event,
    account_id: AccountId,
    url: str,
    at: int,
    secret: str,
    *,
    batched: bool = False,
) -> Request:
    """The signed request, at `at` in microseconds; without a secret one is made up.

    Settings have their defaults. Raises Unrenderable.
    """
    payload = Payload(
        delivery_id=new_test_delivery_id(at),
        account_id=account_id,
        webhook_id=new_webhook_id(),
        url=url,
        events=(event,),
        batched=batched,
        settings=format_.read_settings(Fields({})),
    )
    body = format_.render(payload)
    attempt = Attempt(
        delivery_id=payload.delivery_id,
        at=at,
        body=body,
        settings=payload.settings,
        payload=payload,
    )
    headers = {
        "user-agent": f"Perkwire/{VERSION}",
        "webhook-id": payload.delivery_id,
        "webhook-event-id": event.id,
        **format_.sign([secret or format_.new_secret()], attempt),
    }
    return Request(url, body, headers)


def try_written(text: str, event: Event, account_id: AccountId, url: str, at: int) -> Request:
    """The request of a contract as it is being written.

    Raises the 422 problem for what is wrong with it, and for an event that it cannot say.
    """
    format_ = read_written(text)
    try:
        return request_of(format_, event, account_id, url, at, "")
    except Unrenderable as unrenderable:
        pointer = unrenderable.pointer or ""
        raise invalid([FieldError("contract", f"cannot say it: {unrenderable}", pointer)]) from None
