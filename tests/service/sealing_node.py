"""A development chain's node shown as one of a chain whose validators seal: the same contents in blocks of theirs.

The headers are made by the specifications (see `sealed_headers`); receipts and states are those of the real chain.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sealed_headers import BftBlock, CliqueBlock, address

from anchors.chain import rlp
from anchors.chain.header import CLIQUE, DEVELOPMENT, decode_header, header_of_block
from ledger_service.chain.rpc import Rpc

LATER_FORKS = (
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
)
SET_BY_SEALERS = {0, 1, 2, 7, 12, 13, 14}  # fields of a header, by position


class SealingNode:
    """Rewrites the blocks that a node shows; to be used as a liar's `tamper`.

    Args:
        honest: the node.
        consensus: who seals, and how.
        validators: the names of those in force at a block.
    """

    def __init__(self, honest: Rpc, consensus: str, validators: Callable[[int], Sequence[str]]) -> None:
        self._honest = honest
        self._consensus = consensus
        self._validators = validators
        self._blocks: dict[int, dict[str, Any]] = {}

    def __call__(self, method: str, parameters: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber" and result:
            return self.block(int(result["number"], 16))
        if method == "eth_getBlockByHash":
            return next((block for block in self._blocks.values() if block["hash"] == parameters[0]), None)
        return result

    def block(self, number: int) -> dict[str, Any]:
        """A block in its sealed form."""
        if number not in self._blocks:
            real: Any = self._honest.call("eth_getBlockByNumber", hex(number), False)
            parent = bytes.fromhex(self.block(number - 1)["hash"][2:]) if number else bytes(32)
            header = decode_header(self._sealed(real, number, parent), self._consensus)
            shown = {name: value for name, value in real.items() if name not in LATER_FORKS}
            shown |= {
                "hash": f"0x{header.hash.hex()}",
                "parentHash": f"0x{parent.hex()}",
                "sha3Uncles": f"0x{header.ommers_hash.hex()}",
                "miner": f"0x{header.beneficiary.hex()}",
                "difficulty": hex(header.difficulty),
                "extraData": f"0x{header.extra.hex()}",
                "mixHash": f"0x{header.mix_hash.hex()}",
                "nonce": f"0x{header.nonce.hex()}",
            }
            self._blocks[number] = shown
        return self._blocks[number]

    def _sealed(self, real: dict[str, Any], number: int, parent: bytes) -> bytes:
        fields = list(rlp.decode_list(header_of_block(real, DEVELOPMENT).raw))[:15]
        kept = tuple((at, field) for at, field in enumerate(fields) if at not in SET_BY_SEALERS)
        names = sorted(self._validators(number), key=address)
        if self._consensus == CLIQUE:
            return CliqueBlock(number, names[number % len(names)], 2, parent, changes=kept).raw
        return BftBlock(self._consensus, names, number, changes=((0, parent), *kept)).raw(names)
