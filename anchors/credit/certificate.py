"""The ordered verifier of credit certificates: what the chain held about companies at a block, and how old that is.

Promises a verdict for any bytes, never an exception: facts go in one step at a time, the first that fails ends the
matter and is named. Trust is never read from the certificate, only from the pinned network file. That a company has no
record is proven like any record: its word is zero in the state, in every register that there ever was. What happened
after the block is not in a certificate; its age says how much that can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from anchors.chain.header import Header, decode_header
from anchors.chain.keccak import keccak256
from anchors.chain.state import Account, find_account, find_slot
from anchors.chain.trie import SharedNodes
from anchors.credit.certificate_file import CertificateFile, SubjectPart
from anchors.credit.history import History, Standing, fold, histories, word_count
from anchors.errors import (
    ContractMissing,
    NeedlessNodes,
    RecordInvented,
    RecordLeftOut,
    RecordsAltered,
    RegisterNotNamed,
    RegistersDiffer,
    SubjectDiffers,
)
from anchors.network import Contract, Network, Quorum
from anchors.seals import Seals, prove_seals
from anchors.steps import Refuted, Run, Step, iso_time, pin_network
from anchors.subjects import Subject

__all__ = [
    "CREDIT_REGISTER",
    "STEPS",
    "CertificateVerdict",
    "Shown",
    "SubjectRecords",
    "named_slot",
    "verify_certificate",
    "word_slot",
]

STEPS = ("subject", "records", "word", "registry", "header", "seals", "network")
CREDIT_REGISTER: Final = "CreditRegister"  # the contract's name in the network file and in the registry

_REGISTRY: Final = "AllianceRegistry"
_WORDS: Final = 3  # where the contracts' storage layouts have their mappings: CreditRegister.subjectWord,
_NAMES: Final = 7  # and AllianceRegistry.systemContract


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as it was at the certificate's block."""

    register: bytes  # address, 20 bytes
    history: History
    member: str  # the code of the member that issued it
    standing: Standing

    def as_json(self) -> dict[str, object]:
        """The record as `bidledger verify-certificate --json` prints it."""
        return self.standing.content.to_json() | {
            "name": "0x" + self.history.name.hex(),
            "register": "0x" + self.register.hex(),
            "member": self.member,
            "state": self.standing.title,
            "applies": self.standing.applies,
            "published_at": iso_time(self.history.published_at),
        }


@dataclass(frozen=True, slots=True)
class SubjectRecords:
    """All records that a company ever had by the certificate's block; none is proven like any."""

    subject: Subject
    records: tuple[Shown, ...]  # register by register, in the order of publication

    def as_json(self) -> dict[str, object]:
        """The company as `bidledger verify-certificate --json` prints it."""
        return {"subject": str(self.subject), "records": [each.as_json() for each in self.records]}


@dataclass(frozen=True, slots=True)
class CertificateVerdict:
    """Proven with all its facts, or refuted at the last of its steps, with none."""

    steps: tuple[Step, ...]
    block_number: int | None = None
    block_time: int | None = None  # POSIX seconds, the chain's time
    age: int | None = None  # seconds since then, by the reader's clock
    sealed: bool = False
    subjects: tuple[SubjectRecords, ...] = ()  # in the certificate's order

    @property
    def proven(self) -> bool:
        """Whether every step holds."""
        return bool(self.subjects)

    def as_json(self) -> dict[str, object]:
        """The verdict as `bidledger verify-certificate --json` prints it."""
        return {
            "verdict": "proven" if self.proven else "refuted",
            "steps": [each.as_json() for each in self.steps],
            "block_number": self.block_number,
            "block_time": None if self.block_time is None else iso_time(self.block_time),
            "age_seconds": self.age,
            "sealed": self.sealed,
            "subjects": [each.as_json() for each in self.subjects],
        }


