"""One error for every way in which facts do not fit together."""

from anchors.errors.root import AnchorsError


class DocumentDiffers(AnchorsError):
    """The document is not the one that the statement names."""

    remedy = "Give the document byte for byte as it was submitted, with its own evidence file."

    def __init__(self, algorithm: str, found: bytes, stated: bytes) -> None:
        super().__init__(f"the document's {algorithm} is 0x{found.hex()}, the evidence is for 0x{stated.hex()}")


class CommitmentDiffers(AnchorsError):
    """The receipt is for another commitment than the statement's."""

    def __init__(self, computed: bytes, receipted: bytes) -> None:
        super().__init__(f"the statement commits to 0x{computed.hex()}, the receipt is for 0x{receipted.hex()}")


class IndexDiffers(AnchorsError):
    """The proof is for another place of the log than the receipt promised."""

    def __init__(self, promised: int, proven: int) -> None:
        super().__init__(f"the receipt promises leaf {promised}, the proof is for leaf {proven}")


class RootDiffers(AnchorsError):
    """The path from the leaf leads to another root than the checkpoint's."""

    def __init__(self, index: int, size: int) -> None:
        super().__init__(f"the path from leaf {index} does not lead to the root of the checkpoint of size {size}")


class CheckpointOfAnotherLog(AnchorsError):
    """A checkpoint of another log than the receipt's member's."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"the checkpoint is of the log {found[:255]!r}, the receipt is for {expected!r}")


class PartMissing(AnchorsError):
    """A part of the evidence that the asked grade needs is not there."""

    remedy = "Get the whole evidence file again, or ask for a lower grade with --require."

    def __init__(self, part: str) -> None:
        super().__init__(f"the evidence has no {part}")


class EventMissing(AnchorsError):
    """The transaction has no event at that place."""

    def __init__(self, log_index: int, count: int) -> None:
        super().__init__(f"the transaction has {count} events, none at place {log_index}")


class EventOfAnotherContract(AnchorsError):
    """An event that no EvidenceLog of the network file emitted."""

    def __init__(self, address: bytes) -> None:
        super().__init__(f"the event is of the contract 0x{address.hex()}, which is no EvidenceLog of the network file")


class EventDiffers(AnchorsError):
    """An event that anchors something else, or nothing."""

    def __init__(self, log_index: int, member: int, generation: int, size: int) -> None:
        super().__init__(
            f"event {log_index} does not anchor the checkpoint of member {member}, generation {generation}, size {size}"
        )


class ReceiptsRootDiffers(AnchorsError):
    """A header that commits to other receipts."""

    def __init__(self, block: int, header: bytes, proof: bytes) -> None:
        super().__init__(f"block {block} has the receipts root 0x{header.hex()}, the proof leads to 0x{proof.hex()}")


class NobodySealed(AnchorsError):
    """A sealed block is asked for on a development network."""

    remedy = "Evidence of a development network reaches the grade anchored; ask for that, or use a real network."

    def __init__(self, block: int) -> None:
        super().__init__(f"this is a development network: nobody sealed block {block}")


class FinalityUnexpected(AnchorsError):
    """A finality part where nobody seals."""

    def __init__(self) -> None:
        super().__init__("this is a development network, yet the evidence has a finality part")


class ReceiptOfAnotherContract(AnchorsError):
    """A receipt for a contract that the network file does not know."""

    def __init__(self, log: bytes) -> None:
        super().__init__(f"the receipt is for 0x{log.hex()}, which is no EvidenceLog of the network file")
