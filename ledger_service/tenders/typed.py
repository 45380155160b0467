"""Acts in a tender as EIP-712 JSON, so that any wallet shows their fields and signs the same digest; and back."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from anchors.tenders import Act
from ledger_service.operations.typed import TypedData, typed_document

__all__ = ["read_act", "typed_act"]


def typed_act(register: bytes, chain_id: int, act: Act, deadline: int) -> TypedData:
    """What is signed.

    Args:
        register: address of the TenderRegister, 20 bytes.
        chain_id: of the network.
        act: any of `anchors.tenders`.
        deadline: POSIX seconds, the last at which the signature is good.
    """
    name, named = _fields(act.TYPE)
    types = {f"Signed{name}": (("act", name), ("validUntil", "uint64")), name: named}
    words = zip(named, act.words(), strict=True)
    message = {"act": {field: _value(kind, word) for (field, kind), word in words}, "validUntil": deadline}
    return typed_document(register, chain_id, f"Signed{name}", types, message)


def read_act(kind: type[Act], written: Mapping[str, Any]) -> Act:
    """The act of a message's `act`; raises KeyError, TypeError or ValueError where it is none of that kind."""
    _, named = _fields(kind.TYPE)
    words = {}
    for (name, type_), field in zip(named, fields(kind), strict=True):
        value = written[name]
        words[field.name] = bytes.fromhex(value.removeprefix("0x")) if type_ == "bytes32" else int(value)
        if type_ == "bool":
            words[field.name] = bool(value)
    return kind(**words)


def _fields(type_: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The name of a struct, and its fields with their types, as EIP-712 writes them in one."""
    name, _, parameters = type_.removesuffix(")").partition("(")
    pairs = (parameter.split(" ") for parameter in parameters.split(","))
    return name, tuple((field, kind) for kind, field in pairs)


def _value(kind: str, word: int | bytes) -> Any:
    if isinstance(word, bytes):
        return "0x" + word.hex()
    return str(word) if kind == "uint256" else word  # more than a number of JavaScript holds
