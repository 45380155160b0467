"""The network file: the one thing that a reader pins, the root of all trust in an evidence file.

Promises that nothing in it counts before its own validity is proven: one canonical spelling, so that no byte of it
can be changed unseen, histories that never overlap, and the signatures of governors of more than two thirds of the
members. Everything that can be rotated is a history, appended to, so that old evidence stays good and a revoked key
proves nothing new. How a later version replaces a pinned one is left to whoever pins it.
"""

import dataclasses
import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from anchors.bounded_json import MAX_FILE_BYTES, MAX_NUMBER, Fields, read_json
from anchors.chain.keccak import keccak256
from anchors.chain.signatures import Domain, recover_signer, sign_digest, typed_digest
from anchors.errors import (
    BadGovernorSignature,
    ContractNotInForce,
    LogKeyNotInForce,
    MalformedFile,
    NotCanonical,
    SignerNotInForce,
    TooFewGovernors,
    UnknownMember,
)
from anchors.seals import CONSENSUSES, DEVELOPMENT

__all__ = [
    "FORMAT",
    "MAX_NETWORK_BYTES",
    "Contract",
    "Governor",
    "GovernorSignature",
    "LogKey",
    "Member",
    "Network",
    "Quorum",
    "ReceiptSigner",
    "ValidatorSet",
    "network_digest",
    "parse_network",
    "prove_network",
    "sign_network",
    "write_network",
]

FORMAT = "bidledger/network/v1"
MAX_NETWORK_BYTES = MAX_FILE_BYTES

_MAX_MEMBERS = 255  # votes are one bitmap word of the registry
_MAX_GENERATION = (1 << 32) - 1
_MAX_HISTORY = 4096
_DOMAIN_NAME = r"[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?"  # leaves room for the rest of an origin of 255 bytes
_NAME = r"[^\x00-\x1f\x7f]{1,128}"
_VKEY = r"[!-~]{1,512}"
_CODE = r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"
_SIGNED_TYPE = "NetworkFile(string alliance,uint64 version,bytes32 digest)"


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

    def validators_at(self, block: int) -> tuple[bytes, ...]:
        """The addresses that may seal a block; none where no span of the history holds it."""
        for validators in self.validators:
            if _in_force(validators.from_block, validators.to_block, block):
                return validators.addresses
        return ()

    def receipt_signer(self, member: Member, address: bytes, time: int) -> ReceiptSigner:
        """The member's signer of that address, if in force at that time; raises SignerNotInForce."""
        for signer in member.receipt_signers:
            if signer.address == address and _in_force(signer.from_time, signer.to_time, time):
                return signer
        raise SignerNotInForce(member.code, address, time)


@dataclass(frozen=True, slots=True)
class Quorum:
    """The members whose governors signed a network file: proof that it is valid."""

    members: frozenset[int]
    threshold: int


def _in_force(start: int, end: int | None, at: int) -> bool:
    return start <= at and (end is None or at < end)


def prove_network(network: Network) -> Quorum:
    """Prove that the governors of more than two thirds of the members signed a network file.

    Args:
        network: the file, as parsed. Signatures of governors whose time is over are checked but give no voice: they
            may stand beside others in a version that replaces them.

    Returns:
        The members that gave their voice, one each.

    Raises:
        BadGovernorSignature: a signature is not by the governor that it names, who is listed once.
        TooFewGovernors: the voices do not reach the threshold, or that is not above two thirds of the members.

    Source: EIP-712.
    """
    digest = network_digest(network)
    governors = {governor.address: governor for governor in network.governors}
    signed: set[bytes] = set()
    voices: set[int] = set()
    for each in network.signatures:
        governor = governors.get(each.governor)
        if governor is None or each.governor in signed:
            raise BadGovernorSignature(each.governor, "is not listed" if governor is None else "signed twice")
        if recover_signer(digest, each.signature) != each.governor:
            raise BadGovernorSignature(each.governor, "did not sign this file")
        signed.add(each.governor)
        if governor.to_block is None:
            voices.add(governor.member)
    if 3 * network.threshold <= 2 * len(network.members) or len(voices) < network.threshold:
        raise TooFewGovernors(len(voices), network.threshold, len(network.members))
    return Quorum(frozenset(voices), network.threshold)


