"""The local AWS: one ministack process, on loopback, that keeps its data across clean stops."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import IO, Any, Self

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
REGION = "us-east-1"

_START_SECONDS = 20.0
_STOP_SECONDS = 30.0
# Unpacked code and packages of earlier deployments; the newest two are what the next start needs.
_CODE_COPIES_KEPT = 4


class EmulatorError(RuntimeError):
    """The emulator cannot run; the message is one line for the person who started it."""


class Emulator:
    """A ministack process of ours. `home` holds its data, its log and its temporary files.

    The process sees none of the host's environment, so that neither do the functions, and it ends
    when this one does. No queue has more than `batches_per_mapping` batches with functions at a
    time.
    """

    def __init__(self, port: int, home: Path, *, batches_per_mapping: int = 4) -> None:
        self.port = port
        self._batches_per_mapping = batches_per_mapping
        self.home = home
        self.log = home / "emulator.log"
        self._temporary = home / "tmp"
        self._code = home / "code"
        self._process: subprocess.Popen[bytes] | None = None
        self._log_file: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the emulator answers, for AWS clients and for the stack's HTTP API alike."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and return once it answers. Raise `EmulatorError` when it cannot."""
        check_port(self.port)
        self.home.mkdir(parents=True, exist_ok=True)
        self._clear_temporary()
        self._clear_old_code()
        self._temporary.mkdir()
        self._log_file = self.log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.ministack_server"],
            cwd=ROOT,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=self._log_file,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the program that started us: it stops the emulator in order.
            start_new_session=True,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Save the data, end the process and all of its functions. Does nothing when stopped.

        Says so if the data could not be saved in time.
        """
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                print("The emulator did not stop in time; its data since the last stop is lost.")
            _kill_group(process.pid)
            process.wait()
            if process.stdin:
                process.stdin.close()
        if self._log_file is not None:
            self._log_file.close()
            self._log_file = None
        self._clear_temporary()

    def kill(self) -> None:
        """End the process and its functions at once; data since the last clean stop is lost."""
        if self._process is not None:
            _kill_group(self._process.pid)
        self.stop()

    @property
    def pid(self) -> int:
        """The emulator's process, which leads a process group with all of its functions."""
        if self._process is None:
            raise EmulatorError("the emulator is not running")
        return self._process.pid

    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def client(self, service: str) -> Any:  # noqa: ANN401 - one of boto3's generated classes
        """Return a boto3 client of a service of this emulator."""
        return client(service, self.url)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not self.running():
                raise EmulatorError(f"the emulator stopped: {self._last_line()}")
            try:
                # Built from constants and the port: always plain HTTP on loopback.
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=1).close()  # noqa: S310
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise EmulatorError(f"the emulator did not answer within {_START_SECONDS:.0f} s")

    def _last_line(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _clear_temporary(self) -> None:
        # The emulator leaves an unpacked copy of its code behind for each function's process.
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _clear_old_code(self) -> None:
        copies = sorted(self._code.glob("*"), key=lambda copy: copy.stat().st_mtime)
        for copy in copies[:-_CODE_COPIES_KEPT]:
            shutil.rmtree(copy)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self._temporary),
            "CODE_DIR": str(self._code),
            "PYTHONNOUSERSITE": "1",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            # The host of every queue URL: loopback by number needs no name server.
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.home / "state"),
            "LOG_LEVEL": "INFO",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # A runaway would fill the machine; what we start ourselves stays far below.
            "LAMBDA_ACCOUNT_CONCURRENCY": "64",
            "BATCHES_PER_MAPPING": str(self._batches_per_mapping),
            "LAMBDA_WARM_TTL_SECONDS": "60",
        }


def client(service: str, endpoint_url: str) -> Any:  # noqa: ANN401 - a generated class of boto3
    """Return a boto3 client of the emulator at an address, whatever the host's AWS settings are."""
    session = boto3.Session(
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the emulator asks for none
        region_name=REGION,
    )
    return session.client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint_url,
        config=Config(
            proxies={},
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        ),
    )


def check_port(port: int) -> None:
    """Raise `EmulatorError` when another program listens on a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise EmulatorError(
                f"port {port} cannot be used ({error.strerror}): "
                "choose another, e.g. `make run PORT=4570`"
            ) from None


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
