"""Call data of the credit contracts: what was signed, with the links of the subject's chain that they must be shown.

Promises calls that the contracts take while nothing else happens to the subjects; when something does, the same
signatures with the links of then are good again. What may be done, and who signed, is checked before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

from anchors.credit import (
    NO_RECORD,
    Change,
    Choice,
    Event,
    Issued,
    Link,
    Publication,
    Record,
    State,
    fold,
    links,
)
from ledger_service.chain.contracts import CREDIT_REGISTER, RECOGNITION_MATRIX, contract
from ledger_service.operations.acts import compact

__all__ = ["Pair", "Told", "change_call", "choice_call", "publish_call"]

_FIRST_DAY: Final = date(1970, 1, 1)

Content: TypeAlias = tuple[int, int, bytes, bytes]  # as the contract takes it


@dataclass(frozen=True, slots=True)
class Pair:
    """The two signatures without which nothing is done to anyone's credit; r ‖ s ‖ v, 65 bytes each."""

    publisher: bytes
    regulator: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """A change, and all that happened to the records of its subject before it, in the chain's order."""

    change: Change
    events: Sequence[Event]


def publish_call(
    records: Sequence[tuple[Record, Sequence[Event]]], deadline: int, pair: Pair, endorsements: Sequence[bytes] = ()
) -> bytes:
    """Publish records of one member.

    Args:
        records: each with all that happened to its subject's records, in the chain's order; those of one subject each
            drawn up after the one before.
        deadline: POSIX seconds, as signed.
        pair: the member's credit publisher and regulator.
        endorsements: of other members' regulators, 65 bytes each.
    """
    shown = [word for record, events in records for word in _since_drawn_up(record, events)]
    return contract(CREDIT_REGISTER).call_data(
        "publish",
        [(record.subject, _content(record)) for record, _ in records],
        shown,
        deadline,
        _pair(pair),
        [compact(each) for each in endorsements],
    )


def change_call(told: Sequence[Told], deadline: int, signatures: Pair | bytes) -> bytes:
    """Change records: object to one, correct one, or uphold, withdraw or repair those of one member.

    Args:
        told: the changes, all objections or corrections or neither; of objections and corrections one.
        deadline: POSIX seconds, as signed.
        signatures: of an objection that of the credit publisher, 65 bytes; of all else the pair.
    """
    given = [_change(each) for each in told]
    shown = [word for each in told for word in _since_named(each)]
    register, first = contract(CREDIT_REGISTER), told[0].change
    if isinstance(signatures, bytes):
        return register.call_data("objectTo", given[0], shown, deadline, compact(signatures))
    if first.state is State.CORRECTED:
        return register.call_data("correct", given[0], _content(first.content), shown, deadline, _pair(signatures))
    return register.call_data("decide", given, shown, deadline, _pair(signatures))


def choice_call(choice: Choice, earlier: int, deadline: int, pair: Pair) -> bytes:
    """Opt out of recognition, or in again.

    Args:
        choice: what is decided.
        earlier: how often the member has decided about the same before.
        deadline: POSIX seconds, as signed.
        pair: the member's credit publisher and regulator.
    """
    matrix = contract(RECOGNITION_MATRIX)
    rest = (choice.applied, choice.reason, earlier, deadline, _pair(pair))
    if isinstance(choice.about, Issued):
        return matrix.call_data("recogniseKind", choice.member, choice.about.issuer, choice.about.kind.value, *rest)
    return matrix.call_data("recogniseRecord", choice.member, choice.about.record, *rest)


def _since_drawn_up(record: Record, events: Sequence[Event]) -> list[bytes]:
    """The subject's word when the record was drawn up, and all links since; nothing where there is none."""
    since = list(links(events))[record.earlier :]
    return [fold(events[: record.earlier]), *_shown(since)] if since else []


def _since_named(told: Told) -> list[bytes]:
    return _shown(list(links(told.events))[_last_named(told) + 1 :])


def _last_named(told: Told) -> int:
    """The place of the last event of the change's record among its subject's."""
    names = [link.record for link in links(told.events)]
    return len(names) - 1 - names[::-1].index(told.change.record)


def _shown(since: Sequence[Link]) -> list[bytes]:
    return [word for link in since for word in (link.record, link.leaf())]


def _change(told: Told) -> tuple[object, ...]:
    place = _last_named(told)
    last, event = list(links(told.events))[place], told.events[place]
    before = event.record if isinstance(event, Publication) else event.content
    word = fold(told.events[:place]) if place else NO_RECORD
    change = told.change
    return (
        *(before.subject, change.record, _content(before), last.state.value, last.step, last.time, word),
        *(change.state.value, change.grounds, change.pledge),
    )


def _content(record: Record) -> Content:
    decided_on, last_day = ((day - _FIRST_DAY).days for day in (record.decided_on, record.last_day))
    terms = record.member | record.kind << 16 | decided_on << 24 | last_day << 56 | record.earlier << 88
    return terms, sum(1 << code for code in record.measures), record.statement, record.document


def _pair(pair: Pair) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    return compact(pair.publisher), compact(pair.regulator)
