"""Every error of the offline library, grouped by the module that raises it.

A message says what is wrong and where; `diagnostics` adds what to do about it. Whatever bytes a parser is handed,
it answers with its value or with one of these.
"""

from typing import ClassVar


class AnchorsError(Exception):
    """Root of every error that this library raises on purpose."""

    remedy: ClassVar[str] = "Get the evidence again from whoever handed it out."

    def diagnostics(self) -> str:
        """Say what is wrong, where, and what to do, in sentences for a person."""
        return f"{self}. {self.remedy}"


# merkle/: trees, proofs, tiles


class OutsideTree(AnchorsError):
    """A leaf, a node or a size that the tree does not have."""

    remedy = "Ask for a leaf and a size that the log has reached."


class BadFrontier(AnchorsError):
    """The edge of a tree that does not fit its size."""

    remedy = "Restore the tree from its tiles."


class BadInclusionPath(AnchorsError):
    """A path of hashes that cannot lead from that leaf to the root of a tree of that size."""


class BadConsistencyProof(AnchorsError):
    """A proof that does not show that the new tree begins with the old one."""

    remedy = "Ask the log for the proof again; if it cannot give one, it has forked: keep both checkpoints as evidence."


class BadTilePath(AnchorsError):
    """A path that is not the one name of a tile."""

    remedy = "Ask for tile/<level>/<index>[.p/<width>] as C2SP tlog-tiles writes it."


class BadTile(AnchorsError):
    """A tile or entry bundle whose bytes do not fit its name."""

    remedy = "Fetch the tile again; if it stays so, the log's storage is damaged."


# notes/: C2SP's signed texts


class MalformedText(AnchorsError):
    """A C2SP text that breaks its format."""


class MalformedEncoding(MalformedText):
    """Text that is not the one spelling of bytes in base64 or of a decimal."""


class MalformedKey(MalformedText):
    """A verifier key, or a name or seed for one, that is none."""

    remedy = "Take the key again from whoever owns it, in the form name+ID+key."


class MalformedNote(MalformedText):
    """Bytes that are no signed note."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed signed note: {what}")


class MalformedCheckpoint(MalformedText):
    """A note's text that is no checkpoint."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed checkpoint: {what}")


class WrongEmptyRoot(MalformedCheckpoint):
    """A checkpoint of no leaves whose root is not that of the empty tree."""

    def __init__(self) -> None:
        super().__init__("the tree is empty, and the root is not that of the empty tree")


class MalformedTlogProof(MalformedText):
    """Bytes that are no `tlog-proof@v1`."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed tlog-proof: {what}")


class BadNoteSignature(AnchorsError):
    """A note that the key it must be signed by did not sign."""


class MalformedPolicy(MalformedText):
    """A witness policy that breaks its format."""

    remedy = "Mend the policy file at that line; C2SP tlog-policy says how it is written."

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"malformed policy: line {line} has {what}")


class LogNotInPolicy(AnchorsError):
    """A checkpoint of a log that the policy does not accept."""

    remedy = "Verify with a policy that lists the log's key, or none."

    def __init__(self, origin: str) -> None:
        super().__init__(f"the policy lists logs, and the key of {origin!r} is not among them")


class QuorumMissed(AnchorsError):
    """A checkpoint that too few of the policy's witnesses cosigned."""

    remedy = "Fetch the evidence again when more witnesses have cosigned the checkpoint."

    def __init__(self, quorum: str, cosigners: list[str], witnesses: int) -> None:
        who = ", ".join(map(repr, cosigners)) or "nobody"
        super().__init__(f"of {witnesses} witnesses {who} cosigned the checkpoint: not the quorum {quorum!r}")


class UnfitSigner(AnchorsError):
    """A key asked for a signature that it cannot give."""

    remedy = "Sign with the log's own key, or as a cosigner with a time."


# chain/: what a node hands out


class MalformedRlp(AnchorsError):
    """Bytes that are not the canonical encoding of one item, or not of the item that belongs there."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(f"malformed RLP at byte {offset}: {what}")


class BadTrieProof(AnchorsError):
    """Trie nodes that do not lead from the root along the key."""

    def __init__(self, what: str, node: int) -> None:
        super().__init__(f"bad trie proof at node {node}: {what}")


class MalformedReceipt(AnchorsError):
    """A transaction receipt that no client writes."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed transaction receipt: {what}")


