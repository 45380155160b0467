"""`/witness/...`: the doors of C2SP tlog-witness, of which the service's address with `/witness` is both prefixes.

Whoever has a checkpoint that its log signed may ask; there is no other authentication. A request waits for the disk
in a thread of its own, so that the log's acceptance never waits for it.
"""

import asyncio
import re
from typing import Final

from ledger_service.bodies import read_body
from ledger_service.errors import NotFound, ServiceError
from ledger_service.problems import (
    Receive,
    Scope,
    Send,
    encode_headers,
    method_not_allowed,
    send_answer,
    send_problem,
)
from ledger_service.witness.protocol import SIZE_MEDIA_TYPE, write_size
from ledger_service.witness.server import OtherSize, Witness

PREFIX: Final = "/witness/"
MAX_BODY_BYTES: Final = 64 << 10  # 63 hashes are 3 kB, a line of ML-DSA 3.3 kB

_TEXT_HEADERS: Final = encode_headers({"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"})
_SIZE_HEADERS: Final = encode_headers({"content-type": SIZE_MEDIA_TYPE, "cache-control": "no-store"})
_CHECKPOINT = re.compile("([0-9a-f]{64})/checkpoint", re.ASCII)


class WitnessRoutes:
    """The ASGI application of a witness.

    Args:
        witness: what answers; None where this service is no witness, and every path is missing.
    """

    def __init__(self, witness: Witness | None) -> None:
        self._witness = witness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = await self._answer(scope, receive)
        except OtherSize as error:
            await send_answer(send, error.status, _SIZE_HEADERS, write_size(error.size))
        except ServiceError as error:
            await send_problem(send, error)
        else:
            await send_answer(send, 200, _TEXT_HEADERS, body)

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        witness, path = self._witness, scope["path"].removeprefix(PREFIX)
        asked = _CHECKPOINT.fullmatch(path)
        if witness is None or (path != "add-checkpoint" and asked is None):
            raise NotFound("This service is no witness, or has no such path for one.", facts={"path": path[:256]})
        method, allowed = scope["method"], ("POST",) if asked is None else ("GET", "HEAD")
        if method not in allowed:
            raise method_not_allowed(method, *allowed)
        if asked is not None:
            return await asyncio.to_thread(witness.checkpoint, bytes.fromhex(asked[1]))
        declared = next((str(value, "latin-1") for name, value in scope["headers"] if name == b"content-length"), "")
        return await asyncio.to_thread(witness.add_checkpoint, await read_body(receive, declared, MAX_BODY_BYTES))
