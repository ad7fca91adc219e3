"""The demonstration's part of the inbox: events on the local bus, a good one and one to mend."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infra.local.arrivals import Arrivals
from infra.local.emulator import client

SOURCE = "com.example.loyalty"
_RULE = "perkwire-inbox"
_BAD_TYPE = "tier.upgradet"
_PATIENCE_SECONDS = 60
_LOOK_SECONDS = 0.5

type Call = Callable[[str, str], dict[str, Any]]


def play(
    operator: Call,
    local: Mapping[str, str],
    arrivals: Arrivals,
    names: Sequence[str],
    account_id: str,
    event: Mapping[str, Any],
) -> None:
    """Put an event, and one with a slip, to the bus; `names` are the receivers of the first.

    Says nothing of a system without an inbox.
    """
    if "InboxQueueArn" not in local:
        return
    events = client("events", local["aws_endpoint_url"])
    events.put_rule(Name=_RULE, EventPattern=json.dumps({"source": [SOURCE]}))
    target = {"Id": "inbox", "Arn": local["InboxQueueArn"]}
    events.put_targets(Rule=_RULE, Targets=[target])
    detail = json.dumps({"account_id": account_id, "data": event["data"]})
    print(
        "\nNo call this time: the platform puts the same event to the EventBridge bus, and a rule"
        "\nbrings it into the inbox, beside one with a slip in its type:\n"
    )
    arrivals.show_from_now_on(*names)
    events.put_events(
        Entries=[
            {"Source": SOURCE, "DetailType": one, "Detail": detail}
            for one in (event["type"], _BAD_TYPE)
        ]
    )
    arrivals.wait_for(dict.fromkeys(names, 1))
    arrivals.show()
    if rejected := _rejected(operator, account_id):
        print(
            "\nThe other is rejected, and waits to be mended. Sign in with the operator key at"
            f"\n\n  {local['api_url']}/console/inbox/{rejected}",
            flush=True,
        )


def _rejected(operator: Call, account_id: str) -> str | None:
    """The id of the account's newest rejected event, by the end of a minute."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        for one in operator("GET", "/v1/rejected-events")["data"]:
            if one["account_id"] == account_id:
                return str(one["id"])
        time.sleep(_LOOK_SECONDS)
    return None
