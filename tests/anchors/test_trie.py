import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchors.chain.keccak import keccak256
from anchors.chain.rlp import decode_list, encode
from anchors.chain.trie import EMPTY_ROOT, SharedNodes, Trie, leaf_value, prove_value
from anchors.errors import BadTrieProof

VECTORS = Path(__file__).parents[1] / "vectors" / "ethereum-tests" / "TrieTests"
ITEMS = st.dictionaries(st.binary(max_size=4), st.binary(min_size=1, max_size=40), max_size=24)
HASHED = {keccak256(bytes([n])): keccak256(bytes([n]))[: n % 32 + 1] for n in range(200)}


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()


def _cases(file: str) -> list[Any]:
    secure = "secure" in file
    cases = []
    for name, case in json.loads((VECTORS / file).read_bytes()).items():
        writes = case["in"].items() if isinstance(case["in"], dict) else case["in"]
        items = {_bytes(key): _bytes(value or "") for key, value in writes}
        hashed = {keccak256(key) if secure else key: value for key, value in items.items()}
        cases.append(pytest.param(hashed, bytes.fromhex(case["root"][2:]), id=f"{file}:{name}"))
    return cases


@pytest.mark.parametrize(
    ("items", "root"),
    [
        *_cases("trieanyorder.json"),
        *_cases("trieanyorder_secureTrie.json"),
        *_cases("trietest.json"),
        *_cases("trietest_secureTrie.json"),
        *_cases("hex_encoded_securetrie_test.json"),
    ],
)
def test_roots_are_those_of_the_ethereum_vectors_and_every_key_proves(items: dict[bytes, bytes], root: bytes) -> None:
    trie = Trie(items)
    assert trie.root == root
    for key, value in items.items():
        assert prove_value(root, key, trie.prove(key)) == (value or None)


@given(ITEMS, st.binary(max_size=5))
def test_a_proof_shows_the_value_of_any_key_or_its_absence(items: dict[bytes, bytes], key: bytes) -> None:
    trie = Trie(items)
    assert prove_value(trie.root, key, trie.prove(key)) == items.get(key)


@given(ITEMS, st.data())
def test_a_proof_with_one_byte_changed_fails(items: dict[bytes, bytes], data: st.DataObject) -> None:
    trie = Trie(items | {b"key": b"value"})
    proof = trie.prove(b"key")
    at = data.draw(st.integers(0, len(proof) - 1))
    byte = data.draw(st.integers(0, len(proof[at]) - 1))
    changed = bytearray(proof[at])
    changed[byte] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadTrieProof):
        prove_value(trie.root, b"key", [*proof[:at], bytes(changed), *proof[at + 1 :]])


@given(st.binary(max_size=40), st.lists(st.binary(max_size=80), max_size=4), st.booleans())
def test_any_bytes_are_a_proof_or_refused(key: bytes, proof: list[bytes], rooted: bool) -> None:
    root = keccak256(proof[0]) if rooted and proof else EMPTY_ROOT
    try:
        prove_value(root, key, proof)
    except BadTrieProof:
        return
    assert rooted or proof in ([], [b"\x80"])


def test_a_proof_for_another_key_fails() -> None:
    trie = Trie(HASHED)
    mine, other = list(HASHED)[:2]
    with pytest.raises(BadTrieProof):
        prove_value(trie.root, mine, trie.prove(other))


def test_a_missing_a_needless_and_a_swapped_node_fail() -> None:
    trie = Trie(HASHED)
    key = next(iter(HASHED))
    proof = trie.prove(key)
    assert len(proof) > 2
    for broken in (proof[:-1], proof[1:], [], [*proof, proof[-1]], proof[::-1]):
        with pytest.raises(BadTrieProof):
            prove_value(trie.root, key, broken)


@pytest.mark.parametrize("proof", [[], [b"\x80"]])
def test_an_empty_trie_is_proven_as_either_client_writes_it(proof: list[bytes]) -> None:
    assert Trie({}).root == EMPTY_ROOT
    assert prove_value(EMPTY_ROOT, b"key", proof) is None


def test_an_empty_trie_has_no_other_proof() -> None:
    with pytest.raises(BadTrieProof):
        prove_value(EMPTY_ROOT, b"key", [b"\x80", b"\x80"])


@pytest.mark.parametrize(
    "node",
    [
        b"",
        encode([b"\x20", b"a", b"b"]),  # three fields
        encode([b"", b"a"]),  # no path
        encode([b"\x40", b"a"]),  # no such flag
        encode([b"\x21", b"a"]),  # padding of an even path
        encode([[b"\x20"], b"a"]),  # a list for a path
        encode([b"\x20", b""]),  # no value
        encode([b"\x20", [b"a"]]),  # a list for a value
        encode([b"\x00", b"a" * 32]),  # an extension over nothing
        encode([b"\x16", b"a" * 31]),  # a child that is no hash
        encode([b""] * 6 + [b"a" * 33] + [b""] * 10),
    ],
)
def test_a_malformed_node_is_refused_under_its_own_hash(node: bytes) -> None:
    with pytest.raises(BadTrieProof, match="malformed"):
        prove_value(keccak256(node), b"key", [node])
    with pytest.raises(BadTrieProof, match="malformed"):
        SharedNodes([node]).prove(keccak256(node), b"key", bytes)


@given(ITEMS, ITEMS, st.lists(st.binary(max_size=5), max_size=8))
def test_shared_nodes_prove_what_each_proof_does(
    items: dict[bytes, bytes], others: dict[bytes, bytes], keys: list[bytes]
) -> None:
    tries = [Trie(items), Trie(others)]
    shared = SharedNodes([node for trie in tries for key in (*items, *keys) for node in trie.prove(key)])
    for trie, held in zip(tries, (items, others), strict=True):
        for key in (*items, *keys):
            assert shared.prove(trie.root, key, bytes) == held.get(key) == prove_value(trie.root, key, trie.prove(key))
    assert shared.unused == 0


def test_shared_nodes_prove_nothing_where_one_is_missing_or_changed() -> None:
    trie = Trie(HASHED)
    key, other = list(HASHED)[:2]
    nodes = trie.prove(key)
    for broken in (nodes[:-1], nodes[1:], [], [*nodes[:-1], nodes[-1][:-1] + bytes([nodes[-1][-1] ^ 1])]):
        with pytest.raises(BadTrieProof, match="missing"):
            SharedNodes(broken).prove(trie.root, key, bytes)
    shared = SharedNodes([*nodes, *trie.prove(other)])
    assert shared.prove(trie.root, key, bytes) == HASHED[key]
    assert shared.unused > 0
    with pytest.raises(BadTrieProof, match="malformed"):
        shared.prove(trie.root, key, decode_list)


def test_a_leaf_shows_its_value_before_it_is_proven() -> None:
    assert leaf_value(Trie({b"key": b"value"}).prove(b"key")[0]) == b"value"


@pytest.mark.parametrize("node", [b"", b"\xc0", encode([b"\x00\x01", b"a" * 32]), encode([b""] * 17)])
def test_what_is_no_leaf_shows_no_value(node: bytes) -> None:
    with pytest.raises(BadTrieProof):
        leaf_value(node)
