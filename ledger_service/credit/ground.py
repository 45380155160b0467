"""What every room of the credit slice stands on: the database, the alliance, its credit contracts, and whose service it
is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import Engine

from anchors.network import Contract, Member, Network
from ledger_service.chain.contracts import CREDIT_REGISTER, RECOGNITION_MATRIX
from ledger_service.errors import Misconfigured, NotFound

__all__ = ["CreditGround"]


@dataclass(frozen=True, slots=True)
class CreditGround:
    """The facts that the credit slice is given once."""

    engine: Engine
    network: Network
    member: Member  # whose service this is
    register: bytes  # address of the CreditRegister in force, 20 bytes
    matrix: bytes  # of the RecognitionMatrix
    clock: Callable[[], datetime]  # aware, UTC

    @classmethod
    def pinned(cls, engine: Engine, network: Network, member: Member, clock: Callable[[], datetime]) -> Self:
        """From the network file.

        Raises:
            Misconfigured: it names no credit contracts that are in force.
        """
        register, matrix = (_in_force(network, name) for name in (CREDIT_REGISTER, RECOGNITION_MATRIX))
        return cls(engine, network, member, register.address, matrix.address, clock)

    def code_of(self, number: int) -> str:
        """The code of a member by its number; of one that the network file does not know, the number."""
        return next((one.code for one in self.network.members if one.number == number), str(number))

    def number_of(self, code: str) -> int:
        """The number of a member by its code; raises NotFound."""
        for one in self.network.members:
            if one.code == code:
                return one.number
        raise NotFound(f"The alliance has no member {code}; see /v1/members.")


def _in_force(network: Network, name: str) -> Contract:
    for contract in network.contracts_named(name):
        if contract.to_block is None:
            return contract
    raise Misconfigured(f"the network file names no {name} that is in force; take one of a version that does")