def network_digest(network: Network) -> bytes:
    """The EIP-712 digest that governors sign: 32 bytes, of all of the file but its signatures.

    Source: EIP-712; RFC 8785 for the form that is hashed.
    """
    content = {name: _json(getattr(network, name)) for name in _names(Network) if name != "signatures"}
    digest = hashlib.sha256(rfc8785.dumps(content)).digest()
    words = (keccak256(network.alliance.encode()), network.version, digest)
    return typed_digest(Domain("bidledger network", "1", network.chain_id), _SIGNED_TYPE, words)


def sign_network(network: Network, keys: Mapping[bytes, bytes]) -> Network:
    """Add governors' signatures to a network file.

    Args:
        network: the file, with or without signatures.
        keys: private keys of 32 bytes by the governor's address.

    Returns:
        The file with one more signature for each key; those of the same governors are replaced.
    """
    digest = network_digest(network)
    kept = [each for each in network.signatures if each.governor not in keys]
    added = [GovernorSignature(address, sign_digest(key, digest)) for address, key in keys.items()]
    return dataclasses.replace(network, signatures=(*kept, *added))


def write_network(network: Network) -> bytes:
    """Write a network file in its one canonical form: names in order, two spaces of indent, a last newline."""
    return (json.dumps(_json(network), indent=2, ensure_ascii=False) + "\n").encode()


