"""The server's side of TLS, taken over after an honest handshake: it seals records of its own.

OpenSSL would not send what they hold. TLS 1.2 is spoken with AES128-GCM only (`tls12`).
"""

import hashlib
import hmac
import os
import socket
import ssl
import struct
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HANDSHAKE = 22
DATA = 23
HELLO_REQUEST = bytes(4)
HELLO_REQUEST_RECORD = b"\x16\x03\x03\x00\x04" + HELLO_REQUEST
KEY_UPDATE = b"\x18\x00\x00\x01\x01"  # it asks for one in return
_TICKET = struct.pack(">II", 3600, 1) + b"\0" + b"\0\1x" + b"\0\0"
NEW_SESSION_TICKET = b"\4" + len(_TICKET).to_bytes(3) + _TICKET


def tls12(issued: trustme.LeafCert, keys: Path) -> ssl.SSLContext:
    context = _server(issued, keys)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:!AES256")
    return context


def tls13(issued: trustme.LeafCert, keys: Path) -> ssl.SSLContext:
    context = _server(issued, keys)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    return context


def _server(issued: trustme.LeafCert, keys: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    context.keylog_filename = str(keys)
    return context


class TakenOver:
    """A connection to one client, after the handshake."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        first_sent = self._shake_hands()
        keys = _last_secrets(Path(context.keylog_filename).read_text())
        cipher, version, _ = self._tls.cipher() or ("", "", 0)
        self._is_tls13 = version == "TLSv1.3"
        self._hash = hashlib.sha384 if cipher.endswith("384") else hashlib.sha256
        if self._is_tls13:
            self._sequence = 0
            self._use(keys["SERVER_TRAFFIC_SECRET_0"][1])
        else:
            self._sequence = 1  # after its Finished
            client_random, master = keys["CLIENT_RANDOM"]
            server_random = first_sent[11:43]
            block = _prf(master, b"key expansion" + server_random + client_random, 40)
            self._aead, self._iv = AESGCM(block[16:32]), block[36:40]

    def read(self) -> bytes:
        """What the client sends, in the clear: a record of it, b"" at the end."""
        while True:
            try:
                return self._tls.read(65536)
            except ssl.SSLWantReadError:
                received = self._sock.recv(65536)
                self._incoming.write(received) if received else self._incoming.write_eof()

    def seal(self, kind: int, content: bytes) -> bytes:
        """The next record."""
        sequence = self._sequence.to_bytes(8)
        self._sequence += 1
        if self._is_tls13:
            head = b"\x17\x03\x03" + (len(content) + 17).to_bytes(2)
            nonce = bytes(a ^ b for a, b in zip(self._iv, bytes(4) + sequence, strict=True))
            return head + self._aead.encrypt(nonce, content + bytes([kind]), head)
        head = bytes([kind]) + b"\3\3"
        explicit = os.urandom(8)
        sealed = self._aead.encrypt(
            self._iv + explicit, content, sequence + head + len(content).to_bytes(2)
        )
        return head + (8 + len(sealed)).to_bytes(2) + explicit + sealed

    def seal_key_update(self) -> bytes:
        """A key update; what is sealed after it is so under the next key."""
        record = self.seal(HANDSHAKE, KEY_UPDATE)
        self._use(self._expand(self._secret, b"traffic upd", self._hash().digest_size))
        self._sequence = 0
        return record

    def _use(self, secret: bytes) -> None:
        self._secret = secret
        key_bytes = 32 if self._hash is hashlib.sha384 else 16
        self._aead = AESGCM(self._expand(secret, b"key", key_bytes))
        self._iv = self._expand(secret, b"iv", 12)

    def _expand(self, secret: bytes, label: bytes, length: int) -> bytes:
        label = b"tls13 " + label
        info = length.to_bytes(2) + bytes([len(label)]) + label + b"\0"
        return hmac.digest(secret, info + b"\1", self._hash)[:length]

    def _shake_hands(self) -> bytes:
        sent = b""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                done = False
            else:
                done = True
            sending = self._outgoing.read()
            self._sock.sendall(sending)
            sent += sending
            if done:
                return sent
            self._incoming.write(self._sock.recv(65536))


def _last_secrets(log: str) -> dict[str, tuple[bytes, bytes]]:
    """By label, the client's random bytes and the secret; what a log holds last counts."""
    lines = [line.split() for line in log.splitlines() if not line.startswith("#")]
    return {
        label: (bytes.fromhex(client_random), bytes.fromhex(secret))
        for label, client_random, secret in lines
    }


def _prf(secret: bytes, seed: bytes, length: int) -> bytes:
    output, a = b"", seed
    while len(output) < length:
        a = hmac.digest(secret, a, "sha256")
        output += hmac.digest(secret, a + seed, "sha256")
    return output[:length]
