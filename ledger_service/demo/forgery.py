"""The forgeries that the demonstration tries: one byte changed in each of the three files that a verdict rests on.

Where blocks are sealed, one byte of the seal in the evidence file as well.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from anchors.chain.header import SEAL_BYTES, decode_header


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What a reader holds: a document, its evidence file and the network file."""

    document: Path
    evidence: Path
    network: Path


def change_document(exhibit: Exhibit, where: Path) -> Exhibit:
    """One bit of the document's last byte is another."""
    content = bytearray(exhibit.document.read_bytes())
    content[-1] ^= 1
    return replace(exhibit, document=_write(where / exhibit.document.name, bytes(content)))


def change_evidence(exhibit: Exhibit, where: Path) -> Exhibit:
    """One hex digit of the salt is another."""
    content = exhibit.evidence.read_bytes()
    salt = json.loads(content)["statement"]["salt"]
    return replace(exhibit, evidence=_write(where / exhibit.evidence.name, _change_digit(content, salt)))


def change_network(exhibit: Exhibit, where: Path) -> Exhibit:
    """One hex digit of the genesis hash is another."""
    content = exhibit.network.read_bytes()
    genesis_hash = json.loads(content)["genesis_hash"]
    return replace(exhibit, network=_write(where / exhibit.network.name, _change_digit(content, genesis_hash)))


def change_seal(exhibit: Exhibit, where: Path) -> Exhibit:
    """One hex digit of r, the first half of the seal in the header of the anchor's block, is another."""
    content = exhibit.evidence.read_bytes()
    consensus = json.loads(exhibit.network.read_bytes())["consensus"]
    header = decode_header(bytes.fromhex(json.loads(content)["anchor"]["header"][2:]), consensus)
    r = header.extra[-SEAL_BYTES:][:32]
    return replace(exhibit, evidence=_write(where / exhibit.evidence.name, _change_digit(content, r.hex())))


Forgeries: TypeAlias = Mapping[str, tuple[Callable[[Exhibit, Path], Exhibit], str]]

UNSEALED: Forgeries = {
    "document": (change_document, "document"),
    "evidence": (change_evidence, "commitment"),
    "network": (change_network, "network"),
}
"""What is changed: how, and the step at which the verifier must refute it."""
SEALED: Forgeries = {**UNSEALED, "seal": (change_seal, "seals")}
"""The same, and what else can be changed where every block has a signer's seal."""


def _change_digit(content: bytes, number: str) -> bytes:
    """Replace the last digit of the hex number `number`, which stands in `content` once."""
    other = "0" if number[-1] != "0" else "1"
    return content.replace(number.encode(), (number[:-1] + other).encode(), 1)


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
