"""`GET /v1/events`: what happens to credit records and recognition, as it is followed, by Server-Sent Events.

A bare ASGI application, since a stream stays open. Promises every event after the id that a listener names, once, and
word when the chain turns and takes some of them back. The index is looked at once for all streams, and a page of it is
read once for all that are equally far; a listener that is behind is served at its own pace, and one that takes nothing
any more is dropped.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, func, select

from ledger_service.chain.finality import Finality
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.happenings import (
    BEGINNING,
    EVENT_TYPES,
    POSITION_PATTERN,
    REVERSED,
    Page,
    Position,
    end_of_block,
    last_turn,
    page_after,
)
from ledger_service.errors import BadRequest, ServiceError, Unavailable
from ledger_service.index.queries import final_block
from ledger_service.index.tables import Block
from ledger_service.openapi import PROBLEM_RESPONSE
from ledger_service.problems import Receive, Scope, Send, encode_headers, method_not_allowed, send_problem

__all__ = ["EVENTS_PATH", "EVENTS_ROUTE", "EventStream"]

log = structlog.get_logger(__name__)

EVENTS_PATH: Final = "/v1/events"
MAX_STREAMS: Final = 200
HEARTBEAT_SECONDS: Final = 15.0
PATIENCE_SECONDS: Final = 15.0  # with a listener whose connection is full
POLL_SECONDS: Final = 0.5
PAGE_EVENTS: Final = 100  # about 70 kB, the most that waits for one listener
KEPT_PAGES: Final = 16

_HEADERS: Final = encode_headers(
    {
        "content-type": "text/event-stream",
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",  # nginx would keep events back
    }
)
_HELLO: Final = b": events of credit records and recognition\n\n"
_HEARTBEAT: Final = b": still here\n\n"


class EventStream:
    """The ASGI application of the one route.

    Args:
        ground: the database and the alliance.
        finality: when blocks are final, for listeners that ask for final ones only.
        max_streams: how many may be open at once.
        heartbeat_seconds: after how long a silence a comment is sent.
        patience_seconds: how long a listener whose connection is full may take nothing.
        poll_seconds: how often the index is looked at, while a stream is open.
    """

    def __init__(
        self,
        ground: CreditGround,
        finality: Finality,
        *,
        max_streams: int = MAX_STREAMS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._watch = _Watch(ground, finality, poll_seconds)
        self._max_streams = max_streams
        self._heartbeat = heartbeat_seconds
        self._patience = patience_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: a stream until the listener goes, or a problem document."""
        try:
            asked = _asked(scope)
            if self._watch.streams >= self._max_streams:
                raise Unavailable(f"All {self._max_streams} streams are taken; ask again later.", retry_after=60)
        except ServiceError as error:
            await send_problem(send, error)
            return
        self._watch.join()
        try:
            await _until_first(_gone(receive), self._tell(send, asked))
        except _TakesNothing:
            log.info("listener_dropped", seconds=self._patience)
        except ServiceError as error:
            log.warning("stream_ended", problem=error.problem, detail=error.detail)
        finally:
            self._watch.leave()

    def stop(self) -> None:
        """End all streams; to be called before the server waits for its connections, from whatever thread."""
        self._watch.stop()

    async def _tell(self, send: Send, asked: "_Asked") -> None:
        await self._write(send, {"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await self._chunk(send, _HELLO)
        position = asked.position
        if position is None:
            position = await self._watch.end(final=asked.final)
            await self._chunk(send, _event("opened", position, {"block": position.block}))
        clock = asyncio.get_running_loop().time
        last = clock()
        while not self._watch.stopped:
            moved = self._watch.moved  # before the page is read, so that what comes meanwhile is not slept through
            text, position = await self._watch.page(position, final=asked.final)
            if text:
                await self._chunk(send, text)
                last = clock()
            elif not await _within(moved, last + self._heartbeat - clock()):
                await self._chunk(send, _HEARTBEAT)
                last = clock()
        await self._write(send, {"type": "http.response.body", "body": b""})

    async def _chunk(self, send: Send, text: bytes) -> None:
        await self._write(send, {"type": "http.response.body", "body": text, "more_body": True})

    async def _write(self, send: Send, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await send(message)
        except TimeoutError as error:
            raise _TakesNothing from error


class _TakesNothing(Exception):
    """A listener's connection was full for too long."""


@dataclass(frozen=True, slots=True)
class _Asked:
    position: Position | None  # None: from now on
    final: bool


class _Watch:
    """What all streams have in common: one look at the index, and the pages last read."""

    def __init__(self, ground: CreditGround, finality: Finality, poll_seconds: float) -> None:
        self._ground = ground
        self._finality = finality
        self._poll_seconds = poll_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._reading = asyncio.Lock()
        self._looks = 0  # how often the index was found changed
        self._pages: dict[tuple[int, Position, bool], tuple[bytes, Position]] = {}
        self.streams = 0
        self.stopped = False
        self.moved = asyncio.Event()

    def join(self) -> None:
        """One stream more."""
        self.streams += 1
        self._loop = asyncio.get_running_loop()
        if self._task is None:
            self._task = self._loop.create_task(self._look_again_and_again())

    def leave(self) -> None:
        """One stream less; without any, nobody looks."""
        self.streams -= 1
        if self.streams == 0 and self._task is not None:
            self._task.cancel()
            self._task = None

    def stop(self) -> None:
        """Wake all streams, for good."""
        self.stopped = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed, and no stream is left
                self._loop.call_soon_threadsafe(self._wake)

    async def page(self, position: Position, *, final: bool) -> tuple[bytes, Position]:
        """What is next after a position, written out, and the position after it."""
        async with self._reading:
            key = (self._looks, position, final)
            if key not in self._pages:
                if len(self._pages) >= KEPT_PAGES:
                    self._pages.clear()
                self._pages[key] = await asyncio.to_thread(self._read, position, final)
            return self._pages[key]

    async def end(self, *, final: bool) -> Position:
        """The position of who has been told everything."""
        return await asyncio.to_thread(self._read_end, final)

    async def _look_again_and_again(self) -> None:
        seen: tuple[int, int | None] | None = None
        while True:
            try:
                found = await asyncio.to_thread(self._look)
                if found != seen:
                    seen = found
                    self._wake()
            except SQLAlchemyError as error:
                log.warning("events_unreadable", detail=str(error))
            await asyncio.sleep(self._poll_seconds)

    def _wake(self) -> None:
        self._looks += 1
        self._pages.clear()
        self.moved.set()
        self.moved = asyncio.Event()

    def _look(self) -> tuple[int, int | None]:
        with Session(self._ground.engine) as session:
            return last_turn(session), session.exec(select(func.max(Block.number))).one()

    def _read(self, position: Position, final: bool) -> tuple[bytes, Position]:
        with Session(self._ground.engine) as session:
            until = self._until(session, final)
            page = page_after(session, self._ground.code_of, position, PAGE_EVENTS, until)
        return _written(page), page.position

    def _read_end(self, final: bool) -> Position:
        with Session(self._ground.engine) as session:
            return end_of_block(session, self._until(session, final))

    def _until(self, session: Session, final: bool) -> int | None:
        if not final:
            return None
        block = final_block(session, self._finality)
        return -1 if block is None else block


def _asked(scope: Scope) -> _Asked:
    if scope["method"] != "GET":
        raise method_not_allowed(scope["method"], "GET")
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    final = query.get("final", ["false"])[0]
    if final not in ("true", "false"):
        raise BadRequest("final is true or false.", facts={"field": "final"})
    # A browser that connects again asks for the same address, and says in the field how far it has come meanwhile.
    said = [str(value, "latin-1") for name, value in scope["headers"] if name == b"last-event-id" and value]
    text = (said or query.get("after") or [None])[0]
    return _Asked(None if text is None else Position.parse(text), final == "true")


def _written(page: Page) -> bytes:
    if page.reversed_from is not None:
        return _event(REVERSED, page.position, {"from_block": page.reversed_from})
    return b"".join(_event(each.type, each.position, each.data) for each in page.happenings)


def _event(name: str, position: Position, data: dict[str, Any]) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (str(position).encode(), name.encode(), orjson.dumps(data))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event comes within a time."""
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def _until_first(*works: Awaitable[None]) -> None:
    """Run all until one ends, and end the others; raises what that one raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


_ID: Final = {"type": "string", "pattern": POSITION_PATTERN}
EVENTS_ROUTE: Final[dict[str, Any]] = {
    EVENTS_PATH: {
        "get": {
            "tags": ["credit"],
            "summary": "What happens to credit records and recognition, as Server-Sent Events",
            "description": (
                f"Every event has an id, block:number, and one of the names {', '.join(EVENT_TYPES)}. {REVERSED}: the "
                "chain has turned, and what was told from `from_block` on no longer holds. opened: the first word "
                "where no event was named."
            ),
            "parameters": [
                {
                    "name": "Last-Event-ID",
                    "in": "header",
                    "required": False,
                    "description": "The last event that was received; all later ones follow. Comes before `after`.",
                    "schema": _ID,
                },
                {
                    "name": "after",
                    "in": "query",
                    "required": False,
                    "description": f"The same; {BEGINNING} is from the beginning, none from now on.",
                    "schema": _ID,
                },
                {
                    "name": "final",
                    "in": "query",
                    "required": False,
                    "description": "Whether only events of final blocks are told.",
                    "schema": {"type": "boolean", "default": False},
                },
            ],
            "responses": {
                "200": {
                    "description": "Events until the listener goes",
                    "content": {"text/event-stream": {"schema": {"type": "string"}}},
                },
                "default": PROBLEM_RESPONSE,
            },
        }
    }
}
