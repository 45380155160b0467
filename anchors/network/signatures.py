"""The governors' signatures under a network file: EIP-712, of all of it but the signatures.

Promises that a file counts only with the voices of governors of more than two thirds of its members, one a member,
and that one signature which is not what it claims to be spoils it.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import rfc8785

from anchors.chain.keccak import keccak256
from anchors.chain.signatures import Domain, recover_signer, sign_digest, typed_digest
from anchors.errors import BadGovernorSignature, TooFewGovernors
from anchors.network.entries import to_json
from anchors.network.facts import GovernorSignature, Network

_SIGNED_TYPE = "NetworkFile(string alliance,uint64 version,bytes32 digest)"


@dataclass(frozen=True, slots=True)
class Quorum:
    """The members whose governors signed a network file: proof that it is valid."""

    members: frozenset[int]
    threshold: int


def prove_network(network: Network) -> Quorum:
    """Prove that the governors of more than two thirds of the members signed a network file.

    Args:
        network: the file, as parsed. Signatures of governors whose time is over are checked but give no voice: they
            may stand beside others in a version that replaces them.

    Returns:
        The members that gave their voice, one each.

    Raises:
        BadGovernorSignature: a signature is not by the governor that it names, who is listed once.
        TooFewGovernors: the voices do not reach the threshold, or that is not above two thirds of the members.

    Source: EIP-712.
    """
    digest = network_digest(network)
    governors = {governor.address: governor for governor in network.governors}
    signed: set[bytes] = set()
    voices: set[int] = set()
    for each in network.signatures:
        governor = governors.get(each.governor)
        if governor is None or each.governor in signed:
            raise BadGovernorSignature(each.governor, "is not listed" if governor is None else "signed twice")
        if recover_signer(digest, each.signature) != each.governor:
            raise BadGovernorSignature(each.governor, "did not sign this file")
        signed.add(each.governor)
        if governor.to_block is None:
            voices.add(governor.member)
    if 3 * network.threshold <= 2 * len(network.members) or len(voices) < network.threshold:
        raise TooFewGovernors(len(voices), network.threshold, len(network.members))
    return Quorum(frozenset(voices), network.threshold)


def network_digest(network: Network) -> bytes:
    """The EIP-712 digest that governors sign: 32 bytes, of all of the file but its signatures.

    Source: EIP-712; RFC 8785 for the form that is hashed.
    """
    content = to_json(network)
    del content["signatures"]
    digest = hashlib.sha256(rfc8785.dumps(content)).digest()
    words = (keccak256(network.alliance.encode()), network.version, digest)
    return typed_digest(Domain("bidledger network", "1", network.chain_id), _SIGNED_TYPE, words)


def sign_network(network: Network, keys: Mapping[bytes, bytes]) -> Network:
    """Add governors' signatures to a network file.

    Args:
        network: the file, with or without signatures.
        keys: private keys of 32 bytes by the governor's address.

    Returns:
        The file with one more signature for each key; those of the same governors are replaced.
    """
    digest = network_digest(network)
    kept = [each for each in network.signatures if each.governor not in keys]
    added = [GovernorSignature(address, sign_digest(key, digest)) for address, key in keys.items()]
    return dataclasses.replace(network, signatures=(*kept, *added))


def join_signatures(network: Network, copy: Network) -> Network:
    """Bring together the signatures of two copies of one version, which governors signed apart.

    Args:
        network: the version.
        copy: another copy of it, the same but for its signatures.

    Returns:
        The version with the signatures of both, one for each governor.
    """
    signed = {each.governor for each in network.signatures}
    added = (each for each in copy.signatures if each.governor not in signed)
    return dataclasses.replace(network, signatures=(*network.signatures, *added))