class MalformedHeader(AnchorsError):
    """A block header whose fields are not those of any fork, or out of bounds."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed block header: {what}")


class MalformedAnswer(AnchorsError):
    """A JSON-RPC answer that lacks a field or holds one of the wrong shape."""

    remedy = "The node does not speak the Ethereum JSON-RPC; ask another one."

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed answer of a chain node: {what}")


class FalseAnswer(AnchorsError):
    """A JSON-RPC answer that contradicts the hashes that it must match."""

    remedy = "The node answers falsely; ask another one."

    def __init__(self, what: str) -> None:
        super().__init__(f"false answer of a chain node: {what}")


class BadSignature(AnchorsError):
    """A secp256k1 signature that is malformed, or that no key made."""

    def __init__(self, what: str) -> None:
        super().__init__(f"bad signature: {what}")


# bounded_json, network.py, evidence.py: the files


class MalformedFile(AnchorsError):
    """A file, or a part of one, that is not of its format."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where} {what}")


class NotCanonical(AnchorsError):
    """A network file in another spelling than the one that its writer uses."""

    remedy = "Get network.json again, byte for byte; no tool may reformat it."

    def __init__(self) -> None:
        super().__init__("the network file is not in its canonical form")


class BadGovernorSignature(AnchorsError):
    """A signature in a network file that gives no voice to whom it names."""

    remedy = "Get network.json again from a member that you trust."

    def __init__(self, governor: bytes, what: str) -> None:
        super().__init__(f"the governor 0x{governor.hex()} {what}")


class TooFewGovernors(AnchorsError):
    """A network file without the signatures of more than two thirds of the members."""

    remedy = "Get a network.json that more governors have signed."

    def __init__(self, voices: int, threshold: int, members: int) -> None:
        super().__init__(
            f"the network file has the voices of {voices} members, its threshold is {threshold}, and more than two "
            f"thirds of {members} are needed"
        )


class VersionGap(AnchorsError):
    """A later network file that is not the version after the one before it."""

    remedy = "Give every version from the pinned one on, one after the other, in order."

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"version {found} of the network file stands where version {expected} must follow")


class HistoryRewritten(AnchorsError):
    """A later network file that takes back or alters what an earlier one says."""

    remedy = "Keep to the version that you have: entries may be added and open ones ended, no more."

    def __init__(self, version: int, where: str) -> None:
        super().__init__(f"version {version} of the network file rewrites {where}")


class TooFewPredecessors(AnchorsError):
    """A later network file that the governors in force before it have not agreed to."""

    remedy = "Keep to the version that you have, and get one that more of its governors have signed."

    def __init__(self, version: int, voices: int, threshold: int) -> None:
        super().__init__(
            f"version {version} of the network file has the voices of {voices} members by the governors in force in "
            f"version {version - 1}, whose threshold is {threshold}"
        )


class UnknownMember(AnchorsError):
    """A member that the network file does not list."""

    def __init__(self, number: int) -> None:
        super().__init__(f"the network file knows no member {number}")


class LogKeyNotInForce(AnchorsError):
    """A checkpoint that no listed key of the member may sign."""

    def __init__(self, code: str, generation: int, size: int) -> None:
        super().__init__(f"no key of {code} is good for a checkpoint of size {size} in generation {generation}")


class ContractNotInForce(AnchorsError):
    """A contract that was not in force at the block."""

    def __init__(self, name: str, block: int) -> None:
        super().__init__(f"the network file lists no {name} in force at block {block}")


class SignerNotInForce(AnchorsError):
    """A receipt by someone who was no signer of the member when it was accepted."""

    def __init__(self, code: str, signer: bytes, time: int) -> None:
        super().__init__(f"0x{signer.hex()} was no receipt signer of {code} at time {time}")


# seals/: either something is missing that would show who sealed, or what is there is wrong


class NotSealed(AnchorsError):
    """Nothing is wrong, but it is not shown that enough validators sealed a block."""


class SealsNotSupported(NotSealed):
    """A consensus whose seals this version cannot check."""

    remedy = "Verify with a version that knows this consensus, or ask for the grade anchored (--require anchored)."

    def __init__(self, consensus: str, block: int) -> None:
        super().__init__(f"this version cannot check who sealed block {block} under the consensus {consensus}")


