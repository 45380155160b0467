"""What QBFT and IBFT 2.0 have in common: a block is final at once, by the seals of a quorum in its own header.

Promises that a header counts as sealed only by a quorum of the validators in force at its block: those that the
network file pins, or that were stepped to through the headers at which the set changed. Each step changes one address
of the set before, which is the pinned one where a pinned span begins in between, and has a quorum of the set that it
lists. Such a quorum always holds more than a third of the set before it (a test counts this for every size), so as
long as fewer than a third are dishonest, an honest validator of the old set has sealed the new one. How the two write
their extra data is left to `qbft` and `ibft2`.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from anchors.chain import rlp
from anchors.chain.header import Header, decode_header, signed_hash
from anchors.errors import (
    DuplicateSeal,
    ForeignSeal,
    HeaderOutOfPlace,
    MalformedExtra,
    MalformedRlp,
    SealsMissing,
    TooManySeals,
    ValidatorsByContract,
    ValidatorsDiffer,
)
from anchors.network import ValidatorSet
from anchors.seals.sealing import Seals, check_fixed, pinned_at, recover_sealer

MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
ROUND_BYTES = 4

_ADD, _DROP = b"\xff", b"\0"


@dataclass(frozen=True, slots=True)
class Vote:
    """A proposer's vote to add or drop a validator."""

    validator: bytes  # 20 bytes
    adds: bool


@dataclass(frozen=True, slots=True)
class BftExtra:
    """The extra data of a BFT header."""

    vanity: bytes  # 32 bytes
    validators: tuple[bytes, ...]  # 20 bytes each: those who seal this very block
    vote: Vote | None
    round: int  # 0 unless the first proposer failed
    seals: tuple[bytes, ...]


ReadExtra = Callable[[Header], BftExtra]


def read_parts(header: Header, read_round: Callable[[rlp.Item], int], no_vote: rlp.Item) -> BftExtra:
    """Read extra data, but for what the two consensuses write differently.

    Args:
        header: the header.
        read_round: reads the round; may raise MalformedRlp.
        no_vote: what stands where there is no vote.

    Returns:
        The parts, well-formed; whether they are true is not looked at.

    Raises:
        MalformedExtra: a part is out of bounds or of another form.
    """
    vanity, validators, vote, round_, seals = rlp.decode_list(header.extra)  # five, or the header would have no hash
    if not isinstance(vanity, bytes) or len(vanity) != 32:
        raise MalformedExtra(header.number, "has a vanity that is not 32 bytes")
    addresses = _byte_strings(validators)
    if addresses is None or any(len(address) != 20 for address in addresses):
        raise MalformedExtra(header.number, "has validators that are not addresses of 20 bytes")
    given = _byte_strings(seals)
    if given is None:
        raise MalformedExtra(header.number, "has seals that are not a list of byte strings")
    try:
        number = read_round(round_)
    except MalformedRlp as error:
        raise MalformedExtra(header.number, f"has a round that is malformed: {error}") from error
    return BftExtra(vanity, addresses, None if vote == no_vote else _vote(header, vote), number, given)


def _byte_strings(item: rlp.Item) -> tuple[bytes, ...] | None:
    if isinstance(item, bytes):
        return None
    texts = tuple(part for part in item if isinstance(part, bytes))
    return texts if len(texts) == len(item) else None


def _vote(header: Header, item: rlp.Item) -> Vote:
    parts = _byte_strings(item) or ()
    if len(parts) != 2 or len(parts[0]) != 20 or parts[1] not in (_ADD, _DROP):
        raise MalformedExtra(header.number, "has a vote that neither adds nor drops a validator")
    return Vote(parts[0], parts[1] == _ADD)


def quorum(validators: int) -> int:
    """How many of that many validators must seal a block.

    Source: Besu, BftHelpers.calculateRequiredValidatorQuorum.
    """
    return (2 * validators + 2) // 3


