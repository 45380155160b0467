"""What a network file says, as facts: who may seal, anchor, sign and govern, and from when until when.

Promises only to answer what was in force at a block, a size or a time. That the facts do not contradict themselves is
for the file's reader, that anybody may be believed to have said them is for the signatures.
"""

from dataclasses import dataclass

from anchors.errors import ContractNotInForce, LogKeyNotInForce, SignerNotInForce, UnknownMember

FORMAT = "bidledger/network/v1"


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """Who sealed the blocks of a span: from_block <= block < to_block, without end where to_block is None."""

    from_block: int
    to_block: int | None
    addresses: tuple[bytes, ...]  # 20 bytes each


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract, in force from_block <= block < to_block."""

    name: str
    address: bytes  # 20 bytes
    code_hash: bytes  # keccak256 of the code at that address
    from_block: int
    to_block: int | None


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key of a member's log, good for checkpoints of a size with from_size < size <= to_size."""

    generation: int
    vkey: str  # C2SP signed-note verifier key, its name the log's origin
    from_size: int
    to_size: int | None


@dataclass(frozen=True, slots=True)
class ReceiptSigner:
    """A signer of receipts that are accepted at from_time <= time < to_time, POSIX seconds."""

    address: bytes  # 20 bytes
    from_time: int
    to_time: int | None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the alliance."""

    number: int
    code: str
    name: str
    log_keys: tuple[LogKey, ...]
    receipt_signers: tuple[ReceiptSigner, ...]


@dataclass(frozen=True, slots=True)
class Governor:
    """A governor of a member; one whose to_block is not None has no voice any more."""

    member: int
    address: bytes  # 20 bytes
    from_block: int
    to_block: int | None


@dataclass(frozen=True, slots=True)
class GovernorSignature:
    """A governor's EIP-712 signature of a network file."""

    governor: bytes  # 20 bytes
    signature: bytes  # 65 bytes r, s, v


@dataclass(frozen=True, slots=True)
class Network:
    """What a network file says, field for field in the order of the file."""

    format: str
    alliance: str
    domain: str
    version: int
    chain_id: int
    genesis_hash: bytes  # 32 bytes
    consensus: str
    validators: tuple[ValidatorSet, ...]
    contracts: tuple[Contract, ...]
    members: tuple[Member, ...]
    governors: tuple[Governor, ...]
    threshold: int
    signatures: tuple[GovernorSignature, ...]

    def member(self, number: int) -> Member:
        """The member of that number; raises UnknownMember."""
        for member in self.members:
            if member.number == number:
                return member
        raise UnknownMember(number)

    def origin(self, member: Member, generation: int) -> str:
        """The origin of a member's log, which is also the name of its key."""
        return f"{self.domain}/{self.chain_id}/{member.code}/{generation}"

    def log_key(self, member: Member, generation: int, size: int) -> LogKey:
        """The key that may sign a member's checkpoint of that size; raises LogKeyNotInForce."""
        for key in member.log_keys:
            if key.generation == generation and key.from_size < size and (key.to_size is None or size <= key.to_size):
                return key
        raise LogKeyNotInForce(member.code, generation, size)

    def contracts_named(self, name: str) -> tuple[Contract, ...]:
        """All contracts that ever had that name."""
        return tuple(contract for contract in self.contracts if contract.name == name)

    def contract(self, name: str, block: int) -> Contract:
        """The contract of that name in force at a block; raises ContractNotInForce."""
        for contract in self.contracts_named(name):
            if _in_force(contract.from_block, contract.to_block, block):
                return contract
        raise ContractNotInForce(name, block)

    def receipt_signer(self, member: Member, address: bytes, time: int) -> ReceiptSigner:
        """The member's signer of that address, if in force at that time; raises SignerNotInForce."""
        for signer in member.receipt_signers:
            if signer.address == address and _in_force(signer.from_time, signer.to_time, time):
                return signer
        raise SignerNotInForce(member.code, address, time)


def _in_force(start: int, end: int | None, at: int) -> bool:
    return start <= at and (end is None or at < end)
