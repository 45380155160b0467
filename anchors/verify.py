"""The ordered verifier: from a document to a verdict that needs nobody's word but the pinned network file's.

Promises a verdict for any bytes, never an exception: facts go in one step at a time, each step uses only what the
steps before it proved, the first that fails ends the matter and is named. Trust is never read from the evidence
itself. A part that is present is checked whatever grade is asked for; a part that the grade needs and that is missing
refutes, so stripping a file never helps. Cosignatures and the timestamp are for readers who trust someone outside the
alliance: a step each where they say whom. A timestamp that is there must be one of the checkpoint in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from anchors.chain.header import DEVELOPMENT, Header, decode_header
from anchors.chain.keccak import keccak256
from anchors.chain.receipts import Log, claimed_receipt, prove_receipt
from anchors.chain.receipts import Receipt as TransactionReceipt
from anchors.commitment import Digests, Statement, commit
from anchors.errors import (
    CheckpointOfAnotherLog,
    CommitmentDiffers,
    ContractNotInForce,
    DocumentDiffers,
    EventDiffers,
    EventMissing,
    EventOfAnotherContract,
    IndexDiffers,
    NobodySealed,
    NotSealed,
    ReceiptOfAnotherContract,
    ReceiptsRootDiffers,
    RootDiffers,
)
from anchors.evidence import EvidenceFile
from anchors.merkle import leaf_hash, prove_inclusion
from anchors.network import Member, Network, Quorum, ReceiptSigner
from anchors.notes import Checkpoint, Policy, TlogProof, Verifier, Witnessed, open_checkpoint, prove_quorum
from anchors.receipt import Receipt
from anchors.seals import prove_seals
from anchors.steps import Refuted, Run, Step, iso_time, pin_network
from anchors.timestamp import Timestamp, prove_timestamp, read_timestamp

__all__ = ["EVIDENCE_LOG", "STEPS", "STEPS_ON_DEMAND", "Grade", "Step", "Verdict", "verify"]

STEPS = ("document", "commitment", "inclusion", "checkpoint", "event", "receipt", "header", "seals", "network")
STEPS_ON_DEMAND = ("witnesses", "timestamp")  # after `checkpoint`, where the reader gives a policy, authorities
EVIDENCE_LOG = "EvidenceLog"  # the contract's name in the network file

_ANCHORED = keccak256(b"Anchored(uint16,uint32,uint64,bytes32,uint64)")


class Grade(StrEnum):
    """How much is proven, weakest first: in the member's log; on the chain; in a block that validators sealed."""

    LOGGED = "logged"
    ANCHORED = "anchored"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Proven with all its facts, or refuted at the last of its steps, with none."""

    steps: tuple[Step, ...]
    grade: Grade | None = None
    anchored_at: str | None = None  # the block's time, ISO 8601 in UTC
    block_number: int | None = None
    member: str | None = None  # the code of the member whose log it is
    index: int | None = None  # the leaf's place in that log

    @property
    def proven(self) -> bool:
        """Whether every step holds."""
        return self.grade is not None

    def as_json(self) -> dict[str, object]:
        """The verdict as `bidledger verify --json` prints it."""
        return {
            "verdict": "proven" if self.proven else "refuted",
            "grade": self.grade,
            "steps": [each.as_json() for each in self.steps],
            "anchored_at": self.anchored_at,
            "block_number": self.block_number,
            "member": self.member,
            "index": self.index,
        }


def verify(
    document: Digests,
    evidence: bytes,
    network: bytes,
    require: str | None = None,
    later: Sequence[bytes] = (),
    *,
    policy: bytes | None = None,
    authorities: bytes | None = None,
) -> Verdict:
    """Hold a document and its evidence file against a pinned network file.

    Args:
        document: the digests of the document's bytes.
        evidence: the evidence file, from anyone.
        network: the network file that the reader trusts.
        require: the least grade that is good enough; without it `sealed`, or `anchored` where the network file says
            that nobody seals.
        later: the versions of the network file after the one that the reader trusts, in order, from anyone; the
            evidence is judged by the newest.
        policy: the tlog-policy file whose quorum of witnesses must have cosigned the checkpoint; None needs nobody.
        authorities: the certificates of the timestamp authorities, PEM, one of which must have dated the checkpoint;
            None needs none.

    Returns:
        Proven with a grade, or refuted at a step.
    """
    run = Run()
    try:
        return _prove(run, document, evidence, (network, *later), require, _Outside(policy, authorities))
    except Refuted:
        return Verdict(tuple(run.steps))


@dataclass(frozen=True, slots=True)
class _Outside:
    """Whom the reader trusts beside the alliance."""

    policy: bytes | None
    authorities: bytes | None


@dataclass(frozen=True, slots=True)
class _Logged:
    """A commitment's proven place in the log of a member, under a checkpoint that the log signed."""

    member: Member
    log: Verifier
    receipt: Receipt
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A checkpoint's proven place on the chain."""

    contract: bytes  # the address that emitted the event
    header: Header
    grade: Grade


