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

from perkwire.catalogue.event_types import event_type
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Unrenderable
from perkwire.model.event import Event
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.problem import Problem
from perkwire.primitives.timestamps import now
from perkwire.reading.trying_contracts import read_written, request_of, said_types

_ACCOUNT = AccountId("acct_0000000000000001")


def shown(format_: ContractFormat, type_name: str, secret: str, url: str) -> str:
    """The request of the catalogue's example, as text; raises Unrenderable."""
    at, found = now(), event_type(type_name)
    event = Event(
        id=EventId("sample-1"),
        type=type_name,
        accepted_at=at,
        occurred_at=None,
        program_id="programme",
        data={} if found is None else found.example,
    )
    request = request_of(format_, event, _ACCOUNT, url, at, secret)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    indented = json.dumps(json.loads(request.body), indent=2, ensure_ascii=False)
    return "\n".join([f"## {type_name}", f"POST {url}", *lines, "", indented, ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Read, render, print."""
    parser = argparse.ArgumentParser(description="Try a contract.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--type", help="one type instead of each that the contract names")
    parser.add_argument("--secret", default="", help="to sign with; one is made up if left out")
    parser.add_argument("--url", default="https://receiver.example/webhooks")
    given = parser.parse_args(arguments)
    try:
        format_ = read_written(given.file.read_bytes())
    except Problem as problem:
        errors: Any = problem.document().get("errors", [])
        for error in errors:
            print(f"{error['pointer'] or '/'}: {error['detail']}", file=sys.stderr)
        return 1
    unsaid = 0
    for type_name in [given.type] if given.type else said_types(format_):
        try:
            print(shown(format_, type_name, given.secret, given.url))
        except Unrenderable as wrong:
            unsaid += 1
            print(f"{type_name}: {wrong}", file=sys.stderr)
    return int(unsaid > 0)


if __name__ == "__main__":
    sys.exit(main())
