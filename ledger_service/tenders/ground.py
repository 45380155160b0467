"""What every room of the tender slice stands on: the database, the alliance, its tender register, and whose service it
is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import Engine

from anchors.network import Member, Network
from ledger_service.chain.contracts import TENDER_REGISTER
from ledger_service.errors import InvalidContent, Misconfigured, NotFound

__all__ = ["TenderGround", "UnknownMember"]


class UnknownMember(InvalidContent):
    """A value names a member that the alliance does not have."""

    problem, title = "unknown-member", "No such member"


@dataclass(frozen=True, slots=True)
class TenderGround:
    """The facts that the tender slice is given once."""

    engine: Engine
    network: Network
    member: Member  # whose service this is
    register: bytes  # address of the TenderRegister in force, 20 bytes
    clock: Callable[[], datetime]  # aware, UTC

    @classmethod
    def pinned(cls, engine: Engine, network: Network, member: Member, clock: Callable[[], datetime]) -> Self:
        """From the network file.

        Raises:
            Misconfigured: it names no TenderRegister that is in force.
        """
        for contract in network.contracts_named(TENDER_REGISTER):
            if contract.to_block is None:
                return cls(engine, network, member, contract.address, clock)
        raise Misconfigured(
            f"the network file names no {TENDER_REGISTER} that is in force; take one of a version that does"
        )

    def code_of(self, number: int) -> str:
        """The code of a member by its number; of one that the network file does not know, the number."""
        return next((one.code for one in self.network.members if one.number == number), str(number))

    def number_of(self, code: str, pointer: str) -> int:
        """The number of the member that a value names; raises UnknownMember, which says where it stands."""
        for one in self.network.members:
            if one.code == code:
                return one.number
        raise UnknownMember(f"The alliance has no member {code[:64]!r}; see /v1/members.", facts={"pointer": pointer})

    def unknown(self, tender: bytes) -> NotFound:
        """That there is no such tender."""
        return NotFound(f"The index knows no tender 0x{tender.hex()}; see /v1/tenders.")