def verify_certificate(
    certificate: bytes, network: bytes, now: int, later: Sequence[bytes] = (), *, subject: Subject | None = None
) -> CertificateVerdict:
    """Hold a certificate against a pinned network file.

    Args:
        certificate: the file, from anyone.
        network: the network file that the reader trusts.
        now: the reader's time, POSIX seconds.
        later: the versions of the network file after the one that the reader trusts, in order, from anyone.
        subject: whom it must be about, be it among others; None takes any.

    Returns:
        What was true at the certificate's block, or the step that failed.
    """
    run = Run()
    try:
        return _prove(run, certificate, (network, *later), now, subject)
    except Refuted:
        return CertificateVerdict(tuple(run.steps))


def word_slot(subject: bytes) -> bytes:
    """The slot, 32 bytes, in which a CreditRegister holds the word of a subject key."""
    return keccak256(subject + _WORDS.to_bytes(32, "big"))


def named_slot() -> bytes:
    """The slot, 32 bytes, in which the registry holds the address of the CreditRegister in force."""
    return keccak256(CREDIT_REGISTER.encode().ljust(32, b"\0") + _NAMES.to_bytes(32, "big"))


def _prove(
    run: Run, certificate: bytes, versions: tuple[bytes, ...], now: int, asked: Subject | None
) -> CertificateVerdict:
    file = run.need("subject", CertificateFile, certificate)
    subjects = run.step("subject", _prove_subjects, file, asked)
    parts, words = run.step("records", _fold_events, file, subjects)
    # The words are read from the state of a header that only a later step proves; where there is none to read, that
    # step has failed.
    pinned, quorum = run.need("network", pin_network, versions)
    raw, finality = run.need("header", file.headers)
    header = run.need("header", decode_header, raw, pinned.consensus)
    state = _State(header, SharedNodes(run.need("word", file.nodes)))
    registers = run.step("word", _prove_words, state, file.registers(), parts, words)
    names = run.step("registry", _prove_named, pinned, state, registers[-1].address)
    run.step("header", _tell_header, header)
    seals = run.step("seals", _prove_seals, pinned, header, finality)
    run.need("network", _check_contracts, pinned, header, registers, names)
    shown = run.step("network", _prove_network, pinned, quorum, header, registers, parts)
    time = header.timestamp
    return CertificateVerdict(tuple(run.steps), header.number, time, now - time, bool(seals.sealers), shown)


@dataclass(frozen=True, slots=True)
class _State:
    """The state that a header commits to, as far as the certificate's nodes show it."""

    header: Header
    nodes: SharedNodes

    def contract(self, name: str, address: bytes) -> "_Proven":
        """A contract of the network, proven to be there; raises BadTrieProof, ContractMissing."""
        account = find_account(self.header.state_root, address, self.nodes)
        if account is None:
            raise ContractMissing(name, address, self.header.number)
        return _Proven(address, account)

    def slot(self, contract: "_Proven", slot: bytes) -> bytes:
        """The 32 bytes of a contract's slot; raises BadTrieProof."""
        return find_slot(contract.account.storage_root, slot, self.nodes)


@dataclass(frozen=True, slots=True)
class _Proven:
    """A contract's account, proven under a state root."""

    address: bytes
    account: Account


def _prove_subjects(file: CertificateFile, asked: Subject | None) -> tuple[tuple[Subject, ...], str]:
    subjects = file.subjects()
    if asked is not None and asked not in subjects:
        raise SubjectDiffers([str(subject) for subject in subjects], str(asked))
    if len(subjects) == 1:
        return subjects, f"it is about {subjects[0]}"
    return subjects, f"it is about {len(subjects)} companies" + (f", {asked} among them" if asked else "")


_Words: TypeAlias = Sequence[Sequence[bytes]]  # by subject, then by register


