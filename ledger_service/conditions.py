"""What each part of the service says of its own health, kept in the database so that all processes tell the same.

A part reports a condition in words when something is wrong and clears it when it is right again; `status` shows them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine, delete, select
from sqlmodel import Field, Session, SQLModel

from ledger_service.errors import ServiceError


class Condition(SQLModel, table=True):
    """One thing that is wrong now."""

    part: str = Field(primary_key=True)  # log, anchor, proofs, index, sending, timestamp, or "witness" and its name
    problem: str = Field(primary_key=True)  # stable name, as a problem type's
    detail: str
    since: datetime


@contextmanager
def told(engine: Engine, part: str, clock: Callable[[], datetime]) -> Iterator[None]:
    """Around a step of `part`: the error that ends it becomes the one condition of the part; none, when it goes well.

    Raises:
        ServiceError: what the step raised.
    """
    try:
        yield
    except ServiceError as error:
        report(engine, part, error.problem, error.detail, clock())
        _clear_all_but(engine, part, error.problem)
        raise
    _clear_all_but(engine, part, None)


def report(engine: Engine, part: str, problem: str, detail: str, now: datetime) -> None:
    """Say that `problem` holds for `part`; `since` stays that of its first report."""
    with Session(engine) as session:
        known = session.get(Condition, (part, problem))
        if known is None:
            session.add(Condition(part=part, problem=problem, detail=detail, since=now))
        elif known.detail != detail:
            known.detail = detail
            session.add(known)
        else:
            return
        session.commit()


def clear(engine: Engine, part: str, problem: str) -> None:
    """Say that `problem` no longer holds for `part`."""
    with Session(engine) as session:
        if session.get(Condition, (part, problem)) is not None:
            session.exec(delete(Condition).where(Condition.part == part, Condition.problem == problem))  # type: ignore[arg-type]
            session.commit()


def clear_parts(engine: Engine, beginning: str) -> None:
    """Say that nothing is wrong with the parts whose names begin so: they start anew, or are there no more."""
    for condition in current(engine):
        if condition.part.startswith(beginning):
            clear(engine, condition.part, condition.problem)


def current(engine: Engine) -> list[Condition]:
    """All conditions that hold now, oldest first."""
    with Session(engine) as session:
        return list(session.scalars(select(Condition).order_by(Condition.since)))  # type: ignore[arg-type]


def _clear_all_but(engine: Engine, part: str, problem: str | None) -> None:
    for condition in current(engine):
        if condition.part == part and condition.problem != problem:
            clear(engine, part, condition.problem)
