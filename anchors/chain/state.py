"""Accounts and storage slots, proven against the state root of a header.

Promises that what a node says about state *now* is true of the block whose state root is given, absence included. A
node keeps state only for recent blocks, so this serves the questions about the present; evidence that must last
goes by receipts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from anchors.chain import rlp
from anchors.chain.answers import Answer, data_list
from anchors.chain.keccak import keccak256
from anchors.chain.trie import SharedNodes, prove_value
from anchors.errors import BadTrieProof, MalformedAnswer, MalformedRlp

__all__ = ["Account", "ProvenState", "find_account", "find_slot", "prove_account", "prove_slot", "prove_state"]

_ABSENT_SLOT = bytes(32)


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the state."""

    nonce: int
    balance: int  # wei
    storage_root: bytes  # 32 bytes
    code_hash: bytes  # 32 bytes


@dataclass(frozen=True, slots=True)
class ProvenState:
    """An account with some of its slots; no account means that its absence is proven."""

    account: Account | None
    slots: tuple[bytes, ...]  # 32 bytes each, zeros where the slot is absent


def prove_state(state_root: bytes, address: bytes, slots: Sequence[bytes], answer: Answer) -> ProvenState:
    """Prove the answer of eth_getProof for `address` and `slots`.

    Args:
        state_root: from a header, 32 bytes.
        address: the 20 bytes that were asked for.
        slots: the slots that were asked for, 32 bytes each, in that order.
        answer: the `result` of eth_getProof as raw JSON. Only its proof nodes are read, never its claims.

    Returns:
        The account and the values of its slots, in the order asked.

    Raises:
        MalformedAnswer: proof nodes are missing from the answer.
        BadTrieProof: the nodes do not prove account or slot under the root.

    Source: EIP-1186.
    """
    account = prove_account(state_root, address, data_list(answer, "accountProof"))
    if account is None:
        return ProvenState(None, (_ABSENT_SLOT,) * len(slots))
    proofs = answer.get("storageProof")
    if not isinstance(proofs, list) or len(proofs) != len(slots) or not all(isinstance(one, dict) for one in proofs):
        raise MalformedAnswer(f"storageProof is not a list of {len(slots)} proofs")
    values = [
        prove_slot(account.storage_root, slot, data_list(proof, "proof"))
        for slot, proof in zip(slots, proofs, strict=True)
    ]
    return ProvenState(account, tuple(values))


def prove_account(state_root: bytes, address: bytes, proof: Sequence[bytes]) -> Account | None:
    """Prove one account, or that there is none, from trie nodes; raises BadTrieProof.

    Source: Ethereum Yellow Paper, 4.1.
    """
    value = prove_value(state_root, keccak256(address), proof)
    if value is None:
        return None
    try:
        return _read_account(value)
    except MalformedRlp as error:
        raise BadTrieProof(f"the account is malformed: {error}", len(proof) - 1) from error


def prove_slot(storage_root: bytes, slot: bytes, proof: Sequence[bytes]) -> bytes:
    """Prove the 32 bytes of one slot, zeros where it is proven absent, from trie nodes; raises BadTrieProof.

    Source: Ethereum Yellow Paper, 4.1.
    """
    value = prove_value(storage_root, keccak256(slot), proof)
    if value is None:
        return _ABSENT_SLOT
    try:
        return _read_slot(value)
    except MalformedRlp as error:
        raise BadTrieProof(f"the slot's value is malformed: {error}", len(proof) - 1) from error


def find_account(state_root: bytes, address: bytes, nodes: SharedNodes) -> Account | None:
    """Prove one account, or that there is none, from nodes that serve other proofs as well; raises BadTrieProof."""
    return nodes.prove(state_root, keccak256(address), _read_account)


def find_slot(storage_root: bytes, slot: bytes, nodes: SharedNodes) -> bytes:
    """Prove the 32 bytes of one slot from nodes that serve other proofs as well; raises BadTrieProof."""
    return nodes.prove(storage_root, keccak256(slot), _read_slot) or _ABSENT_SLOT


def _read_account(value: bytes) -> Account:
    fields = rlp.decode_list(value)
    if len(fields) != 4:
        raise MalformedRlp(f"an account has 4 fields, not {len(fields)}", 0)
    storage_root, code_hash = (field if isinstance(field, bytes) else b"" for field in fields[2:])
    if len(storage_root) != 32 or len(code_hash) != 32:
        raise MalformedRlp("a hash does not have 32 bytes", 0)
    return Account(rlp.to_uint(fields[0]), rlp.to_uint(fields[1], 32), storage_root, code_hash)


def _read_slot(value: bytes) -> bytes:
    return rlp.to_uint(rlp.decode(value), 32).to_bytes(32, "big")
