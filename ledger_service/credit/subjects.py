"""`GET /v1/subjects/{subject}`: what applies to a company, or applied, to whom and why.

A bare ASGI application, since every trading centre asks it of every bidder; the service's main application describes it
and hands it over. What stands now is read by one statement, so that it is of one block, and choices once a block.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson
from sqlalchemy import Engine, bindparam, select
from sqlmodel import Session

from anchors.errors import AnchorsError, BadSubject
from anchors.subjects import Subject
from ledger_service.credit.answers import SubjectOut
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.queries import BLOCK, EVENT, HAPPENED, happened, member_of, refusals
from ledger_service.credit.standing import Happened, Refusals, Teller, courses
from ledger_service.errors import InvalidContent, NotFound, ServiceError
from ledger_service.index.asof import AS_OF_PATTERN, Moment, moment
from ledger_service.openapi import PROBLEM_RESPONSE
from ledger_service.pages import entity_tag, is_known
from ledger_service.problems import (
    Receive,
    Scope,
    Send,
    encode_headers,
    method_not_allowed,
    send_answer,
    send_problem,
)
from ledger_service.refusals import Refused

__all__ = ["DESCRIPTION", "PREFIX", "SCHEMAS", "SubjectEndpoint"]

PREFIX: Final = "/v1/subjects/"

_METHODS: Final = ("GET", "HEAD")
_MAX_TOGETHER: Final = 32
_JSON: Final = (b"content-type", b"application/json")
_BOOLEANS: Final = {"true": True, "false": False}

_LAST: Final = select(BLOCK.c.number, BLOCK.c.timestamp, BLOCK.c.hash).order_by(BLOCK.c.number.desc()).limit(1)
_AT: Final = _LAST.subquery("at")
_OF: Final = BLOCK.alias("of")
# The last block, and beside it all that happened to one subject: a row of nothing where nothing did.
_NOW: Final = select(
    *_AT.c, *(_OF.c.timestamp if column is BLOCK.c.timestamp else column for column in HAPPENED)
).select_from(
    _AT.outerjoin(EVENT, EVENT.c.subject == bindparam("subject")).outerjoin(_OF, _OF.c.number == EVENT.c.block_number)
)

_Read: TypeAlias = tuple[Moment, list[Happened], Refusals]


@dataclass(frozen=True, slots=True)
class _Question:
    subject: Subject
    as_of: str | None
    recognized_by: str | None
    ended: bool


_Waiting: TypeAlias = tuple[_Question, "Future[bytes]"]


class SubjectEndpoint:
    """The ASGI application of the one route, whose scope has the path below PREFIX.

    Args:
        ground: the database, and the alliance.
    """

    def __init__(self, ground: CreditGround) -> None:
        self._ground = ground
        self._teller = Teller(ground.network.members)
        self._reader = _Reader(ground.engine)
        self._desk = _Desk(self._answer)
        self._refusals: tuple[bytes, Refusals] = (b"", Refusals())
        """The hash of the block up to which they were read, and they."""

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request: 200 with the records, 304 when the asker has them, or a problem document."""
        try:
            if scope["method"] not in _METHODS:
                raise method_not_allowed(scope["method"], *_METHODS)
            body = await self._desk.ask(_question(scope))
        except ServiceError as error:
            await send_problem(send, error)
            return
        await _send_cached(scope, send, body)

    def _answer(self, question: _Question) -> bytes:
        subject, code = question.subject, question.recognized_by
        recognized_by = None if code is None else member_of(self._teller, code, "/query/recognized_by")
        when, found, against = self._now(subject) if question.as_of is None else self._then(subject, question.as_of)
        return orjson.dumps(
            {
                "subject": str(subject),
                "as_of": {"block": when.block, "time": when.time},
                "recognized_by": code,
                "count": len(found),
                "records": self._teller.records(
                    courses(found).values(), when.time, against, recognized_by, question.ended
                ),
            }
        )

    def _now(self, subject: Subject) -> _Read:
        while True:
            rows = self._reader.now(subject.key)
            now = self._ground.clock()
            if not rows:
                with Session(self._ground.engine) as session:
                    moment(session, None, now)  # raises what says that no block is followed yet
                continue
            number, timestamp, block_hash, *_ = rows[0]
            against = self._refusals_at(number, block_hash)
            if against is not None:
                when = Moment(number, max(timestamp, int(now.timestamp())), past=False)
                return when, [Happened._make(row[3:]) for row in rows if row[3] is not None], against

    def _then(self, subject: Subject, as_of: str) -> _Read:
        with Session(self._ground.engine) as session:
            when = moment(session, as_of, self._ground.clock())
            return when, list(happened(session, [subject.key], when.block)), refusals(session, when.block)

    def _refusals_at(self, number: int, block_hash: bytes) -> Refusals | None:
        """As of the last block; None when the chain has turned meanwhile."""
        known, against = self._refusals
        if known != block_hash:
            with Session(self._ground.engine) as session:
                against = refusals(session, number)
                if session.scalar(select(BLOCK.c.hash).where(BLOCK.c.number == number)) != block_hash:
                    return None
            self._refusals = block_hash, against
        return against


