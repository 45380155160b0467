"""The network file's bytes: one canonical spelling, so that no byte of it can be changed unseen.

Promises facts whose histories never overlap and whose names fit together, or MalformedFile with the path to what is
wrong. Nothing that is read here is proven: that is for the governors' signatures.
"""

import dataclasses
import itertools
import json
import re
from collections.abc import Sequence

from anchors.bounded_json import MAX_FILE_BYTES, MAX_NUMBER, Fields, read_json
from anchors.chain.header import CONSENSUSES, DEVELOPMENT
from anchors.errors import MalformedFile, NotCanonical
from anchors.network.entries import (
    MAX_HISTORY,
    MAX_MEMBERS,
    NAME,
    read_contract,
    read_governor,
    read_member,
    read_signature,
    read_validators,
    to_json,
)
from anchors.network.facts import FORMAT, Member, Network

MAX_NETWORK_BYTES = MAX_FILE_BYTES

_DOMAIN_NAME = r"[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?"  # leaves room for the rest of an origin of 255 bytes


def write_network(network: Network) -> bytes:
    """Write a network file in its one canonical form: names in order, two spaces of indent, a last newline."""
    return (json.dumps(to_json(network), indent=2, ensure_ascii=False) + "\n").encode()


def parse_network(data: bytes) -> Network:
    """Read a network file; nothing in it is proven yet, see `prove_network`.

    Args:
        data: the file's bytes.

    Returns:
        What the file says.

    Raises:
        MalformedFile: the bytes are out of bounds, of another format, or hold histories that contradict themselves.
        NotCanonical: the same content is spelt otherwise than `write_network` does.
    """
    fields = Fields(read_json(data), "", [field.name for field in dataclasses.fields(Network)])
    network = Network(
        format=fields.text("format", re.escape(FORMAT)),
        alliance=fields.text("alliance", NAME),
        domain=fields.text("domain", _DOMAIN_NAME),
        version=fields.number("version", 1),
        chain_id=fields.number("chain_id", 1),
        genesis_hash=fields.hex("genesis_hash", 32),
        consensus=fields.text("consensus", "|".join(CONSENSUSES)),
        validators=fields.each("validators", MAX_HISTORY, read_validators),
        contracts=fields.each("contracts", MAX_HISTORY, read_contract),
        members=fields.each("members", MAX_MEMBERS, read_member),
        governors=fields.each("governors", MAX_HISTORY, read_governor),
        threshold=fields.number("threshold", 1, MAX_MEMBERS),
        signatures=fields.each("signatures", MAX_HISTORY, read_signature),
    )
    _check_histories(network)
    # With the spelling fixed, not a space of the file can be changed unseen.
    if write_network(network) != data:
        raise NotCanonical
    return network


def _check_histories(network: Network) -> None:
    numbers = [member.number for member in network.members]
    _check_distinct("members", numbers)
    _check_distinct("members", [member.code for member in network.members])
    _check_distinct("governors", [governor.address for governor in network.governors])
    _check_distinct("members", [signer.address for member in network.members for signer in member.receipt_signers])
    for governor in network.governors:
        if governor.member not in numbers:
            raise MalformedFile("governors", f"names member {governor.member}, who is not listed")
    for validators in network.validators:
        _check_distinct("validators", validators.addresses)
        if not validators.addresses:
            raise MalformedFile("validators", "has a span without a validator")
    _check_order("validators", [(each.from_block, each.to_block) for each in network.validators])
    if network.consensus != DEVELOPMENT and not network.validators:
        raise MalformedFile("validators", f"is empty, though the consensus is {network.consensus}")
    spans: dict[str, list[tuple[int, int | None]]] = {}
    for contract in network.contracts:
        spans.setdefault(contract.name, []).append((contract.from_block, contract.to_block))
    for name, history in spans.items():
        _check_order(f"contracts ({name})", history)
    for member in network.members:
        _check_log_keys(network, member)


def _check_log_keys(network: Network, member: Member) -> None:
    where = f"members ({member.code}).log_keys"
    for key, following in itertools.pairwise(member.log_keys):
        # A new generation begins at size 0 again; what went before it is closed for good.
        start = following.from_size if following.generation == key.generation else MAX_NUMBER
        if key.to_size is None or following.generation < key.generation or start < key.to_size:
            raise MalformedFile(where, "has spans that are open, overlap or are out of order before the last")
    for key in member.log_keys:
        if not key.vkey.startswith(network.origin(member, key.generation) + "+"):
            raise MalformedFile(where, "has a key whose name is not the log's origin")


def _check_distinct(where: str, values: Sequence[object]) -> None:
    if len(set(values)) < len(values):
        raise MalformedFile(where, "lists a number, code or address twice")


def _check_order(where: str, spans: Sequence[tuple[int, int | None]]) -> None:
    for (_, end), (start, _) in itertools.pairwise(spans):
        if end is None or start < end:
            raise MalformedFile(where, "has spans that overlap or are out of order")
