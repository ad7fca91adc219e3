"""`make run`: the whole system on this machine, at one address, until Ctrl-C.

python -m infra.local --port 4566 --demo MaxAttempts=3 RetryIntervalSeconds=5
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NoReturn

from infra.local import demo, mail, runs, stack
from infra.local.demo_calls import DemoError
from infra.local.emulator import HOST, ROOT, Emulator, EmulatorError, check_port
from infra.local.verifying import prepare
from infra.operator_key import create_operator_key
from infra.parameters import ParameterError, resolve
from perkwire.primitives.journal import Unavailable

PYTHON = (3, 13)

_STACK_NAME = "perkwire"
_FAILURES = (
    EmulatorError,
    runs.RunError,
    stack.StackError,
    ParameterError,
    DemoError,
    Unavailable,
    OSError,
    subprocess.SubprocessError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; the exit status is 1 when something cannot be started."""
    try:
        options = _options(arguments)
        with ExitStack() as running:
            stop = _stop_on_signals()
            _isolate_environment()
            emulator = _start(options, running)
            _wait(stop, emulator)
            print("Stopping …", flush=True)
        print("Stopped. The data is kept for the next start; `make clean` forgets it.")
    except KeyboardInterrupt:
        print("\nStopped.")
    except _FAILURES as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    return 0


def _start(options: argparse.Namespace, running: ExitStack) -> Emulator:
    if sys.version_info[:2] != PYTHON:
        wanted = ".".join(map(str, PYTHON))
        raise EmulatorError(f"the functions run on Python {wanted}: run `make setup` with it")
    template = stack.read_template(ROOT / "template.yaml")
    console_url = {"ConsoleUrl": f"http://{HOST}:{options.port}/console"}
    parameters = resolve(template, console_url | options.parameters, local=True)
    # Each port has data of its own: queue URLs, which functions keep, contain it.
    home = runs.WORK / str(options.port)
    runs.refuse_second(home)
    check_port(options.port)
    running.enter_context(runs.only_run(home))
    if options.demo:
        threading.Thread(target=prepare, daemon=True).start()  # while the build waits for SAM

    with _step("Build") as say:
        say("built" if stack.build(ROOT, runs.WORK) else "unchanged since the last one")
    emulator = Emulator(options.port, home)
    with _step("Emulator") as say:
        running.enter_context(emulator)
        say(f"answers on {emulator.url}, log in {emulator.log.relative_to(ROOT)}")
    with _step("Deploy") as say:
        outputs = stack.deploy(runs.WORK, emulator.url, _STACK_NAME, parameters)
        mail.let_through(emulator.url, parameters["MailSender"])
        say(f"{parameters['MaxAttempts']} attempts, {parameters['RetryIntervalSeconds']} s apart")
    with _step("Operator key") as say:
        local = {"api_url": emulator.url, "aws_endpoint_url": emulator.url, **outputs}
        kept = runs.addresses(home).get("operator_key")
        local["operator_key"] = _operator_key(emulator.url, outputs["ConfigTableName"], kept)
        where = runs.keep_addresses(home, local)
        if not options.private:
            where = running.enter_context(runs.announced(runs.WORK, local))
        say(f"in {where.relative_to(ROOT)}, with every address")

    print(f"\n  API           {emulator.url}/v1")
    print(f"  Console       {parameters['ConsoleUrl']}")
    print(f"  Operator key  {local['operator_key']}", flush=True)
    running.enter_context(mail.shown(emulator.url))
    if options.demo:
        running.enter_context(demo.running(local, home))
    print("Running. Ctrl-C stops everything.\n", flush=True)
    return emulator


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise runs.RunError(message)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="python -m infra.local", description=__doc__)
    parser.add_argument("--port", default="4566")
    parser.add_argument("--demo", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument(
        "--private", action="store_true", help="leave .perkwire/local.json to another system"
    )
    parser.add_argument("parameters", nargs="*", metavar="Key=Value")
    options = parser.parse_args(arguments)
    options.port = runs.read_port(options.port)
    pairs = [parameter.partition("=") for parameter in options.parameters]
    for name, equals, _value in pairs:
        if not equals:
            raise ParameterError(f"{name} has no value: a parameter is written Key=Value")
    options.parameters = {name: value for name, _equals, value in pairs}
    return options


def _isolate_environment() -> None:
    """Keep the host's AWS settings, its profiles and its certificate bundle among them, out."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    # A proxy of the host must not be asked for loopback addresses.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(*_: object) -> None:
        if stop.is_set():
            return
        stop.set()
        # Starting is interrupted where it stands; running waits for the event.
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    return stop


def _wait(stop: threading.Event, emulator: Emulator) -> None:
    try:
        while not stop.wait(1):
            if not emulator.running():
                raise EmulatorError(f"the emulator has stopped; see {emulator.log}")
    except KeyboardInterrupt:
        print()


class _Step:
    """One line of progress: what is done, how it went, how long it took."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started = time.monotonic()

    def __call__(self, result: str) -> None:
        """Print the line."""
        seconds = time.monotonic() - self._started
        print(f"  {self._name:<14}{result}  ({seconds:.1f} s)", flush=True)


@contextmanager
def _step(name: str) -> Iterator[_Step]:
    if sys.stdout.isatty():
        print(f"  {name:<14}…", end="\r", flush=True)
    yield _Step(name)


def _operator_key(api_url: str, table_name: str, kept: str | None) -> str:
    if kept and _accepted(api_url, kept):
        return kept
    return create_operator_key(table_name, "make run", endpoint_url=api_url)


def _accepted(api_url: str, key: str) -> bool:
    request = urllib.request.Request(  # noqa: S310 - our own API's address
        f"{api_url}/v1/accounts?limit=1", headers={"Authorization": f"Bearer {key}"}
    )
    try:
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
    except urllib.error.HTTPError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
