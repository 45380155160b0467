"""litewitness, a witness that nobody here wrote, on a loopback port, and the SSH agent that it signs by."""

import base64
import contextlib
import hashlib
import sqlite3
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anchors.merkle import EMPTY_ROOT
from anchors.notes import KeyType, Verifier

NAME = "witness.example/lite"
LIST, LISTED, SIGN, SIGNED = 11, 12, 13, 14  # of the SSH agent's protocol


@dataclass(frozen=True)
class Litewitness:
    """One that runs."""

    url: str
    verifier: Verifier
    database: Path

    def knows(self, log: Verifier) -> None:
        """Have it accept a log, by the rows that its own tool `witnessctl add-log`, `add-key` writes."""
        with contextlib.closing(sqlite3.connect(self.database)) as database, database:
            root = base64.b64encode(EMPTY_ROOT).decode()
            database.execute("INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)", (log.name, root))
            database.execute("INSERT INTO key (origin, key) VALUES (?, ?)", (log.name, log.vkey))


@contextlib.contextmanager
def running(program: Path, folder: Path, port: int, key: Ed25519PrivateKey) -> Iterator[Litewitness]:
    """Start it, on what it had in `folder` before if there is anything; kill it at the end."""
    folder.mkdir(exist_ok=True)
    database, address = folder / "lite.db", f"127.0.0.1:{port}"
    with agent(folder / "agent", key), (folder / "log").open("ab") as output:
        options = ("-name", NAME, "-db", database, "-ssh-agent", folder / "agent", "-listen", address)
        command = [program, *options, "-key", fingerprint(key)]
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            await_page(f"http://{address}/", process)
            verifier = Verifier(NAME, KeyType.COSIGNATURE_ED25519, key.public_key().public_bytes_raw())
            yield Litewitness(f"http://{address}", verifier, database)
        finally:
            process.kill()
            process.wait(20)


def await_page(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, "litewitness ended by itself"
            assert time.monotonic() < deadline, "litewitness does not answer"
            time.sleep(0.05)


@contextlib.contextmanager
def agent(path: Path, key: Ed25519PrivateKey) -> Iterator[None]:
    """An SSH agent that holds one key.

    Source: draft-ietf-sshm-ssh-agent, 3.5 and 3.6.
    """
    path.unlink(missing_ok=True)

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            while head := self.rfile.read(4):
                message = self.rfile.read(int.from_bytes(head, "big"))
                if message[0] == LIST:
                    answer = bytes((LISTED,)) + struct.pack(">I", 1) + text(public_blob(key)) + text(b"")
                else:
                    assert message[0] == SIGN
                    rest = message[1:]
                    _, rest = split(rest)
                    data, _ = split(rest)
                    answer = bytes((SIGNED,)) + text(text(b"ssh-ed25519") + text(key.sign(data)))
                self.wfile.write(text(answer))

    with ThreadingUnixStreamServer(str(path), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def public_blob(key: Ed25519PrivateKey) -> bytes:
    return text(b"ssh-ed25519") + text(key.public_key().public_bytes_raw())


def fingerprint(key: Ed25519PrivateKey) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_blob(key)).digest()).decode().rstrip("=")


def text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def split(data: bytes) -> tuple[bytes, bytes]:
    end = 4 + int.from_bytes(data[:4], "big")
    return data[4:end], data[end:]
