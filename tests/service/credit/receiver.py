"""Whoever is told by webhooks: a real HTTP server that keeps what it gets and answers as a test says."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import orjson

Answers: TypeAlias = Callable[[int], tuple[int, dict[str, str]]]  # of the number of the request, from 0


@dataclass
class Request:
    """One message that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        return dict(orjson.loads(self.body))


@dataclass
class Receiver:
    """The server, and what it got."""

    url: str
    requests: list[Request] = field(default_factory=list)
    answer: Answers = lambda _number: (204, {})
    before: Callable[[], None] = lambda: None  # is done before it answers

    @property
    def types(self) -> list[str]:
        return [one.message["type"] for one in self.requests]


@contextmanager
def receiving(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            number = len(receiver.requests)
            receiver.requests.append(Request(self.path, headers, body))
            receiver.before()
            status, fields = receiver.answer(number)
            self.send_response(status)
            for name, value in {"content-length": "0", **fields}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A sender that is killed breaks its connection."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(f"{'http' if tls is None else 'https'}://{host}:{server.server_port}/told?by=webhook")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


SENDER = Path(__file__).parent / "webhook_sender.py"
