"""Which member applies whose records: all of every other's, but what it opted out of, with a reason that all can see.

Promises the choice that stood at a time and by which a record is not applied, and the digests that the member's roles
sign. A member's own records it always applies. Whether a record applies at all is left to its history.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from anchors.chain.signatures import Domain, typed_digest
from anchors.credit.kinds import Kind
from anchors.errors import ChoiceUnchanged, OwnRecords, ReasonMissing

__all__ = ["Choice", "Issued", "Named", "check_choice", "choice_digest", "opted_out"]

_OF_KIND: Final = (
    "RecognitionOfKind(uint16 member,uint16 issuer,uint8 kind,bool applied,bytes32 reason,uint32 earlier,"
    "uint64 deadline)"
)
_OF_RECORD: Final = (
    "RecognitionOfRecord(uint16 member,bytes32 record,bool applied,bytes32 reason,uint32 earlier,uint64 deadline)"
)


@dataclass(frozen=True, slots=True)
class Issued:
    """All records of an issuer that are of a kind."""

    issuer: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Named:
    """One record."""

    record: bytes  # its name, 32 bytes


@dataclass(frozen=True, slots=True)
class Choice:
    """What a member decided to apply, or not, in the block of a time."""

    member: int
    about: Issued | Named
    applied: bool
    reason: bytes  # SHA-256 of the reason
    time: int  # POSIX seconds


def opted_out(choices: Iterable[Choice], member: int, of: Issued, record: bytes, time: int) -> Choice | None:
    """The choice by which a member does not apply a record.

    Args:
        choices: of all members, in the chain's order.
        member: whose view it is.
        of: who issued the record, and the kind that it is at that time.
        record: its name.
        time: POSIX seconds; choices in that second count.

    Returns:
        The choice, with its reason; None where the member applies the record while it stands.
    """
    if member == of.issuer:
        return None
    last: dict[Issued | Named, Choice] = {
        choice.about: choice for choice in choices if choice.member == member and choice.time <= time
    }
    for about in (of, Named(record)):
        choice = last.get(about)
        if choice is not None and not choice.applied:
            return choice
    return None


def check_choice(choice: Choice, earlier: Iterable[Choice]) -> None:
    """Hold a choice against the rules before it is signed.

    Args:
        choice: what the member would decide.
        earlier: the member's choices about the same, in the chain's order.

    Raises:
        OwnRecords: it is about the member's own records.
        ReasonMissing: it gives no reason.
        ChoiceUnchanged: it is what stands already.
    """
    if isinstance(choice.about, Issued) and choice.about.issuer == choice.member:
        raise OwnRecords(choice.member)
    if not any(choice.reason):
        raise ReasonMissing
    stands = True
    for each in earlier:
        stands = each.applied
    if choice.applied == stands:
        raise ChoiceUnchanged(choice.member, choice.applied)


def choice_digest(matrix: bytes, chain_id: int, choice: Choice, earlier: int, deadline: int) -> bytes:
    """The EIP-712 digest, 32 bytes, that the member's credit publisher and regulator sign.

    Args:
        matrix: address of the RecognitionMatrix, 20 bytes.
        chain_id: of the network.
        choice: what is decided; its time is not signed.
        earlier: how often the member has decided about the same before.
        deadline: POSIX seconds, the last at which the signatures are good.
    """
    domain = Domain("bidledger", "1", chain_id, matrix)
    rest = (int(choice.applied), choice.reason, earlier, deadline)
    if isinstance(choice.about, Named):
        return typed_digest(domain, _OF_RECORD, (choice.member, choice.about.record, *rest))
    return typed_digest(domain, _OF_KIND, (choice.member, choice.about.issuer, choice.about.kind, *rest))
