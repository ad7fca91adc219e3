"""Try a contract: `python -m infra.contract FILE [--type TYPE] [--secret SECRET] [--url URL]`.

Reads it as the registry does and names every place that is wrong. Then it says the catalogue's
example of each type that the contract names, or of one, as the request that a receiver would get.
Exit status 1 if anything is wrong or cannot be said. Nothing is sent.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

from perkwire.catalogue.event_types import event_type, event_types
from perkwire.formats.contracts.contract import read_contract
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Attempt, Payload, Unrenderable
from perkwire.model.event import Event
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import InvalidJson, parse
from perkwire.primitives.timestamps import now

_CUSTOM = "custom.example"


def said_types(format_: ContractFormat) -> list[str]:
    """The types that a contract names, the platform's own by one of them."""
    return [one for one in (*event_types(), _CUSTOM) if format_.name_of(one) is not None]


def request(format_: ContractFormat, type_name: str, secret: str, url: str) -> str:
    """The request of the catalogue's example, as text; raises Unrenderable."""
    found = event_type(type_name)
    payload = Payload(
        delivery_id=DeliveryId("dlv_test_0"),
        account_id=AccountId("acct_0000000000000001"),
        webhook_id=WebhookId("wh_0000000000000001"),
        url=url,
        events=(
            Event(
                id=EventId("sample-1"),
                type=type_name,
                accepted_at=now(),
                occurred_at=None,
                program_id="programme",
                data={} if found is None else found.example,
            ),
        ),
        batched=False,
        settings=format_.read_settings(Fields({})),
    )
    body = format_.render(payload)
    attempt = Attempt(
        delivery_id=payload.delivery_id,
        at=now(),
        body=body,
        settings=payload.settings,
        payload=payload,
    )
    headers = format_.sign([secret or format_.new_secret()], attempt)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    indented = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    return "\n".join([f"## {type_name}", f"POST {url}", *lines, "", indented, ""])


def read(path: Path) -> ContractFormat:
    """The contract in a file; raises Problem and InvalidJson."""
    value: Any = parse(path.read_bytes())
    return ContractFormat(read_contract(value))


def main(arguments: Sequence[str] | None = None) -> int:
    """Read, render, print."""
    parser = argparse.ArgumentParser(description="Try a contract.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--type", help="one type instead of each that the contract names")
    parser.add_argument("--secret", default="", help="to sign with; one is made up if left out")
    parser.add_argument("--url", default="https://receiver.example/webhooks")
    given = parser.parse_args(arguments)
    try:
        format_ = read(given.file)
    except InvalidJson as wrong:
        print(wrong, file=sys.stderr)
        return 1
    except Problem as problem:
        errors: Any = problem.document().get("errors", [])
        for error in errors:
            print(f"{error['pointer'] or '/'}: {error['detail']}", file=sys.stderr)
        return 1
    unsaid = 0
    for type_name in [given.type] if given.type else said_types(format_):
        try:
            print(request(format_, type_name, given.secret, given.url))
        except Unrenderable as wrong:
            unsaid += 1
            print(f"{type_name}: {wrong}", file=sys.stderr)
    return int(unsaid > 0)


if __name__ == "__main__":
    sys.exit(main())
