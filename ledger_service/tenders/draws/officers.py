"""Whether those who sign in a draw are the tender officers of its members, as the registry has it now.

The draw's file cannot prove that of itself; the service that takes the parts in does, by the index.
"""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from anchors.tenders.draw import Member
from ledger_service.errors import InvalidContent
from ledger_service.index.events import Role, Status
from ledger_service.index.tables import MemberVersion, OperatorVersion
from ledger_service.operations.signers import MemberNotActive
from ledger_service.tenders.ground import UnknownMember

__all__ = ["NotItsOfficer", "OfficerNotInForce", "check_officers"]


class NotItsOfficer(InvalidContent):
    """Terms that name somebody for a member who is none of its tender officers."""

    problem, title = "not-its-officer", "No tender officer of that member"


class OfficerNotInForce(InvalidContent):
    """Terms, or a part, of a tender officer who has not taken up the role yet, or gave it up."""

    problem, title = "officer-not-in-force", "The officer's role is not in force"


def check_officers(session: Session, members: Sequence[Member], time: int) -> None:
    """Hold the officers of members against the registry.

    Args:
        session: of the index.
        members: of the draw's terms.
        time: of the chain, POSIX seconds.

    Raises:
        UnknownMember: the alliance has no such member.
        MemberNotActive: a member is suspended or has left.
        NotItsOfficer: an address is no tender officer of its member.
        OfficerNotInForce: it was one, or will be.
    """
    for member in members:
        _check_officer(session, member, time)


def _check_officer(session: Session, member: Member, time: int) -> None:
    found = session.exec(
        select(MemberVersion).where(MemberVersion.code == member.code, col(MemberVersion.to_block).is_(None))
    ).first()
    if found is None:
        raise UnknownMember(f"The alliance has no member {member.code!r}; see /v1/members.")
    if found.status != Status.ACTIVE:
        raise MemberNotActive(f"{member.code} is suspended or has left the alliance; draw without it.")
    tenure = session.exec(
        select(OperatorVersion).where(
            OperatorVersion.address == member.officer,
            OperatorVersion.role == Role.TENDER_OFFICER,
            OperatorVersion.member == found.number,
            col(OperatorVersion.to_block).is_(None),
        )
    ).first()
    address = "0x" + member.officer.hex()
    if tenure is None:
        raise NotItsOfficer(f"{address} is no tender officer of {member.code}; see /v1/members.")
    if time < tenure.from_time or (tenure.until_time and time >= tenure.until_time):
        raise OfficerNotInForce(f"{address} is not in office for {member.code} now; the terms must name who is.")
