"""The handlers of docs/receiving/, saved as somebody would and started as their page says."""

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from perkwire.model.sending import Request
from tests.builders import SECRET
from tests.e2e.system import free_port
from tests.local.receiving import FORMATS, TOKEN, blocks, save, secret_name
from tests.tools import node, npm_packages, pypi_packages, run

HERE = Path(__file__).parent
_DRIVERS = HERE / "drivers"
_JACKSON = [
    Path(f"/usr/share/java/jackson-{part}.jar") for part in ("annotations", "core", "databind")
]
_STARTS_WITHIN_SECONDS = 30


def lay_out(folder: Path, *names: str, drivers: Mapping[str, str] | None = None) -> None:
    """Save blocks of the pages, and programs of `drivers` under the names that they have there."""
    save(folder, *names)
    for name, saved_as in (drivers or {}).items():
        (folder / saved_as).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_DRIVERS / f"{name}.txt", folder / saved_as)


def every(suffix: str) -> list[str]:
    """The pages' blocks that verify and receive in Python or Node, which stand in many files."""
    handlers = {"express.mjs", "fastify.mjs", "lambda.mjs"}
    return [
        name
        for name in blocks()
        if name.endswith(suffix) and "/" not in name and name not in handlers
        if not name.endswith("_app.py") and not name.startswith("order.")
    ]


@dataclass(frozen=True)
class Handler:
    """A handler: what stands in its folder, and how it is started there on a port."""

    name: str
    prepare: Callable[[Path], None]
    command: Callable[[Path, int], list[str]]
    build: Callable[[Path], None] = lambda folder: None
    missing: Callable[[], str | None] = lambda: None


def needs(*programs: str) -> Callable[[], str | None]:
    """What tells which of the programs is missing, if any is."""
    return lambda: next((f"{one} is not here" for one in programs if not shutil.which(one)), None)


def _no_sinatra() -> str | None:
    if missing := needs("ruby")():
        return missing
    done = subprocess.run(["ruby", "-rsinatra/base", "-rwebrick", "-e", "0"], capture_output=True)  # noqa: S607
    return None if done.returncode == 0 else "the gems sinatra and webrick are not here"


def no_java() -> str | None:
    """What is missing to compile and run the Java page, if anything is."""
    if missing := needs("java", "javac")():
        return missing
    return None if all(map(Path.exists, _JACKSON)) else "Jackson's jars are not here"


def _python(framework: str) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        lay_out(folder, *every(".py"), f"{framework}_app.py")

    return prepare


def _gunicorn(application: str) -> Callable[[Path, int], list[str]]:
    def command(folder: Path, port: int) -> list[str]:
        programs = pypi_packages(HERE / "requirements.txt")
        return [str(programs / "gunicorn"), "--bind", f"127.0.0.1:{port}", application]

    return command


def _uvicorn(folder: Path, port: int) -> list[str]:
    programs = pypi_packages(HERE / "requirements.txt")
    return [str(programs / "uvicorn"), "--no-access-log", "--port", str(port), "fastapi_app:app"]


def _node(handler: str, driver: str | None = None) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        lay_out(folder, *every(".mjs"), handler, drivers={driver: driver} if driver else None)
        if driver is None:
            (folder / "node_modules").symlink_to(npm_packages(HERE / "npm"))
        (folder / "package.json").write_text('{"type": "module"}')

    return prepare


def _run_node(program: str) -> Callable[[Path, int], list[str]]:
    return lambda folder, port: [node(), program]


def lay_out_go(folder: Path) -> None:
    """The Go page's handler, and the driver of the vectors."""
    lay_out(folder, "main.go", "webhooks/webhooks.go", drivers={"vectors.go": "vectors/main.go"})


def build_go(folder: Path) -> None:
    """Compile both into `receiver` and `vectors/vectors`."""
    if not (folder / "go.mod").exists():
        run(["go", "mod", "init", "example.com/receiver"], folder)
    run(["go", "build", "-o", "receiver", "."], folder)
    run(["go", "build", "-o", "vectors/vectors", "./vectors"], folder)