def _fold_events(
    file: CertificateFile, subjects: Sequence[Subject]
) -> tuple[tuple[tuple[SubjectPart, ...], _Words], str]:
    parts = file.parts(subjects)
    words = [[fold(events) for events in part.events] for part in parts]
    count = sum(len(events) for part in parts for events in part.events)
    if not count:
        return (parts, words), "it tells of no record, ever"
    told = f"it tells of publications and changes, {count} in all"
    if len(parts) == 1:
        told += ", which fold to " + ", ".join("0x" + word.hex() for word in words[0])
    return (parts, words), told


def _prove_words(
    state: _State, addresses: Sequence[bytes], parts: Sequence[SubjectPart], words: _Words
) -> tuple[tuple[_Proven, ...], str]:
    registers = tuple(state.contract(CREDIT_REGISTER, address) for address in addresses)
    for part, told in zip(parts, words, strict=True):
        slot = word_slot(part.subject.key)
        for register, word in zip(registers, told, strict=True):
            _compare(part.subject, register.address, state.slot(register, slot), word)
    whom = "the subject" if len(parts) == 1 else "each of them"
    return registers, f"the state of block {state.header.number} holds just that for {whom}"


def _compare(subject: Subject, register: bytes, proven: bytes, told: bytes) -> None:
    if proven == told:
        return
    here, there = word_count(told), word_count(proven)
    if here < there:
        raise RecordLeftOut(str(subject), register, here, there)
    if here > there:
        raise RecordInvented(str(subject), register, here, there)
    raise RecordsAltered(str(subject), register, here)


def _prove_named(network: Network, state: _State, register: bytes) -> tuple[_Proven, str]:
    registry = state.contract(_REGISTRY, network.contract(_REGISTRY, state.header.number).address)
    named = state.slot(registry, named_slot())[12:]
    if named != register:
        raise RegisterNotNamed(named, register)
    if state.nodes.unused:
        raise NeedlessNodes(state.nodes.unused)
    told = f"the registry 0x{registry.address.hex()} names 0x{register.hex()} as the register at that block"
    return registry, told


def _tell_header(header: Header) -> tuple[None, str]:
    return None, f"block {header.number}, 0x{header.hash.hex()}, of {iso_time(header.timestamp)}, commits to that state"


def _prove_seals(network: Network, header: Header, finality: Sequence[bytes] | None) -> tuple[Seals, str]:
    seals = prove_seals(header, network.validators, finality)
    return seals, seals.detail


def _check_contracts(network: Network, header: Header, registers: Sequence[_Proven], registry: _Proven) -> None:
    listed = [each for each in network.contracts_named(CREDIT_REGISTER) if each.from_block <= header.number]
    if [each.address for each in listed] != [each.address for each in registers]:
        raise RegistersDiffer([each.address for each in listed], [each.address for each in registers])
    network.contract(CREDIT_REGISTER, header.number)
    for contract, register in zip(listed, registers, strict=True):
        _check_code(contract, register.account, header)
    _check_code(network.contract(_REGISTRY, header.number), registry.account, header)


def _check_code(contract: Contract, account: Account, header: Header) -> None:
    if account.code_hash != contract.code_hash:
        raise ContractMissing(contract.name, contract.address, header.number)


def _prove_network(
    network: Network, quorum: Quorum, header: Header, registers: Sequence[_Proven], parts: Sequence[SubjectPart]
) -> tuple[tuple[SubjectRecords, ...], str]:
    shown = tuple(SubjectRecords(part.subject, _shown(network, header, registers, part)) for part in parts)
    return shown, (
        f"version {network.version} of {network.alliance}, signed for {len(quorum.members)} of {len(network.members)} "
        f"members, lists these contracts, and every register that there was: {len(registers)}"
    )


def _shown(network: Network, header: Header, registers: Sequence[_Proven], part: SubjectPart) -> tuple[Shown, ...]:
    return tuple(
        Shown(register.address, history, network.member(history.record.member).code, standing)
        for register, events in zip(registers, part.events, strict=True)
        for history in histories(events)
        if (standing := history.standing(header.timestamp)) is not None
    )
