"""EIP-712 JSON, so that any wallet shows what is signed field by field.

Promises documents that `eth_signTypedData_v4` takes. That they hash to what a contract expects is for those who fill
them in.
"""

from typing import Any, Final, TypeAlias

__all__ = ["TypedData", "typed_document"]

TypedData: TypeAlias = dict[str, Any]  # JSON values

_DOMAIN: Final = (
    *(("name", "string"), ("version", "string")),
    *(("chainId", "uint256"), ("verifyingContract", "address")),
)


def typed_document(
    contract: bytes,
    chain_id: int,
    primary: str,
    types: dict[str, tuple[tuple[str, str], ...]],
    message: dict[str, Any],
) -> TypedData:
    """What is signed for one of the alliance's contracts.

    Args:
        contract: its address, 20 bytes.
        chain_id: of the network.
        primary: the name of the struct that is signed.
        types: that struct and those in it, each with its fields and their types.
        message: the values, JSON.
    """
    named = {"EIP712Domain": _DOMAIN, **types}
    return {
        "types": {name: [{"name": field, "type": kind} for field, kind in fields] for name, fields in named.items()},
        "primaryType": primary,
        "domain": {
            "name": "bidledger",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": "0x" + contract.hex(),
        },
        "message": message,
    }
