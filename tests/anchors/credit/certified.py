"""Certificates from a real chain's state: two registers, one after the other, and what names the second.

The registers are stubs whose storage is set to words that the contract would hold; tests/contracts has the contract
itself. The chain's clock stands far in the future, so that what applies does not depend on today.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from conftest import Node
from credit_story import COMPANY, GENERAL, HONOUR, SERIOUS, change, digest, noon
from eth_abi.abi import encode
from exhibits import ARTIFACTS, CHAIN_ID, CODES, DOMAIN, governed, log_signer
from sealed_headers import NAMES, BftBlock, address, clique_chain, pin

from anchors.chain import rlp
from anchors.chain.header import DEVELOPMENT, Header, header_of_block
from anchors.chain.keccak import keccak256
from anchors.credit import Event, Publication, State, fold
from anchors.credit.certificate import named_slot, word_slot
from anchors.credit.certificate_file import SubjectPart, write_certificate
from anchors.network import FORMAT, Contract, Governor, LogKey, Member, Network, write_network
from anchors.subjects import Subject

CLEAN = Subject.parse("CN-USCC:91110000600037341L")
OLD, NEW = (keccak256(name.encode())[12:] for name in ("old register", "new register"))
CODES_OF = {OLD: "0x60006000fd", NEW: "0x60016000fd"}
AT = noon(date(2091, 6, 1))
FOUR = NAMES[:4]

LATE = dataclasses.replace(SERIOUS, decided_on=date(2090, 3, 15), last_day=date(2092, 3, 15))
OBJECTION = change(State.OBJECTED, date(2090, 5, 1), LATE, record=LATE.struct_hash())
EARLY = dataclasses.replace(HONOUR, decided_on=date(2089, 1, 1), last_day=date(2092, 1, 1))
OVER = dataclasses.replace(GENERAL, decided_on=date(2090, 1, 1), last_day=date(2090, 9, 1), earlier=1)
OLD_EVENTS = (Publication(EARLY, noon(date(2089, 1, 2))),)
NEW_EVENTS = (
    Publication(LATE, noon(date(2090, 3, 20))),
    Publication(OVER, noon(date(2090, 3, 21))),
    OBJECTION,
    change(State.UPHELD, date(2090, 6, 1), LATE, record=LATE.struct_hash()),
)
EVENTS: Mapping[bytes, tuple[Event, ...]] = {OLD: OLD_EVENTS, NEW: NEW_EVENTS}
NONE: Mapping[bytes, tuple[Event, ...]] = {OLD: (), NEW: ()}


@dataclass(frozen=True)
class Certified:
    """A chain at a block, and what a reader holds of it."""

    node: Node
    header: Header
    network: Network
    registry: bytes

    @property
    def network_file(self) -> bytes:
        """The network file, signed."""
        return write_network(self.network)

    def proof(self, contract: bytes, slots: Sequence[bytes]) -> list[bytes]:
        """The node's proof nodes of an account and of slots of it."""
        asked = ["0x" + slot.hex() for slot in slots]
        answer = self.node.rpc("eth_getProof", "0x" + contract.hex(), asked, hex(self.header.number))
        texts = [answer["accountProof"], *(each["proof"] for each in answer["storageProof"])]
        return [bytes.fromhex(text[2:]) for proof in texts for text in proof]

    def words(self, subjects: Iterable[Subject], registers: Iterable[bytes] = EVENTS) -> list[bytes]:
        """The node's proof nodes of what registers hold for companies."""
        slots = [word_slot(subject.key) for subject in subjects]
        return [node for register in registers for node in self.proof(register, slots)]

    def named(self) -> list[bytes]:
        """The node's proof nodes of which register the registry names."""
        return self.proof(self.registry, [named_slot()])

    def certificate(
        self,
        told: Mapping[Subject, Mapping[bytes, Sequence[Event]]] | None = None,
        nodes: Sequence[bytes] | None = None,
        header: bytes | None = None,
        finality: Sequence[bytes] | None = None,
        registers: Sequence[bytes] | None = None,
    ) -> bytes:
        """The certificate that tells this of each company, of all that happened to COMPANY unless told otherwise."""
        told = {COMPANY: EVENTS} if told is None else told
        where = registers or list(EVENTS)
        return write_certificate(
            [SubjectPart(of, tuple(tuple(events[register]) for register in where)) for of, events in told.items()],
            where,
            nodes or [*self.words(told, where), *self.named()],
            header or self.header.raw,
            finality,
        )

    def parent(self) -> Header:
        """The header of the block before."""
        return _header(self.node, hex(self.header.number - 1))

    def changed(self, subject: Subject) -> "Certified":
        """The chain one block later, when a company's word in the newer register is another; nothing older is shown."""
        _set_word(self.node, NEW, subject.key, digest("a later word"))
        self.node.rpc("evm_mine")
        return dataclasses.replace(self, header=_header(self.node, "latest"))

    def clean_certificate(self, **changes: Any) -> bytes:
        """The certificate of a company that never had a record."""
        return self.certificate({CLEAN: NONE}, **changes)

    def sealing(self, consensus: str) -> "Certified":
        """The same for a reader whose network has four validators."""
        network = dataclasses.replace(self.network, consensus=consensus, validators=(pin(FOUR),))
        return dataclasses.replace(self, network=governed(network))

    def sealed(self, consensus: str) -> tuple[bytes, list[bytes] | None]:
        """A header with this state that the four have sealed, and the finality part."""
        if consensus == "clique":
            by = [FOUR[(self.header.number + at) % 4] for at in range(4)]
            changes = ((3, self.header.state_root), (11, rlp.from_uint(self.header.timestamp)))
            header, *later = [block.raw for block in clique_chain(FOUR, self.header.number, by, changes)]
            return header, later
        return self.block(consensus).raw(FOUR[:3]), None

    def block(self, consensus: str) -> BftBlock:
        """The block with this state under BFT."""
        block = BftBlock(consensus, FOUR, self.header.number)
        return block.changed(3, self.header.state_root).changed(11, rlp.from_uint(self.header.timestamp))


