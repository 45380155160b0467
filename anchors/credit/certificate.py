"""The ordered verifier of credit certificates: what the chain held about a company at a block, and how old that is.

Promises a verdict for any bytes, never an exception: facts go in one step at a time, the first that fails ends the
matter and is named. Trust is never read from the certificate, only from the pinned network file. That a company has no
record is proven like any record: its word is zero in the state, in every register that there ever was. What happened
after the block is not in a certificate; its age says how much that can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anchors.chain.header import Header, decode_header
from anchors.chain.keccak import keccak256
from anchors.chain.state import Account, prove_account, prove_slot
from anchors.credit.certificate_file import CertificateFile, RegisterPart, RegistryPart
from anchors.credit.history import Event, History, Standing, fold, histories, word_count
from anchors.errors import (
    ContractMissing,
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

__all__ = ["CREDIT_REGISTER", "STEPS", "CertificateVerdict", "Shown", "named_slot", "verify_certificate", "word_slot"]

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
class CertificateVerdict:
    """Proven with all its facts, or refuted at the last of its steps, with none."""

    steps: tuple[Step, ...]
    subject: Subject | None = None
    block_number: int | None = None
    block_time: int | None = None  # POSIX seconds, the chain's time
    age: int | None = None  # seconds since then, by the reader's clock
    sealed: bool = False
    records: tuple[Shown, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether every step holds."""
        return self.subject is not None

    def as_json(self) -> dict[str, object]:
        """The verdict as `bidledger verify-certificate --json` prints it."""
        return {
            "verdict": "proven" if self.proven else "refuted",
            "steps": [each.as_json() for each in self.steps],
            "subject": str(self.subject) if self.subject else None,
            "block_number": self.block_number,
            "block_time": None if self.block_time is None else iso_time(self.block_time),
            "age_seconds": self.age,
            "sealed": self.sealed,
            "records": [each.as_json() for each in self.records],
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
        subject: whom it must be about; None takes any.

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


@dataclass(frozen=True, slots=True)
class _Told:
    """What a certificate tells of one register, and the word that it folds to."""

    events: tuple[Event, ...]
    word: bytes


@dataclass(frozen=True, slots=True)
class _Register:
    """A register with what happened to the subject's records in it, proven under a state root."""

    address: bytes
    events: tuple[Event, ...]
    account: Account


def _prove(
    run: Run, certificate: bytes, versions: tuple[bytes, ...], now: int, asked: Subject | None
) -> CertificateVerdict:
    file = run.need("subject", CertificateFile, certificate)
    subject = run.step("subject", _prove_subject, file, asked)
    told = run.step("records", _fold_events, file, subject)
    # The words are read from the state of a header that only a later step proves; where there is none to read, that
    # step has failed.
    pinned, quorum = run.need("network", pin_network, versions)
    header = run.need("header", lambda: decode_header(file.header(), pinned.consensus))
    parts, registry = run.need("word", file.proofs)
    registers = run.step("word", _prove_words, header, subject, parts, told)
    names = run.step("registry", _prove_named, pinned, header, registry, registers[-1].address)
    run.step("header", _tell_header, header)
    seals = run.step("seals", _prove_seals, file, pinned, header)
    shown = run.step("network", _prove_network, pinned, quorum, header, registers, names)
    time = header.timestamp
    return CertificateVerdict(tuple(run.steps), subject, header.number, time, now - time, bool(seals.sealers), shown)


def _prove_subject(file: CertificateFile, asked: Subject | None) -> tuple[Subject, str]:
    subject = file.subject()
    if asked is not None and subject != asked:
        raise SubjectDiffers(str(subject), str(asked))
    return subject, f"it is about {subject}"


def _fold_events(file: CertificateFile, subject: Subject) -> tuple[tuple[_Told, ...], str]:
    told = tuple(_Told(events, fold(events)) for events in file.events(subject.key))
    count = sum(len(each.events) for each in told)
    if not count:
        return told, "it tells of no record, ever"
    words = ", ".join("0x" + each.word.hex() for each in told)
    return told, f"it tells of publications and changes, {count} in all, which fold to {words}"


def _prove_words(
    header: Header, subject: Subject, parts: Sequence[RegisterPart], told: Sequence[_Told]
) -> tuple[tuple[_Register, ...], str]:
    proven = []
    for part, each in zip(parts, told, strict=True):
        account = _contract(header, CREDIT_REGISTER, part.address, part.account)
        word = prove_slot(account.storage_root, word_slot(subject.key), part.word)
        _compare(part.address, word, each.word)
        proven.append(_Register(part.address, each.events, account))
    return tuple(proven), f"the state of block {header.number} holds just that for the subject"


def _contract(header: Header, name: str, address: bytes, proof: Sequence[bytes]) -> Account:
    account = prove_account(header.state_root, address, proof)
    if account is None:
        raise ContractMissing(name, address, header.number)
    return account


def _compare(register: bytes, proven: bytes, told: bytes) -> None:
    if proven == told:
        return
    here, there = word_count(told), word_count(proven)
    if here < there:
        raise RecordLeftOut(register, here, there)
    if here > there:
        raise RecordInvented(register, here, there)
    raise RecordsAltered(register, here)


def _prove_named(network: Network, header: Header, proof: RegistryPart, register: bytes) -> tuple[Account, str]:
    registry = network.contract(_REGISTRY, header.number).address
    account = _contract(header, _REGISTRY, registry, proof.account)
    named = prove_slot(account.storage_root, named_slot(), proof.name)[12:]
    if named != register:
        raise RegisterNotNamed(named, register)
    return account, f"the registry 0x{registry.hex()} names 0x{register.hex()} as the register at that block"


def _tell_header(header: Header) -> tuple[None, str]:
    return None, f"block {header.number}, 0x{header.hash.hex()}, of {iso_time(header.timestamp)}, commits to that state"


def _prove_seals(file: CertificateFile, network: Network, header: Header) -> tuple[Seals, str]:
    seals = prove_seals(header, network.validators, file.finality())
    return seals, seals.detail


def _prove_network(
    network: Network, quorum: Quorum, header: Header, registers: Sequence[_Register], registry: Account
) -> tuple[tuple[Shown, ...], str]:
    listed = [each for each in network.contracts_named(CREDIT_REGISTER) if each.from_block <= header.number]
    if [each.address for each in listed] != [each.address for each in registers]:
        raise RegistersDiffer([each.address for each in listed], [each.address for each in registers])
    network.contract(CREDIT_REGISTER, header.number)
    for contract, register in zip(listed, registers, strict=True):
        _check_code(contract, register.account, header)
    _check_code(network.contract(_REGISTRY, header.number), registry, header)
    shown = tuple(
        Shown(register.address, history, network.member(history.record.member).code, standing)
        for register in registers
        for history in histories(register.events)
        if (standing := history.standing(header.timestamp)) is not None
    )
    return shown, (
        f"version {network.version} of {network.alliance}, signed for {len(quorum.members)} of {len(network.members)} "
        f"members, lists these contracts, and every register that there was: {len(registers)}"
    )


def _check_code(contract: Contract, account: Account, header: Header) -> None:
    if account.code_hash != contract.code_hash:
        raise ContractMissing(contract.name, contract.address, header.number)
