"""listen.py, as the console gives it out: against the real API and a receiver on this machine."""

import ast
import io
import json
import os
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from console.views.listen import listen_file
from perkwire.formats.registry import FORMATS
from perkwire.primitives.ids import WebhookId
from tests.integration.pulling.conftest import Puller
from tests.integration.system import System, Tenant
from tests.listening import listening, read_until
from tests.receiver import DROP, Answer, Endpoint, Receiver

pytestmark = pytest.mark.usefixtures("client")

OLDEST_PYTHON = (3, 9)
TYPE = "tier.upgraded"
DATA = {
    "member": {"id": "m-1", "email": "michael@zylker.example", "points": {"balance": 220}},
    "tier": {"previous": {"name": "Silver"}, "current": {"name": "Gold"}},
    "note": "Kölner Straße \U0001f600",
}


class Idle(Exception):
    """Nothing came."""


class Api:
    """The API over HTTP, on a free port. It answers at once, whoever would wait.

    `faults` come first: a status, or None for a connection that breaks.
    """

    def __init__(self, system: System) -> None:
        self.pages: list[dict[str, Any]] = []
        self.asked: list[dict[str, str]] = []
        self.faults: list[int | None] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if api.faults:
                    fault = api.faults.pop(0)
                    if fault is None:
                        self.close_connection = True
                    else:
                        self.answer(fault, {"detail": "not now"})
                    return
                parts = urlsplit(self.path)
                query = dict(parse_qsl(parts.query))
                api.asked.append(dict(query))
                query.pop("wait_seconds")
                key = self.headers["Authorization"].removeprefix("Bearer ")
                answer = system.call("GET", parts.path, key=key, query=query)
                if answer.status == 200:
                    api.pages.append(answer.json)
                self.answer(answer.status, answer.json)

            def answer(self, status: int, value: object) -> None:
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def given(self) -> list[dict[str, Any]]:
        """All that was given out, in its order."""
        return [one for page in self.pages for one in page["data"]]


class Listener:
    """The file for a webhook, run in this process until there is nothing more to do."""

    def __init__(self, api: Api, puller: Puller, folder: Path) -> None:
        self.file = folder / "listen.py"
        self.state = folder / "state.json"
        key = puller.tenant.key
        self.file.write_text(listen_file(api.url, puller.webhook["id"], key), encoding="utf-8")
        self.out = io.StringIO()
        self.sleeps: list[float] = []
        self.inputs: list[str] = []
        self.os: Any = os

    def loaded(self) -> Any:  # noqa: ANN401 - a module
        module = types.ModuleType("listen")
        module.__file__ = str(self.file)
        exec(compile(self.file.read_text(), str(self.file), "exec"), vars(module))  # noqa: S102
        return module

    def run(self, endpoint: Endpoint, *, on_failure: str = "retry", most: int = 20) -> str:
        """What it prints until it is idle, or has slept so often."""
        space = self.loaded()

        def sleep(seconds: float) -> None:
            self.sleeps.append(seconds)
            if (seconds == 1 and space.idle()) or len(self.sleeps) > most:
                raise Idle

        printed = io.StringIO()
        space.os = self.os
        space.idle = lambda: not self.api_faults()
        space.time = types.SimpleNamespace(sleep=sleep, time=lambda: 0.0, strftime=lambda _: "")
        space.print = lambda text: printed.write(f"{text}\n")
        space.input = lambda _: self.inputs.pop(0)
        chosen = types.SimpleNamespace(
            to=urlsplit(endpoint.url), on_failure=on_failure, pause=5, bodies=False
        )
        with pytest.raises((Idle, KeyboardInterrupt, space.Over)) as ended:
            space.listen(chosen, space.State(str(self.state)))
        return printed.getvalue() + str(ended.value)

    def api_faults(self) -> list[int | None]:
        return []


@pytest.fixture
def api(system: System) -> Iterator[Api]:
    api = Api(system)
    yield api
    api.close()


@pytest.fixture
def listener(api: Api, tmp_path: Path) -> Callable[[Puller], Listener]:
    def made(puller: Puller) -> Listener:
        one = Listener(api, puller, tmp_path)
        one.api_faults = lambda: api.faults  # type: ignore[method-assign]
        return one

    return made


type Made = Callable[[Puller], Listener]


def some(system: System, tenant: Tenant, many: int) -> None:
    tenant.post(*({"type": TYPE, "data": DATA} for _ in range(many)))
    system.route()


