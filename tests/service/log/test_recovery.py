"""Starting again: everything is made from the database, and nothing is signed that contradicts what was signed."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from running_log import RunningLog, commitments, receipts

from anchors.merkle import TileId

MakeLog = Callable[..., RunningLog]


@pytest.fixture
def grown(make_log: MakeLog) -> RunningLog:
    """A stopped log of 300 leaves, first published at 200."""
    log = make_log().start()
    receipts(log.submit(commitments(200)))
    log.restart()
    receipts(log.submit(commitments(100)))
    log.restart().end()
    return log


def test_what_was_accepted_is_published_by_the_next_start(make_log: MakeLog) -> None:
    log = make_log().start()
    given = [*receipts(log.submit(commitments(3))), *receipts(log.submit(commitments(2)))]
    leaves = log.restart().audit().leaves
    assert leaves == [one.commitment for one in given]
    assert receipts(log.submit(commitments(1)))[0].index == 5


def test_a_log_has_one_writer(make_log: MakeLog) -> None:
    log = make_log().start()
    second = RunningLog(log.config, log.directory)
    assert "one writer" in second.refused_start()
    receipts(log.submit(commitments(1)))


def test_lost_tiles_are_made_again(grown: RunningLog) -> None:
    before = grown.audit_files()
    shutil.rmtree(grown.public_dir / "tile")
    grown.start()
    assert grown.audit() == before


def test_a_lost_checkpoint_file_is_put_back_as_it_was(grown: RunningLog) -> None:
    file = grown.public_dir / "checkpoint"
    before = file.read_bytes()
    file.unlink()
    assert grown.start().get("checkpoint").content == before


@pytest.mark.parametrize("tile", [TileId(0, 1, 44), TileId(1, 0, 1), TileId(-1, 1, 44)])
def test_a_spoilt_tile_that_the_log_goes_on_from_is_made_again(grown: RunningLog, tile: TileId) -> None:
    before = grown.audit_files()
    file = grown.public_dir / tile.path
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(AssertionError):
        grown.audit_files()
    grown.start()
    assert grown.audit() == before


def test_rows_that_no_longer_give_the_signed_root_stop_the_log(grown: RunningLog) -> None:
    before = (grown.public_dir / "checkpoint").read_bytes()
    shutil.rmtree(grown.public_dir / "tile")  # or the tiles would do, and the rows not be asked
    with closing(sqlite3.connect(grown.database_file)) as database, database:
        database.execute("UPDATE log_batch SET entries = zeroblob(length(entries)) WHERE number = 0")
    assert "Restore the database" in grown.refused_start()
    assert (grown.public_dir / "checkpoint").read_bytes() == before


def test_rows_that_do_not_lead_to_the_closed_size_stop_the_log(make_log: MakeLog) -> None:
    log = make_log().start()
    receipts(log.submit(commitments(3)))
    log.restart().end()
    (log.public_dir / "checkpoint").unlink()
    with closing(sqlite3.connect(log.database_file)) as database, database:
        database.execute("DELETE FROM log_checkpoint")  # as a crash before the signing leaves it
        database.execute("UPDATE log_batch SET entries = substr(entries, 1, 80)")
    assert "Restore the database" in log.refused_start()
    assert not (log.public_dir / "checkpoint").exists()


def test_a_database_older_than_what_was_published_is_refused(make_log: MakeLog) -> None:
    log = make_log().start()
    receipts(log.submit(commitments(2)))
    log.restart().end()
    copy = _copied(log.database_file, log.directory / "copy.sqlite")
    receipts(log.start().submit(commitments(2)))
    log.restart().end()
    before = log.audit_files()
    for file in log.data_dir.glob("log.sqlite*"):
        file.unlink()
    _copied(copy, log.database_file)
    assert "never rolled back" in log.refused_start()
    assert log.audit_files() == before


def _copied(database: Path, to: Path) -> Path:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    return to
