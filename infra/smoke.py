"""A look at a stack that has just been deployed: `python -m infra.smoke --config-env staging`.

An event is accepted, queued, routed and found again, and a test is rendered, signed and sent: so
every function but the console and jobs has answered. With the AWS credentials of the one who
deploys, which also make an operator's API key for the time that it takes. It leaves an account
`Smoke test` with one event of each time.
"""

import argparse
import json
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from infra.deploy import ROOT, DeployError, deployed_outputs, environment_of
from infra.operator_key import temporary_operator_key
from perkwire.primitives.journal import Unavailable

_ACCOUNT = "Smoke test"
_PATIENCE_SECONDS = 60
_REQUEST_SECONDS = 30


class SmokeError(Exception):
    """The stack did not do what it is for; the message is one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Look at the stack of an environment of samconfig.toml; the exit status is 1 if it fails."""
    parser = argparse.ArgumentParser(prog="python -m infra.smoke")
    parser.add_argument("--config-env", required=True, help="environment of samconfig.toml")
    options = parser.parse_args(arguments)
    try:
        settings = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
        outputs = deployed_outputs(environment_of(settings, options.config_env))
        if not outputs:
            raise DeployError("There is no stack.")
        with temporary_operator_key(outputs["ConfigTableName"], "smoke test") as key:
            # An endpoint that surely answers; that it refuses is no matter.
            check(outputs["ApiUrl"], key, endpoint=f"{outputs['ApiUrl']}/v1/events")
    except (DeployError, SmokeError, Unavailable) as error:
        print(f"smoke test: {error}", file=sys.stderr)
        return 1
    print("smoke test: the event was routed, and the endpoint has answered the test")
    return 0


def check(api_url: str, key: str, *, endpoint: str) -> None:
    """Raise `SmokeError` unless the API does what it is for, and the dispatcher gets an answer."""
    api = _Api(api_url, key)
    api.wait_for("/v1/event-types")
    account = _account(api)
    example = api.call("GET", "/v1/event-types/tier.upgraded")
    event = {"type": example["type"], "data": example["example"], "account_id": account}
    accepted = api.call("POST", "/v1/events", event)
    api.wait_for(f"/v1/events/{accepted['id']}", account)
    webhook = {"name": _ACCOUNT, "url": endpoint, "event_types": ["*"]}
    tested = api.call("POST", "/v1/webhooks/test", webhook, account)
    if "status_code" not in tested:
        raise SmokeError(f"the endpoint has not answered a test: {tested.get('error', tested)}")


class _Api:
    """The API, with an operator's key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    def call(
        self, method: str, path: str, body: object = None, account: str | None = None
    ) -> dict[str, Any]:
        """Return what is answered; raises SmokeError unless it is a success."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        if account:
            headers["Perkwire-Account"] = account
        request = urllib.request.Request(  # noqa: S310 - our own API's address
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers=headers,
        )
        try:
            with urllib.request.urlopen(request, timeout=_REQUEST_SECONDS) as answer:  # noqa: S310
                answered: dict[str, Any] = json.load(answer)
                return answered
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(300).decode(errors="replace")
            raise SmokeError(f"{method} {path} was answered {error.code}: {said}") from None
        except (OSError, ValueError) as error:
            raise SmokeError(f"{method} {path} was not answered: {error}") from None

    def wait_for(self, path: str, account: str | None = None) -> None:
        """Ask until it is a success, as a change of the API and a routing take their time."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self.call("GET", path, account=account)
            except SmokeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return


def _account(api: _Api) -> str:
    """The id of the account of earlier times, or of a new one."""
    cursor = ""
    while True:
        page = api.call("GET", f"/v1/accounts?limit=100{cursor}")
        for account in page["data"]:
            if account["name"] == _ACCOUNT:
                return str(account["id"])
        if page["next_cursor"] is None:
            return str(api.call("POST", "/v1/accounts", {"name": _ACCOUNT})["id"])
        cursor = f"&cursor={page['next_cursor']}"


if __name__ == "__main__":
    sys.exit(main())