def committers(header: Header, extra: BftExtra) -> tuple[bytes, ...]:
    """Who of the validators that a header lists sealed it.

    Args:
        header: the header.
        extra: its extra data.

    Returns:
        Addresses in the order of the seals, each once.

    Raises:
        SealsRefused: a seal is malformed, malleable, forged, foreign or there twice, or there are too many.
    """
    if len(extra.seals) > len(extra.validators):
        raise TooManySeals(header.number, f"has {len(extra.seals)} seals for {len(extra.validators)} validators")
    if len(set(extra.seals)) < len(extra.seals):
        raise DuplicateSeal(header.number, "has one seal twice")
    digest = signed_hash(header)
    found: list[bytes] = []
    for seal in extra.seals:
        sealer = recover_sealer(header.number, digest, seal)
        if sealer not in extra.validators:
            raise ForeignSeal(header.number, f"has a seal by 0x{sealer.hex()}, who is none of its validators")
        if sealer in found:
            raise DuplicateSeal(header.number, f"has two seals by 0x{sealer.hex()}")
        found.append(sealer)
    return tuple(found)


def prove_committed(header: Header, history: Sequence[ValidatorSet], steps: Sequence[bytes], read: ReadExtra) -> Seals:
    """Prove that a quorum of the validators in force at a header's block sealed it.

    Args:
        header: the header.
        history: the network file's validators.
        steps: the headers, RLP, at which the set changed before the block, in order; those before the pinned span that
            holds the block may be left out.
        read: reads the extra data.

    Returns:
        Who sealed the block.

    Raises:
        NotSealed: fewer than a quorum sealed it, or it cannot be known whose seals would count.
        SealsRefused: what is there is wrong.
        MalformedHeader: a step is no header.

    Source: Besu, BftCommitSealsValidationRule and BftValidatorsValidationRule.
    """
    stepped: AbstractSet[bytes] = frozenset()
    reached = -1
    for raw in steps:
        step = decode_header(raw, header.consensus)
        if not reached < step.number < header.number:
            raise HeaderOutOfPlace(step.number, f"cannot be a step from block {reached} to block {header.number}")
        pinned = pinned_at(history, step.number)
        before = stepped if pinned.from_block <= reached else frozenset(pinned.addresses)
        stepped, _ = _prove_quorum(step, before, read)
        # A later network file may pin what an older evidence file had to step to.
        if (stepped == before) != (step.number == pinned.from_block):
            raise HeaderOutOfPlace(step.number, "is no step: it lists the validators of before, or not those pinned")
        reached = step.number
    pinned = pinned_at(history, header.number)
    before = stepped if pinned.from_block <= reached else frozenset(pinned.addresses)
    in_force, sealers = _prove_quorum(header, before, read)
    detail = (
        f"block {header.number} is sealed by {len(sealers)} of its {len(in_force)} validators, where "
        f"{quorum(len(in_force))} are enough: it is final"
    )
    return Seals(sealers, detail, reversible=False)


def _prove_quorum(
    header: Header, before: AbstractSet[bytes], read: ReadExtra
) -> tuple[AbstractSet[bytes], tuple[bytes, ...]]:
    """The set that a header lists, at most one address away from the one before, and the quorum of it that sealed."""
    check_fixed(header, {"mixHash": (header.mix_hash, MIX_HASH), "nonce": (header.nonce, bytes(8))})
    extra = read(header)
    if not extra.validators:
        raise ValidatorsByContract(header.number)
    listed = frozenset(extra.validators)
    if list(extra.validators) != sorted(listed):
        raise ValidatorsDiffer(header.number, "lists validators twice or out of order")
    if len(listed ^ before) > 1:
        raise ValidatorsDiffer(
            header.number,
            f"lists {len(listed)} validators, {len(listed - before)} of them not among the {len(before)} in force",
        )
    sealers = committers(header, extra)
    if len(sealers) < quorum(len(listed)):
        raise SealsMissing(header.number, len(sealers), quorum(len(listed)))
    return listed, sealers
