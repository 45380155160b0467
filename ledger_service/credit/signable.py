"""What an operation asks to be signed, worked out from its words: nobody signs a digest because a service says so.

Promises that the digest is that of the act as it is told to the signer: the companies by name, the records as they
stand, the member's choice. The typed data is made anew from these words and must be what the service gave; only
numbers that name nothing to a person are taken from it. That the record is told truly is held against its hash, too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from anchors.bounded_json import Fields
from anchors.credit import (
    Change,
    Choice,
    Issued,
    Kind,
    Named,
    Record,
    State,
    changes_digest,
    choice_digest,
    publication_digest,
    read_catalogue,
)
from anchors.errors import AnchorsError
from anchors.subjects import Subject
from ledger_service.credit.requests import ChangeIn, ChoiceIn, ContentIn, RecordIn
from ledger_service.credit.typed import changes_typed, choice_typed, publication_typed
from ledger_service.errors import Exit, InvalidContent
from ledger_service.operations.typed import TypedData

__all__ = ["NotAsTold", "Signable", "deadline_line", "read_signable"]

Told: TypeAlias = Mapping[str, Any]  # JSON values of the API
_NOTHING: Final = "0x" + "0" * 64
_STATES: Final = {
    "object": State.OBJECTED,
    "uphold": State.UPHELD,
    "correct": State.CORRECTED,
    "withdraw": State.WITHDRAWN,
    "repair": State.REPAIRED,
}


class NotAsTold(InvalidContent):
    """What would be signed is not what the operation says."""

    problem, title, exit_code = "not-as-told", "The operation is not what it says", Exit.REFUTED


@dataclass(frozen=True, slots=True)
class Signable:
    """What would be signed."""

    digest: bytes  # 32 bytes
    chain_id: int
    contract: bytes  # 20 bytes
    deadline: int  # POSIX seconds
    lines: tuple[str, ...]  # what it says, for a person


@dataclass(frozen=True, slots=True)
class _Asked:
    """An operation, and what else its words are read with."""

    operation: Told
    domain: tuple[bytes, int]  # the contract and the chain's id, as the typed data has them
    message: Told
    record: Callable[[str], Told]
    members: Mapping[str, int]

    @property
    def request(self) -> Told:
        """What was asked for."""
        found: Told = self.operation["request"]
        return found

    @property
    def deadline(self) -> int:
        """POSIX seconds."""
        return int(self.message["deadline"])


def read_signable(operation: Told, record: Callable[[str], Told], members: Mapping[str, int]) -> Signable:
    """Work out what an operation asks to be signed.

    Args:
        operation: as the API told it.
        record: asks the API for a record by its name, as it stands now.
        members: the numbers of the alliance's members by their codes.

    Raises:
        NotAsTold: the typed data is of something else than the words, or either is malformed.
    """
    try:
        fields = Fields(
            operation["typed_data"]["domain"], "domain", ("name", "version", "chainId", "verifyingContract")
        )
        domain = (fields.hex("verifyingContract", 20), fields.number("chainId", 1))
        asked = _Asked(operation, domain, operation["typed_data"]["message"], record, members)
        read = _READERS.get(operation["act"], _read_changes)
        typed, digest, lines = read(asked)
        _check_same(operation, typed, digest)
        return Signable(digest, domain[1], domain[0], asked.deadline, tuple(lines))
    except (AnchorsError, ValidationError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise NotAsTold(f"The operation cannot be read ({type(error).__name__}: {error}); do not sign it.") from error


def _check_same(operation: Told, typed: TypedData, digest: bytes) -> None:
    if typed != operation["typed_data"] or _hex(digest) != operation["digest"]:
        raise NotAsTold(
            "What the service asks to be signed is not what it says of it, or the record has been changed since. "
            "Do not sign; look at the record, and ask for the act again."
        )


_Read: TypeAlias = tuple[TypedData, bytes, list[str]]


def _read_publication(asked: _Asked) -> _Read:
    given = [RecordIn.model_validate(record) for record in asked.request["records"]]
    told = list(zip(given, asked.message["records"], strict=True))
    records = [
        _record(said, Subject.parse(said.subject).key, signed["member"], signed["earlier"]) for said, signed in told
    ]
    lines = [line for said, record in zip(given, records, strict=True) for line in _record_lines(said.subject, record)]
    issuer = _code(asked, records[0].member)
    arguments = (*asked.domain, records, asked.deadline)
    return publication_typed(*arguments), publication_digest(*arguments), [f"{issuer} publishes", *lines]


def _read_changes(asked: _Asked) -> _Read:
    wishes = list(_wishes(asked))
    leaves = [_word(signed["leaf"]) for signed in asked.message["changes"]]
    names = [_word(name) for name in asked.operation["records"]]
    changes, lines = [], []
    for name, (state, grounds, pledge, content) in zip(names, wishes, strict=True):
        told = asked.record(_hex(name))
        before = _told_record(asked, told)
        after = before if content is None else _record(content, before.subject, before.member, before.earlier)
        changes.append(Change(name, state, _word(grounds), _word(pledge), after, 0))
        lines += [f"record {_hex(name)} becomes {state.title}", f"  grounds {grounds}"]
        lines += [f"  pledge {pledge}"] if pledge != _NOTHING else []
        lines += [f"  it is {_code(asked, before.member)}'s and {_title(told)}, of subject key {_hex(before.subject)}:"]
        lines += [f"  {line}" for line in _content_lines(before)]
        lines += [] if content is None else ["  and will be:", *(f"  {line}" for line in _content_lines(after))]
    arguments = (*asked.domain, list(zip(leaves, changes, strict=True)), asked.deadline)
    return changes_typed(*arguments), changes_digest(*arguments), lines


def _wishes(asked: _Asked) -> Iterator[tuple[State, str, str, ContentIn | None]]:
    """What each record is to become, with the digests of its papers."""
    request = asked.request
    if asked.operation["act"] == "change":
        for given in request["changes"]:
            change = ChangeIn.model_validate(given)
            yield State[change.state.upper()], change.grounds or _NOTHING, change.pledge or _NOTHING, None
        return
    content = request.get("content")
    corrected = None if content is None else ContentIn.model_validate(content)
    state = _STATES[asked.operation["act"]]
    yield state, request["grounds"], request.get("pledge") or _NOTHING, corrected


def _read_choice(asked: _Asked) -> _Read:
    request, signed = asked.request, asked.message
    said = ChoiceIn.model_validate({"applied": request["applied"], "reason": request["reason"]})
    about: Issued | Named
    if "issuer" in request:
        about = Issued(asked.members[request["issuer"]], Kind[request["kind"].upper()])
        matter = f"records of {request['issuer']} that are {about.kind.title}"
    else:
        about, matter = Named(_word(request["record"])), f"the record {request['record']}"
    member, earlier = int(signed["member"]), int(signed["earlier"])
    choice = Choice(member, about, said.applied, _word(said.reason or _NOTHING), 0)
    verb = "applies" if said.applied else "does not apply"
    lines = [f"{_code(asked, member)} {verb} {matter}", f"  reason {said.reason}"]
    arguments = (*asked.domain, choice, earlier, asked.deadline)
    return choice_typed(*arguments), choice_digest(*arguments), lines


_READERS: Final[Mapping[str, Callable[[_Asked], _Read]]] = {
    "publish": _read_publication,
    "recognise": _read_choice,
}


def _record(said: ContentIn, subject: bytes, member: int, earlier: int) -> Record:
    return Record(
        subject=subject,
        member=member,
        kind=Kind[said.kind.upper()],
        decided_on=date.fromisoformat(said.decided_on),
        last_day=date.fromisoformat(said.last_day),
        earlier=earlier,
        measures=tuple(sorted(set(said.measures))),
        statement=_word(said.statement or _NOTHING),
        document=_word(said.document or _NOTHING),
    )


def _told_record(asked: _Asked, told: Told) -> Record:
    """What the API says that a record is now."""
    names = ("kind", "decided_on", "last_day", "statement", "document")
    codes = [measure["code"] for measure in told["measures"]]
    said = ContentIn.model_validate({name: told[name] for name in names} | {"measures": codes})
    return _record(said, _word(told["subject_key"]), asked.members[told["member"]], told["earlier"])


def _record_lines(subject: str, record: Record) -> list[str]:
    return [f"  {subject}", *(f"    {line}" for line in _content_lines(record))]


def _content_lines(record: Record) -> Sequence[str]:
    measures = [read_catalogue().measure(code) for code in record.measures]
    return (
        f"{record.kind.title}, decided on {record.decided_on}, published until {record.last_day}",
        *(f"measure {measure.code} {measure.zh} ({measure.en})" for measure in measures),
        f"statement {_hex(record.statement)}",
        f"decision  {_hex(record.document)}",
    )


def deadline_line(deadline: int) -> str:
    """Until when the signatures are good, for a person."""
    return f"signatures are good until {datetime.fromtimestamp(deadline, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _title(told: Told) -> str:
    """The state that a record is told to be in; no other text gets to the signer's terminal."""
    return "expired" if told["state"] == "expired" else State[told["state"].upper()].title


def _code(asked: _Asked, number: int) -> str:
    return next((code for code, known in asked.members.items() if known == number), f"member {number}")


def _word(text: str) -> bytes:
    word = bytes.fromhex(text.removeprefix("0x"))
    if len(word) != 32:
        raise ValueError(f"{text[:80]} is not 32 bytes")
    return word


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
