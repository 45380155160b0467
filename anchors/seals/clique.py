"""Clique: each block has one signer's seal, and counts as confirmed once enough other signers have built on it.

Promises that every header given is by a signer of its block who was allowed to sign then and said truly whether it was
in turn, and that the headers follow one another. What it cannot promise is finality: signers may give a block up
even after that, so the fact is called reversible.
"""

from collections.abc import Sequence

from anchors.chain.header import SEAL_BYTES, Header, decode_header, signed_hash
from anchors.errors import (
    ConfirmationsMissing,
    ForeignSeal,
    HeaderOutOfPlace,
    MalformedExtra,
    SealsMissing,
    SignedTooSoon,
    ValidatorsDiffer,
    WrongDifficulty,
)
from anchors.network import ValidatorSet
from anchors.seals.sealing import Seals, check_fixed, pinned_at, recover_sealer

_VANITY_BYTES = 32
_DROPS, _ADDS = bytes(8), b"\xff" * 8  # the nonce is a vote on the beneficiary
_IN_TURN, _OUT_OF_TURN = 2, 1


def limit(signers: int) -> int:
    """Of how many consecutive blocks a signer may sign one; so many distinct later signers confirm a block.

    Source: EIP-225, SIGNER_LIMIT.
    """
    return signers // 2 + 1


def signer(header: Header) -> bytes:
    """The address whose key sealed a header.

    Raises:
        MalformedExtra: the extra data is not vanity, addresses and one seal.
        SealsMissing: zeros stand where the seal must be, as in a genesis block.
        SealsRefused: the seal is malformed, malleable or forged.

    Source: EIP-225; go-ethereum, clique.SealHash.
    """
    if len(header.extra) < _VANITY_BYTES + SEAL_BYTES or len(_listed(header)) % 20:
        raise MalformedExtra(header.number, "has extra data that is not a vanity of 32 bytes, addresses and a seal")
    seal = header.extra[-SEAL_BYTES:]
    if not any(seal):
        raise SealsMissing(header.number, 0, 1)
    return recover_sealer(header.number, signed_hash(header), seal)


def _listed(header: Header) -> bytes:
    """The signers that a checkpoint block lists, one after the other; nothing in any other block."""
    return header.extra[_VANITY_BYTES:-SEAL_BYTES]


def prove(header: Header, history: Sequence[ValidatorSet], later: Sequence[bytes]) -> Seals:
    """Prove that a signer sealed a block and that enough others built on it.

    Args:
        header: the block's header.
        history: the network file's validators.
        later: the headers after it, RLP, in order.

    Returns:
        Who signed: the block, then the later ones.

    Raises:
        NotSealed: too few later signers, no seal, or the network file does not list the signers.
        SealsRefused: what is there is wrong.
        MalformedHeader: one of the later headers is none.

    Source: EIP-225; go-ethereum, consensus/clique.
    """
    signed = [_prove_signer(header, history, ())]
    parent = header
    for raw in later:
        parent = _following(parent, decode_header(raw, header.consensus))
        signed.append(_prove_signer(parent, history, signed))
    confirming = len(set(signed[1:]))
    signers = len(_signers(history, header.number))
    if confirming < limit(signers):
        raise ConfirmationsMissing(header.number, confirming, limit(signers))
    detail = (
        f"block {header.number} is sealed by 0x{signed[0].hex()} and confirmed by {confirming} signers, reversible: "
        f"{limit(signers)} of {signers} are enough, but under Clique they could still replace it together"
    )
    return Seals(tuple(dict.fromkeys(signed)), detail, reversible=True)


def _following(parent: Header, header: Header) -> Header:
    if header.parent_hash != parent.hash or header.number != parent.number + 1:
        raise HeaderOutOfPlace(header.number, f"does not follow block {parent.number}, 0x{parent.hash.hex()}")
    return header


def _signers(history: Sequence[ValidatorSet], block: int) -> list[bytes]:
    """The signers of a block in the order of their turns."""
    return sorted(set(pinned_at(history, block).addresses))


def _prove_signer(header: Header, history: Sequence[ValidatorSet], before: Sequence[bytes]) -> bytes:
    """Who sealed a header by the rules, after those who sealed the headers `before` it."""
    nonce = _ADDS if header.nonce == _ADDS else _DROPS
    check_fixed(header, {"mixHash": (header.mix_hash, bytes(32)), "nonce": (header.nonce, nonce)})
    signers = _signers(history, header.number)
    found = signer(header)
    if _listed(header) and _listed(header) != b"".join(signers):
        raise ValidatorsDiffer(header.number, "lists other signers than those in force")
    if found not in signers:
        raise ForeignSeal(header.number, f"is sealed by 0x{found.hex()}, who is none of its {len(signers)} signers")
    waiting = limit(len(signers)) - 1
    if found in before[max(0, len(before) - waiting) :]:
        raise SignedTooSoon(header.number, f"is signed by 0x{found.hex()}, who signed within the {waiting} before it")
    in_turn = signers[header.number % len(signers)] == found
    if header.difficulty != (_IN_TURN if in_turn else _OUT_OF_TURN):
        raise WrongDifficulty(
            header.number,
            f"has the difficulty {header.difficulty}, though its signer is {'in' if in_turn else 'out of'} turn",
        )
    return found
