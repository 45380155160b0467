"""Dishonest nodes: one that answers as a test likes, and a proxy that changes a real one's answers on the way back."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from anchors.chain import rlp
from anchors.chain.header import DEVELOPMENT, header_of_block
from anchors.chain.keccak import keccak256
from anchors.chain.receipts import receipts_trie
from ledger_service.chain.rpc import Rpc


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """The address of a server that answers every POST's content by `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class Refusal:
    """What `tamper` gives for an error instead of a result."""

    message: str


Tamper = Callable[[str, list[Any], Any], Any]  # (method, parameters, true result) -> what is answered


class Liar:
    """Answers for a node; honest while `tamper` is None."""

    def __init__(self, honest: Rpc) -> None:
        self.honest = honest
        self.tamper: Tamper | None = None
        self.url = ""

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        method, parameters = request["method"], request["params"]
        body = {"jsonrpc": "2.0", "id": request["id"], "method": method, "params": parameters}
        answer: Any = self.honest._post(body)
        if self.tamper is not None and "result" in answer:
            result = self.tamper(method, parameters, answer.pop("result"))
            if isinstance(result, Refusal):
                answer["error"] = {"code": -32000, "message": result.message}
            else:
                answer["result"] = result
        return dict(answer)


@contextmanager
def lying(honest: Rpc) -> Iterator[Liar]:
    """A proxy before `honest` on a port of its own."""
    liar = Liar(honest)

    def answer(content: bytes) -> bytes:
        asked = json.loads(content)
        said = [liar.answer(one) for one in asked] if isinstance(asked, list) else liar.answer(asked)
        return json.dumps(said).encode()

    with answering(answer) as liar.url:
        yield liar


def change_receipts(number: int, change: Callable[[list[dict[str, Any]]], None]) -> Tamper:
    """Change the receipts of one block, however they are asked for; a receipt that `change` removes becomes null."""

    def tamper(method: str, _parameters: list[Any], result: Any) -> Any:
        if method == "eth_getBlockReceipts" and result and int(result[0]["blockNumber"], 16) == number:
            change(result)
        if method == "eth_getTransactionReceipt" and result and int(result["blockNumber"], 16) == number:
            alone = [result]
            change(alone)
            return alone[0] if alone else None
        return result

    return tamper


class Forger:
    """Rewrites history from a block on, hashes and all, as a node can whose headers nobody seals.

    The state roots stay true: to forge those it would have to run another chain.
    """

    def __init__(self, honest: Rpc, number: int, change: Callable[[list[dict[str, Any]]], None]) -> None:
        self._honest = honest
        self._number = number
        self._change = change
        self._blocks: dict[int, dict[str, Any]] = {}

    def __call__(self, method: str, parameters: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber" and result and int(result["number"], 16) >= self._number:
            return self._forged(int(result["number"], 16))
        return change_receipts(self._number, self._change)(method, parameters, result)

    def _forged(self, number: int) -> dict[str, Any]:
        if number not in self._blocks:
            block: Any = self._honest.call("eth_getBlockByNumber", hex(number), False)
            fields = list(rlp.decode_list(header_of_block(block, DEVELOPMENT).raw))
            if number == self._number:
                receipts = [self._honest.call("eth_getTransactionReceipt", one) for one in block["transactions"]]
                self._change(receipts)  # type: ignore[arg-type]
                fields[5] = receipts_trie(receipts).root  # type: ignore[arg-type]
            else:
                fields[0] = bytes.fromhex(self._forged(number - 1)["hash"][2:])
            block |= {"parentHash": _hex(fields[0]), "receiptsRoot": _hex(fields[5])}
            block["hash"] = "0x" + keccak256(rlp.encode(fields)).hex()
            self._blocks[number] = block
        return self._blocks[number]


def _hex(field: rlp.Item) -> str:
    assert isinstance(field, bytes)
    return "0x" + field.hex()
