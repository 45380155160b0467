"""Blocks of a range from one node, proven to be what their hashes say, with the logs of our contracts.

Every header is encoded anew and hashed, and follows its parent. Where a header's bloom leaves it possible that one of
our contracts has logged, all receipts of the block are fetched and held against the receipts root; elsewhere nothing
needs to be asked, since a bloom never denies what is there. Who sealed the headers is left to `seals`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from anchors.chain.answers import Answer
from anchors.chain.header import Header, bloom_admits, header_of_block
from anchors.chain.receipts import receipts_trie
from anchors.errors import AnchorsError
from ledger_service.chain.rpc import Rpc, fields, items
from ledger_service.errors import ChainRefused, NodeDishonest, ServiceError
from ledger_service.index.decode import RawLog
from ledger_service.index.events import Place

RECEIPT_BLOCKS: Final = 64  # blocks among which receipts are asked for in one request


class ChainMoved(ServiceError):
    """The node went over to another branch while it was asked; the next look sees it."""

    problem, title = "chain-moved", "The chain moved meanwhile"


@dataclass(frozen=True, slots=True)
class FetchedBlock:
    """A proven header and the logs of our contracts in its block, in order."""

    header: Header
    logs: tuple[RawLog, ...]


class Fetcher:
    """Fetches from one node.

    Args:
        rpc: the node.
        contracts: addresses (20 bytes) by the names that messages use.
        consensus: by whose rule headers hash, as the network file names it.
    """

    def __init__(self, rpc: Rpc, contracts: Mapping[str, bytes], consensus: str) -> None:
        self._rpc = rpc
        self._consensus = consensus
        self._names = dict(contracts)
        self._addresses = frozenset(contracts.values())
        self._whole_blocks = True  # eth_getBlockReceipts; ganache does not have it

    def header(self, number: int) -> Header | None:
        """The node's block at `number`, proven to be its hash, or None where its chain does not reach."""
        answer = self._rpc.call("eth_getBlockByNumber", hex(number), False)
        return None if answer is None else self._header(fields(answer), number)

    def block(self, number: int, block_hash: bytes) -> tuple[Header, Answer]:
        """The block of that number and hash, proven to be it, with the node's answer; raises as `blocks` does."""
        answer = self._rpc.call("eth_getBlockByHash", "0x" + block_hash.hex(), False)
        if answer is None:
            raise ChainMoved(f"the node no longer has block {number}")
        header = self._hashed(fields(answer), number)
        if header.hash != block_hash:
            raise NodeDishonest(f"block {number} is not what its hash says: it is block 0x{header.hash.hex()}")
        return header, fields(answer)

    def blocks(self, first: int, last: int, parent_hash: bytes | None) -> Iterator[FetchedBlock]:
        """Fetch the blocks from `first` to `last`, in order; receipts some blocks ahead of who takes them.

        Args:
            first: number of the first block.
            last: number of the last one.
            parent_hash: hash of the block before the first, or None when none was followed.

        Raises:
            ChainMoved: the blocks are no longer of one branch.
            NodeDishonest: an answer contradicts a hash.
            ChainUnreachable: no answer, or not one of a node.
        """
        numbers = range(first, last + 1)
        answers = self._rpc.batch([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
        blocks: list[tuple[Header, Answer]] = []
        for number, answer in zip(numbers, answers, strict=True):
            if answer is None:
                raise ChainMoved(f"the node has no block {number} any more")
            header = self._header(fields(answer), number)
            if parent_hash is not None and header.parent_hash != parent_hash:
                raise ChainMoved(f"block {number} does not follow 0x{parent_hash.hex()}")
            parent_hash = header.hash
            blocks.append((header, fields(answer)))
        for start in range(0, len(blocks), RECEIPT_BLOCKS):
            part = blocks[start : start + RECEIPT_BLOCKS]
            admitted = {header.number: block for header, block in part if self._admits(header)}
            receipts = dict(zip(admitted, self.receipts(list(admitted.values())), strict=True))
            for header, block in part:
                number = header.number
                logs = self._proven_logs(header, block, receipts[number]) if number in admitted else ()
                yield FetchedBlock(header, logs)

    def receipts(self, blocks: Sequence[Answer]) -> list[list[Answer]]:
        """All receipts of blocks that the node has shown, not yet held against anything."""
        if self._whole_blocks:
            try:
                answers = self._rpc.batch([("eth_getBlockReceipts", [block["number"]]) for block in blocks])
                return [_receipt_list(answer) for answer in answers]
            except ChainRefused:
                self._whole_blocks = False
        hashes = [items(block.get("transactions")) for block in blocks]
        asked = [("eth_getTransactionReceipt", [one]) for of_block in hashes for one in of_block]
        found = iter(_receipt_list(self._rpc.batch(asked)))
        return [[next(found) for _ in of_block] for of_block in hashes]

    def _hashed(self, answer: Answer, number: int) -> Header:
        try:
            return header_of_block(answer, self._consensus)
        except AnchorsError as error:
            raise NodeDishonest(f"block {number} is not what its hash says: {error.diagnostics()}") from error

    def _header(self, answer: Answer, number: int) -> Header:
        header = self._hashed(answer, number)
        if header.number != number:
            raise NodeDishonest(f"the node sent block {header.number} when asked for block {number}")
        return header

    def _admits(self, header: Header) -> bool:
        return any(bloom_admits(header.logs_bloom, address) for address in self._names.values())

    def _proven_logs(self, header: Header, block: Answer, receipts: list[Answer]) -> tuple[RawLog, ...]:
        try:
            root = receipts_trie(receipts).root
        except AnchorsError as error:
            raise NodeDishonest(f"a receipt of block {header.number} cannot be read: {error}") from error
        if root != header.receipts_root:
            self._accuse(header, block, receipts)
        return tuple(self._ours(header.number, receipts))

    def _ours(self, number: int, receipts: list[Answer]) -> list[RawLog]:
        """The logs of our contracts, exactly as they were encoded."""
        found: list[RawLog] = []
        for transaction, receipt in enumerate(receipts):
            logs: list[dict[str, Any]] = receipt["logs"]  # type: ignore[assignment]  # encoding them has read them
            for index, log in enumerate(logs):
                address = bytes.fromhex(log["address"][2:])  # as it was encoded, whatever its spelling
                if address in self._addresses:
                    topics = tuple([bytes.fromhex(topic[2:]) for topic in log["topics"]])
                    place = Place(number, transaction, index)
                    found.append(RawLog(place, address, topics, bytes.fromhex(log["data"][2:])))
        return found

    def _accuse(self, header: Header, block: Answer, receipts: list[Answer]) -> None:
        """Say what is wrong with receipts that do not lead to the header's root, unless the block has changed."""
        present = self.header(header.number)
        if present is None or present.hash != header.hash:
            raise ChainMoved(f"block {header.number} was replaced")
        sent = [str(fields(log)["address"]).lower() for receipt in receipts for log in items(receipt["logs"])]
        counts = ", ".join(
            f"{sent.count('0x' + address.hex())} of {name}"
            + (" (whose logs the bloom admits)" if bloom_admits(header.logs_bloom, address) else " (none by the bloom)")
            for name, address in self._names.items()
        )
        transactions = len(items(block.get("transactions")))
        raise NodeDishonest(
            f"block {header.number}: the receipts that {self._rpc.shown} sends are not those of its header "
            f"0x{header.hash.hex()}. It sent {len(receipts)} receipts for {transactions} transactions, with the logs "
            f"{counts}: something was left out, invented or altered. Nothing of this block is believed."
        )


def _receipt_list(answer: object) -> list[Answer]:
    if answer is None:
        raise ChainMoved("the node has no receipts of a block that it showed")
    receipts = items(answer)
    if None in receipts:
        raise ChainMoved("the node has no receipt of a transaction that it showed")
    return [fields(receipt) for receipt in receipts]
