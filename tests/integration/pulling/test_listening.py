"""listen.py as the console's page for listening gives it out: run as a program, in every format."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

import pytest

from infra.local.verifying import PRODUCTS
from perkwire.formats.registry import FORMATS
from tests.integration.browsing import Browser
from tests.integration.pulling.test_listen import DATA, TYPE, Api
from tests.integration.system import System, Tenant
from tests.listening import listening, read_until
from tests.receiver import ReceivedRequest, Receiver

pytestmark = pytest.mark.usefixtures("client")

PATH = "/console/webhooks/listen"
EVENTS = (
    {"type": TYPE, "data": DATA},
    {"type": "points.earned", "data": DATA | {"transaction": {"id": "t", "points": 5}}},
)

type Verify = Callable[[str, Mapping[str, str], bytes, str], bool]


def _hmac(secret: str, message: bytes) -> "hmac.HMAC":
    return hmac.new(secret.encode(), message, hashlib.sha256)


def _encoded(header: str, *, of_url: bool = False) -> Verify:
    """Base64 of the HMAC of the body, or of URL and body."""

    def verify(secret: str, headers: Mapping[str, str], body: bytes, url: str) -> bool:
        made = _hmac(secret, (url.encode() if of_url else b"") + body).digest()
        return headers[header] == base64.b64encode(made).decode()

    return verify


def _as_product(name: str) -> Verify:
    return lambda secret, headers, body, _url: PRODUCTS[name].is_genuine(secret, headers, body)


def _open_loyalty(secret: str, headers: Mapping[str, str], body: bytes, _url: str) -> bool:
    message = headers["x-webhook-timestamp"].encode() + b"." + body
    return headers["x-webhook-signature"] == _hmac(secret, message).hexdigest()


VERIFY: Mapping[str, Verify] = {
    **{name: _as_product(name) for name in PRODUCTS},
    **{name: _as_product("standard") for name in ("cloudevents", "talon-one", "brevo-loyalty")},
    "loyaltylion": _encoded("x-loyaltylion-hmac-sha256"),
    "square-loyalty": _encoded("x-square-hmacsha256-signature", of_url=True),
    "rivo": _encoded("rivo-signature"),
    "open-loyalty": _open_loyalty,
}
"""How a receiver of each format does it, of the secret that listen.py has printed."""


@pytest.fixture
def api(system: System) -> Iterator[Api]:
    api = Api(system)
    yield api
    api.close()


class Listener:
    """The file that the page gives out for these choices, on somebody's machine."""

    def __init__(self, browser: Browser, tenant: Tenant, api: Api, folder: Path) -> None:
        self._browser, self._tenant, self._api = browser, tenant, api
        self.file = folder / "listen.py"
        browser.sign_in(tenant.key)

    def get(self, **choices: str) -> None:
        form = self._browser.get(PATH).form(PATH)
        answer = self._browser.submit(form, **choices)
        assert answer.status == 200, answer.text
        written = dict(re.findall(r"^(API|KEY|SECRET) = '([^']+)'", answer.html, re.MULTILINE))
        self._tenant.system.secrets.update((written["KEY"], written["SECRET"]))
        # The console is served at a port of its own here, and the API at another.
        here = answer.html.replace(f"API = '{written['API']}'", f"API = '{self._api.url}'")
        self.file.write_text(here, encoding="utf-8")

    def running(self, url: str) -> AbstractContextManager[IO[str]]:
        """What it prints while the block runs; it is killed at the end."""
        return listening(self.file, url, "--pause", "0.1")


@pytest.fixture
def listener(browser: Browser, tenant: Tenant, api: Api, tmp_path: Path) -> Listener:
    return Listener(browser, tenant, api, tmp_path)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_there_is_a_receiver_of_every_format() -> None:
    assert set(VERIFY) == {name.partition("@")[0] for name in FORMATS}


@pytest.mark.parametrize("format_", FORMATS)
def test_what_comes_verifies_with_the_secret_that_it_prints_in_every_format(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Listener, format_: str
) -> None:
    listener.get(format=format_)
    tenant.post(*EVENTS)
    system.route()
    endpoint = receiver.endpoint()

    with listener.running(endpoint.url) as lines:
        said = read_until(lines, "for the receiver: ")
        read_until(lines, "answered 200", len(endpoint_deliveries(tenant)))

    (secret,) = re.findall(r"its secret, for the receiver: (\S+)$", said, re.MULTILINE)
    (webhook,) = tenant.get("/v1/webhooks")["data"]
    assert len(endpoint.requests) == len(api.given) > 0
    for given, request in zip(api.given, endpoint.requests, strict=True):
        assert request.body == given["body"].encode()
        assert verified(format_, secret, request, webhook)
        assert not verified(format_, secret[:-4] + "AAA=", request, webhook)


def endpoint_deliveries(tenant: Tenant) -> list[Any]:
    """What waits for whoever listens."""
    waiting = tenant.deliveries(status="waiting")
    assert waiting
    return waiting


def verified(format_: str, secret: str, request: ReceivedRequest, webhook: dict[str, Any]) -> bool:
    verify = VERIFY[format_.partition("@")[0]]
    url = f"https://pull.invalid/{webhook['id']}"
    return verify(secret, request.headers, request.body, url)


def test_killed_and_started_again_with_an_api_that_was_away_it_goes_on_where_it_was(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Listener
) -> None:
    listener.get()
    tenant.post(*EVENTS)
    system.route()
    endpoint = receiver.endpoint()
    api.faults = [None, 503]
    with listener.running(endpoint.url) as lines:
        said = read_until(lines, "answered 200", 2)
        # Killed before it has noted that, it would post the last one again.
        until(lambda: "after" in api.asked[-1])
    assert "not connected" in said
    assert "connected again" in said

    tenant.post(*EVENTS)
    system.route()
    api.faults = [None]
    with listener.running(endpoint.url) as lines:
        read_until(lines, "answered 200", 2)

    came = [request.webhook_id for request in endpoint.requests]
    assert len(came) == len({*came}) == 4


def test_a_failure_of_the_receiver_is_shown_and_it_tries_again(
    system: System, tenant: Tenant, receiver: Receiver, listener: Listener
) -> None:
    listener.get()
    tenant.post(EVENTS[0])
    system.route()
    endpoint = receiver.endpoint(500, 204)

    with listener.running(endpoint.url) as lines:
        said = read_until(lines, "answered 204")

    assert "answered 500" in said
    assert len({request.webhook_id for request in endpoint.requests}) == 1


def test_it_ends_once_listening_is_ended_in_the_console(
    system: System, tenant: Tenant, receiver: Receiver, listener: Listener, browser: Browser
) -> None:
    listener.get()
    with listener.running(receiver.endpoint().url) as lines:
        read_until(lines, "for the receiver: ")
        browser.submit(browser.get(PATH).form(f"{PATH}/end"))

        said = lines.read()

    assert "the key has ended, or is revoked" in said
