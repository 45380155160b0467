"""Names of companies, kept so that whoever knows a name finds the identifier to ask with.

Promises a store of who calls a subject what, with the forms in which names are sought. A name never matches by itself:
nothing else of the credit slice reads these tables. What is suggested is left to `name_search`; that a name is right,
to who gave it.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Engine, text
from sqlmodel import Field, Session, SQLModel, col, delete, insert, select, tuple_

from anchors.errors import BadSubject
from anchors.subjects import USCC, Subject
from ledger_service.errors import Exit, ServiceError

__all__ = [
    "MAX_NAMES",
    "CreditName",
    "CreditNameState",
    "Forms",
    "Named",
    "NamesFull",
    "give_names",
    "is_chinese",
    "read_identifier",
    "search_forms",
    "take_back_names",
]

MAX_NAMES: Final = 300_000  # a search of all takes about 0.5 kB of memory for each


class CreditName(SQLModel, table=True):
    """A name that somebody gave a subject, and its search forms."""

    __tablename__ = "credit_name"
    __table_args__ = {"sqlite_with_rowid": False}

    subject: str = Field(primary_key=True)  # SCHEME:IDENTIFIER
    name: str = Field(primary_key=True)  # as given, NFC
    stem: str
    legal_form: str
    pinyin: str
    initials: str
    source: str  # id of the API key that gave it first
    seen_at: datetime
    version: int = Field(sa_type=BigInteger, index=True)  # of all names, as soon as this one was among them


class CreditNameState(SQLModel, table=True):
    """Which version of all names there is; one row, and who writes names takes its turn at it."""

    __tablename__ = "credit_name_state"

    id: int = Field(default=1, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    removed: int = Field(sa_type=BigInteger)  # the version in which names were last taken back
    names: int = Field(sa_type=BigInteger)  # how many there are


class NamesFull(ServiceError):
    """There are as many names as a search can hold."""

    problem, title, status, exit_code = "names-full", "No more names are taken", 409, Exit.USAGE


class Named(NamedTuple):
    """A subject, and what somebody calls it."""

    subject: str  # SCHEME:IDENTIFIER
    name: str  # NFC


def give_names(engine: Engine, given: Iterable[Named], source: str, now: datetime) -> int:
    """Keep names; those that are known stay as they were first given.

    Args:
        engine: the database.
        given: subjects as `Subject.parse` reads them, with their names.
        source: id of the API key that gives them.
        now: aware, UTC.

    Returns:
        How many were new.

    Raises:
        NamesFull: with them there would be more than MAX_NAMES; none is kept.
    """
    rows = {one: _row(one, source, now) for one in given}  # before the turn begins: sounds take their time
    with Session(engine) as session:
        state = _take_turn(session)
        known = _known(session, rows)
        new = [row | {"version": state.version} for one, row in rows.items() if one not in known]
        if not new:
            return 0
        state.names += len(new)
        if state.names > MAX_NAMES:
            raise NamesFull(f"There may be {MAX_NAMES:,} names; take back some that nobody needs.")
        session.add(state)
        session.execute(insert(CreditName), new)
        session.commit()
    return len(new)


def take_back_names(engine: Engine, given: Iterable[Named]) -> int:
    """Remove names that were given in error, whoever gave them.

    Returns:
        How many of them there were.
    """
    with Session(engine) as session:
        state = _take_turn(session)
        found = _known(session, set(given))
        if not found:
            return 0
        state.names -= len(found)
        state.removed = state.version
        session.add(state)
        for some in _chunks(found):
            session.execute(delete(CreditName).where(_PAIR.in_(some)))
        session.commit()
    return len(found)


def read_identifier(asked: str) -> str | None:
    """What was asked, as `SCHEME:IDENTIFIER`, where it is an identifier itself: in full, or a credit code alone."""
    typed = unicodedata.normalize("NFKC", asked).strip()
    for form in (typed, f"{USCC}:{typed.upper().removeprefix(f'{USCC}:')}"):
        try:
            return str(Subject.parse(form))
        except BadSubject:
            continue
    return None


@dataclass(frozen=True, slots=True)
class Forms:
    """What of a name is compared: letters and digits alone, in lower case."""

    stem: str  # without the legal form
    legal_form: str
    pinyin: str  # of the stem, without tones; what is not Chinese stays as it is
    initials: str


def search_forms(name: str) -> Forms:
    """The forms of a name, or of what is sought.

    Tones and other marks on letters go, and ü is v, as on a keyboard. A legal form at the end stands apart, unless
    nothing else would be left.
    """
    words = _words(name)
    tail: list[str] = []
    while len(words) > 1 and words[-1] in _LEGAL_WORDS:
        tail.insert(0, words.pop())
    stem, legal_form = "".join(words), "".join(tail)
    if ending := _LEGAL_FORM.search(stem):
        stem, legal_form = stem[: ending.start()], _LEGAL_PINYIN.get(ending[0], ending[0])
    sounds = list(_sounds(stem))
    return Forms(stem, legal_form, "".join(full for full, _ in sounds), "".join(first for _, first in sounds))


def is_chinese(form: str) -> bool:
    """Whether a Chinese character is in it, so that it sounds otherwise than it is written."""
    return _HAN.search(form) is not None


_HAN: Final = re.compile("([〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)")
_LEGAL_WORDS: Final = frozenset(
    ("co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "limited", "llc", "llp", "ltd", "plc")
)
_LEGAL_PINYIN: Final = {
    "gufenyouxiangongsi": "股份有限公司",
    "youxianzerengongsi": "有限责任公司",
    "youxiangongsi": "有限公司",
}
_LEGAL_FORM: Final = re.compile(
    rf"(?<=.)(?:{'|'.join(_LEGAL_PINYIN)}|股份有限公司|有限责任公司|有限公司|股份公司|(?<![分总子])公司"
    "|合伙企业(?:有限合伙|普通合伙|特殊普通合伙)?|特殊普通合伙|普通合伙|有限合伙|农民专业合作社)$"
)
_U_UMLAUT: Final = re.compile("u(?=[\u0300-\u036f]*\u0308)")
_MARKS: Final = re.compile("[\u0300-\u036f]")


def _words(name: str) -> list[str]:
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", name).casefold())
    plain = unicodedata.normalize("NFKC", _MARKS.sub("", _U_UMLAUT.sub("v", folded)))
    return "".join(one if unicodedata.category(one)[0] in "LNM" else " " for one in plain).split()


def _sounds(stem: str) -> Iterator[tuple[str, str]]:
    """Each syllable and its first letter; a run of other letters stands for itself in both."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415  # 57 MB and 0.2 s, only where names are given or sought

    for place, run in enumerate(_HAN.split(stem)):
        if place % 2:
            yield from ((sound, sound[:1]) for sound in lazy_pinyin(run))
        else:
            yield run, run


_PAIR: Final = tuple_(col(CreditName.subject), col(CreditName.name))
_CHUNK: Final = 400  # pairs in one statement


def _row(one: Named, source: str, now: datetime) -> dict[str, object]:
    return {**one._asdict(), **asdict(search_forms(one.name)), "source": source, "seen_at": now}


def _take_turn(session: Session) -> CreditNameState:
    """The state in its next version. Others wait until this turn is done, so that versions are seen in their order."""
    session.execute(
        text(
            "INSERT INTO credit_name_state (id, version, removed, names) VALUES (1, 1, 0, 0) "
            "ON CONFLICT (id) DO UPDATE SET version = credit_name_state.version + 1"
        )
    )
    return session.get_one(CreditNameState, 1)


def _known(session: Session, asked: Iterable[Named]) -> set[Named]:
    columns = select(CreditName.subject, CreditName.name)
    return {Named(*row) for some in _chunks(asked) for row in session.exec(columns.where(_PAIR.in_(some)))}


def _chunks(pairs: Iterable[Named]) -> Iterator[list[Named]]:
    rest = iter(pairs)
    while some := list(islice(rest, _CHUNK)):
        yield some
