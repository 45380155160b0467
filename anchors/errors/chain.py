"""What a chain's node hands out."""

from anchors.errors.root import AnchorsError


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