def _prove(
    run: Run,
    document: Digests,
    evidence: bytes,
    versions: tuple[bytes, ...],
    require: str | None,
    outside: _Outside,
) -> Verdict:
    file = run.need("document", EvidenceFile.parse, evidence)
    statement = run.step("document", _prove_document, file, document)
    receipt = run.step("commitment", _prove_commitment, file, statement)
    proof = run.step("inclusion", _prove_inclusion, file, receipt)
    pinned, quorum = run.need("network", pin_network, versions)
    logged = run.step("checkpoint", _prove_checkpoint, pinned, receipt, proof)
    if outside.policy is not None:
        run.step("witnesses", _prove_witnesses, outside.policy, logged.log, proof)
    if outside.authorities is not None:
        run.step("timestamp", _prove_timestamp, outside.authorities, file, logged.checkpoint)
    elif file.has_timestamp:
        run.need("timestamp", lambda: read_timestamp(file.timestamp(), logged.checkpoint.text))
    least = Grade(require) if require else Grade.ANCHORED if pinned.consensus == DEVELOPMENT else Grade.SEALED
    anchor = None
    if file.has_anchor or least is not Grade.LOGGED:
        anchor = _prove_anchor(run, file, pinned, logged, least)
    run.step("network", _prove_network, pinned, quorum, logged, anchor)
    code = logged.member.code
    if anchor is None:
        return Verdict(tuple(run.steps), Grade.LOGGED, member=code, index=receipt.index)
    time = iso_time(anchor.header.timestamp)
    return Verdict(tuple(run.steps), anchor.grade, time, anchor.header.number, code, receipt.index)


def _prove_document(file: EvidenceFile, document: Digests) -> tuple[Statement, str]:
    statement = file.statement()
    if statement.sha256 != document.sha256:
        raise DocumentDiffers("SHA-256", document.sha256, statement.sha256)
    if statement.sm3 is not None and statement.sm3 != document.sm3:
        raise DocumentDiffers("SM3", document.sm3, statement.sm3)
    return statement, f"the document has the stated SHA-256 0x{statement.sha256.hex()}"


def _prove_commitment(file: EvidenceFile, statement: Statement) -> tuple[Receipt, str]:
    receipt = file.receipt()
    commitment = commit(statement)
    if commitment != receipt.commitment:
        raise CommitmentDiffers(commitment, receipt.commitment)
    receipt.prove_entry()
    return receipt, f"the statement commits to 0x{commitment.hex()}, which the receipt promises a place"


def _prove_inclusion(file: EvidenceFile, receipt: Receipt) -> tuple[TlogProof, str]:
    proof = file.tlog_proof()
    if proof.index != receipt.index:
        raise IndexDiffers(receipt.index, proof.index)
    size, root = proof.checkpoint.size, proof.checkpoint.root
    if prove_inclusion(leaf_hash(receipt.commitment), proof.index, size, proof.path).root != root:
        raise RootDiffers(proof.index, size)
    return proof, f"it is leaf {proof.index} of the tree of {size} leaves with the root 0x{root.hex()}"


def _prove_checkpoint(network: Network, receipt: Receipt, proof: TlogProof) -> tuple[_Logged, str]:
    member = network.member(receipt.member)
    origin = network.origin(member, receipt.generation)
    if proof.checkpoint.origin != origin:
        raise CheckpointOfAnotherLog(proof.checkpoint.origin, origin)
    key = network.log_key(member, receipt.generation, proof.checkpoint.size)
    log = Verifier.parse(key.vkey)
    open_checkpoint(proof.note, log)
    fact = _Logged(member, log, receipt, proof.checkpoint)
    return fact, f"the log {origin} signed the checkpoint of size {proof.checkpoint.size}"


_policy = lru_cache(maxsize=1)(Policy.parse)  # as with the network file