def lay_out_java(folder: Path) -> None:
    """The Java page's handler, and the driver of the vectors."""
    lay_out(folder, "Main.java", "Webhooks.java", drivers={"Vectors.java": "Vectors.java"})


def build_java(folder: Path) -> None:
    """Compile both into the classes `Main` and `Vectors`."""
    run(["javac", "-cp", _class_path(), "Main.java", "Webhooks.java", "Vectors.java"], folder)


def java(main: str) -> list[str]:
    """The command that runs a class that `build_java` has made."""
    return ["java", "-cp", _class_path(), "-XX:TieredStopAtLevel=1", main]


def _class_path() -> str:
    return os.pathsep.join([".", *map(str, _JACKSON)])


HANDLERS = {
    handler.name: handler
    for handler in (
        Handler("express", _node("express.mjs"), _run_node("express.mjs")),
        Handler("fastify", _node("fastify.mjs"), _run_node("fastify.mjs")),
        Handler(
            "next",
            _node("app/webhooks/[format]/route.js", "serve_next.mjs"),
            _run_node("serve_next.mjs"),
        ),
        Handler("lambda", _node("lambda.mjs", "serve_lambda.mjs"), _run_node("serve_lambda.mjs")),
        Handler("flask", _python("flask"), _gunicorn("flask_app:app")),
        Handler("django", _python("django"), _gunicorn("django_app:application")),
        Handler("fastapi", _python("fastapi"), _uvicorn),
        Handler(
            "php",
            lambda folder: lay_out(folder, "webhooks.php", "index.php"),
            lambda folder, port: ["php", "-S", f"127.0.0.1:{port}", "index.php"],
            missing=needs("php"),
        ),
        Handler(
            "sinatra",
            lambda folder: lay_out(folder, "webhooks.rb", "app.rb"),
            lambda folder, port: ["ruby", "app.rb", "-p", str(port), "-s", "webrick"],
            missing=_no_sinatra,
        ),
        Handler(
            "go",
            lay_out_go,
            lambda folder, port: ["./receiver"],
            build_go,
            needs("go"),
        ),
        Handler(
            "java",
            lay_out_java,
            lambda folder, port: java("Main"),
            build_java,
            no_java,
        ),
    )
}


@dataclass(frozen=True)
class Running:
    """A handler that listens; `worked` has the lines that its work has printed."""

    port: int
    _printed: Path

    def post(self, format_name: str, request: Request) -> int:
        """The status that a request is answered with."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest("POST", f"/webhooks/{format_name}")
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders()
            with suppress(ConnectionError):  # answered before all of it was read
                connection.send(request.body)
            return connection.getresponse().status
        finally:
            connection.close()

    def worked(self) -> list[str]:
        """What was printed on the standard output, by line."""
        return self._printed.read_text(encoding="utf-8").splitlines()


@contextmanager
def running(handler: Handler, folder: Path) -> Iterator[Running]:
    """The handler in a process of its own, with a secret for each format."""
    handler.prepare(folder)
    handler.build(folder)
    port = free_port()
    (folder / "taken").mkdir()
    environment = {
        **os.environ,
        **{secret_name(one): SECRET for one in FORMATS},
        "THRIVE_TOKEN": TOKEN,
        "TAKEN": str(folder / "taken"),
        "PORT": str(port),
    }
    printed = folder / "printed"
    with printed.open("wb") as out, (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            handler.command(folder, port), cwd=folder, env=environment, stdout=out, stderr=errors
        )
        try:
            _wait(process, port, errors)
            yield Running(port, printed)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, errors: IO[bytes]) -> None:
    until = time.monotonic() + _STARTS_WITHIN_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                said = Path(errors.name).read_text(encoding="utf-8", errors="replace")
                pytest.fail(f"the handler does not listen: {said[-2000:]}")
            time.sleep(0.05)
        else:
            return
