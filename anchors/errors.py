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
