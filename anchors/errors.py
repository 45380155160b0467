"""Every error of the offline library, grouped by the module that raises it.

A message says what is wrong and where; `diagnostics` adds what to do about it. Whatever bytes a parser is handed,
it answers with its value or with one of these.
"""

from typing import ClassVar


class AnchorsError(Exception):
    """Root of every error that this library raises on purpose."""

    remedy: ClassVar[str] = "Get the evidence again from whoever handed it out."

    def diagnostics(self) -> str:
        """Say what is wrong, where, and what to do, in sentences for a person."""
        return f"{self}. {self.remedy}"


# merkle/: trees, proofs, tiles


class OutsideTree(AnchorsError):
    """A leaf, a node or a size that the tree does not have."""

    remedy = "Ask for a leaf and a size that the log has reached."


class BadFrontier(AnchorsError):
    """The edge of a tree that does not fit its size."""

    remedy = "Restore the tree from its tiles."


class BadInclusionPath(AnchorsError):
    """A path of hashes that cannot lead from that leaf to the root of a tree of that size."""


class BadConsistencyProof(AnchorsError):
    """A proof that does not show that the new tree begins with the old one."""

    remedy = "Ask the log for the proof again; if it cannot give one, it has forked: keep both checkpoints as evidence."


class BadTilePath(AnchorsError):
    """A path that is not the one name of a tile."""

    remedy = "Ask for tile/<level>/<index>[.p/<width>] as C2SP tlog-tiles writes it."


class BadTile(AnchorsError):
    """A tile or entry bundle whose bytes do not fit its name."""

    remedy = "Fetch the tile again; if it stays so, the log's storage is damaged."


# chain/: what a node hands out


class MalformedRlp(AnchorsError):
    """Bytes that are not the canonical encoding of one item, or not of the item that belongs there."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(f"malformed RLP at byte {offset}: {what}")


class BadTrieProof(AnchorsError):
    """Trie nodes that do not lead from the root along the key."""

    def __init__(self, what: str, node: int) -> None:
        super().__init__(f"bad trie proof at node {node}: {what}")


class MalformedReceipt(AnchorsError):
    """A transaction receipt that no client writes."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed transaction receipt: {what}")


class MalformedHeader(AnchorsError):
    """A block header whose fields are not those of any fork, or out of bounds."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed block header: {what}")


class MalformedAnswer(AnchorsError):
    """A JSON-RPC answer that lacks a field or holds one of the wrong shape."""

    remedy = "The node does not speak the Ethereum JSON-RPC; ask another one."

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed answer of a chain node: {what}")


class FalseAnswer(AnchorsError):
    """A JSON-RPC answer that contradicts the hashes that it must match."""

    remedy = "The node answers falsely; ask another one."

    def __init__(self, what: str) -> None:
        super().__init__(f"false answer of a chain node: {what}")


class BadSignature(AnchorsError):
    """A secp256k1 signature that is malformed, or that no key made."""

    def __init__(self, what: str) -> None:
        super().__init__(f"bad signature: {what}")
