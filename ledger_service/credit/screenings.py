"""Screenings: many companies looked up at once, and the answer logged, so that later it can be shown what was told.

Promises that an answer is in the member's log before it is given, as evidence of the kind `screening`. Document and
salt are with whoever asked and nowhere else; what stays here says which records were given, so that a withdrawal is
told to whoever was given one. What is told is left to `screening_results`, what was given to `screening_queries`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO

import orjson
from sqlalchemy import delete
from sqlmodel import Session, col, select
from starlette.concurrency import run_in_threadpool

from anchors.commitment import Kind, Statement, commit, digest_document
from ledger_service.credit.certificates import Certificates
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.screening_queries import given
from ledger_service.credit.screening_results import Document, Question, canonical, draw_up
from ledger_service.credit.screening_tables import Screening, ScreeningHit
from ledger_service.errors import Exit, IdempotencyMismatch, ServiceError, Unavailable
from ledger_service.index.asof import Moment, moment
from ledger_service.index.tables import Block
from ledger_service.log.api_keys import ApiKey
from ledger_service.log.writer import LogWriter

__all__ = ["Screened", "Screenings", "StillScreening", "given"]


class StillScreening(ServiceError):
    """The first request with this Idempotency-Key has no answer yet."""

    problem, title, status, exit_code = "still-screening", "Not answered yet", 409, Exit.UNREACHABLE


@dataclass(frozen=True, slots=True)
class Screened:
    """An answer that is logged."""

    id: str
    body: bytes  # RFC 8785 JSON


@dataclass(frozen=True, slots=True)
class _Repeatable:
    """A request that may come again. Its Idempotency-Key is not kept, and without it nobody makes the salt again."""

    key_id: str
    idempotency_key: str

    @property
    def name(self) -> bytes:
        return hashlib.sha256(f"{self.key_id}\n{self.idempotency_key}".encode()).digest()

    def salt(self, seed: bytes) -> bytes:
        return hmac.digest(seed, self.idempotency_key.encode(), "sha256")


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer that is not logged yet."""

    id: str
    document: Document
    statement: Statement
    commitment: bytes

    @classmethod
    def of(cls, id: str, document: Document, salt: bytes) -> "_Answer":
        digests = digest_document(BytesIO(document.content))
        stated = Statement.of(digests, kind=Kind.SCREENING, tender=None, party=None)
        statement = replace(stated, salt=salt)
        return cls(id, document, statement, commit(statement))

    def body(self, receipts: bytes) -> bytes:
        """The answer in its canonical form, of which `result` is the document as it is."""
        (receipt,) = orjson.loads(receipts)["receipts"]
        return b'{"certificate":%b,"commitment":%b,"receipt":%b,"result":%b,"statement":%b}' % (
            self.document.certificate or b"null",
            canonical(f"0x{self.commitment.hex()}"),
            canonical(receipt),
            self.document.content,
            canonical(self.statement.to_json()),
        )


