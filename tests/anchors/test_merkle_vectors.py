"""Trees against the vectors of transparency-dev/merkle and of the reference implementations of C2SP."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from anchors.errors import BadConsistencyProof, BadInclusionPath
from anchors.merkle import (
    Frontier,
    TileId,
    consistency_path,
    inclusion_path,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    tiles_for_growth,
    tree_root,
)

VECTORS = Path(__file__).parents[1] / "vectors"
C2SP = json.loads((VECTORS / "c2sp" / "tree.json").read_bytes())


def _merkle(folder: str) -> Iterator[Any]:
    root = VECTORS / "merkle" / "testdata" / folder
    for path in sorted(root.rglob("*.json")):
        case = json.loads(path.read_bytes())
        # A subtree that begins at leaf 0 and is not empty is a tree; other subtrees are no part of the log's formats.
        if "start" not in case or (case["start"] == 0 and case["end"] > 0):
            yield pytest.param(case, id=path.relative_to(root).as_posix())


def _proof(case: dict[str, Any]) -> list[bytes]:
    return [b64decode(node) for node in case["proof"] or []]


@pytest.mark.parametrize("case", [*_merkle("inclusion"), *_merkle("subtreeinclusion")])
def test_inclusion_is_proven_where_the_vectors_say_so(case: dict[str, Any]) -> None:
    size = case["treeSize"] if "treeSize" in case else case["end"]

    def proven() -> bool:
        try:
            inclusion = prove_inclusion(b64decode(case["leafHash"]), case["leafIdx"], size, _proof(case))
        except BadInclusionPath:
            return False
        return inclusion.root == b64decode(case["root"])

    assert proven() is not case["wantErr"]


@pytest.mark.parametrize("case", [*_merkle("consistency"), *_merkle("subtreeconsistency")])
def test_consistency_is_proven_where_the_vectors_say_so(case: dict[str, Any]) -> None:
    old, new = (case["end"], case["size"]) if "start" in case else (case["size1"], case["size2"])

    def proven() -> bool:
        try:
            prove_consistency(old, b64decode(case["root1"]), new, b64decode(case["root2"]), _proof(case))
        except BadConsistencyProof:
            return False
        return True

    assert proven() is not case["wantErr"]


@cache
def _reference_tree() -> tuple[dict[int, str], Callable[[int, int], bytes]]:
    """The tree that the reference implementation grew: its roots by size, and its complete nodes."""
    nodes: dict[tuple[int, int], bytes] = {}
    frontier, roots = Frontier(), {}
    for size in [case["size"] for case in C2SP["roots"]]:
        frontier.extend(
            [index.to_bytes(32, "big") for index in range(frontier.size, size)],
            lambda level, first, hashes: nodes.update({(level, first + at): node for at, node in enumerate(hashes)}),
        )
        roots[size] = frontier.root().hex()
    return roots, lambda level, index: nodes[level, index]


def test_the_frontier_has_the_roots_of_the_reference_tree() -> None:
    roots, read = _reference_tree()
    expected = {case["size"]: case["root"] for case in C2SP["roots"]}
    assert roots == expected
    assert {size: tree_root(size, read).hex() for size in expected} == expected


@pytest.mark.parametrize("case", C2SP["inclusion"], ids=lambda case: f"{case['index']}of{case['size']}")
def test_inclusion_paths_are_those_of_the_reference_tree(case: dict[str, Any]) -> None:
    _, read = _reference_tree()
    path = inclusion_path(case["index"], case["size"], read)
    assert [node.hex() for node in path] == case["path"]
    proven = prove_inclusion(leaf_hash(case["index"].to_bytes(32, "big")), case["index"], case["size"], path)
    assert proven.root == tree_root(case["size"], read)


@pytest.mark.parametrize("case", C2SP["consistency"], ids=lambda case: f"{case['old']}to{case['new']}")
def test_consistency_proofs_are_those_of_the_reference_tree(case: dict[str, Any]) -> None:
    _, read = _reference_tree()
    proof = consistency_path(case["old"], case["new"], read)
    assert [node.hex() for node in proof] == case["proof"]
    prove_consistency(case["old"], tree_root(case["old"], read), case["new"], tree_root(case["new"], read), proof)


@pytest.mark.parametrize("case", C2SP["growth"], ids=lambda case: f"{case['old']}to{case['new']}")
def test_growth_writes_the_tiles_that_the_reference_writes(case: dict[str, Any]) -> None:
    tiles = [tile.path for tile in tiles_for_growth(case["old"], case["new"]) if tile.level >= 0]
    assert sorted(tiles) == sorted(case["tiles"])


@pytest.mark.parametrize("case", C2SP["paths"], ids=lambda case: case["path"])
def test_tiles_are_named_as_the_reference_names_them(case: dict[str, Any]) -> None:
    tile = TileId(case["level"], case["index"], case["width"])
    assert tile.path == case["path"]
    assert TileId.parse(case["path"]) == tile