class _Desk:
    """Has questions answered in one thread, those together that came while it was busy: to hand one over and back
    costs more than the answer, and an answer may have to wait for the disk, which the event loop must not."""

    def __init__(self, answer: Callable[[_Question], bytes]) -> None:
        self._answer = answer
        self._thread = ThreadPoolExecutor(1, "credit-subjects")
        self._waiting: deque[_Waiting] = deque()
        self._busy = False

    async def ask(self, question: _Question) -> bytes:
        """The answer; raises what answering raises."""
        loop = get_running_loop()
        future: Future[bytes] = loop.create_future()
        self._waiting.append((question, future))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._hand_over, loop)  # with whatever else has come by then
        return await future

    def _hand_over(self, loop: AbstractEventLoop) -> None:
        some = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MAX_TOGETHER))]
        self._busy = bool(some)
        if some:
            self._thread.submit(self._work, loop, some)

    def _work(self, loop: AbstractEventLoop, some: list[_Waiting]) -> None:
        outcomes: list[tuple[Future[bytes], bytes | Exception]] = []
        for question, future in some:
            try:
                outcomes.append((future, self._answer(question)))
            except Exception as error:  # noqa: BLE001  # whoever asked is told
                outcomes.append((future, error))
        loop.call_soon_threadsafe(self._hand_back, loop, outcomes)

    def _hand_back(self, loop: AbstractEventLoop, outcomes: list[tuple[Future[bytes], bytes | Exception]]) -> None:
        for future, outcome in outcomes:
            if future.done():
                continue  # the asker is gone
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        self._hand_over(loop)


class _Reader:
    """Reads what stands now, for one thread: past SQLAlchemy over a connection of its own where the driver takes
    positions, as SQLite's does, which makes it three times as fast."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._compiled = _NOW.compile(engine)
        self._cursor: Any = None

    def now(self, key: bytes) -> Sequence[Sequence[Any]]:
        """The rows of _NOW."""
        names = self._compiled.positiontup
        if names is None:
            with self._engine.connect() as connection:
                return connection.execute(_NOW, {"subject": key}).all()
        if self._cursor is None:
            own = self._engine.raw_connection()
            own.detach()  # it is no more of the pool's, which others need
            self._cursor = own.cursor()
        given = {**self._compiled.params, "subject": key}
        self._cursor.execute(self._compiled.string, [given[name] for name in names])
        rows: list[tuple[Any, ...]] = self._cursor.fetchall()
        return rows


def _question(scope: Scope) -> _Question:
    query = scope["query_string"].decode("latin-1")
    given = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
    ended = _BOOLEANS.get(given.get("ended", "false"))
    if ended is None:
        raise InvalidContent("ended is neither true nor false.", facts={"pointer": "/query/ended"})
    return _Question(_subject(scope), given.get("as_of"), given.get("recognized_by"), ended)


async def _send_cached(scope: Scope, send: Send, body: bytes) -> None:
    """As `ledger_service.pages.cached` answers."""
    etag = entity_tag(body)
    fields = encode_headers({"etag": etag, "cache-control": "no-cache"})
    known = ",".join(str(value, "latin-1") for name, value in scope["headers"] if name == b"if-none-match")
    if known and is_known(etag, known):
        await send({"type": "http.response.start", "status": 304, "headers": fields})
        await send({"type": "http.response.body", "body": b""})
        return
    await send_answer(send, 200, [*fields, _JSON], body)


def _subject(scope: Scope) -> Subject:
    """The subject of the path; an identifier with a slash comes with `%2F`."""
    raw = (scope.get("raw_path") or scope["path"].encode()).removeprefix(PREFIX.encode())
    if b"/" in raw:
        raise NotFound("There is no such route; see /v1/openapi.json.")
    try:
        return Subject.parse(unquote_to_bytes(raw).decode())
    except UnicodeDecodeError as error:
        raise Refused(BadSubject("is not UTF-8"), "/path/subject") from error
    except AnchorsError as error:
        raise Refused(error, "/path/subject") from error


def _query_parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _schemas() -> dict[str, Any]:
    schema = SubjectOut.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "SubjectOut": schema}


SCHEMAS: Final[dict[str, Any]] = _schemas()
"""What DESCRIPTION refers to."""

DESCRIPTION: Final[dict[str, Any]] = {
    "/v1/subjects/{subject}": {
        "get": {
            "tags": ["credit"],
            "summary": "What applies to a company",
            "description": (
                "The company's credit records that apply, or that applied as of a block or time. Only the exact "
                "identifier is looked for, never a name. No record is an empty list; who must prove it takes the "
                "certificate."
            ),
            "parameters": [
                {
                    "name": "subject",
                    "in": "path",
                    "required": True,
                    "description": "SCHEME:IDENTIFIER with a right check character, never of a natural person.",
                    "schema": {"type": "string", "example": "CN-USCC:91110000600037341L"},
                },
                _query_parameter(
                    "as_of",
                    "As of this block, or as of a time such as 2026-01-31T16:00:00Z; by default now.",
                    type="string",
                    pattern=AS_OF_PATTERN,
                ),
                _query_parameter(
                    "recognized_by",
                    "Only what this member applies, by its code.",
                    type="string",
                    pattern="^[a-z0-9-]{1,32}$",
                ),
                _query_parameter(
                    "ended",
                    "Whether to tell also of records that are expired, repaired, withdrawn or not recognised.",
                    type="boolean",
                    default=False,
                ),
            ],
            "responses": {
                "200": {
                    "description": "Its records, in the order of publication",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SubjectOut"}}},
                },
                "304": {"description": "The asker has them, by If-None-Match"},
                "default": PROBLEM_RESPONSE,
            },
        }
    }
}
