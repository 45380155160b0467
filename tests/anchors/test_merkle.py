"""Growing trees, proving places in them, and keeping them in tiles."""

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anchors import merkle
from anchors.errors import (
    BadConsistencyProof,
    BadFrontier,
    BadInclusionPath,
    BadTile,
    BadTilePath,
    OutsideTree,
)
from anchors.merkle import EMPTY_ROOT, ENTRIES, MAX_SIZE, Frontier, Levels, TileId, TileReader, leaf_hash

HASHES = st.binary(min_size=32, max_size=32)
SIZES = st.integers(0, 700)


def _entries(size: int, start: int = 0) -> list[bytes]:
    return [index.to_bytes(32, "big") for index in range(start, size)]


def _recorded(size: int) -> tuple[Frontier, dict[tuple[int, int], bytes]]:
    """A tree grown to `size`, and every complete node that its recorder saw."""
    nodes: dict[tuple[int, int], bytes] = {}
    frontier = Frontier()
    frontier.extend(
        _entries(size),
        lambda level, first, hashes: nodes.update({(level, first + at): node for at, node in enumerate(hashes)}),
    )
    return frontier, nodes


def _reader(size: int) -> Callable[[int, int], bytes]:
    _, nodes = _recorded(size)
    return lambda level, index: nodes[level, index]


@given(st.lists(st.integers(0, 300), max_size=5))
def test_the_root_does_not_depend_on_how_the_leaves_came(runs: list[int]) -> None:
    bulk, single = Frontier(), Frontier()
    for run in runs:
        bulk.extend(_entries(bulk.size + run, bulk.size))
    for entry in _entries(sum(runs)):
        single.append(leaf_hash(entry))
    assert (bulk.size, bulk.root(), bulk.peaks) == (single.size, single.root(), single.peaks)
    assert bulk.root() == Levels.over(_entries(sum(runs))).root


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root() == Levels([]).root == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", [0, 1, 255, 4096, 5000])
def test_the_recorder_sees_every_complete_node_once(size: int) -> None:
    seen: list[tuple[int, int]] = []
    Frontier().extend(
        _entries(size), lambda level, first, hashes: seen.extend((level, first + at) for at in range(len(hashes)))
    )
    assert sorted(seen) == [(level, index) for level in range(size.bit_length()) for index in range(size >> level)]


@given(SIZES)
def test_a_frontier_is_restored_from_its_stored_nodes(size: int) -> None:
    restored = Frontier.restore(size, _reader(size))
    restored.extend(_entries(800, size))
    assert restored.root() == _recorded(800)[0].root()


def test_a_frontier_holds_only_the_edge_however_many_leaves_came() -> None:
    frontier = Frontier()
    tracemalloc.start()
    frontier.extend(index.to_bytes(32, "big") for index in range(1 << 17))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 << 20
    assert len(frontier.peaks) == 1


@pytest.mark.parametrize(("size", "peaks"), [(3, [b"a" * 32]), (1, [b"a" * 31]), (0, [b"a" * 32])])
def test_an_edge_that_does_not_fit_its_size_is_refused(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(BadFrontier, match="edge"):
        Frontier(size, peaks)


@pytest.mark.parametrize("size", [-1, MAX_SIZE + 1, 2**64])
def test_no_tree_is_larger_than_the_contract_stores(size: int) -> None:
    with pytest.raises(OutsideTree, match="outside"):
        Frontier(size)
    with pytest.raises(OutsideTree):
        merkle.tree_root(size, _reader(0))
    with pytest.raises(OutsideTree):
        merkle.inclusion_path(0, size, _reader(0))
    with pytest.raises(OutsideTree):
        merkle.consistency_path(0, size, _reader(0))


@given(st.integers(1, 700), st.data())
def test_every_leaf_proves_its_place_and_no_other(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    read, leaf = _reader(size), leaf_hash(index.to_bytes(32, "big"))
    path = merkle.inclusion_path(index, size, read)
    assert path == Levels.over(_entries(size)).path(index)
    assert merkle.prove_inclusion(leaf, index, size, path) == merkle.Inclusion(
        index, size, merkle.tree_root(size, read)
    )
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index) if size > 1 else st.just(index + 1))
    try:
        root = merkle.prove_inclusion(leaf, other, size, path).root
    except BadInclusionPath:
        root = b""
    assert root != merkle.tree_root(size, read)


@given(SIZES, SIZES)
def test_every_growth_is_proven(first: int, second: int) -> None:
    old, new = sorted((first, second))
    read = _reader(new)
    roots = merkle.tree_root(old, read), merkle.tree_root(new, read)
    proof = merkle.consistency_path(old, new, read)
    assert merkle.prove_consistency(old, roots[0], new, roots[1], proof) == merkle.Consistency(
        old, roots[0], new, roots[1]
    )
    shape = bytes(32) if old else b""  # nothing is known of what grows from the empty tree but its root's length
    for wrong in ((bytes(32), roots[1], proof), (roots[0], shape, proof), (*roots, [*proof, bytes(32)])):
        with pytest.raises(BadConsistencyProof):
            merkle.prove_consistency(old, wrong[0], new, wrong[1], wrong[2])