class ValidatorsUnknown(NotSealed):
    """A block for which the network file lists no validators."""

    remedy = "Get a network.json that lists the validators of that block."

    def __init__(self, block: int) -> None:
        super().__init__(f"the network file lists no validators for block {block}")


class ValidatorsByContract(NotSealed):
    """A header of a chain whose validators a contract selects, so that no header says who they are."""

    remedy = "Such a chain cannot be verified offline; ask for the grade anchored (--require anchored)."

    def __init__(self, block: int) -> None:
        super().__init__(f"block {block} lists no validators: a contract selects them, which no header can prove")


class SealsMissing(NotSealed):
    """A header with no seals, or fewer than a quorum."""

    def __init__(self, block: int, found: int, needed: int) -> None:
        super().__init__(f"block {block} has the seals of {found} validators, and {needed} are needed")


class ConfirmationsMissing(NotSealed):
    """Too few later headers by distinct signers."""

    remedy = "Get the evidence again, with the headers after its block (finality), once the chain has gone on."

    def __init__(self, block: int, found: int, needed: int) -> None:
        super().__init__(f"block {block} is confirmed by {found} later signers, and {needed} are needed")


class SealsRefused(AnchorsError):
    """Seals, or a header under them, that no honest network makes."""

    def __init__(self, block: int, what: str) -> None:
        super().__init__(f"block {block} {what}")


class NotOfConsensus(SealsRefused):
    """A header field that the consensus fixes, with another value."""


class MalformedExtra(SealsRefused):
    """Extra data that is not of the consensus's form: vanity, validators, vote, round, seals."""


class MalformedSeal(SealsRefused):
    """A seal that is not r, s and v, 65 bytes with v 0 or 1."""


class MalleableSeal(SealsRefused):
    """A seal with the higher of the two values of s, which anyone can make of the true one."""


class ForgedSeal(SealsRefused):
    """A seal that no key can have made."""


class ForeignSeal(SealsRefused):
    """A seal that none of the block's validators made for this header."""

    remedy = "The header or the seal was changed, or the network file is too old: get both again."


class DuplicateSeal(SealsRefused):
    """Two seals of one validator, or one seal twice."""


class TooManySeals(SealsRefused):
    """More seals than validators."""


class ValidatorsDiffer(SealsRefused):
    """A header that lists other validators than those in force at its block."""

    remedy = "Get the evidence again, with the headers at which the validators changed, or a newer network.json."


class HeaderOutOfPlace(SealsRefused):
    """A header of the finality part that does not belong where it stands."""


class WrongDifficulty(SealsRefused):
    """A Clique header whose difficulty does not tell whether its signer was in turn."""


class SignedTooSoon(SealsRefused):
    """A Clique header by a signer who must let others sign first."""


# timestamp.py: trusted time


class MalformedTimestamp(AnchorsError):
    """Bytes that are no granted timestamp."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed timestamp: {what}")


class TimestampDiffers(AnchorsError):
    """A timestamp of something else."""

    def __init__(self, stamped: bytes, checkpoint: bytes) -> None:
        super().__init__(f"the timestamp is of 0x{stamped.hex()}, the checkpoint's text is 0x{checkpoint.hex()}")


class AuthorityNotTrusted(AnchorsError):
    """A timestamp that none of the reader's authorities answers for."""

    remedy = "Verify with the certificates of the authority that the log uses, if you trust it (--authorities)."

    def __init__(self, count: int) -> None:
        super().__init__(f"none of the {count} given authorities answers for the signature of the timestamp")


class MalformedAuthorities(AnchorsError):
    """A file of authorities' certificates that holds none."""

    remedy = "Give the authority's root certificate in PEM."

    def __init__(self) -> None:
        super().__init__("the authorities file is not certificates in PEM")


# verify.py: one for every way in which facts do not fit together


class DocumentDiffers(AnchorsError):
    """The document is not the one that the statement names."""

    remedy = "Give the document byte for byte as it was submitted, with its own evidence file."

    def __init__(self, algorithm: str, found: bytes, stated: bytes) -> None:
        super().__init__(f"the document's {algorithm} is 0x{found.hex()}, the evidence is for 0x{stated.hex()}")


