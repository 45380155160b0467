"""What is signed in a tender: each act's fields, its name, and the digest that its signers sign.

Promises the bytes that the register recomputes. An act has two hashes: its own, by which later acts name it, and the
digest of what is signed, which adds until when the signature is good. Whether an act may follow is left to
`anchors.tenders.life`, and who may sign it to the register.
"""

from dataclasses import dataclass, fields
from typing import ClassVar, Final

from anchors.chain.signatures import Domain, struct_hash, typed_digest

__all__ = [
    "NO_TENDER",
    "Act",
    "Amendment",
    "Award",
    "Candidates",
    "Evaluation",
    "Failure",
    "Notice",
    "Objection",
    "Opening",
    "Ruling",
    "members_mask",
    "signed_digest",
    "tender_domain",
]

NO_TENDER: Final = bytes(32)
"""What a notice names that replaces no other."""


@dataclass(frozen=True, slots=True)
class Act:
    """What all acts have. Digests and names are 32 bytes, times POSIX seconds, members bit n for number n."""

    TYPE: ClassVar[str]  # as EIP-712 writes it

    def words(self) -> list[int | bytes]:
        """Its fields in order, as EIP-712 hashes them."""
        return [getattr(self, field.name) for field in fields(self)]

    def struct_hash(self) -> bytes:
        """The act's EIP-712 hash, 32 bytes."""
        return struct_hash(self.TYPE, self.words())


@dataclass(frozen=True, slots=True)
class Notice(Act):
    """What is announced; its hash is the tender's name."""

    TYPE: ClassVar[str] = (
        "TenderNotice(uint16 host,uint256 members,bytes32 digest,bytes32 former,uint64 deadline,uint64 opening,"
        "uint16 answerDays)"
    )

    host: int  # who takes, opens and evaluates the bids
    members: int  # who publish it together, the host among them
    digest: bytes  # of the notice and the tender documents
    former: bytes  # the failed tender that this one replaces, or NO_TENDER
    deadline: int  # a bid received in this second is late
    opening: int
    answer_days: int


@dataclass(frozen=True, slots=True)
class Amendment(Act):
    """A new version of the notice."""

    TYPE: ClassVar[str] = (
        "TenderAmendment(bytes32 tender,uint16 version,bytes32 digest,bytes32 reason,uint64 deadline,uint64 opening)"
    )

    tender: bytes
    version: int  # the notice is version 1
    digest: bytes
    reason: bytes
    deadline: int
    opening: int


@dataclass(frozen=True, slots=True)
class Opening(Act):
    """What was opened and refused; its hash is the tender's manifest."""

    TYPE: ClassVar[str] = "TenderOpening(bytes32 tender,bytes32 root,uint32 count,bytes32 refusals,bytes32 record)"

    tender: bytes
    root: bytes  # of the opened bids
    count: int
    refusals: bytes  # Keccak-256 of the list of refused bids
    record: bytes  # digest of the record of the opening


@dataclass(frozen=True, slots=True)
class Evaluation(Act):
    """A round of evaluation."""

    TYPE: ClassVar[str] = (
        "TenderEvaluation(bytes32 tender,uint16 round,bytes32 manifest,bytes32 report,uint256 sites,bytes32 panel,"
        "bytes32 result)"
    )

    tender: bytes
    round: int  # from 1
    manifest: bytes  # the opening that was evaluated
    report: bytes
    sites: int  # where the panel sat, the host among them
    panel: bytes  # sealed
    result: bytes


@dataclass(frozen=True, slots=True)
class Candidates(Act):
    """The candidates for the award."""

    TYPE: ClassVar[str] = "TenderCandidates(bytes32 tender,bytes32 evaluation,bytes32 list,uint64 until)"

    tender: bytes
    evaluation: bytes  # its hash
    list: bytes
    until: int  # published until then


@dataclass(frozen=True, slots=True)
class Objection(Act):
    """A bidder's objection to the candidates, which a member hands in."""

    TYPE: ClassVar[str] = "TenderObjection(bytes32 tender,bytes32 candidates,bytes32 grounds)"

    tender: bytes
    candidates: bytes  # their hash
    grounds: bytes


@dataclass(frozen=True, slots=True)
class Ruling(Act):
    """The ruling on an objection."""

    TYPE: ClassVar[str] = "TenderRuling(bytes32 tender,bytes32 grounds,bool upheld,bytes32 ruling)"

    tender: bytes
    grounds: bytes  # of the objection
    upheld: bool  # so the bids are evaluated anew
    ruling: bytes


@dataclass(frozen=True, slots=True)
class Award(Act):
    """The award."""

    TYPE: ClassVar[str] = "TenderAward(bytes32 tender,bytes32 candidates,bytes32 award)"

    tender: bytes
    candidates: bytes  # their hash
    award: bytes


@dataclass(frozen=True, slots=True)
class Failure(Act):
    """That a tender ends without an award."""

    TYPE: ClassVar[str] = "TenderFailure(bytes32 tender,bytes32 reason)"

    tender: bytes
    reason: bytes


def tender_domain(register: bytes, chain_id: int) -> Domain:
    """What signatures in tenders are for.

    Args:
        register: address of the TenderRegister, 20 bytes.
        chain_id: of the network.
    """
    return Domain("bidledger", "1", chain_id, register)


def signed_digest(register: bytes, chain_id: int, act: Act, valid_until: int) -> bytes:
    """The EIP-712 digest, 32 bytes, that the act's signers sign.

    Args:
        register, chain_id: as for `tender_domain`.
        act: any of this module's.
        valid_until: POSIX seconds, the last at which the signature is good.
    """
    name = act.TYPE.partition("(")[0]
    kind = f"Signed{name}({name} act,uint64 validUntil){act.TYPE}"
    return typed_digest(tender_domain(register, chain_id), kind, (act.struct_hash(), valid_until))


def members_mask(*members: int) -> int:
    """Members as acts write them: bit n for number n."""
    return sum(1 << member for member in set(members))
