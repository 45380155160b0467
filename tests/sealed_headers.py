"""Headers as validators seal them, made from the specifications and not by the code that checks them.

Besu: QbftExtraDataCodec, IbftExtraDataCodec, BftBlockHashing; EIP-225 for Clique. Real headers of either kind stand
beside this in tests/vectors and hold the format.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from coincurve import PrivateKey

from anchors.chain import rlp
from anchors.chain.keccak import keccak256
from anchors.network import ValidatorSet

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # SEC 2, secp256k1: n
MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
NO_OMMERS = keccak256(rlp.encode([]))


def key(name: str) -> bytes:
    """The private key of a person of this story, on any curve."""
    return hashlib.sha256(name.encode()).digest()


def address(name: str) -> bytes:
    """The Ethereum address of a person of this story."""
    return keccak256(PrivateKey(key(name)).public_key.format(compressed=False)[1:])[12:]


NAMES = tuple(sorted((f"validator {number}" for number in range(16)), key=address))


def pin(names: Sequence[str], from_block: int = 0, to_block: int | None = None) -> ValidatorSet:
    """A span of the network file."""
    return ValidatorSet(from_block, to_block, tuple(map(address, names)))


def seal(name: str, digest: bytes) -> bytes:
    """One validator's seal: r, s and v of 0 or 1."""
    return PrivateKey(key(name)).sign_recoverable(digest, hasher=None)


def another_seal(name: str, digest: bytes) -> bytes:
    """A good seal by the same validator in other bytes, made with a number of its own in place of RFC 6979's."""
    nonce = int.from_bytes(key(f"nonce of {name}"), "big") % ORDER
    point = PrivateKey.from_int(nonce).public_key.point()
    r = point[0] % ORDER
    s = pow(nonce, -1, ORDER) * (int.from_bytes(digest, "big") + r * PrivateKey(key(name)).to_int()) % ORDER
    made = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((point[1] % 2,))
    return malleated(made) if s > ORDER // 2 else made


def malleated(made: bytes) -> bytes:
    """The other seal that anyone can make of a seal: the same r, the other s and v."""
    s = ORDER - int.from_bytes(made[32:64], "big")
    return made[:32] + s.to_bytes(32, "big") + bytes((1 - made[64],))


def header_fields(number: int, extra: bytes) -> list[rlp.Item]:
    """The fifteen fields of a header before London, of an empty block."""
    empty = keccak256(b"\x80")
    return [
        bytes(32),
        NO_OMMERS,
        address(NAMES[0]),
        key("state"),
        empty,
        empty,
        bytes(256),
        b"\x01",
        rlp.from_uint(number),
        rlp.from_uint(30_000_000),
        b"",
        rlp.from_uint(1_795_000_000 + number),
        extra,
        MIX_HASH,
        bytes(8),
    ]


@dataclass(frozen=True)
class BftBlock:
    """What a proposer put into a BFT header, and who commits to it."""

    consensus: str
    listed: Sequence[str]
    number: int = 100
    round: int = 0
    vote: tuple[bytes, bytes] | None = None
    vanity: bytes = b"bidledger".ljust(32, b"\0")
    changes: tuple[tuple[int, rlp.Item], ...] = ()  # fields by position, instead of what belongs there

    def raw(self, sealers: Sequence[str]) -> bytes:
        """The header with the seals of these."""
        return self.with_seals([seal(name, self.digest) for name in sealers])

    def with_seals(self, seals: Sequence[bytes]) -> bytes:
        """The header with these seals."""
        return self._with([*self._parts(self.round), list(seals)])

    @property
    def digest(self) -> bytes:
        """What validators sign."""
        return keccak256(self._with([*self._parts(self.round), *self._left_out()]))

    @property
    def hash(self) -> bytes:
        """The block's name: under QBFT as if it had round 0 and no seals, under IBFT 2.0 without both."""
        parts = self._parts(0) if self.consensus == "qbft" else self._parts(0)[:3]
        return keccak256(self._with([*parts, *self._left_out()]))

    def changed(self, at: int, value: rlp.Item) -> "BftBlock":
        """The block with one field replaced before it is sealed."""
        return replace(self, changes=(*self.changes, (at, value)))

    def _left_out(self) -> list[rlp.Item]:
        return [[]] if self.consensus == "qbft" else []

    def _parts(self, round_: int) -> list[rlp.Item]:
        none: rlp.Item = [] if self.consensus == "qbft" else b""
        spelt = rlp.from_uint(round_) if self.consensus == "qbft" else round_.to_bytes(4, "big")
        return [self.vanity, list(map(address, self.listed)), none if self.vote is None else list(self.vote), spelt]

    def _with(self, parts: Sequence[rlp.Item]) -> bytes:
        fields = header_fields(self.number, rlp.encode(parts))
        for at, value in self.changes:
            fields[at] = value
        return rlp.encode(fields)


@dataclass(frozen=True)
class CliqueBlock:
    """What a signer put into a Clique header."""

    number: int
    signer: str
    difficulty: int
    parent: bytes = bytes(32)  # the parent's hash
    listed: bytes = b""  # addresses, in a checkpoint block
    nonce: bytes = bytes(8)
    changes: tuple[tuple[int, rlp.Item], ...] = ()

    @property
    def raw(self) -> bytes:
        """The header with its seal."""
        return self.with_seal(seal(self.signer, self.digest))

    @property
    def hash(self) -> bytes:
        """The block's name, seal and all."""
        return keccak256(self.raw)

    @property
    def digest(self) -> bytes:
        """What the signer signs."""
        return keccak256(self.with_seal(b""))

    def with_seal(self, made: bytes) -> bytes:
        """The header with another seal."""
        fields = header_fields(self.number, b"bidledger".ljust(32, b"\0") + self.listed + made)
        fields[0], fields[2], fields[7] = self.parent, bytes(20), rlp.from_uint(self.difficulty)
        fields[13], fields[14] = bytes(32), self.nonce
        for at, value in self.changes:
            fields[at] = value
        return rlp.encode(fields)


def clique_chain(
    signers: Sequence[str], first: int, by: Sequence[str], changes: tuple[tuple[int, rlp.Item], ...] = ()
) -> list[CliqueBlock]:
    """Blocks from number `first` on, one after the other, the first of them with other fields."""
    chain: list[CliqueBlock] = []
    for number, name in enumerate(by, start=first):
        turn = sorted(signers, key=address)[number % len(signers)]
        parent = chain[-1].hash if chain else bytes(32)
        chain.append(CliqueBlock(number, name, 2 if name == turn else 1, parent, changes=() if chain else changes))
    return chain