def as_program(one: Listener, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run to its end; nobody is there to be asked."""
    return subprocess.run(
        [sys.executable, str(one.file), *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=20,
        check=False,
    )


def test_it_is_of_the_oldest_python_and_of_its_standard_library() -> None:
    tree = ast.parse(listen_file("a", WebhookId("b"), "c"), feature_version=OLDEST_PYTHON)

    named = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert named <= sys.stdlib_module_names
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


@pytest.mark.parametrize("format_", FORMATS)
def test_what_comes_is_posted_byte_for_byte_in_every_format(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Made, format_: str
) -> None:
    settings = {
        name: {"format_settings": {"project_id": "p-1"}} for name in FORMATS if "voucher" in name
    }
    puller = Puller(
        tenant, format=format_, headers={"X-Shop": "shop-7-token"}, **settings.get(format_, {})
    )
    earned = {"type": "points.earned", "data": DATA | {"transaction": {"id": "t", "points": 5}}}
    tenant.post(earned, {"type": TYPE, "data": DATA})
    system.route()
    endpoint = receiver.endpoint()

    printed = listener(puller).run(endpoint)

    assert api.given
    assert len(endpoint.requests) == len(api.given)
    for given, request in zip(api.given, endpoint.requests, strict=True):
        assert request.body == given["body"].encode()
        sent = {name.lower(): value for name, value in given["headers"].items()}
        assert {name: request.headers[name] for name in sent} == sent
        assert request.headers["content-length"] == str(len(request.body))
        assert given["delivery_id"] in printed
    assert printed.count("answered 200") == len(api.given)


def test_a_failure_is_shown_and_it_goes_on_when_it_is_told_to(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Made
) -> None:
    puller = Puller(tenant)
    some(system, tenant, 2)
    endpoint = receiver.endpoint(Answer(500, b"no such till"), DROP, 500, 204)
    one = listener(puller)
    one.inputs = ["?", "r", "r", "s"]

    printed = one.run(endpoint, on_failure="ask")

    assert "answered 500 in 0 ms: no such till" in printed
    assert "no answer: " in printed
    came = [request.webhook_id for request in endpoint.requests]
    first, second = dict.fromkeys(came)
    assert came == [first, first, first, second]
    assert one.inputs == []
    assert [one["status"] for one in tenant.deliveries()] == ["pulled", "pulled"]


CONTROLS = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0)))) + "\u061c\u200e\u200f\u2028\u2029"
CONTROLS += "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_nothing_that_is_printed_does_anything_to_a_terminal(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Made
) -> None:
    puller = Puller(tenant)
    tenant.post({"type": "custom.note", "data": {"note": CONTROLS[::-1]}})
    system.route()
    answer = f"\x1b[2J{CONTROLS}ends \U0001f600"
    endpoint = receiver.endpoint(Answer(500, answer.encode()), 204)
    one = listener(puller)
    one.inputs = ["r"]

    printed = one.run(endpoint, on_failure="ask")

    assert not {*CONTROLS} & {*printed.replace("\n", "")}
    assert printed.count("\n") == 6
    for shown in (r"\x1b[2J", r"\x07", r"\n", r"\x9b", r"\u202e", r"\u2028", "ends \U0001f600"):
        assert shown in printed.splitlines()[2]
    assert r"\x9b" in printed.splitlines()[1]
    assert [given["body"].encode() for given in api.given] == [
        request.body for request in endpoint.requests
    ]
    assert "\x9b" in api.given[0]["body"]


@pytest.mark.parametrize("text", ["\x1b[31m", "one\r\ntwo", "\u202e"])
def test_nor_does_what_the_api_says(listener: Made, tenant: Tenant, text: str) -> None:
    space = listener(Puller(tenant)).loaded()
    printed = io.StringIO()
    space.print = lambda text: printed.write(text)

    space.say(f"not connected ({text})")

    assert not {*CONTROLS} & {*printed.getvalue()}


def test_whoever_quits_begins_there_the_next_time(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Made
) -> None:
    puller = Puller(tenant)
    some(system, tenant, 3)
    endpoint = receiver.endpoint(204, 500, 204)
    one = listener(puller)
    one.inputs = ["q"]
    one.run(endpoint, on_failure="ask")
    assert len(endpoint.requests) == 2

    one.run(endpoint)

    came = [request.webhook_id for request in endpoint.requests]
    assert len(came) == 4
    assert came[1] == came[2]
    assert len({*came}) == 3
    assert one.run(endpoint).count("answered") == 0


def test_it_survives_connections_that_break_and_an_api_that_is_away(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Made
) -> None:
    puller = Puller(tenant)
    some(system, tenant, 1)
    api.faults = [None, 503, 429, None]
    endpoint = receiver.endpoint()
    one = listener(puller)

    printed = one.run(endpoint)

    assert one.sleeps[:4] == [1, 2, 4, 8]
    assert printed.count("not connected") == 1
    assert printed.count("connected again") == 1
    assert len(endpoint.requests) == 1


def test_it_goes_on_while_nothing_can_be_kept_and_says_so_once(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Made
) -> None:
    """As on Windows, where a file that another program looks at cannot be replaced."""
    puller = Puller(tenant)
    some(system, tenant, 3)
    endpoint = receiver.endpoint()
    one = listener(puller)

    def refused(_beside: str, path: str) -> None:
        raise PermissionError(13, "Access is denied", path)

    one.os = types.SimpleNamespace(replace=refused, path=os.path)

    printed = one.run(endpoint)

    assert len(endpoint.requests) == 3
    assert printed.count("cannot be written") == 1


def test_how_far_another_webhook_has_come_is_refused_and_left_as_it_is(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Made
) -> None:
    first, second = Puller(tenant), Puller(tenant)
    some(system, tenant, 4)
    endpoint = receiver.endpoint()
    listener(first).run(endpoint)
    one = listener(second)
    before = one.state.read_text()

    ended = as_program(one, "--state", str(one.state))

    assert ended.returncode == 2
    assert f"{one.state} is of another webhook, {first.webhook['id']}" in ended.stdout
    assert one.state.read_text() == before
    assert len(endpoint.requests) == 4
    assert [one["status"] for one in tenant.deliveries(webhook_id=second.webhook["id"])] == [
        "waiting"
    ] * 4


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"after": "4", "done": []}'])
def test_what_does_not_say_whose_it_is_counts_for_nothing(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Made, kept: str
) -> None:
    puller = Puller(tenant)
    some(system, tenant, 4)
    endpoint = receiver.endpoint()
    one = listener(puller)
    one.state.write_text(kept)

    printed = one.run(endpoint)

    assert f"{one.state} cannot be read" in printed
    assert len(endpoint.requests) == 4
    assert json.loads(one.state.read_text())["webhook"] == puller.webhook["id"]


@pytest.mark.parametrize(("system_name", "is_left_to_the_system"), [("nt", True), ("posix", False)])
def test_on_windows_ctrl_c_does_not_wait_for_the_pull_to_be_answered(
    listener: Made,
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
    system_name: str,
    is_left_to_the_system: bool,
) -> None:
    space = listener(Puller(tenant)).loaded()
    set_for: list[tuple[object, object]] = []
    space.os = types.SimpleNamespace(name=system_name, path=os.path)
    space.signal = types.SimpleNamespace(
        SIGINT=signal.SIGINT, SIG_DFL=signal.SIG_DFL, signal=lambda *one: set_for.append(one)
    )
    stream = types.SimpleNamespace(reconfigure=lambda **_: None)
    space.sys = types.SimpleNamespace(stdin=None, stdout=stream, stderr=stream)
    space.print = lambda _: None
    monkeypatch.setattr(sys, "argv", ["listen.py"])

    def listen(*_: object) -> None:
        raise space.Over

    space.listen = listen
    assert space.main() == 2

    assert set_for == [(signal.SIGINT, signal.SIG_DFL)] * is_left_to_the_system


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8080",
        "ftp://localhost/",
        "http:///hook",
        "http://localhost:abc/",
        "http://localhost:-1/",
        "http://localhost:0/",
        "http://localhost:99999/",
        "http://[::1",
        "http://a..b/",
        f"http://{'a' * 64}.example/",
        "http://lo cal/",
        "http://löcal/",
        "http://localhost:8080/ü",
        "http://localhost:8080/a b",
        "http://localhost:8080/?a=\x7f",
        "http://localhost:8080/a\tb",
        "",
    ],
)
def test_a_receiver_that_cannot_be_posted_to_is_refused_at_the_start(
    listener: Made, tenant: Tenant, url: str
) -> None:
    ended = as_program(listener(Puller(tenant)), "--to", url)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "error: argument --to: must be a URL such as http://localhost:8080/" in ended.stderr


@pytest.mark.parametrize("pause", ["-1", "nan", "inf", "-inf", "86401", "1e300", "soon", ""])
def test_a_pause_that_cannot_be_waited_is_refused_at_the_start(
    listener: Made, tenant: Tenant, pause: str
) -> None:
    ended = as_program(listener(Puller(tenant)), f"--pause={pause}")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "error: argument --pause: must be seconds from 0 to 86400" in ended.stderr


def test_nobody_is_asked_where_nobody_can_answer(listener: Made, tenant: Tenant) -> None:
    command = 'exec "$@" <&-'
    file = str(listener(Puller(tenant)).file)
    ended = subprocess.run(
        ["/bin/sh", "-c", command, "sh", sys.executable, file, "--on-failure", "ask"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "error: argument --on-failure: there is nobody to ask" in ended.stderr


@pytest.mark.parametrize(
    "url", ["HTTP://localhost", "https://[::1]:8443/a%20b?c=d", "http://localhost:/", "http://a./"]
)
def test_a_receiver_may_be_any_that_can_be_posted_to(
    listener: Made, tenant: Tenant, url: str
) -> None:
    assert listener(Puller(tenant)).loaded().receiver(url) == urlsplit(url)


def test_it_ends_once_its_key_has(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Made
) -> None:
    one = listener(Puller(tenant))
    one.file.write_text(one.file.read_text().replace(tenant.key, "pk_of_nobody"))

    printed = one.run(receiver.endpoint())

    assert "the key has ended, or is revoked" in printed


def test_it_runs_as_a_program_until_it_is_stopped(
    system: System, tenant: Tenant, receiver: Receiver, api: Api, listener: Made
) -> None:
    puller = Puller(tenant)
    some(system, tenant, 1)
    endpoint = receiver.endpoint()
    with listening(listener(puller).file, endpoint.url) as printed:
        endpoint.wait_for(1, 60)
        read_until(printed, "answered 200")
