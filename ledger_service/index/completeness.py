"""Holds the index against the contracts' own state, proven under a verified header: nothing left out, nothing invented.

Each member's checkpoint is one pair of words in EvidenceLog, with the count of its anchors; all other events of a
contract are folded into its journal word. The index knows what these words must be; eth_getProof shows what they are.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from sqlmodel import Session, col, select

from anchors.chain.header import Header
from anchors.chain.state import ProvenState, prove_state
from anchors.errors import AnchorsError
from anchors.network import Contract
from ledger_service.chain.contracts import (
    EVIDENCE_LOG,
    JOURNAL_SLOT,
    REGISTRY,
    REGISTRY_JOURNAL_SLOT,
    checkpoint_slots,
    pack_checkpoint,
    unpack_checkpoint,
)
from ledger_service.chain.rpc import Rpc, fields
from ledger_service.errors import Misconfigured, NodeDishonest
from ledger_service.index.journal import EMPTY_JOURNAL, journal_count
from ledger_service.index.queries import dated_anchors
from ledger_service.index.tables import Anchor, GenerationEnd, JournalVersion

Words: TypeAlias = Mapping[tuple[str, bytes], bytes]  # (contract, slot) -> word

_ZERO: Final = bytes(32)


class ContractMissing(Misconfigured):
    """At a contract's address there is another code, or none."""

    problem, title = "contract-missing", "A contract is not on the chain"


def proven_words(rpc: Rpc, header: Header, contracts: Mapping[str, Contract], member_count: int) -> Words:
    """The contracts' words by the state of a block.

    Args:
        rpc: the node that proves the state.
        header: a verified header.
        contracts: by name; those that are younger than the block are left out.
        member_count: members are numbered from 1 to this.

    Raises:
        NodeDishonest: a proof does not lead to the header's state root.
        ContractMissing: the state has no such contract.
        ChainRefused: the node has no state of this block.
        ChainUnreachable: no answer, or not one of a node.
    """
    made = {name: pinned for name, pinned in contracts.items() if pinned.from_block <= header.number}
    slots = {name: _slots(name, member_count) for name in made}
    asked = [
        ("eth_getProof", ["0x" + pinned.address.hex(), ["0x" + slot.hex() for slot in slots[name]], hex(header.number)])
        for name, pinned in made.items()
    ]
    words: dict[tuple[str, bytes], bytes] = {}
    for (name, pinned), answer in zip(made.items(), rpc.batch(asked), strict=True):
        proven = _prove(name, pinned, slots[name], header, answer)
        words |= {(name, slot): word for slot, word in zip(slots[name], proven.slots, strict=True)}
    return words


def check_completeness(session: Session, header: Header, words: Words, member_count: int) -> None:
    """Compare the index, as the session sees it, with the words of the last block that it holds.

    Raises:
        NodeDishonest: a word differs; it says what was left out or invented, and where.
    """
    faults = [
        _journal_difference(name, journal_word(session, name), word)
        for (name, slot), word in words.items()
        if slot == _journal_slot(name)
    ]
    if (EVIDENCE_LOG, JOURNAL_SLOT) in words:
        faults += [_checkpoint_difference(session, member, words) for member in range(1, member_count + 1)]
    said = [fault for fault in faults if fault]
    if said:
        raise NodeDishonest(f"at block {header.number} the index is not what the state proves: {'; '.join(said)}")


def journal_word(session: Session, contract: str) -> bytes:
    """The journal of `contract` as the index has folded it so far."""
    now = select(JournalVersion.word).where(JournalVersion.contract == contract, col(JournalVersion.to_block).is_(None))
    return session.exec(now).first() or EMPTY_JOURNAL


def _slots(name: str, member_count: int) -> list[bytes]:
    checkpoints = range(1, member_count + 1) if name == EVIDENCE_LOG else ()
    return [_journal_slot(name), *(slot for member in checkpoints for slot in checkpoint_slots(member))]


def _journal_slot(name: str) -> bytes:
    return REGISTRY_JOURNAL_SLOT if name == REGISTRY else JOURNAL_SLOT


def _prove(name: str, pinned: Contract, slots: list[bytes], header: Header, answer: object) -> ProvenState:
    where = f"{name} 0x{pinned.address.hex()} at block {header.number}"
    try:
        proven = prove_state(header.state_root, pinned.address, slots, fields(answer))
    except AnchorsError as error:
        raise NodeDishonest(
            f"{where}: the node's state proof does not lead to the header's state root: {error}"
        ) from error
    if proven.account is None or proven.account.code_hash != pinned.code_hash:
        raise ContractMissing(
            f"{where}: the state has no such contract. Either the chain was turned back before its deployment, or the "
            "network file is of another one"
        )
    return proven


def _journal_difference(name: str, expected: bytes, word: bytes) -> str:
    if word == expected:
        return ""
    here, there = journal_count(expected), journal_count(word)
    return f"the journal of {name} counts {there} events, the index {here}: {_verdict(there, here, 'event')}"


def _checkpoint_difference(session: Session, member: int, words: Words) -> str:
    expected = _checkpoint_words(session, member)
    found = tuple(words[EVIDENCE_LOG, slot] for slot in checkpoint_slots(member))
    if found == expected:
        return ""
    generation, size, there, _ = unpack_checkpoint(found[1])
    here = unpack_checkpoint(expected[1])[2]
    return (
        f"EvidenceLog counts {there} anchors of member {member}, the last at size {size} of generation {generation}, "
        f"the index {here}: {_verdict(there, here, 'anchor')}"
    )


def _checkpoint_words(session: Session, member: int) -> tuple[bytes, bytes]:
    """What the member's checkpoint must be, were the index complete."""
    last = next(iter(dated_anchors(session, Anchor.member == member, limit=1, newest=True)), None)
    if last is None:
        return _ZERO, _ZERO
    anchor, time = last.anchor, last.time
    if session.get(GenerationEnd, (member, anchor.generation)) is not None:
        return _ZERO, pack_checkpoint(anchor.generation + 1, 0, anchor.count, time)
    return anchor.root, pack_checkpoint(anchor.generation, anchor.size, anchor.count, time)


def _verdict(there: int, here: int, what: str) -> str:
    if there == here:
        return f"an {what} was altered"
    number, done = (there - here, "left out") if there > here else (here - there, "invented")
    return f"{number} {what}{'s were' if number > 1 else ' was'} {done}"
