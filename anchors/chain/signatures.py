"""EIP-712 digests, and the address whose key signed one.

Promises one signature for one act of signing: 65 bytes, the lower of the two values of s, v 27 or 28, just what the
contracts take. Whether the address had the right to sign is left to the callers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from coincurve import PrivateKey, PublicKey

from anchors.chain.keccak import keccak256
from anchors.errors import BadSignature

__all__ = ["HALF_ORDER", "Domain", "check_form", "recover_signer", "sign_digest", "struct_hash", "typed_digest"]

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0  # SEC 2, secp256k1: n // 2


@dataclass(frozen=True, slots=True)
class Domain:
    """What a signature is for, so that it is good nowhere else."""

    name: str
    version: str
    chain_id: int
    verifying_contract: bytes | None = None  # 20 bytes

    @lru_cache(maxsize=64)  # noqa: B019  # a domain is a few words, and signers use one of them again and again
    def separator(self) -> bytes:
        """The domain's hash, 32 bytes; a domain without a contract has no such field."""
        kind = "EIP712Domain(string name,string version,uint256 chainId"
        words: list[int | bytes] = [keccak256(self.name.encode()), keccak256(self.version.encode()), self.chain_id]
        if self.verifying_contract is not None:
            kind += ",address verifyingContract"
            words.append(self.verifying_contract)
        return struct_hash(kind + ")", words)


def typed_digest(domain: Domain, kind: str, words: Sequence[int | bytes]) -> bytes:
    """The digest that is signed for a struct, 32 bytes; `kind` and `words` as `struct_hash` takes them.

    Source: EIP-712.
    """
    return keccak256(b"\x19\x01" + domain.separator() + struct_hash(kind, words))


def struct_hash(kind: str, words: Sequence[int | bytes]) -> bytes:
    """The hash of a struct's type and values.

    Args:
        kind: the struct's type as EIP-712 writes it, `Name(type field,...)`, then the types that it refers to.
        words: its values in order: numbers, addresses of 20 bytes, words of 32; strings as their keccak hash, structs
            as theirs, a list of structs as the keccak hash of theirs one after the other.

    Returns:
        32 bytes.

    Source: EIP-712.
    """
    padded = (word.to_bytes(32, "big") if isinstance(word, int) else word.rjust(32, b"\0") for word in words)
    return keccak256(_type_hash(kind) + b"".join(padded))


@lru_cache(maxsize=64)
def _type_hash(kind: str) -> bytes:
    return keccak256(kind.encode())


def check_form(signature: bytes) -> None:
    """Check what can be said of a signature before it is known what was signed.

    Raises:
        BadSignature: it is not 65 bytes r, s, v with v 27 or 28, or s is above half the order.

    Source: EIP-2 for the lower s.
    """
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise BadSignature("it is not 65 bytes that end in 27 or 28")
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER:
        raise BadSignature("its s is the higher of the two")


def recover_signer(digest: bytes, signature: bytes) -> bytes:
    """Recover the address whose key signed `digest`.

    Args:
        digest: 32 bytes.
        signature: 65 bytes r, s, v.

    Returns:
        The address, 20 bytes.

    Raises:
        BadSignature: the signature is malformed, or no key can have made it.

    Source: SEC 1, 4.1.6; Ethereum Yellow Paper, appendix F.
    """
    check_form(signature)
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes((signature[64] - 27,)), digest, hasher=None)
    except ValueError as error:
        raise BadSignature("no key can have made it") from error
    return keccak256(key.format(compressed=False)[1:])[12:]


def sign_digest(key: bytes | PrivateKey, digest: bytes) -> bytes:
    """Sign `digest` with a private key, 32 bytes or, at half the cost, made ready before; 65 bytes r, s, v."""
    private = PrivateKey(key) if isinstance(key, bytes) else key
    signature = private.sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes((signature[64] + 27,))
