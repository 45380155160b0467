"""A receipt batch as EIP-712 describes it, for eth-account to hash or sign: none of our own code has a part in it."""

from typing import Any

RECEIPT_BATCH = (
    "ReceiptBatch(address log,uint16 member,uint32 generation,bytes32 root,uint32 count,uint64 acceptedAt,"
    "uint64 anchorBy)"
)


def receipt_batch(chain_id: int, log: str, *values: object) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Domain, types and message of a batch; its values are in the order of the fields after `log`."""
    name, _, fields = RECEIPT_BATCH.rstrip(")").partition("(")
    types = [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields.split(",")]
    domain = {"name": "bidledger", "version": "1", "chainId": chain_id, "verifyingContract": log}
    message = zip((field["name"] for field in types), (log, *values), strict=True)
    return domain, {name: types}, dict(message)
