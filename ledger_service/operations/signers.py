"""Who signed an operation, and whether that signature counts for it.

Promises what the contracts will find when the signatures reach them: that a signer holds a role that the act needs, at
the chain's time, for a member that is active, and never is a governor. The index's operators are believed, no word of
the signer's. That each counts once is left to `collecting`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, NoReturn, Self

from sqlmodel import Session, col, select

from anchors.chain.signatures import recover_signer
from anchors.errors import BadSignature
from ledger_service.errors import InvalidContent
from ledger_service.index.events import Role, Status
from ledger_service.index.tables import MemberVersion, OperatorVersion
from ledger_service.refusals import Refused

__all__ = ["ENDORSER", "OFFICER", "PUBLISHER", "REGULATOR", "Needed", "Seat", "Signed", "who_signed"]

PUBLISHER: Final = "publisher"  # a member's credit publisher
REGULATOR: Final = "regulator"  # its regulator
OFFICER: Final = "officer"  # its tender officer
ENDORSER: Final = "endorser"  # the regulator of a member whose act it is not; which one is free

_ROLES: Final = {PUBLISHER: Role.CREDIT_PUBLISHER, REGULATOR: Role.REGULATOR, OFFICER: Role.TENDER_OFFICER}


class UnknownSigner(InvalidContent):
    """A signature by a key that serves no member, or over something else."""

    problem, title = "unknown-signer", "The signer serves no member"


class OfAnotherOperation(InvalidContent):
    """A signature that was given for another operation."""

    problem, title = "signature-of-another-operation", "The signature is for another operation"


class GovernorSignature(InvalidContent):
    """A governor's signature, which counts for no act."""

    problem, title = "governor-signature", "A governor does not sign acts"


class WrongRole(InvalidContent):
    """A signature in a role that the act does not need."""

    problem, title = "wrong-role", "The signer's role does not count here"


class RoleNotInForce(InvalidContent):
    """A signature in a role that has not begun, or is over."""

    problem, title = "role-not-in-force", "The signer's role is not in force"


class OtherMember(InvalidContent):
    """A signature for another member than the one that must sign."""

    problem, title = "other-member", "The signer serves another member"


class MemberNotActive(InvalidContent):
    """A signature for a member that is suspended or withdrawn."""

    problem, title = "member-not-active", "The signer's member is not active"


class Seat(NamedTuple):
    """A signature that an act cannot do without."""

    role: str  # PUBLISHER, REGULATOR or OFFICER
    member: int


@dataclass(frozen=True, slots=True)
class Needed:
    """Whose signatures an act takes."""

    member: int  # whose act it is
    seats: tuple[Seat, ...]
    endorsements: int = 0  # of other members' regulators, at least

    @classmethod
    def of(cls, member: int, *roles: str, endorsements: int = 0) -> Self:
        """Those of one member in these roles."""
        return cls(member, tuple(Seat(role, member) for role in roles), endorsements)

    def has(self, role: str) -> bool:
        """Whether a signature in this role is among them."""
        return any(seat.role == role for seat in self.seats)


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that counts, and for what."""

    role: str  # that of a seat, or ENDORSER
    member: int
    address: bytes  # 20 bytes
    signature: bytes  # r ‖ s ‖ v, 65 bytes


def who_signed(
    session: Session, digest: bytes, needed: Needed, signature: bytes, time: int, others: Iterable[bytes] = ()
) -> Signed:
    """Find out who signed a digest, and for what that counts.

    Args:
        session: of the index.
        digest: what was to be signed, 32 bytes.
        needed: whose signatures the act takes.
        signature: what was given.
        time: the chain's, POSIX seconds.
        others: digests of other operations, among which a signature by nobody is looked for.

    Raises:
        Refused: it is no signature.
        UnknownSigner, OfAnotherOperation: nobody in the alliance signed this.
        GovernorSignature, WrongRole, RoleNotInForce, OtherMember, MemberNotActive: who did may not.
    """
    address = _recovered(digest, signature)
    tenures = _tenures(session, address)
    if not tenures:
        _refuse_stranger(session, signature, address, others)
    if any(tenure.role == Role.GOVERNOR for tenure in tenures):
        raise GovernorSignature(
            f"{_hex(address)} is a governor; the two roles are other people's. Sign with another key."
        )
    signing = [tenure for tenure in tenures if tenure.role in _ROLES.values()]
    if not signing:
        raise WrongRole(f"{_hex(address)} is neither a credit publisher, a regulator nor a tender officer of a member.")
    in_force = [tenure for tenure in signing if _in_force(tenure, time)]
    if not in_force:
        raise RoleNotInForce(f"{_hex(address)} has not taken up its role yet, or gave it up.")
    tenure, role = _counted(in_force, needed)
    _check_active(session, tenure.member)
    return Signed(role, tenure.member, address, signature)


def _recovered(digest: bytes, signature: bytes) -> bytes:
    try:
        return recover_signer(digest, signature)
    except BadSignature as error:
        raise Refused(error, "/signature") from error


def _refuse_stranger(session: Session, signature: bytes, address: bytes, others: Iterable[bytes]) -> NoReturn:
    elsewhere = {signer for digest in others if (signer := _signer(digest, signature)) is not None}
    known = select(OperatorVersion.address).where(col(OperatorVersion.address).in_(elsewhere)).limit(1)
    if session.exec(known).first() is not None:
        raise OfAnotherOperation(
            "This was signed for another operation. Sign the digest of this one: its typed data is in /v1/operations."
        )
    raise UnknownSigner(
        f"As a signature of this operation it is by {_hex(address)}, which serves no member. Either another text was "
        "signed, with another deadline perhaps, or the key is not registered."
    )


def _signer(digest: bytes, signature: bytes) -> bytes | None:
    """Who signed a digest; None where no key can have."""
    try:
        return recover_signer(digest, signature)
    except BadSignature:
        return None


def _tenures(session: Session, address: bytes) -> Sequence[OperatorVersion]:
    now = (OperatorVersion.address == address, col(OperatorVersion.to_block).is_(None))
    return session.exec(select(OperatorVersion).where(*now)).all()


def _in_force(tenure: OperatorVersion, time: int) -> bool:
    return tenure.from_time <= time and (tenure.until_time == 0 or time < tenure.until_time)


def _counted(tenures: Sequence[OperatorVersion], needed: Needed) -> tuple[OperatorVersion, str]:
    """For what one of the signer's tenures counts."""
    for tenure in tenures:
        for seat in needed.seats:
            if (tenure.role, tenure.member) == (_ROLES[seat.role], seat.member):
                return tenure, seat.role
        if needed.endorsements and tenure.role == Role.REGULATOR and tenure.member != needed.member:
            return tenure, ENDORSER
    address = _hex(tenures[0].address)
    members = {needed.member, *(seat.member for seat in needed.seats)}
    if any(tenure.member in members for tenure in tenures):
        raise WrongRole(f"{address} signs in a role that this act does not take; see what it needs.")
    if needed.endorsements:
        raise WrongRole(f"{address} is no regulator; other members endorse by their regulators.")
    raise OtherMember(f"{address} serves another member than those whose signatures this act takes.")


def _check_active(session: Session, number: int) -> None:
    now = (MemberVersion.number == number, col(MemberVersion.to_block).is_(None))
    member = session.exec(select(MemberVersion).where(*now)).first()
    if member is None or member.status != Status.ACTIVE:
        raise MemberNotActive("The signer's member is suspended or has left the alliance; its signatures do not count.")


def _hex(address: bytes) -> str:
    return "0x" + address.hex()
