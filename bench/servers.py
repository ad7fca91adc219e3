"""HTTP servers in processes of their own, so that their CPU time is not the caller's."""

import multiprocessing
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

type Answering = Callable[[bytes, bytes], bytes]
"""A request's head and body in, the whole answer out."""


@contextmanager
def running(answering: Answering) -> Iterator[str]:
    """Where a server answers while the block runs, `http://127.0.0.1:` and its port."""
    started, child = multiprocessing.Pipe()
    server = multiprocessing.Process(target=_serve, args=(child, answering), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{started.recv()}"
    finally:
        server.kill()
        server.join()


def answer(body: bytes, content_type: str = "application/json") -> bytes:
    """A 200 with this body."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _serve(started: Connection, answering: Answering) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    started.send(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_talk, args=(connection, answering), daemon=True).start()


def _talk(connection: socket.socket, answering: Answering) -> None:
    """Answer the requests of one connection; each says the length of its body."""
    received = b""
    with connection:
        while part := connection.recv(65536):
            received += part
            head, end, body = received.partition(b"\r\n\r\n")
            if end and len(body) >= _length(head):
                received = b""
                connection.sendall(answering(head, body))


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0] or 0)
