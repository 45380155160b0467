"""Keccak-256, the hash of Ethereum (the padding of the contest, not of FIPS 202)."""

import sys
from collections.abc import Callable
from types import ModuleType

__all__ = ["keccak256"]


def _without_cffi(load: Callable[[], ModuleType]) -> ModuleType:
    # pycryptodome binds its C code through cffi where it finds it, and cffi's parser takes 80 ms to load: a third of
    # what a whole verification may take. Through ctypes, its own second way, hashing is as fast and starts in 15 ms.
    if "cffi" in sys.modules:
        return load()
    hiding: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # None: "cannot be imported"
    hiding["cffi"] = None
    try:
        return load()
    finally:
        del sys.modules["cffi"]


def _keccak() -> ModuleType:
    from Crypto.Hash import keccak  # noqa: PLC0415

    return keccak


_new = _without_cffi(_keccak).new


def keccak256(data: bytes) -> bytes:
    """Hash `data`.

    Args:
        data: any bytes.

    Returns:
        32 bytes.

    Source: Ethereum Yellow Paper, 4.1; the Keccak submission, version 3.
    """
    digest: bytes = _new(digest_bits=256, data=data).digest()
    return digest
