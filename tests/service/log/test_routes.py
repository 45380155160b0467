"""`GET /log/...`: C2SP tlog-tiles, and nothing that the published checkpoint does not vouch for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running_log import ORIGIN, RunningLog, commitments, receipts

from anchors.merkle import TileId, leaf_hash, tiles_for_growth

MakeLog = Callable[..., RunningLog]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLog]:
    """A log of 300 leaves, first published at 200."""
    log = RunningLog.make(tmp_path_factory.mktemp("grown") / "log").start()
    receipts(log.submit(commitments(200)))
    log.restart()
    receipts(log.submit(commitments(100)))
    yield log.restart()
    log.close()


def test_the_checkpoint_is_text_that_is_asked_for_again(grown: RunningLog) -> None:
    answer = grown.get("checkpoint")
    assert answer.text.splitlines()[:2] == [ORIGIN, "300"]
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=1"


def test_all_that_the_checkpoint_covers_is_there(grown: RunningLog) -> None:
    assert grown.audit().size == 300
    for tile in tiles_for_growth(0, 300):
        answer = grown.get(tile.path)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "immutable" in answer.headers["cache-control"]
        assert len(answer.content) == tile.width * (34 if tile.level < 0 else 32)


def test_a_bundle_holds_each_entry_behind_its_length(grown: RunningLog) -> None:
    bundle = grown.get("tile/entries/001.p/44").content
    hashes = grown.get("tile/0/001.p/44").content
    assert bundle[:2] == b"\x00\x20"
    assert hashes[:32] == leaf_hash(bundle[2:34])


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint/",
        "checkpoints",
        "tile/0/000.p/200",  # went when the tile became full
        "tile/0/001",
        "tile/0/001.p/45",
        "tile/0/001.p/43",
        "tile/0/001.p/044",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/00/000",
        "tile/0/0",
        "tile/0/x000/000",
        "tile/1/000.p/2",
        "tile/2/000.p/1",
        "tile/64/000",
        "tile/-1/000",
        "tile/entries/002.p/1",
        "tile/0/%30%30%30",
        "tile/0/000%2ep/1",
        "tile/0/..%2f..%2fcheckpoint",
        "..%2f..%2flog.sqlite",
    ],
)
def test_other_paths_are_not_found(grown: RunningLog, path: str) -> None:
    answer = grown.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


def test_a_tile_is_not_public_before_its_checkpoint(make_log: MakeLog) -> None:
    log = make_log().start()
    receipts(log.submit(commitments(3)))
    log.restart()
    receipts(log.submit(commitments(2)))
    coming = [TileId(-1, 0, 5), TileId(0, 0, 5)]
    for tile in coming:  # as a crash between tiles and checkpoint leaves them
        file: Path = log.public_dir / tile.path
        file.write_bytes(bytes(170 if tile.level < 0 else 160))
    assert [log.get(tile.path).status_code for tile in coming] == [404, 404]
    log.restart()
    assert [log.get(tile.path).status_code for tile in coming] == [200, 200]
    assert log.audit().size == 5


def test_nothing_is_there_before_the_first_checkpoint(make_log: MakeLog) -> None:
    log = make_log().start()
    receipts(log.submit(commitments(3)))
    for path in ("checkpoint", "tile/entries/000.p/3", "tile/0/000.p/3"):
        assert log.get(path).status_code == 404


def test_only_reading_is_allowed(grown: RunningLog) -> None:
    url = f"{grown.url}/log/checkpoint"
    head = grown.client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(grown.get("checkpoint").content)
    answer = grown.client.post(url)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
