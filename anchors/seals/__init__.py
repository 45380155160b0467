"""Who sealed a block header, by the rules of the network's consensus.

Promises a fact or a named refusal, never a guess: a development network has nobody who seals, and says so; a
consensus whose seals this version cannot check is refused by its name. A refusal says either that something is
missing (NotSealed) or that what is there is wrong (SealsRefused), which no lesser demand makes good.
"""

from collections.abc import Sequence

from anchors.chain.header import CLIQUE, DEVELOPMENT, IBFT2, QBFT, Header
from anchors.errors import FinalityUnexpected, SealsNotSupported
from anchors.network import ValidatorSet
from anchors.seals import bft, clique, ibft2, qbft
from anchors.seals.bft import BftExtra, Vote
from anchors.seals.sealing import Seals, pinned_at

__all__ = ["BftExtra", "Seals", "Vote", "bft_extra", "needed_seals", "pinned_at", "prove_seals", "sealers"]

_PROVE = {QBFT: qbft.prove, IBFT2: ibft2.prove, CLIQUE: clique.prove}
_READ_EXTRA = {QBFT: qbft.read_extra, IBFT2: ibft2.read_extra}


def prove_seals(header: Header, history: Sequence[ValidatorSet], headers: Sequence[bytes] | None = None) -> Seals:
    """Prove that enough validators sealed a header.

    Args:
        header: the header, read under the network's consensus.
        history: the network file's validators.
        headers: RLP, in order. BFT: those before the header's block at which the set of validators changed since the
            pinned span began. Clique: those after it. None where nothing was given.

    Returns:
        Who sealed it; nobody on a development network.

    Raises:
        NotSealed: something is missing that would show it, or this version does not know how that consensus seals.
        SealsRefused: what is there is wrong.
        FinalityUnexpected: headers were given, though nobody seals.
        MalformedHeader: one of `headers` is none.
    """
    if header.consensus == DEVELOPMENT:
        if headers is not None:
            raise FinalityUnexpected
        return Seals((), f"{DEVELOPMENT} network: nobody sealed this block", reversible=True)
    if header.consensus not in _PROVE:
        raise SealsNotSupported(header.consensus, header.number)
    return _PROVE[header.consensus](header, history, headers or ())


def sealers(header: Header) -> tuple[bytes, ...]:
    """Who sealed a header by its own account: Clique's signer, whoever that is, or the listed validators of BFT.

    Args:
        header: the header of any block after the genesis block.

    Returns:
        Addresses, 20 bytes each; none under another consensus.

    Raises:
        NotSealed, SealsRefused: the seals are missing or wrong.
    """
    if header.consensus == CLIQUE:
        return (clique.signer(header),)
    return bft.committers(header, bft_extra(header)) if header.consensus in _READ_EXTRA else ()


def bft_extra(header: Header) -> BftExtra:
    """The extra data of a header of QBFT or IBFT 2.0: validators, vote, round and seals.

    Raises:
        MalformedExtra: it is not of that form.
        SealsNotSupported: the header is of another consensus.
    """
    if header.consensus not in _READ_EXTRA:
        raise SealsNotSupported(header.consensus, header.number)
    return _READ_EXTRA[header.consensus](header)


def needed_seals(consensus: str, validators: int) -> int:
    """How many of that many validators must seal a block (BFT) or sign later ones (Clique) for it to count."""
    if consensus == CLIQUE:
        return clique.limit(validators)
    return bft.quorum(validators) if consensus in _READ_EXTRA else 0
