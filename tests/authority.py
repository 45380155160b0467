"""A timestamp authority: OpenSSL's, behind a small HTTP server."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIG = """
[tsa]
default_tsa = default
[default]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
"""
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=stdin, check=True, capture_output=True).stdout


@dataclass
class Authority:
    """Answers as long as it is not told to answer something else."""

    folder: Path
    url: str = ""
    asked: list[bytes] = field(default_factory=list)
    instead: tuple[int, bytes] | None = None  # status and body
    digests: str = "sha256"

    @property
    def root(self) -> bytes:
        return (self.folder / "root.pem").read_bytes()

    def answer(self, query: bytes) -> tuple[int, bytes]:
        self.asked.append(query)
        if self.instead is not None:
            return self.instead
        (self.folder / "tsa.cnf").write_text(CONFIG.format(folder=self.folder, digests=self.digests))
        (self.folder / "query").write_bytes(query)
        files = ("-config", self.folder / "tsa.cnf", "-queryfile", self.folder / "query")
        openssl("ts", "-reply", *files, "-out", self.folder / "reply")
        return 200, (self.folder / "reply").read_bytes()


@contextmanager
def running(folder: Path) -> Iterator[Authority]:
    folder.mkdir()
    _make_keys(folder)
    authority = Authority(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            assert self.headers["content-type"] == "application/timestamp-query"
            status, body = authority.answer(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        authority.url = f"http://127.0.0.1:{server.server_port}/tsr"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield authority
        finally:
            server.shutdown()
            thread.join()


def _make_keys(folder: Path) -> None:
    root = ("-keyout", folder / "root.key", "-out", folder / "root.pem", "-subj", "/CN=root")
    openssl("req", "-x509", *NEW_KEY, *root, "-addext", "keyUsage=critical,keyCertSign")
    request = openssl("req", *NEW_KEY, "-keyout", folder / "signer.key", "-subj", "/CN=authority")
    (folder / "ext").write_text("extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n")
    issuer = ("-CA", folder / "root.pem", "-CAkey", folder / "root.key", "-set_serial", "2")
    signed = ("-extfile", folder / "ext", "-out", folder / "signer.pem")
    openssl("x509", "-req", *issuer, *signed, stdin=request)
    (folder / "serial").write_text("01")
