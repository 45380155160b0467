"""What a screening tells: the result of each row in one document, which is logged as evidence.

Promises bytes that anyone who has the answer can make again: RFC 8785 of its member `result`. No row repeats what names
no company. Which records apply is left to `queries`, that the document is logged to `screenings`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlmodel import Session, select

from anchors.errors import BadCertificate
from anchors.subjects import Subject
from ledger_service.credit.certificates import Certificates
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.queries import told
from ledger_service.credit.screening_lists import Asked, NoCompany
from ledger_service.credit.standing import Told
from ledger_service.errors import Exit, ServiceError, Unavailable
from ledger_service.index.asof import Moment
from ledger_service.index.tables import Block
from ledger_service.refusals import Refused

__all__ = ["FORMAT", "MAX_RECORDS", "Document", "Question", "TooManyRecords", "canonical", "draw_up"]

FORMAT: Final = "bidledger/credit-screening/v1"
MAX_RECORDS: Final = 20_000


class TooManyRecords(ServiceError):
    """More records apply than one answer holds."""

    problem, title, status, exit_code = "too-many-records", "Too many records apply", 422, Exit.USAGE


@dataclass(frozen=True, slots=True)
class Question:
    """What a screening is asked."""

    rows: Sequence[Asked]
    recognized_by: int | None = None  # the number of the member whose view it is
    certificate: bool = False

    def companies(self) -> list[Subject]:
        """Who is asked about, each once."""
        return list(dict.fromkeys(row.about for row in self.rows if isinstance(row.about, Subject)))


@dataclass(frozen=True, slots=True)
class Document:
    """What is told."""

    content: bytes  # RFC 8785 JSON
    counts: Mapping[str, int]  # rows by result: hit, clear, invalid
    records: Sequence[bytes]  # names of those that are given, each once
    certificate: bytes | None  # RFC 8785 JSON


def draw_up(
    session: Session, ground: CreditGround, certificates: Certificates, id: str, at: Moment, question: Question
) -> Document:
    """Tell what applied at a moment.

    Args:
        session: of the index.
        ground: the alliance, and whose service it is.
        certificates: makes the one that may be asked for, of the block of the moment.
        id: of the screening.
        at: the moment; of a final block where a certificate is asked for.
        question: about whom, and in whose view.

    Raises:
        TooManyRecords: more apply than one answer holds.
        Refused: no certificate holds so much.
        Unavailable: the chain turned meanwhile.
        ServiceError: what the making of a certificate raises.
    """
    companies, block_hash = question.companies(), _block_hash(session, at)
    found = told(session, ground, companies, at, question.recognized_by)
    names = list(dict.fromkeys(record["record"] for records in found.values() for record in records))
    if len(names) > MAX_RECORDS:
        raise TooManyRecords(f"Of these companies {len(names):,} records apply; ask about fewer at a time.")
    certificate = _certificate(certificates, companies, at) if question.certificate and companies else None
    if _block_hash(session, at) != block_hash:
        raise Unavailable("The chain turned meanwhile; ask again.", retry_after=1)
    results = [_result(row, found) for row in question.rows]
    viewer = question.recognized_by
    content = {
        "format": FORMAT,
        "id": id,
        "member": ground.member.code,
        "block": at.block,
        "block_hash": f"0x{block_hash.hex()}",
        "time": at.time,
        "recognized_by": None if viewer is None else ground.code_of(viewer),
        "certificate": None if certificate is None else f"0x{sha256(certificate).hexdigest()}",
        "results": results,
    }
    counts = Counter(result["result"] for result in results)
    return Document(canonical(content), counts, [bytes.fromhex(name[2:]) for name in names], certificate)


def canonical(value: object) -> bytes:
    """The one form of JSON values whose member names are ASCII and whose numbers are whole and below 2^53.

    Of such values orjson's sorted form is that of RFC 8785, in a hundredth of the time; the tests hold both together.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _certificate(certificates: Certificates, companies: Sequence[Subject], at: Moment) -> bytes:
    try:
        return canonical(orjson.loads(certificates.gather(companies, at.block)))
    except BadCertificate as error:
        raise Refused(error, "/query/certificate") from error


def _block_hash(session: Session, at: Moment) -> bytes:
    found = session.exec(select(Block.hash).where(Block.number == at.block)).first()
    if found is None:
        raise Unavailable(f"Block {at.block} was reversed; ask again.", retry_after=1)
    return found


def _result(row: Asked, found: Mapping[Subject, list[Told]]) -> dict[str, Any]:
    if isinstance(row.about, NoCompany):
        wrong = {"subject": None, "result": "invalid", "problem": row.about.problem, "detail": row.about.detail}
        return {**wrong, **({} if row.line is None else {"line": row.line}), "records": []}
    records = found[row.about]
    return {"subject": str(row.about), "result": "hit" if records else "clear", "records": records}
