"""RFC 6962/9162 Merkle trees over SHA-256: growing one, proving what is in it and that it only grew, storing tiles.

`frontier` grows a tree, `inclusion` and `consistency` build proofs and check them, `tiles` holds the tree's nodes in
the files of C2SP tlog-tiles, `levels` keeps a small tree whole.
"""

from anchors.merkle.consistency import Consistency, consistency_path, prove_consistency
from anchors.merkle.frontier import Frontier, NodeRecorder
from anchors.merkle.hashing import EMPTY_ROOT, MAX_SIZE, NodeReader, leaf_hash, node_hash, tree_root
from anchors.merkle.inclusion import Inclusion, inclusion_path, prove_inclusion
from anchors.merkle.levels import Levels
from anchors.merkle.tiles import (
    ENTRIES,
    TILE_WIDTH,
    TileId,
    TileReader,
    encode_entry_bundle,
    encode_hash_tile,
    parse_entry_bundle,
    parse_hash_tile,
    tiles_for_growth,
)

__all__ = [
    "EMPTY_ROOT",
    "ENTRIES",
    "MAX_SIZE",
    "TILE_WIDTH",
    "Consistency",
    "Frontier",
    "Inclusion",
    "Levels",
    "NodeReader",
    "NodeRecorder",
    "TileId",
    "TileReader",
    "consistency_path",
    "encode_entry_bundle",
    "encode_hash_tile",
    "inclusion_path",
    "leaf_hash",
    "node_hash",
    "parse_entry_bundle",
    "parse_hash_tile",
    "prove_consistency",
    "prove_inclusion",
    "tiles_for_growth",
    "tree_root",
]