@given(st.integers(-2, 2**65), st.integers(-2, 2**65), st.lists(st.binary(max_size=40) | HASHES, max_size=70))
def test_any_proof_ends_in_a_fact_or_in_our_error(first: int, second: int, proof: list[bytes]) -> None:
    for check in (
        lambda: merkle.prove_inclusion(bytes(32), first, second, proof),
        lambda: merkle.prove_consistency(first, bytes(32), second, bytes(32), proof),
    ):
        try:
            check()
        except (BadInclusionPath, BadConsistencyProof):
            continue
        assert not proof or all(len(node) == 32 for node in proof)


def test_a_log_that_shrinks_is_refused() -> None:
    with pytest.raises(BadConsistencyProof, match="does not grow from 2 to 1"):
        merkle.prove_consistency(2, bytes(32), 1, bytes(32), [])
    with pytest.raises(OutsideTree, match="does not grow"):
        merkle.consistency_path(2, 1, _reader(2))
    with pytest.raises(OutsideTree, match="does not grow"):
        list(merkle.tiles_for_growth(2, 1))


def test_a_leaf_beyond_the_tree_has_no_path() -> None:
    with pytest.raises(OutsideTree, match="leaf 5"):
        merkle.inclusion_path(5, 5, _reader(5))
    with pytest.raises(OutsideTree, match="leaf 5"):
        Levels.over(_entries(5)).path(5)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_tree_is_read_back_from_the_tiles_of_its_growths(first: int, second: int) -> None:
    old, new = sorted((first, second))
    _, nodes = _recorded(new)
    files = {}
    for start, end in ((0, old), (old, new)):
        for tile in merkle.tiles_for_growth(start, end):
            at = tile.index * merkle.TILE_WIDTH
            run = range(at, at + tile.width)
            if tile.level == ENTRIES:
                files[tile.path] = merkle.encode_entry_bundle(index.to_bytes(32, "big") for index in run)
                assert merkle.parse_entry_bundle(files[tile.path], tile.width) == [i.to_bytes(32, "big") for i in run]
            else:
                files[tile.path] = merkle.encode_hash_tile(nodes[tile.level * 8, index] for index in run)
    read = TileReader(new, lambda tile: files[tile.path]).read
    assert all(read(level, index) == node for (level, index), node in nodes.items())


@pytest.mark.parametrize(("level", "index"), [(0, 5), (1, 2), (3, 0), (-1, 0), (0, -1), (10**9, 0)])
def test_a_node_that_the_tree_lacks_is_not_read(level: int, index: int) -> None:
    with pytest.raises(OutsideTree):
        TileReader(5, lambda tile: bytes(32 * tile.width)).read(level, index)


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33), bytes(32 * 6), bytes(32 * 256)])
def test_a_tile_of_another_width_is_refused(data: bytes) -> None:
    with pytest.raises(BadTile, match="5 hashes has 160 bytes"):
        TileReader(5, lambda _tile: data).read(0, 0)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\2a", b"\0\1ab", b"\0\1a\0\1b", b"\0\1a\0"])
def test_a_bundle_that_does_not_hold_its_entries_is_refused(data: bytes) -> None:
    with pytest.raises(BadTile):
        merkle.parse_entry_bundle(data, 1)


def test_an_entry_longer_than_its_length_can_say_is_refused() -> None:
    assert merkle.parse_entry_bundle(merkle.encode_entry_bundle([b"a" * 65535, b""]), 2) == [b"a" * 65535, b""]
    with pytest.raises(BadTile, match="65536 bytes"):
        merkle.encode_entry_bundle([b"a" * 65536])


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0", "tile/0/1000", "tile/0/x000/001", "tile/0/001/002", "tile/0/x001", "tile/00/000", "tile/64/000",
        "tile/-1/000", "tile/data/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/",
        "tile/0/000/", "/tile/0/000", "tile/0/٠٠٠", "tile/8/000", "tile/0/x999/x999/x999/x999/x999/x999/999", "",
    ],
)  # fmt: skip
def test_a_path_that_is_not_the_one_name_of_a_tile_is_refused(path: str) -> None:
    with pytest.raises(BadTilePath, match="tile"):
        TileId.parse(path)


@given(st.text() | st.from_regex(r"tile/[0-9]{1,2}/(x[0-9]{3}/){0,3}[0-9]{3}(\.p/[0-9]{1,3})?", fullmatch=True))
@example("tile/7/000.p/127")
def test_any_path_is_read_as_written_or_refused(path: str) -> None:
    try:
        tile = TileId.parse(path)
    except BadTilePath:
        return
    assert tile.path == path
    assert tile.full.width == 256


@given(st.binary(max_size=600), st.integers(1, 256))
def test_any_bytes_are_a_bundle_or_refused(data: bytes, width: int) -> None:
    try:
        entries = merkle.parse_entry_bundle(data, width)
    except BadTile:
        return
    assert merkle.encode_entry_bundle(entries) == data


def test_the_package_exports_what_it_names() -> None:
    assert merkle.__all__ == sorted(merkle.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert all(hasattr(merkle, name) for name in merkle.__all__)