class Screenings:
    """Makes screenings.

    Args:
        ground: the alliance, and the database with the index.
        writer: of the member's log; the one process that runs it makes the screenings.
        certificates: makes the certificates that are asked for.
    """

    def __init__(self, ground: CreditGround, writer: LogWriter, certificates: Certificates) -> None:
        self.engine = ground.engine
        self._ground = ground
        self._writer = writer
        self._certificates = certificates
        self._busy: set[bytes] = set()  # names of requests without an answer

    async def screen(self, key: ApiKey, question: Question, idempotency_key: str | None) -> Screened:
        """Look all up, log what is told, and answer.

        Args:
            key: who asks; it takes one slot of its quota.
            question: about whom.
            idempotency_key: under which the same request may come again. It is answered alike as long as what was
                told can be told again: the chain has kept the block, and for a certificate the node its state.

        Raises:
            IdempotencyMismatch: that key came with another request, or what was told cannot be told again.
            StillScreening: the first request with that key has no answer yet.
            ServiceError: what `draw_up`, the index and the log's writer raise; nothing was told then.
        """
        if idempotency_key is None:
            once = await run_in_threadpool(self._new, key, question, None)
            return await self._logged(key, once, None, new=True)
        repeatable = _Repeatable(key.id, idempotency_key)
        with self._alone(repeatable.name):
            again = await run_in_threadpool(self._again, question, repeatable)
            answer = again if again is not None else await run_in_threadpool(self._new, key, question, repeatable)
            return await self._logged(key, answer, f"screening {answer.id}", new=again is None)

    @contextmanager
    def _alone(self, name: bytes) -> Iterator[None]:
        if name in self._busy:
            raise StillScreening("The first request with this Idempotency-Key has no answer yet.", retry_after=1)
        self._busy.add(name)
        try:
            yield
        finally:
            self._busy.remove(name)

    async def _logged(self, key: ApiKey, answer: _Answer, log_key: str | None, *, new: bool) -> Screened:
        """The answer with its receipt; `log_key` has a space in it, so that no request to the log can have it."""
        try:
            accepted = await self._writer.accept([answer.commitment], key.id, key.quota, log_key)
        except ServiceError:
            if new:
                await run_in_threadpool(self._forget, answer.id)
            raise
        return Screened(answer.id, answer.body(accepted.to_json()))

    # In threads of their own

    def _new(self, key: ApiKey, question: Question, repeatable: _Repeatable | None) -> _Answer:
        """Tell, and keep what is given before it is: whom to tell of a withdrawal is known after any crash."""
        seed, id = secrets.token_bytes(32), secrets.token_hex(16)
        with Session(self.engine) as session:
            at = self._moment(session, question)
            document = draw_up(session, self._ground, self._certificates, id, at, question)
        salt = repeatable.salt(seed) if repeatable else secrets.token_bytes(32)
        row = _row(id, key, at, question, document)
        if repeatable:
            row.name, row.seed = repeatable.name, seed
        with ThreadPoolExecutor(1) as hashing:  # megabytes, while thousands of names are written
            answer = hashing.submit(_Answer.of, id, document, salt)
            self._keep(row, document.records, answer)
        return answer.result()

    def _moment(self, session: Session, question: Question) -> Moment:
        if not question.certificate:
            return moment(session, None, self._ground.clock())
        number = self._certificates.final_block()
        block = session.get(Block, number)
        if block is None:
            raise Unavailable("The chain turned meanwhile; ask again.", retry_after=1)
        return Moment(number, block.timestamp, past=True)

    def _again(self, question: Question, repeatable: _Repeatable) -> _Answer | None:
        """What was told to this request before, told again from the chain's past; None to a new one."""
        with Session(self.engine) as session:
            row = session.exec(select(Screening).where(Screening.name == repeatable.name)).first()
            if row is None:
                return None
            changed = IdempotencyMismatch(
                "The Idempotency-Key came before with another request, or what was told then cannot be told again, "
                "since the chain turned; take a new key."
            )
            if session.get(Block, row.block) is None:
                raise changed
            at = Moment(row.block, row.time, past=True)
            document = draw_up(session, self._ground, self._certificates, row.id, at, question)
            answer = _Answer.of(row.id, document, repeatable.salt(row.seed or b""))
            if answer.commitment != row.commitment:
                raise changed
            return answer

    def _keep(self, row: Screening, records: Sequence[bytes], answer: Future[_Answer]) -> None:
        with Session(self.engine) as session:
            session.add(row)
            session.flush()
            if records:
                # By the driver itself, in the order of the key: half the time for thousands of rows.
                mark = "?" if session.connection().dialect.paramstyle == "qmark" else "%s"
                statement = f"INSERT INTO {ScreeningHit.__tablename__} (screening, record) VALUES ({mark}, {mark})"  # noqa: S608
                hits = [(row.number, record) for record in sorted(records)]
                session.connection().exec_driver_sql(statement, hits)
            row.commitment = answer.result().commitment
            session.commit()

    def _forget(self, id: str) -> None:
        with Session(self.engine) as session:
            number = session.exec(select(Screening.number).where(Screening.id == id)).one()
            session.execute(delete(ScreeningHit).where(col(ScreeningHit.screening) == number))
            session.execute(delete(Screening).where(col(Screening.number) == number))
            session.commit()


def _row(id: str, key: ApiKey, at: Moment, question: Question, document: Document) -> Screening:
    """What is kept; the commitment is not known yet."""
    certificate = document.certificate
    return Screening(
        id=id,
        api_key=key.id,
        block=at.block,
        time=at.time,
        recognized_by=question.recognized_by,
        subjects=len(question.rows),
        hits=document.counts.get("hit", 0),
        clear=document.counts.get("clear", 0),
        invalid=document.counts.get("invalid", 0),
        records=len(document.records),
        certificate=hashlib.sha256(certificate).digest() if certificate else None,
        commitment=b"",
    )
