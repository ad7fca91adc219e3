"""Contracts for tests, and what they make of an event."""

import json
from typing import Any

import pytest

from perkwire.formats.contracts.contract import read_contract
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Attempt, Payload
from perkwire.primitives.ids import DeliveryId
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.builders import NOW, a_payload, an_event


def contract(**members: Any) -> ContractFormat:  # noqa: ANN401
    """One that says every type, with its data as the body, unless said otherwise."""
    value: dict[str, Any] = {
        "name": "ours",
        "version": "1",
        "events": {"*": "{type}"},
        "body": "=data",
        **members,
    }
    return ContractFormat(read_contract({k: v for k, v in value.items() if v is not ...}))


def body(format_: ContractFormat, data: dict[str, Json] | None = None, **event: object) -> Any:  # noqa: ANN401
    """What it makes of an event with these data."""
    payload = a_payload(an_event(data=data or {"member": {"id": "m-1"}}, **event))
    return json.loads(format_.render(payload))


def made(template: Json, data: dict[str, Json] | None = None, **members: Json) -> Any:  # noqa: ANN401
    """What a template makes."""
    return body(contract(body=template, **members), data)


def headers(
    format_: ContractFormat,
    secrets: list[str],
    *,
    body: bytes = b"{}",
    at: int = NOW,
    payload: Payload | None = None,
) -> dict[str, str]:
    """The headers of an attempt of a delivery of one event."""
    payload = payload or a_payload(an_event())
    attempt = Attempt(
        delivery_id=DeliveryId("dlv_1"),
        at=at,
        body=body,
        settings=payload.settings,
        payload=payload,
    )
    return format_.sign(secrets, attempt)


def wrong(**members: Any) -> dict[str, str]:  # noqa: ANN401
    """What is wrong with a contract: each place, as a JSON pointer, and why."""
    with pytest.raises(Problem) as raised:
        contract(**members)
    found: Any = raised.value.document()["errors"]
    return {error["pointer"]: error["detail"] for error in found}
