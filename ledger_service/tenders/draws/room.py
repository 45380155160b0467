"""The host's room for a draw: rounds begun, parts taken in, and the draw held, each by the library's rules and by what
the index knows of the tender and of the officers.

Promises that what was answered is in the tables, that the same again changes nothing, and that nobody reveals before
enough others have confirmed and the host has every list: so whatever keeps a panel from being drawn shows while nobody
knows a value. What is told of it before the award is left to `routes`.
"""

import json
from collections.abc import Callable
from io import BytesIO
from threading import Lock
from typing import TypeVar

import orjson
from sqlalchemy import delete
from sqlmodel import Session, col
from starlette.concurrency import run_in_threadpool

from anchors.commitment import Kind, Statement, commit, digest_document
from anchors.errors import (
    AlreadyEvaluated,
    AnchorsError,
    DrawVoid,
    NotNextRound,
    PartLate,
    QuotaNotMet,
    TenderEnded,
)
from anchors.tenders import State, Tender
from anchors.tenders.draw import (
    Confirmation,
    Deposit,
    Disclosure,
    Draw,
    DrawState,
    ExpertList,
    Reveal,
    Terms,
    check_committed,
    check_lists,
    check_next_round,
    hold,
    recover_values,
    replay,
)
from anchors.tenders.draw.parts import Part, add_part
from ledger_service.errors import Conflict, InvalidContent, ServiceError
from ledger_service.index.asof import moment
from ledger_service.log.api_keys import ApiKey
from ledger_service.log.writer import LogWriter
from ledger_service.refusals import Refused
from ledger_service.tenders.draws.officers import check_officers
from ledger_service.tenders.draws.reading import hosted, round_of
from ledger_service.tenders.draws.rounds import Round, find_rounds, row_of
from ledger_service.tenders.draws.tables import DrawPart, DrawRound
from ledger_service.tenders.ground import TenderGround

__all__ = ["Draws"]

_Fact = TypeVar("_Fact")


class OtherTendersDraw(InvalidContent):
    """Terms of a draw for another tender, or another chain, than where they are sent."""

    problem, title = "other-tenders-draw", "The terms are for another tender"


class DepositedAlready(Conflict):
    """A second deposit of a site, with something else in it."""

    problem, title = "deposited-already", "The site has deposited already"


class ListsMissing(Conflict):
    """A reveal while the host lacks a list."""

    problem, title = "lists-missing", "The host does not have every list"


class ValuesMissing(Conflict):
    """A draw that would be void, and that nobody has called so."""

    problem, title = "values-missing", "Values are missing"