def make_certified(node: Node, more: Mapping[Subject, Mapping[bytes, Sequence[Event]]] | None = None) -> Certified:
    """Set up the registry and both registers, fill them, and mine the block that certificates are of."""
    told = {COMPANY: EVENTS, **(more or {})}
    registry = _registry(node)
    for register, code in CODES_OF.items():
        node.rpc("anvil_setCode", "0x" + register.hex(), code)
        for number in range(40):
            _set_word(node, register, digest(f"another company {number}"), digest(f"word {number}"))
        for subject, events in told.items():
            if events.get(register):
                _set_word(node, register, subject.key, fold(events[register]))
    node.rpc("evm_setNextBlockTimestamp", AT)
    node.rpc("evm_mine")
    header = _header(node, "latest")
    return Certified(node, header, governed(_network(node, registry, header.number)), registry.address)


def _header(node: Node, block: str) -> Header:
    return header_of_block(node.rpc("eth_getBlockByNumber", block, False), DEVELOPMENT)


def _set_word(node: Node, register: bytes, subject: bytes, word: bytes) -> None:
    node.rpc("anvil_setStorageAt", "0x" + register.hex(), "0x" + word_slot(subject).hex(), "0x" + word.hex())


def _registry(node: Node) -> Contract:
    members = [
        (
            code.encode().ljust(32, b"\0"),
            code.title(),
            log_signer(code).verifier.public_key,
            [(address(f"{code} governor"), 0)],
        )
        for code in CODES
    ]
    founding = encode(
        ["(bytes32,string,bytes32,(address,uint8)[])[]", "(bytes32,uint256)[]", "(bytes32,address)[]"],
        [members, [], [(b"CreditRegister".ljust(32, b"\0"), NEW)]],
    )
    code = json.loads((ARTIFACTS / "AllianceRegistry.json").read_bytes())["bytecode"]
    receipt = node.receipt(node.send(None, code + founding.hex(), gas=hex(15_000_000)))
    deployed = bytes.fromhex(node.rpc("eth_getCode", receipt["contractAddress"], "latest")[2:])
    return Contract("AllianceRegistry", bytes.fromhex(receipt["contractAddress"][2:]), keccak256(deployed), 0, None)


def _network(node: Node, registry: Contract, block: int) -> Network:
    hashes = {register: keccak256(bytes.fromhex(code[2:])) for register, code in CODES_OF.items()}
    return Network(
        format=FORMAT,
        alliance="西部公共资源交易联盟",
        domain=DOMAIN,
        version=1,
        chain_id=CHAIN_ID,
        genesis_hash=bytes.fromhex(node.rpc("eth_getBlockByNumber", "0x0", False)["hash"][2:]),
        consensus="development",
        validators=(),
        contracts=(
            registry,
            Contract("CreditRegister", OLD, hashes[OLD], 0, block - 1),
            Contract("CreditRegister", NEW, hashes[NEW], block - 1, None),
        ),
        members=tuple(
            Member(number, code, code.title(), (LogKey(0, log_signer(code).verifier.vkey, 0, None),), ())
            for number, code in enumerate(CODES, start=1)
        ),
        governors=tuple(
            Governor(number, address(f"{code} governor"), 0, None) for number, code in enumerate(CODES, start=1)
        ),
        threshold=9,
        signatures=(),
    )