class CommitmentDiffers(AnchorsError):
    """The receipt is for another commitment than the statement's."""

    def __init__(self, computed: bytes, receipted: bytes) -> None:
        super().__init__(f"the statement commits to 0x{computed.hex()}, the receipt is for 0x{receipted.hex()}")


class IndexDiffers(AnchorsError):
    """The proof is for another place of the log than the receipt promised."""

    def __init__(self, promised: int, proven: int) -> None:
        super().__init__(f"the receipt promises leaf {promised}, the proof is for leaf {proven}")


class RootDiffers(AnchorsError):
    """The path from the leaf leads to another root than the checkpoint's."""

    def __init__(self, index: int, size: int) -> None:
        super().__init__(f"the path from leaf {index} does not lead to the root of the checkpoint of size {size}")


class CheckpointOfAnotherLog(AnchorsError):
    """A checkpoint of another log than the receipt's member's."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"the checkpoint is of the log {found[:255]!r}, the receipt is for {expected!r}")


class PartMissing(AnchorsError):
    """A part of the evidence that the asked grade needs is not there."""

    remedy = "Get the whole evidence file again, or ask for a lower grade with --require."

    def __init__(self, part: str) -> None:
        super().__init__(f"the evidence has no {part}")


class EventMissing(AnchorsError):
    """The transaction has no event at that place."""

    def __init__(self, log_index: int, count: int) -> None:
        super().__init__(f"the transaction has {count} events, none at place {log_index}")


class EventOfAnotherContract(AnchorsError):
    """An event that no EvidenceLog of the network file emitted."""

    def __init__(self, address: bytes) -> None:
        super().__init__(f"the event is of the contract 0x{address.hex()}, which is no EvidenceLog of the network file")


class EventDiffers(AnchorsError):
    """An event that anchors something else, or nothing."""

    def __init__(self, log_index: int, member: int, generation: int, size: int) -> None:
        super().__init__(
            f"event {log_index} does not anchor the checkpoint of member {member}, generation {generation}, size {size}"
        )


class ReceiptsRootDiffers(AnchorsError):
    """A header that commits to other receipts."""

    def __init__(self, block: int, header: bytes, proof: bytes) -> None:
        super().__init__(f"block {block} has the receipts root 0x{header.hex()}, the proof leads to 0x{proof.hex()}")


class NobodySealed(AnchorsError):
    """A sealed block is asked for on a development network."""

    remedy = "Evidence of a development network reaches the grade anchored; ask for that, or use a real network."

    def __init__(self, block: int) -> None:
        super().__init__(f"this is a development network: nobody sealed block {block}")


class FinalityUnexpected(AnchorsError):
    """A finality part where nobody seals."""

    def __init__(self) -> None:
        super().__init__("this is a development network, yet the evidence has a finality part")


class ReceiptOfAnotherContract(AnchorsError):
    """A receipt for a contract that the network file does not know."""

    def __init__(self, log: bytes) -> None:
        super().__init__(f"the receipt is for 0x{log.hex()}, which is no EvidenceLog of the network file")


# commitment.py, subjects.py, receipt.py, periods.py: what is logged, for whom, and the promise


class BadStatement(AnchorsError):
    """A statement that nothing can be committed to by."""

    remedy = "State the document again, with the names and forms of the statement."

    def __init__(self, what: str) -> None:
        super().__init__(f"the statement cannot be: {what}")


class BadSubject(AnchorsError):
    """A party that is no company's identifier. The message leaves out what was given: it may be a person's."""

    remedy = "Name a company by its scheme and identifier; natural persons are never named."

    def __init__(self, what: str) -> None:
        super().__init__(f"the party {what}")


class NaturalPerson(BadSubject):
    """A party that names a natural person, or reads as if it did."""

    def __init__(self) -> None:
        super().__init__("names a natural person, or reads as an identity number")


class NotInBatch(AnchorsError):
    """A receipt that is not in the batch whose signature it carries."""

    def __init__(self, index: int) -> None:
        super().__init__(f"the receipt for place {index} does not lead to the root of its signed batch")


class PeriodKeyDiffers(AnchorsError):
    """A period's key that was not committed to before."""

    remedy = "Ask the member for the key that it committed to; if it has none, its periods cannot be accounted for."

    def __init__(self, slot: int) -> None:
        super().__init__(f"the leaf in slot {slot} commits to another key than the one revealed for the next period")
