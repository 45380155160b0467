"""Files that are lost or spoilt: no wrong proof is made from them, and they are made anew from the database."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from auditor import Audit
from running_log import RunningLog, commitments, receipts

from anchors.errors import BadTile
from anchors.merkle import TILE_WIDTH, TileId
from ledger_service import conditions
from ledger_service.database import open_engine
from ledger_service.log.damage import FilesDamaged, check_files
from ledger_service.log.reader import LoggedEntry
from ledger_service.log.tiles import LogFolder, TileGrowth

MakeLog = Callable[..., RunningLog]
INNER = TileId(0, 0)  # full, and not at the edge from which the log goes on
BIG = TILE_WIDTH * TILE_WIDTH + 300  # leaves: level 1 has a full tile, level 2 one hash


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> RunningLog:
    """A stopped log of 330 leaves, with checkpoints of 200, 300 and 330."""
    log = RunningLog.make(tmp_path_factory.mktemp("original") / "log").start()
    for count in (200, 100, 30):
        receipts(log.submit(commitments(count)))
        log.restart()
    log.end()
    return log


@pytest.fixture
def grown(original: RunningLog, tmp_path: Path) -> Iterator[RunningLog]:
    """A copy of it for one test to spoil."""
    shutil.copytree(original.data_dir, tmp_path / "data")
    log = RunningLog(original.config | {"data_dir": str(tmp_path / "data")}, tmp_path)
    yield log
    log.close()


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def lose(file: Path) -> None:
    file.unlink()


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def told(log: RunningLog) -> list[tuple[str, str]]:
    return [(one.part, one.problem) for one in conditions.current(open_engine(f"sqlite:///{log.database_file}"))]


def prove_all(log: RunningLog, audit: Audit) -> None:
    """Every leaf in the tree of every checkpoint, and every checkpoint's from those before it."""
    reader = log.reader()
    for size in (200, 300, 330):
        for index, leaf in enumerate(audit.leaves[:size]):
            reader.inclusion(LoggedEntry(leaf, index, published=True), size)
        for old in (200, 300, 330):
            if old <= size:
                reader.consistency(old, size)


@pytest.mark.parametrize("damage", [flip, cut, lose])
def test_no_proof_is_made_from_a_damaged_tile_and_it_is_told(grown: RunningLog, damage: Callable[[Path], None]) -> None:
    leaves = grown.audit_files().leaves
    damage(grown.public_dir / INNER.path)
    with pytest.raises(FilesDamaged, match="made anew from the database"):
        grown.reader().inclusion(LoggedEntry(leaves[0], 0, published=True), 330)
    with pytest.raises(FilesDamaged):
        grown.reader().consistency(200, 330)
    assert told(grown) == [("log", "files-damaged")]


def test_no_proof_is_made_for_a_leaf_that_is_not_the_logs(grown: RunningLog) -> None:
    with pytest.raises(FilesDamaged):
        grown.reader().inclusion(LoggedEntry(bytes(32), 0, published=True), 330)


@pytest.mark.parametrize("damage", [cut, lose])
@pytest.mark.parametrize("tile", [INNER, TileId(-1, 0)])
def test_a_start_makes_files_anew_that_are_lost_or_cut_off(
    grown: RunningLog, tile: TileId, damage: Callable[[Path], None]
) -> None:
    before = grown.audit_files()
    damage(grown.public_dir / tile.path)
    grown.start()
    assert grown.audit() == before
    prove_all(grown, before)


@pytest.mark.parametrize(("tile", "size"), [(INNER, 330), (TileId(0, 1, 44), 300)])
def test_a_start_makes_anew_what_a_proof_has_shown_to_be_damaged(grown: RunningLog, tile: TileId, size: int) -> None:
    before = grown.audit_files()
    flip(grown.public_dir / tile.path)
    with pytest.raises(FilesDamaged):
        grown.reader().consistency(200, size)
    grown.start()
    assert grown.audit() == before
    prove_all(grown, before)
    assert told(grown) == []


def test_the_next_checkpoint_makes_anew_what_a_proof_has_shown_to_be_damaged(make_log: MakeLog) -> None:
    log = make_log(slots=200, period_seconds=0.2).start()
    file = log.public_dir / INNER.path
    reader = log.reader()
    wait_until(lambda: reader.checkpoint_of_size(400) is not None)
    before = file.read_bytes()
    flip(file)
    with pytest.raises(FilesDamaged):
        reader.consistency(200, 400)
    wait_until(lambda: told(log) == [])
    assert file.read_bytes() == before
    log.end()
    log.audit_files()


def test_only_damaged_files_are_written_again(grown: RunningLog) -> None:
    lose(grown.public_dir / INNER.path)
    kept = grown.public_dir / "tile/entries/000"
    before = kept.stat()
    grown.start()
    assert (grown.public_dir / INNER.path).exists()
    assert kept.stat().st_mtime_ns == before.st_mtime_ns


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> tuple[LogFolder, Path, bytes]:
    """The files of a log whose level 1 has a full tile: its folder, where that is, and its root."""
    data_dir = tmp_path_factory.mktemp("big")
    folder = LogFolder(data_dir, 0)
    growth = TileGrowth(folder, 0)
    growth.extend([index.to_bytes(32, "big") for index in range(BIG)])
    growth.finish()
    return folder, data_dir / "log" / "0", growth.root()


@pytest.mark.parametrize("tile", [TileId(1, 0), TileId(1, 1, 1), TileId(2, 0, 1), TileId(0, 257, 44)])
def test_whatever_other_hashes_rest_on_is_checked(big: tuple[LogFolder, Path, bytes], tile: TileId) -> None:
    folder, where, root = big
    check_files(folder, BIG, root)
    file = where / tile.path
    content = file.read_bytes()
    flip(file)
    try:
        with pytest.raises(BadTile):
            check_files(folder, BIG, root)
    finally:
        file.write_bytes(content)


def test_another_root_is_not_that_of_the_files(big: tuple[LogFolder, Path, bytes]) -> None:
    folder, _, _ = big
    with pytest.raises(BadTile):
        check_files(folder, BIG, bytes(32))
