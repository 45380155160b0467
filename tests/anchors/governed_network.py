"""A network file of thirteen members with histories of every kind, and all of its governors' keys."""

from collections.abc import Sequence

from coincurve import PrivateKey

from anchors.chain.keccak import keccak256
from anchors.network import (
    FORMAT,
    Contract,
    Governor,
    LogKey,
    Member,
    Network,
    ReceiptSigner,
    ValidatorSet,
    sign_network,
)


def address_of(key: bytes) -> bytes:
    """The Ethereum address of a private key."""
    return keccak256(PrivateKey(key).public_key.format(compressed=False)[1:])[12:]


KEYS = [number.to_bytes(32, "big") for number in range(1, 14)]
ADDRESSES = [address_of(key) for key in KEYS]
LOG = bytes(19) + b"\x01"
OLD_LOG = bytes(19) + b"\x02"


def _member(number: int) -> Member:
    origin = f"west.example/31337/member-{number}"
    return Member(
        number,
        f"member-{number}",
        f"第{number}中心",
        (
            LogKey(0, f"{origin}/0+00000000+AQ==", 0, 10),
            LogKey(0, f"{origin}/0+11111111+AQ==", 10, 20),
            LogKey(1, f"{origin}/1+22222222+AQ==", 0, None),
        ),
        (
            ReceiptSigner(bytes([number]) * 20, 100, 200),
            ReceiptSigner(bytes([number + 100]) * 20, 150, None),
        ),
    )


NETWORK = Network(
    format=FORMAT,
    alliance="西部联盟",
    domain="west.example",
    version=1,
    chain_id=31337,
    genesis_hash=bytes(32),
    consensus="qbft",
    validators=(ValidatorSet(0, 5, (bytes(20),)), ValidatorSet(5, None, (bytes(20), LOG))),
    contracts=(Contract("EvidenceLog", OLD_LOG, bytes(32), 0, 50), Contract("EvidenceLog", LOG, bytes(32), 50, None)),
    members=tuple(_member(number) for number in range(1, 14)),
    governors=tuple(Governor(number, ADDRESSES[number - 1], 0, None) for number in range(1, 14)),
    threshold=9,
    signatures=(),
)


def signed(network: Network, signers: Sequence[int] = range(9)) -> Network:
    """The file with these governors' signatures, by their places in KEYS."""
    return sign_network(network, {ADDRESSES[at]: KEYS[at] for at in signers})


SIGNED = signed(NETWORK)