class Draws:
    """The room.

    Args:
        ground: the alliance, and the database with the index.
        writer: of the member's log, in which sealed draws are logged.
    """

    def __init__(self, ground: TenderGround, writer: LogWriter) -> None:
        self._ground = ground
        self._writer = writer
        self._lock = Lock()  # a part is judged by those that are there, so one comes in at a time

    # ---- rounds are begun, and parts taken in ----

    def begin(self, tender: bytes, terms: Terms) -> Round:
        """Begin a round, or begin it anew under other terms as long as nobody has revealed.

        Raises:
            NotFound, OtherHostsTender: there is no such tender of this member.
            OtherTendersDraw: the terms are for another one.
            UnknownMember, MemberNotActive, NotItsOfficer, OfficerNotInForce: they name who may not take part.
            Refused: the tender is evaluated, the round does not follow, or values of this one are known.
        """
        with self._lock, Session(self._ground.engine, expire_on_commit=False) as session:
            held = hosted(session, self._ground, tender)
            rounds = find_rounds(session, tender)
            if rounds and rounds[-1].draw.terms == terms:
                return rounds[-1]
            self._check_before_evaluation(held)
            self._check_about(tender, terms)
            when = moment(session, None, self._ground.clock())
            check_officers(session, terms.members, when.time)
            _by_rules(lambda: _check_follows(session, rounds, terms))
            for table in (DrawPart, DrawRound):
                session.execute(delete(table).where(col(table.tender) == tender, col(table.round) == terms.round))
            written = orjson.dumps(terms.to_json())
            session.add(DrawRound(tender=tender, round=terms.round, terms=written, begun_at=self._now))
            session.commit()
            return round_of(session, tender, terms.round)

    def add(self, tender: bytes, number: int, part: Part) -> Round:
        """Take a part in; the same one again changes nothing.

        Raises:
            NotFound, OtherHostsTender: there is no such round.
            DepositedAlready: the site has deposited something else.
            ListsMissing: a reveal or share, and the host does not have every list.
            MemberNotActive, NotItsOfficer, OfficerNotInForce: whose part it is may not take part any more.
            Refused: it is not as it must be, or comes too early or too late.
        """
        with self._lock, Session(self._ground.engine, expire_on_commit=False) as session:
            hosted(session, self._ground, tender)
            found = round_of(session, tender, number)
            row = row_of(tender, number, part, self._now)
            kept = session.get(DrawPart, (tender, number, row.kind, row.site, row.member))
            if kept is not None and _says_the_same(kept, row):
                return found
            if found.is_held:
                raise Refused(PartLate("part", "the draw was held"), "")
            _by_rules(lambda: add_part(found.draw, part))
            self._check_turn(session, found, part, kept)
            session.merge(row)
            session.commit()
            return round_of(session, tender, number)

    def _check_turn(self, session: Session, found: Round, part: Part, kept: DrawPart | None) -> None:
        """What a service asks of a part beyond the library's rules."""
        if kept is not None and isinstance(part, Deposit):
            raise DepositedAlready(
                f"{part.site} has deposited already, and its first deposit counts. If it cannot stand, the host begins "
                "the round anew, as long as nobody has revealed.",
                facts={"site": part.site},
            )
        if kept is not None and isinstance(part, Confirmation):
            before = orjson.loads(kept.content)["lists"]
            if not set(before) <= set(part.lists):
                raise Refused(PartLate(f"confirmation of {part.member}", "one by which it holds more lists"), "/lists")
        if isinstance(part, ExpertList):
            return
        if isinstance(part, Reveal | Disclosure) and not found.is_revealing:
            self._check_lists(session, found)
        who = part.actor
        check_officers(session, [found.draw.terms.member(who)], moment(session, None, self._ground.clock()).time)

    @staticmethod
    def _check_lists(session: Session, found: Round) -> None:
        missing = [site for site in found.draw.terms.site_codes if site not in found.listed]
        if missing:
            raise ListsMissing(
                f"The host does not have the list of {', '.join(missing)} yet, so nobody reveals.",
                facts={"sites": missing},
            )
        opened = found.complete(session).opened
        _by_rules(lambda: check_lists(found.draw.terms, opened.lists if opened else ()))

    # ---- the draw is held ----

    async def conclude(self, tender: bytes, number: int, key: ApiKey, *, void: bool) -> Round:
        """Hold the draw and log its sealed file; again it only logs what is not logged.

        Args:
            tender: its name.
            number: of the round.
            key: who asks; the evidence takes one slot of its quota.
            void: whether values that are missing are waited for no longer.

        Raises:
            NotFound, OtherHostsTender: there is no such round.
            ValuesMissing: values are missing, and `void` is not said.
            Refused: not all have deposited, or too few have confirmed.
            ServiceError: the log does not take the evidence now; the draw is held all the same.
        """
        held = await run_in_threadpool(self._hold, tender, number, key, void)
        if held.row.receipt is not None:
            return held
        commitment = commit(Statement.from_json(json.loads(held.row.statement or "")))
        name = f"draw {tender.hex()} {number}"  # no key of a request to the log has a space in it
        accepted = await self._writer.accept([commitment], held.row.logged_by or key.id, key.quota, name)
        return await run_in_threadpool(self._keep_receipt, tender, number, accepted.to_json())

    def _hold(self, tender: bytes, number: int, key: ApiKey, void: bool) -> Round:
        with self._lock, Session(self._ground.engine, expire_on_commit=False) as session:
            hosted(session, self._ground, tender)
            found = round_of(session, tender, number)
            if found.is_held:
                return found
            draw, missing = found.draw, _missing(found)
            if missing and not void:
                raise ValuesMissing(
                    f"The values of {', '.join(missing)} are missing, and too few shares of them are there. Wait for "
                    "them, or call the draw void.",
                    facts={"sites": list(missing)},
                )
            held = _held(draw if missing else found.complete(session))
            self._check_replay(session, tender, found, held)
            row = found.row
            row.sealed, row.held_at, row.logged_by = held.sealed().write(), self._now, key.id
            if held.opened is not None and held.opened.seats:
                row.seats = orjson.dumps([seat.to_json() for seat in held.opened.seats])
            row.statement = json.dumps(_statement(held).to_json(), ensure_ascii=False)
            session.add(row)
            session.commit()
            return round_of(session, tender, number)

    def _check_replay(self, session: Session, tender: bytes, found: Round, held: Draw) -> None:
        """See that whoever gets the file will find in it what is told here."""
        rounds = find_rounds(session, tender)
        earlier = [each.complete(session).write() for each in rounds if each.row.round < found.row.round]
        verdict = replay(held.write(), earlier)
        if verdict.state is DrawState.REFUTED:
            step = verdict.steps[-1]
            raise ServiceError(f"The draw would be refuted at {step.step}: {step.detail}. Nothing was kept of it.")

    def _keep_receipt(self, tender: bytes, number: int, receipts: bytes) -> Round:
        (receipt,) = json.loads(receipts)["receipts"]
        with self._lock, Session(self._ground.engine, expire_on_commit=False) as session:
            row = round_of(session, tender, number).row
            row.receipt = json.dumps(receipt)
            session.add(row)
            session.commit()
            return round_of(session, tender, number)

    # ---- the parts ----

    @property
    def _now(self) -> int:
        return int(self._ground.clock().timestamp())

    def _check_about(self, tender: bytes, terms: Terms) -> None:
        name, chain = "0x" + tender.hex(), self._ground.network.chain_id
        if terms.tender != name:
            raise OtherTendersDraw(
                f"The terms must name the tender as the register does: {name}.", facts={"pointer": "/tender"}
            )
        if terms.chain_id != chain:
            raise OtherTendersDraw(f"The alliance's chain is {chain}.", facts={"pointer": "/chain_id"})

    @staticmethod
    def _check_before_evaluation(tender: Tender) -> None:
        if tender.state in (State.EVALUATED, State.CANDIDATES):
            raise Refused(AlreadyEvaluated(), "")
        if tender.state > State.CANDIDATES:
            raise Refused(TenderEnded(tender.state.title), "")


