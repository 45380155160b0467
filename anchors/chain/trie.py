"""Merkle-Patricia tries: the root of a whole trie, a proof for one key, and the check of such a proof.

Promises that a proof is exact: it holds the nodes on the key's path, root first, each under the hash that the one
above names, and nothing else. The same check proves that a key is absent. Which keys and values a trie holds
(receipts by index, accounts and slots by hash) is left to the callers; secure tries hash their keys beforehand.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from anchors.chain.keccak import keccak256
from anchors.chain.rlp import Item, decode_list, encode_bytes, encode_list
from anchors.errors import BadTrieProof, MalformedRlp

__all__ = ["EMPTY_ROOT", "SharedNodes", "Trie", "leaf_value", "prove_value"]

EMPTY_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")  # keccak256(0x80)

# Paths are kept as hexadecimal text, one digit a nibble.
_Entry: TypeAlias = tuple[str, bytes]
_DIGITS = "0123456789abcdef"

_Read = TypeVar("_Read")


class Trie:
    """A trie over all of its items at once, from which the root and proofs can be read.

    Args:
        items: values by key; an empty value is no item, as in the yellow paper.

    Source: Ethereum Yellow Paper, appendix D.
    """

    def __init__(self, items: Mapping[bytes, bytes]) -> None:
        self._nodes: dict[bytes, bytes] = {}
        entries = sorted((key.hex(), value) for key, value in items.items() if value)
        self.root = EMPTY_ROOT
        if entries:
            node = self._node(entries, 0)
            self.root = keccak256(node)
            self._nodes[self.root] = node

    def prove(self, key: bytes) -> list[bytes]:
        """The nodes that prove the value of `key`, or its absence, root first."""
        if self.root == EMPTY_ROOT:
            return []
        walk = _Walk(key)
        proof = [self._nodes[self.root]]
        while (following := walk.enter(proof[-1])) is not None:
            proof.append(self._nodes[following])
        return proof

    def _node(self, entries: Sequence[_Entry], depth: int) -> bytes:
        """Encode the node that holds `entries`, sorted, which agree in their first `depth` nibbles."""
        path, value = entries[0]
        if len(entries) == 1:
            return encode_list([encode_bytes(_compact(path[depth:], leaf=True)), encode_bytes(value)])
        shared = _shared_length(path, entries[-1][0])
        if shared == depth:
            return self._branch(entries, depth)
        branch = self._reference(self._branch(entries, shared))
        return encode_list([encode_bytes(_compact(path[depth:shared], leaf=False)), branch])

    def _branch(self, entries: Sequence[_Entry], depth: int) -> bytes:
        ends_here = len(entries[0][0]) == depth
        value = entries[0][1] if ends_here else b""
        children: dict[str, list[_Entry]] = {}
        for entry in entries[ends_here:]:
            children.setdefault(entry[0][depth], []).append(entry)
        parts = [
            self._reference(self._node(children[digit], depth + 1)) if digit in children else b"\x80"
            for digit in _DIGITS
        ]
        return encode_list([*parts, encode_bytes(value)])

    def _reference(self, node: bytes) -> bytes:
        """How a parent names `node`: the node itself while it is shorter than a hash."""
        if len(node) < 32:
            return node
        digest = keccak256(node)
        self._nodes[digest] = node
        return encode_bytes(digest)


def prove_value(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Walk `proof` from `root` along `key`.

    Args:
        root: the trie's root, 32 bytes.
        key: the key as the trie holds it (hashed, in a secure trie).
        proof: encoded nodes, root first; for an empty trie nothing, or the one node 0x80 (clients differ).

    Returns:
        The proven value, or None where it is proven that the trie holds no such key.

    Raises:
        BadTrieProof: a node is malformed, missing, needless, or not the one that its parent names.

    Source: Ethereum Yellow Paper, appendix D; EIP-1186.
    """
    if root == EMPTY_ROOT:
        if [bytes(node) for node in proof] not in ([], [b"\x80"]):
            raise BadTrieProof("the trie is empty, so its proof has no nodes", 0)
        return None
    walk = _Walk(key)
    wanted: bytes | None = root
    for at, node in enumerate(proof):
        if wanted is None:
            raise BadTrieProof("the path ends before this node", at)
        if keccak256(node) != wanted:
            raise BadTrieProof(f"this is not the node 0x{wanted.hex()}", at)
        try:
            wanted = walk.enter(node)
        except MalformedRlp as error:
            raise BadTrieProof(f"the node is malformed: {error}", at) from error
    if wanted is not None:
        raise BadTrieProof(f"the node 0x{wanted.hex()} is missing", len(proof))
    return walk.value


