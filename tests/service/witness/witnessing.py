"""Members with logs, and the witness of one of them, for tests: its application, or its server to be killed."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from founding import Tree
from sqlalchemy import Engine
from sqlmodel import SQLModel

from anchors.network import FORMAT, LogKey, Member, Network
from anchors.notes import Checkpoint, KeyType, SignatureLine, SignedNote, Signer, Verifier, sign_checkpoint
from ledger_service.database import open_engine
from ledger_service.witness.protocol import Submission
from ledger_service.witness.routes import WitnessRoutes
from ledger_service.witness.server import Witness, witness_name, witness_signers

CODES = ("chongqing", "sichuan", "guizhou", "yunnan")
WITNESS = 2
SECRET = sha256(b"witness").digest()
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class MemberLog:
    """The log of a member, be it honest or not."""

    def __init__(self, code: str, generation: int = 0, *, key: str = "", leaves: bytes = b"") -> None:
        self.origin = f"west.example/31337/{code}/{generation}"
        self.signer = Signer(self.origin, KeyType.ED25519, sha256((self.origin + key).encode()).digest())
        self.tree = Tree(leaves or code.encode())

    def checkpoint(self, size: int) -> SignedNote:
        return sign_checkpoint(Checkpoint(self.origin, size, self.tree.root(size)), self.signer)

    def submission(self, old: int, size: int) -> Submission:
        proof = tuple(self.tree.consistency(old, size)) if old < size else ()
        return Submission(old, proof, self.checkpoint(size))


GUIZHOU = MemberLog("guizhou").signer.verifier  # the key of the log that a test has witnessed


def network(**log_keys: tuple[LogKey, ...]) -> Network:
    """An alliance; each member has one key for all sizes where nothing else is said."""
    members = [
        Member(number, code, code, log_keys.get(code, (LogKey(0, MemberLog(code).signer.verifier.vkey, 0, None),)), ())
        for number, code in enumerate(CODES, start=1)
    ]
    return Network(
        format=FORMAT,
        alliance="west",
        domain="west.example",
        version=1,
        chain_id=31337,
        genesis_hash=bytes(32),
        consensus="development",
        validators=(),
        contracts=(),
        members=tuple(members),
        governors=(),
        threshold=3,
        signatures=(),
    )


def verifiers() -> tuple[Verifier, ...]:
    """The keys of the witness."""
    name = witness_name(network(), network().member(WITNESS))
    return tuple(signer.verifier for signer in witness_signers(name, SECRET))


def witness_app(engine: Engine, alliance: Network) -> WitnessRoutes:
    """The application of the second member's witness."""
    me = alliance.member(WITNESS)
    signers = witness_signers(witness_name(alliance, me), SECRET)
    return WitnessRoutes(Witness(engine, alliance, me, signers, lambda: NOW))


class Asked:
    """A witness's application, asked over HTTP."""

    def __init__(self, app: WitnessRoutes) -> None:
        self._app = app

    def ask(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://witness.example") as client:
                return await client.request(method, f"/witness/{path}", content=body)

        return asyncio.run(once())

    def add(self, body: Submission | bytes) -> httpx.Response:
        content = body.encode() if isinstance(body, Submission) else body
        return self.ask("POST", "add-checkpoint", content)


def cosigned(answer: httpx.Response, note: SignedNote) -> dict[KeyType, int | None]:
    """Prove that an answer is nothing but the witness's cosignatures of a note; when each was made."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8"), answer.text
    lines = [SignatureLine.parse(line) for line in answer.text.removesuffix("\n").split("\n")]
    proven = SignedNote(note.text, tuple(lines)).verify(verifiers())
    assert len(proven) == len(lines)
    return {one.verifier.type: one.time for one in proven}


@contextmanager
def engine_at(path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{path}")
    SQLModel.metadata.create_all(engine)
    yield engine
    engine.dispose()


def serve(config: dict[str, Any]) -> None:
    """Serve a witness until killed; what is printed first is the port."""
    import socket  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415

    with engine_at(Path(config["database"])) as engine:
        listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        print(listening.getsockname()[1], flush=True)
        app = witness_app(engine, network())
        settings = uvicorn.Config(app, http="httptools", lifespan="off", log_level="warning", access_log=False)
        asyncio.run(uvicorn.Server(settings).serve([listening]))


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