def _check_follows(session: Session, rounds: list[Round], terms: Terms) -> None:
    """Check that a round may be begun, or begun anew."""
    last = rounds[-1] if rounds else None
    if last is not None and terms.round == last.row.round:
        if last.is_held or last.is_revealing:
            raise PartLate("round", "a reveal under other terms")
        rounds = rounds[:-1]
    elif last is not None and not last.is_held:
        raise NotNextRound(f"round {last.row.round} was not held yet")
    if rounds:
        check_next_round(terms, [each.complete(session).write() for each in rounds])
    elif terms.round != 1:
        raise NotNextRound("there was none before it")


def _says_the_same(kept: DrawPart, row: DrawPart) -> bool:
    """Whether a part says what one said that is there, be it under another signature of the same key."""
    said, again = orjson.loads(kept.content), orjson.loads(row.content)
    return bool({**said, "signature": None} == {**again, "signature": None})


def _missing(found: Round) -> tuple[str, ...]:
    """The sites whose values are not to be had; raises Refused where it is too early to say."""
    draw, opened = found.draw, found.opened
    _by_rules(lambda: check_committed(draw.terms, draw.deposits, draw.confirmations))
    try:
        recover_values(draw.terms, opened.reveals, opened.shares)
    except DrawVoid as void:
        return void.sites
    return ()


def _held(draw: Draw) -> Draw:
    """The draw with its result; without one where the lists cannot fill its quotas."""
    try:
        return hold(draw)
    except QuotaNotMet:
        return draw


def _statement(held: Draw) -> Statement:
    digests = digest_document(BytesIO(held.sealed().write()))
    return Statement.of(digests, kind=Kind.EXPERT_DRAW, tender=held.terms.tender, party=None)


def _by_rules(check: Callable[[], _Fact]) -> _Fact:
    """Refuse what a rule refuses, by that rule's name."""
    try:
        return check()
    except AnchorsError as error:
        raise Refused(error, "") from error