class SharedNodes:
    """The nodes of many proofs, of one trie or of several: each stands once, is hashed once and read once.

    Args:
        nodes: encoded nodes, in any order.
    """

    def __init__(self, nodes: Sequence[bytes]) -> None:
        self._nodes = {keccak256(node): node for node in nodes}
        self._fields: dict[bytes, Sequence[Item]] = {}

    def prove(self, root: bytes, key: bytes, read: Callable[[bytes], _Read]) -> _Read | None:
        """Walk from `root` along `key`.

        Args:
            root: the trie's root, 32 bytes.
            key: the key as the trie holds it (hashed, in a secure trie).
            read: reads the proven value; raises MalformedRlp.

        Returns:
            What `read` gives, or None where it is proven that the trie holds no such key.

        Raises:
            BadTrieProof: a node, or the value, is malformed, or a node is missing.

        Source: Ethereum Yellow Paper, appendix D.
        """
        if root == EMPTY_ROOT:
            return None
        walk = _Walk(key)
        wanted: bytes | None = root
        depth = 0
        try:
            while wanted is not None:
                wanted = walk.through(self._read(wanted, depth))
                depth += 1
            return None if walk.value is None else read(walk.value)
        except MalformedRlp as error:
            raise BadTrieProof(f"the node is malformed: {error}", depth) from error

    @property
    def unused(self) -> int:
        """How many of the nodes were on no path so far."""
        return len(self._nodes) - len(self._fields)

    def _read(self, named: bytes, depth: int) -> Sequence[Item]:
        fields = self._fields.get(named)
        if fields is None:
            if named not in self._nodes:
                raise BadTrieProof(f"the node 0x{named.hex()} is missing", depth)
            fields = self._fields[named] = decode_list(self._nodes[named])
        return fields


def leaf_value(node: bytes) -> bytes:
    """Read the value that a leaf node claims to hold, before anything is proven of it.

    Raises:
        BadTrieProof: the node is not a leaf with a value.
    """
    try:
        fields = decode_list(node)
        if len(fields) == 2 and _expand(fields[0])[1]:
            return _nonempty(fields[1])
    except MalformedRlp as error:
        raise BadTrieProof(f"the node is malformed: {error}", 0) from error
    raise BadTrieProof("the node is not a leaf", 0)


class _Walk:
    """The way down one key's path, node by node."""

    def __init__(self, key: bytes) -> None:
        self._rest = key.hex()
        self.value: bytes | None = None

    def enter(self, node: bytes) -> bytes | None:
        """Go through `node` and all that is embedded in it; the hash of the next node, or None at the end."""
        return self.through(decode_list(node))

    def through(self, fields: Sequence[Item]) -> bytes | None:
        """The same for a node that is read already."""
        child: Item = fields
        while not isinstance(child, bytes):
            child = self._step(child)
        if child and len(child) != 32:
            raise MalformedRlp("a child is named by something other than a hash of 32 bytes", 0)
        return child or None

    def _step(self, fields: Sequence[Item]) -> Item:
        if len(fields) == 17:
            return self._through_branch(fields)
        if len(fields) == 2:
            return self._along_path(fields)
        raise MalformedRlp(f"a node has 17 or 2 fields, not {len(fields)}", 0)

    def _through_branch(self, fields: Sequence[Item]) -> Item:
        if self._rest:
            digit, self._rest = self._rest[0], self._rest[1:]
            return fields[int(digit, 16)]
        self.value = _nonempty(fields[16]) if fields[16] else None
        return b""

    def _along_path(self, fields: Sequence[Item]) -> Item:
        path, is_leaf = _expand(fields[0])
        if is_leaf:
            value = _nonempty(fields[1])
            self.value = value if path == self._rest else None
            return b""
        if not path or not fields[1]:
            raise MalformedRlp("an extension leads nowhere", 0)
        if not self._rest.startswith(path):
            return b""
        self._rest = self._rest[len(path) :]
        return fields[1]


def _nonempty(item: Item) -> bytes:
    if not isinstance(item, bytes) or not item:
        raise MalformedRlp("a value is not a byte string, or is empty", 0)
    return item


def _shared_length(one: str, other: str) -> int:
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))


def _compact(path: str, *, leaf: bool) -> bytes:
    """Hex-prefix encoding: the flag nibble tells leaf from extension and odd from even."""
    flag = 2 * leaf + len(path) % 2
    return bytes.fromhex((f"{flag}" if len(path) % 2 else f"{flag}0") + path)


def _expand(item: Item) -> tuple[str, bool]:
    """The path that hex-prefix bytes hold, and whether it ends in a leaf."""
    digits = item.hex() if isinstance(item, bytes) else ""
    if not digits or digits[0] not in "0123" or (digits[0] in "02" and digits[1] != "0"):
        raise MalformedRlp("a path is not in hex-prefix form", 0)
    return digits[1:] if digits[0] in "13" else digits[2:], digits[0] in "23"
