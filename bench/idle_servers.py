"""Servers that close idle connections, and a wire that takes its time."""

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def idle_server(idle_seconds: float, one_way_seconds: float) -> Iterator[str]:
    """Where a server answers while the block runs that closes what was idle for so long.

    Idle is what comes after an answer. It says nothing of that. What it sends and gets takes
    `one_way_seconds` each way, the end of a connection too. Each request has to be in one piece.
    """
    with _listening(lambda sock: _serve(sock, idle_seconds)) as server:
        if not one_way_seconds:
            yield f"http://127.0.0.1:{server}/"
            return
        with _listening(lambda sock: _relay(sock, server, one_way_seconds)) as wire:
            yield f"http://127.0.0.1:{wire}/"


@contextmanager
def _listening(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=talk, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _serve(sock: socket.socket, idle_seconds: float) -> None:
    with sock, contextlib.suppress(OSError):
        while sock.recv(65536):
            sock.sendall(_ANSWER)
            sock.settimeout(idle_seconds)


def _relay(sock: socket.socket, port: int, one_way_seconds: float) -> None:
    there = socket.create_connection(("127.0.0.1", port))
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    back = threading.Thread(target=_carry, args=(there, sock, one_way_seconds), daemon=True)
    with sock, there:
        back.start()
        _carry(sock, there, one_way_seconds)
        back.join()


def _carry(source: socket.socket, target: socket.socket, seconds: float) -> None:
    """Whatever comes goes on so much later; so does the end, and it is both directions' then."""
    on_the_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def deliver() -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = on_the_way.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    break
                target.sendall(data)
        for end in (target, source):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    delivering = threading.Thread(target=deliver, daemon=True)
    delivering.start()
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            on_the_way.put((time.monotonic() + seconds, data))
    on_the_way.put((time.monotonic() + seconds, b""))
    delivering.join()