def _json(value: object) -> Any:
    """A fact of this module as JSON values; its fields stand in the order of the format."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return [_json(element) for element in value]
    if dataclasses.is_dataclass(value):
        return {field.name: _json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def parse_network(data: bytes) -> Network:
    """Read a network file; nothing in it is proven yet, see `prove_network`.

    Args:
        data: the file's bytes.

    Returns:
        What the file says.

    Raises:
        MalformedFile: the bytes are out of bounds, of another format, or hold histories that contradict themselves.
        NotCanonical: the same content is spelt otherwise than `write_network` does.
    """
    fields = Fields(read_json(data), "", _names(Network))
    network = Network(
        format=fields.text("format", re.escape(FORMAT)),
        alliance=fields.text("alliance", _NAME),
        domain=fields.text("domain", _DOMAIN_NAME),
        version=fields.number("version", 1),
        chain_id=fields.number("chain_id", 1),
        genesis_hash=fields.hex("genesis_hash", 32),
        consensus=fields.text("consensus", "|".join(CONSENSUSES)),
        validators=fields.each("validators", _MAX_HISTORY, _validator_set),
        contracts=fields.each("contracts", _MAX_HISTORY, _contract),
        members=fields.each("members", _MAX_MEMBERS, _member),
        governors=fields.each("governors", _MAX_HISTORY, _governor),
        threshold=fields.number("threshold", 1, _MAX_MEMBERS),
        signatures=fields.each("signatures", _MAX_HISTORY, _signature),
    )
    _check_histories(network)
    # With the spelling fixed, not a space of the file can be changed unseen.
    if write_network(network) != data:
        raise NotCanonical
    return network


def _names(facts: type) -> list[str]:
    return [field.name for field in dataclasses.fields(facts)]


def _validator_set(value: object, where: str) -> ValidatorSet:
    fields = Fields(value, where, _names(ValidatorSet))
    return ValidatorSet(*_span(fields, "block"), fields.hex_list("addresses", _MAX_HISTORY, 20))


def _contract(value: object, where: str) -> Contract:
    fields = Fields(value, where, _names(Contract))
    name, address = fields.text("name", r"[A-Za-z0-9]{1,64}"), fields.hex("address", 20)
    return Contract(name, address, fields.hex("code_hash", 32), *_span(fields, "block"))


def _member(value: object, where: str) -> Member:
    fields = Fields(value, where, _names(Member))
    return Member(
        number=fields.number("number", 1, _MAX_MEMBERS),
        code=fields.text("code", _CODE),
        name=fields.text("name", _NAME),
        log_keys=fields.each("log_keys", _MAX_HISTORY, _log_key),
        receipt_signers=fields.each("receipt_signers", _MAX_HISTORY, _receipt_signer),
    )


def _log_key(value: object, where: str) -> LogKey:
    fields = Fields(value, where, _names(LogKey))
    generation, vkey = fields.number("generation", 0, _MAX_GENERATION), fields.text("vkey", _VKEY)
    return LogKey(generation, vkey, *_span(fields, "size"))


def _receipt_signer(value: object, where: str) -> ReceiptSigner:
    fields = Fields(value, where, _names(ReceiptSigner))
    return ReceiptSigner(fields.hex("address", 20), *_span(fields, "time"))


def _governor(value: object, where: str) -> Governor:
    fields = Fields(value, where, _names(Governor))
    member, address = fields.number("member", 1, _MAX_MEMBERS), fields.hex("address", 20)
    return Governor(member, address, *_span(fields, "block"))


def _signature(value: object, where: str) -> GovernorSignature:
    fields = Fields(value, where, _names(GovernorSignature))
    return GovernorSignature(fields.hex("governor", 20), fields.hex("signature", 65))


def _span(fields: Fields, unit: str) -> tuple[int, int | None]:
    start = fields.number(f"from_{unit}")
    end = fields.nullable(f"to_{unit}", fields.number)
    if end is not None and end < start:
        raise MalformedFile(fields.path(f"to_{unit}"), f"lies before from_{unit}")
    return start, end


def _check_histories(network: Network) -> None:
    numbers = [member.number for member in network.members]
    _check_distinct("members", numbers)
    _check_distinct("members", [member.code for member in network.members])
    _check_distinct("governors", [governor.address for governor in network.governors])
    _check_distinct("members", [signer.address for member in network.members for signer in member.receipt_signers])
    for governor in network.governors:
        if governor.member not in numbers:
            raise MalformedFile("governors", f"names member {governor.member}, who is not listed")
    _check_order("validators", [(each.from_block, each.to_block) for each in network.validators])
    if network.consensus != DEVELOPMENT and not network.validators:
        raise MalformedFile("validators", f"is empty, though the consensus is {network.consensus}")
    spans: dict[str, list[tuple[int, int | None]]] = {}
    for contract in network.contracts:
        spans.setdefault(contract.name, []).append((contract.from_block, contract.to_block))
    for name, history in spans.items():
        _check_order(f"contracts ({name})", history)
    for member in network.members:
        _check_log_keys(network, member)


def _check_log_keys(network: Network, member: Member) -> None:
    where = f"members ({member.code}).log_keys"
    for key, following in itertools.pairwise(member.log_keys):
        # A new generation begins at size 0 again; what went before it is closed for good.
        start = following.from_size if following.generation == key.generation else MAX_NUMBER
        if key.to_size is None or following.generation < key.generation or start < key.to_size:
            raise MalformedFile(where, "has spans that are open, overlap or are out of order before the last")
    for key in member.log_keys:
        if not key.vkey.startswith(network.origin(member, key.generation) + "+"):
            raise MalformedFile(where, "has a key whose name is not the log's origin")


def _check_distinct(where: str, values: Sequence[object]) -> None:
    if len(set(values)) < len(values):
        raise MalformedFile(where, "lists a number, code or address twice")


def _check_order(where: str, spans: Sequence[tuple[int, int | None]]) -> None:
    for (_, end), (start, _) in itertools.pairwise(spans):
        if end is None or start < end:
            raise MalformedFile(where, "has spans that overlap or are out of order")
