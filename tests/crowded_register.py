"""An alliance whose register holds the words of a million companies, made up as far as some proofs need it.

Below the paths of the companies that are asked about stand hashes of nothing, which a reader cannot tell from those of
real nodes; so a trie of a million takes no longer to make than the proofs in it. The headers are sealed by thirteen
signers, as busy blocks have them.
"""

import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sealed_headers import NAMES, BftBlock, CliqueBlock, address, key, pin

from anchors.chain import rlp
from anchors.chain.keccak import keccak256
from anchors.chain.trie import Trie
from anchors.credit import Event, Kind, Publication, Record, fold
from anchors.credit.certificate import CREDIT_REGISTER, named_slot, word_slot
from anchors.credit.certificate_file import SubjectPart, write_certificate
from anchors.network import FORMAT, Contract, Governor, LogKey, Member, Network, sign_network, write_network
from anchors.notes.keys import KeyType, Signer
from anchors.subjects import Subject

MILLION = 1_000_000
SIGNERS = NAMES[:13]
BLOCK = 2_000_000
AT = 1_795_000_000

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_REGISTER, _REGISTRY = (keccak256(name)[12:] for name in (b"crowded register", b"crowded registry"))
_CODE = keccak256(b"code")


def companies(count: int) -> list[Subject]:
    """So many companies with credit codes that hold."""
    return [Subject.parse(f"CN-USCC:{_credit_code(number)}") for number in range(count)]


def one_record(company: Subject) -> tuple[Event, ...]:
    """The publication of a company's only record."""
    days = date(2026, 3, 2), date(2027, 3, 2)
    record = Record(company.key, 2, Kind.SERIOUS, *days, 0, (201,), key("statement"), key(f"decision about {company}"))
    return (Publication(record, AT - 86_400),)


def _credit_code(number: int) -> str:
    code = f"91510000MA{number:07d}"
    total = sum(_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(code))
    return code + _ALPHABET[-total % 31]


def crowded_certificate(told: Mapping[Subject, Sequence[Event]], consensus: str) -> tuple[bytes, bytes]:
    """A certificate among a million companies, and the network file that it holds under."""
    rng = random.Random(len(told))
    words = {keccak256(word_slot(subject.key)).hex(): fold(events) for subject, events in told.items()}
    register = _Crowd(rng)
    storage_root = register.grow(words, MILLION)
    registry = Trie({keccak256(rng.randbytes(32)): rlp.encode(rng.randbytes(32)) for _ in range(200)} | {_NAMED: _TO})
    accounts = {keccak256(rng.randbytes(20)): _account(rng.randbytes(32)) for _ in range(30)}
    accounts |= {keccak256(_REGISTER): _account(storage_root), keccak256(_REGISTRY): _account(registry.root)}
    state = Trie(accounts)
    proofs = [state.prove(keccak256(_REGISTER)), state.prove(keccak256(_REGISTRY)), registry.prove(_NAMED)]
    header, finality = _sealed(state.root, consensus, rng)
    parts = [SubjectPart(subject, (tuple(events),)) for subject, events in told.items()]
    nodes = [*register.nodes, *(node for proof in proofs for node in proof)]
    return write_certificate(parts, [_REGISTER], nodes, header, finality), _network(consensus)


_NAMED, _TO = keccak256(named_slot()), rlp.encode(rlp.encode_bytes(_REGISTER))


def _account(storage_root: bytes) -> bytes:
    return rlp.encode([b"\x01", b"", storage_root, _CODE])


