"""The compiled contracts as this service speaks to them: call data, results, constructors, and refusals by name.

Everything comes from the artifacts that `scripts/compile` writes. Events are not decoded here: the index has its own
decoder, since it must be fast and must not believe a node.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, cast

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from anchors.chain.keccak import keccak256

REGISTRY: Final = "AllianceRegistry"
EVIDENCE_LOG: Final = "EvidenceLog"
CREDIT_REGISTER: Final = "CreditRegister"
RECOGNITION_MATRIX: Final = "RecognitionMatrix"
TENDER_REGISTER: Final = "TenderRegister"
CONTRACTS: Final = (REGISTRY, EVIDENCE_LOG)
"""The ones without which no member's log is anchored."""
COMPILED: Final = (*CONTRACTS, CREDIT_REGISTER, RECOGNITION_MATRIX, TENDER_REGISTER)
"""The ones that are deployed and followed."""
WITH_ARTIFACTS: Final = COMPILED
"""The ones of which there are artifacts."""

# Storage slots that the completeness check reads; see the layouts in contracts/*.sol. The first two of all but the
# registry belong to the fallback names of OpenZeppelin's EIP712.
REGISTRY_JOURNAL_SLOT: Final = bytes(32)
JOURNAL_SLOT: Final = (2).to_bytes(32, "big")
_CHECKPOINTS_SLOT: Final = (3).to_bytes(32, "big")

AbiEntry = dict[str, Any]  # one entry of a contract's JSON ABI, as the compiler writes it

_ERROR_STRING: Final = keccak256(b"Error(string)")[:4]
_PANIC: Final = keccak256(b"Panic(uint256)")[:4]


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract's interface and its creation code."""

    name: str
    functions: dict[str, AbiEntry]
    constructor_types: tuple[str, ...]
    creation_code: bytes

    def call_data(self, function: str, *arguments: object) -> bytes:
        """Encode a call of `function`."""
        entry = self.functions[function]
        types = _types(entry["inputs"])
        return _selector(function, types) + encode(types, arguments)

    def result(self, function: str, data: bytes) -> tuple[Any, ...]:
        """Decode what `function` returned; raises ValueError when it is not of its types."""
        try:
            return decode(_types(self.functions[function]["outputs"]), data)
        except DecodingError as error:
            raise ValueError(f"{self.name}.{function} returned {len(data)} bytes that are not its result") from error

    def deployment(self, *arguments: object) -> bytes:
        """The creation code with its encoded constructor arguments."""
        return self.creation_code + encode(self.constructor_types, arguments)


@cache
def contract(name: str) -> Contract:
    """The contract `name` of the artifacts."""
    artifact = _artifact(name)
    abi: list[AbiEntry] = artifact["abi"]
    constructor: list[AbiEntry] = next((entry["inputs"] for entry in abi if entry["type"] == "constructor"), [])
    return Contract(
        name=name,
        functions={entry["name"]: entry for entry in abi if entry["type"] == "function"},
        constructor_types=tuple(_types(constructor)),
        creation_code=bytes.fromhex(artifact["bytecode"].removeprefix("0x")),
    )


def checkpoint_slots(member: int) -> tuple[bytes, bytes]:
    """The slots of a member's checkpoint in EvidenceLog: its root, and the word of size, count, time and generation."""
    root = keccak256(member.to_bytes(32, "big") + _CHECKPOINTS_SLOT)
    return root, (int.from_bytes(root, "big") + 1).to_bytes(32, "big")


def pack_checkpoint(generation: int, size: int, count: int, time: int) -> bytes:
    """The second word of a checkpoint: uint32 generation ‖ uint64 time ‖ uint64 count ‖ uint64 size, right-aligned."""
    return (generation << 192 | time << 128 | count << 64 | size).to_bytes(32, "big")


def unpack_checkpoint(word: bytes) -> tuple[int, int, int, int]:
    """Generation, size, count and time from the second word of a checkpoint."""
    generation, time, count, size = (int.from_bytes(word[at : at + 8], "big") for at in (0, 8, 16, 24))
    return generation, size, count, time


def explain_revert(data: bytes) -> tuple[str, str]:
    """Name the error in what a contract returned when it refused.

    Returns:
        The error's name, and a sentence with its arguments.
    """
    selector, body = data[:4], data[4:]
    try:
        if selector == _ERROR_STRING:
            return "Error", f"the contract refused: {decode(['string'], body)[0][:200]}"
        if selector == _PANIC:
            return "Panic", f"the contract stopped with panic code {decode(['uint256'], body)[0]:#x}"
        entry = _errors().get(selector)
        if entry is None:
            return "unknown", f"the contract refused with {data[:68].hex() or 'no reason'}"
        values = decode(_types(entry["inputs"]), body)
    except DecodingError:
        return "unknown", f"the contract refused with {data[:68].hex()}"
    named = zip(entry["inputs"], values, strict=True)
    arguments = ", ".join(f"{argument['name']}={_shown(value)}" for argument, value in named)
    return entry["name"], f"the contract refused: {entry['name']}({arguments})"


@cache
def _artifact(name: str) -> dict[str, Any]:
    path = resources.files("ledger_service.chain").joinpath("artifacts", f"{name}.json")
    return cast(dict[str, Any], json.loads(path.read_bytes()))


@cache
def _errors() -> dict[bytes, AbiEntry]:
    found: dict[bytes, AbiEntry] = {}
    for name in WITH_ARTIFACTS:
        for entry in _artifact(name)["abi"]:
            if entry["type"] == "error":
                found[_selector(entry["name"], _types(entry["inputs"]))] = entry
    return found


def _selector(name: str, types: Sequence[str]) -> bytes:
    return keccak256(f"{name}({','.join(types)})".encode())[:4]


def _types(parameters: Sequence[AbiEntry]) -> list[str]:
    return [_type(parameter) for parameter in parameters]


def _type(parameter: AbiEntry) -> str:
    """The canonical type: tuples are spelt out as their members."""
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_types(parameter['components']))}){kind.removeprefix('tuple')}"


def _shown(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
