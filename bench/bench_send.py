"""CPU time per request of `HttpSender`, beside the floors of the design, in one run.

A body of 1 kB goes to a server in another process over a kept connection (floor: plain
`requests.Session().post`) and over a new TLS connection each time (floor: urllib3 with one shared
SSLContext). Rounds are interleaved and the medians compared: the ratios are the result.

    python bench/bench_send.py [--rounds 9] [--requests 400]
"""

import argparse
import multiprocessing
import socket
import ssl
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import requests
import trustme
import urllib3

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from perkwire.adapters.sender.http import HttpSender
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.sending import Request, Response

BODY = b"x" * 1024
HEADERS = {
    "Content-Type": "application/json",
    "webhook-id": "dlv_01JABCDEFGHJKMNPQRSTVWXYZ0",
    "webhook-timestamp": "1700000000",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
}
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: 15\r\n%b\r\n" + b'{"status":"ok"}'
)
GOALS = {"kept, http": 1.3, "kept, https": 1.3, "new, https": 1.4}


def serve(started: Connection, certificate: str) -> None:
    """Answer every request, for ever: plain, TLS, and TLS with one request per connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    ports = []
    for tls, extra in ((None, b""), (context, b""), (context, b"Connection: close\r\n")):
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        ports.append(listener.getsockname()[1])
        threading.Thread(target=accept, args=(listener, tls, ANSWER % extra)).start()
    started.send(ports)


def accept(listener: socket.socket, tls: ssl.SSLContext | None, answer: bytes) -> None:
    """Serve each connection in a thread of its own."""
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=talk, args=(connection, tls, answer), daemon=True).start()


def talk(connection: socket.socket, tls: ssl.SSLContext | None, answer: bytes) -> None:
    """Answer the requests of one connection: each ends with the body."""
    if tls:
        connection = tls.wrap_socket(connection, server_side=True)
    with connection:
        received = b""
        while part := connection.recv(65536):
            received += part
            if received.endswith(BODY):
                received = b""
                connection.sendall(answer)
                if b"Connection: close" in answer:
                    return


def variants(ports: list[int], ca_file: str) -> dict[str, tuple[Callable[[], None], ...]]:
    """For each case, ours and the floor, each sending one request per call."""
    sender = HttpSender(timeout_seconds=10, policy=EndpointPolicy.LOCAL, ca_file=ca_file)
    session = requests.Session()
    pools = urllib3.PoolManager(ssl_context=ssl.create_default_context(cafile=ca_file))

    def ours(url: str) -> Callable[[], None]:
        request = Request(url, BODY, HEADERS)

        def call() -> None:
            answer = sender.send(request)
            if not isinstance(answer, Response) or answer.status != 200:
                raise SystemExit(f"no answer: {answer}")

        return call

    def plain(url: str) -> Callable[[], None]:
        def call() -> None:
            session.post(url, data=BODY, headers=HEADERS, timeout=10, verify=ca_file).content  # noqa: B018

        return call

    def pooled(url: str) -> Callable[[], None]:
        def call() -> None:
            pools.request("POST", url, body=BODY, headers=HEADERS, timeout=10, retries=False)

        return call

    http, https, closing = (
        f"{scheme}://localhost:{port}/hook?v=1"
        for scheme, port in zip(("http", "https", "https"), ports, strict=True)
    )
    return {
        "kept, http": (ours(http), plain(http)),
        "kept, https": (ours(https), plain(https)),
        "new, https": (ours(closing), pooled(closing)),
    }


def cpu_microseconds(call: Callable[[], None], times: int) -> float:
    """CPU time of this process per call, all threads, user and system."""
    before = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - before) / times * 1e6


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="CPU per request, HttpSender beside its floors")
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--requests", type=int, default=400)
    chosen = options.parse_args()
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    with tempfile.TemporaryDirectory() as directory:
        ca_file, certificate = Path(directory, "ca.pem"), Path(directory, "server.pem")
        authority.cert_pem.write_to_path(ca_file)
        issued = authority.issue_cert("localhost", key_type=trustme.KeyType.ECDSA)
        issued.private_key_and_cert_chain_pem.write_to_path(certificate)
        started, child = multiprocessing.Pipe()
        server = multiprocessing.Process(target=serve, args=(child, str(certificate)), daemon=True)
        server.start()
        cases = variants(started.recv(), str(ca_file))
        times: dict[tuple[str, int], list[float]] = {}
        for _ in range(chosen.rounds):
            for name, calls in cases.items():
                for position, call in enumerate(calls):
                    call()
                    figure = cpu_microseconds(call, chosen.requests)
                    times.setdefault((name, position), []).append(figure)
        server.kill()
    lines = [f"{'CPU per request':<16} {'ours us':>8} {'floor us':>9} {'ratio':>6} {'goal':>5}"]
    for name in cases:
        ours, floor = (statistics.median(times[name, position]) for position in (0, 1))
        figures = f"{ours:8.0f} {floor:9.0f} {ours / floor:6.2f} {GOALS[name]:5.1f}"
        lines.append(f"{name:<16} {figures}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