@dataclass
class _Crowd:
    """The nodes of a trie that the paths of some keys lead through."""

    rng: random.Random
    nodes: list[bytes] = dataclasses.field(default_factory=list)

    def grow(self, words: Mapping[str, bytes], others: int) -> bytes:
        """The root over words by their keys in hexadecimal, zero for none, and so many others."""
        return keccak256(self._node(dict(words), others, 0))

    def _node(self, words: Mapping[str, bytes], others: int, depth: int) -> bytes:
        """The node below which these keys lead, at that depth, beside so many others."""
        held = {path: word for path, word in words.items() if any(word)}
        if len(held) + others == 1:
            path, word = next(iter(held.items()), (self.rng.randbytes(32).hex(), self.rng.randbytes(32)))
            node = rlp.encode([_leaf_path(path[depth:]), rlp.encode(word.lstrip(b"\0"))])
        else:
            node = rlp.encode_list([*self._children(words, others, depth), b"\x80"])
        self.nodes.append(node)
        return node

    def _children(self, words: Mapping[str, bytes], others: int, depth: int) -> list[bytes]:
        below: list[dict[str, bytes]] = [{} for _ in range(16)]
        for path, word in words.items():
            below[int(path[depth], 16)][path] = word
        held = [sum(any(word) for word in each.values()) for each in below]
        counts = self._split(others)
        while sum(held[at] + counts[at] > 0 for at in range(16)) < 2:  # that would be no branch
            counts = self._split(others + 1)
        return [self._child(*each, depth + 1) for each in zip(below, held, counts, strict=True)]

    def _child(self, words: Mapping[str, bytes], held: int, others: int, depth: int) -> bytes:
        if not held + others:
            return b"\x80"
        named = keccak256(self._node(words, others, depth)) if words else self.rng.randbytes(32)
        return rlp.encode_bytes(named)

    def _split(self, count: int) -> list[int]:
        """So many keys by their next digit, as chance has it."""
        if count > 1000:
            return [round(self.rng.gauss(count / 16, (count * 15) ** 0.5 / 16)) for _ in range(16)]
        counts = [0] * 16
        for _ in range(count):
            counts[self.rng.randrange(16)] += 1
        return counts


def _leaf_path(path: str) -> bytes:
    return bytes.fromhex(f"3{path}" if len(path) % 2 else f"20{path}")


def _sealed(state_root: bytes, consensus: str, rng: random.Random) -> tuple[bytes, list[bytes] | None]:
    changes = ((3, state_root), (11, rlp.from_uint(AT)), *_busy(rng))
    if consensus != "clique":
        block = BftBlock(consensus, SIGNERS, BLOCK)
        for at, value in changes:
            block = block.changed(at, value)
        return block.raw(SIGNERS[:9]), None
    turns = sorted(SIGNERS, key=address)
    chain: list[CliqueBlock] = []
    for number in range(BLOCK, BLOCK + 8):
        parent = chain[-1].hash if chain else rng.randbytes(32)
        said = changes if not chain else ((3, rng.randbytes(32)), (11, rlp.from_uint(AT + 5 * len(chain))), *_busy(rng))
        chain.append(CliqueBlock(number, turns[number % 13], 2, parent, changes=said))
    header, *later = [block.raw for block in chain]
    return header, later


def _busy(rng: random.Random) -> tuple[tuple[int, rlp.Item], ...]:
    """What a block with the anchors of a few members has: roots of its own, and twelve bits of the logs bloom."""
    bloom = sum(1 << rng.randrange(2048) for _ in range(12)).to_bytes(257, "big")[1:]
    return (4, rng.randbytes(32)), (5, rng.randbytes(32)), (6, bloom), (10, rlp.from_uint(rng.randrange(300_000)))


def _network(consensus: str) -> bytes:
    names = [f"centre {number}" for number in range(1, 14)]
    keys = [
        Signer(f"west.example/1/centre-{number}/0", KeyType.ED25519, key(name)) for number, name in enumerate(names, 1)
    ]
    network = Network(
        format=FORMAT,
        alliance="联盟",
        domain="west.example",
        version=1,
        chain_id=1,
        genesis_hash=bytes(32),
        consensus=consensus,
        validators=(pin(SIGNERS),),
        contracts=(
            Contract("AllianceRegistry", _REGISTRY, _CODE, 0, None),
            Contract(CREDIT_REGISTER, _REGISTER, _CODE, 0, None),
        ),
        members=tuple(
            Member(number, f"centre-{number}", name, (LogKey(0, signer.verifier.vkey, 0, None),), ())
            for number, (name, signer) in enumerate(zip(names, keys, strict=True), 1)
        ),
        governors=tuple(Governor(number, address(name), 0, None) for number, name in enumerate(names, 1)),
        threshold=9,
        signatures=(),
    )
    return write_network(sign_network(network, {address(name): key(name) for name in names[:9]}))
