"""Fields of JSON-RPC answers, as bytes and numbers.

Promises that a field of any other shape than the Ethereum JSON-RPC gives it ends in MalformedAnswer. Whether what is
read is true is left to the callers, who hold it against hashes.
"""

from collections.abc import Mapping
from typing import TypeAlias

from anchors.errors import MalformedAnswer

__all__ = ["Answer", "data", "data_list", "quantity"]

Answer: TypeAlias = Mapping[str, object]


def data(answer: Answer, name: str) -> bytes:
    """Read a field of unformatted data, `0x` and an even number of hexadecimal digits."""
    return _bytes(answer.get(name), name)


def data_list(answer: Answer, name: str) -> list[bytes]:
    """Read a field that is a list of unformatted data."""
    values = answer.get(name)
    if not isinstance(values, list):
        raise MalformedAnswer(f"{name} is not a list")
    return [_bytes(value, name) for value in values]


def quantity(answer: Answer, name: str) -> int:
    """Read a field that is a number, `0x` and hexadecimal digits, at most 256 bits."""
    value = answer.get(name)
    try:
        if isinstance(value, str) and value.startswith("0x") and len(value) <= 66:
            return int(value[2:], 16)
    except ValueError:
        pass
    raise MalformedAnswer(f"{name} is not a quantity")


def _bytes(value: object, name: str) -> bytes:
    try:
        if isinstance(value, str) and value.startswith("0x"):
            return bytes.fromhex(value[2:])
    except ValueError:
        pass
    raise MalformedAnswer(f"{name} is not unformatted data")