def _prove_witnesses(policy: bytes, log: Verifier, proof: TlogProof) -> tuple[Witnessed, str]:
    witnessed = prove_quorum(_policy(policy), proof.note, log)
    who = [f"{name!r} at {iso_time(time)}" if time else f"{name!r}" for name, time in witnessed.cosigners.items()]
    return witnessed, f"the policy's quorum holds: cosigned by {', '.join(who) or 'nobody, and nobody is needed'}"


def _prove_timestamp(authorities: bytes, file: EvidenceFile, checkpoint: Checkpoint) -> tuple[Timestamp, str]:
    timestamp = prove_timestamp(file.timestamp(), checkpoint.text, authorities)
    return timestamp, f"a trusted authority saw the checkpoint at {iso_time(timestamp.time.timestamp())}"


def _prove_anchor(run: Run, file: EvidenceFile, network: Network, logged: _Logged, least: Grade) -> _Anchor:
    place = run.need("event", file.place)
    # The event is read from a transaction receipt that only the step after it proves; where there is none to read,
    # that step has failed.
    nodes = run.need("receipt", file.receipt_proof)
    claimed = run.need("receipt", claimed_receipt, nodes)
    event = run.step("event", _prove_event, network, logged, claimed, place.log_index)
    root = run.step("receipt", _prove_receipt, place.transaction_index, nodes)
    header = run.step("header", _prove_header, file, network, root)
    grade = run.step("seals", _prove_seals, file, network, header, least)
    return _Anchor(event.address, header, grade)


def _prove_event(network: Network, logged: _Logged, transaction: TransactionReceipt, log_index: int) -> tuple[Log, str]:
    if log_index >= len(transaction.logs):
        raise EventMissing(log_index, len(transaction.logs))
    log = transaction.logs[log_index]
    if log.address not in {contract.address for contract in network.contracts_named(EVIDENCE_LOG)}:
        raise EventOfAnotherContract(log.address)
    member, generation, size = logged.member.number, logged.receipt.generation, logged.checkpoint.size
    anchored = _word(generation) + _word(size) + logged.checkpoint.root
    if log.topics != (_ANCHORED, _word(member)) or log.data[:96] != anchored or len(log.data) != 128:
        raise EventDiffers(log_index, member, generation, size)
    return log, f"{EVIDENCE_LOG} 0x{log.address.hex()} says that member {member} anchored this checkpoint"


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _prove_receipt(transaction_index: int, nodes: Sequence[bytes]) -> tuple[bytes, str]:
    root = keccak256(nodes[0])
    prove_receipt(root, transaction_index, nodes)
    return root, f"it stands in the receipt of transaction {transaction_index} under the root 0x{root.hex()}"


def _prove_header(file: EvidenceFile, network: Network, receipts_root: bytes) -> tuple[Header, str]:
    header = decode_header(file.header(), network.consensus)
    if header.receipts_root != receipts_root:
        raise ReceiptsRootDiffers(header.number, header.receipts_root, receipts_root)
    return header, f"block {header.number}, 0x{header.hash.hex()}, commits to that root"


def _prove_seals(file: EvidenceFile, network: Network, header: Header, least: Grade) -> tuple[Grade, str]:
    finality = file.finality()
    if network.consensus == DEVELOPMENT and least is Grade.SEALED:
        raise NobodySealed(header.number)
    try:
        seals = prove_seals(header, network.validators, finality.headers if finality else None)
    except NotSealed as error:
        if least is Grade.SEALED:
            raise
        return Grade.ANCHORED, f"not needed for the grade {least}: {error}"
    return Grade.SEALED if seals.sealers else Grade.ANCHORED, seals.detail


def _prove_network(
    network: Network, quorum: Quorum, logged: _Logged, anchor: _Anchor | None
) -> tuple[ReceiptSigner, str]:
    if anchor and network.contract(EVIDENCE_LOG, anchor.header.number).address != anchor.contract:
        raise ContractNotInForce(EVIDENCE_LOG, anchor.header.number)
    member, receipt = logged.member, logged.receipt
    if receipt.log not in {contract.address for contract in network.contracts_named(EVIDENCE_LOG)}:
        raise ReceiptOfAnotherContract(receipt.log)
    signer = network.receipt_signer(member, receipt.signer(network.chain_id), receipt.accepted_at)
    return signer, (
        f"version {network.version} of {network.alliance}, signed for {len(quorum.members)} of {len(network.members)} "
        f"members, lists all of it, and 0x{signer.address.hex()} as receipt signer of {member.code} at that time"
    )
