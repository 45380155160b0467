"""The reader: where a commitment stands, and proofs that hold against the signed checkpoints."""

from collections.abc import Callable, Iterator

import pytest
from auditor import root_of
from running_log import RunningLog, commitments, receipts

from anchors.errors import AnchorsError, OutsideTree
from anchors.merkle import leaf_hash, prove_consistency, prove_inclusion
from anchors.notes import SignedNote, open_checkpoint
from ledger_service.log.reader import LoggedEntry, LogReader

MakeLog = Callable[..., RunningLog]
SIZES = [5, 256, 300, 811]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLog]:
    """A log with a checkpoint of each of the sizes."""
    log = RunningLog.make(tmp_path_factory.mktemp("grown") / "log").start()
    for old, new in zip([0, *SIZES], SIZES, strict=False):
        receipts(log.submit(commitments(new - old)))
        log.restart()
    log.end()
    yield log
    log.close()


@pytest.fixture(scope="module")
def reader(grown: RunningLog) -> LogReader:
    return grown.reader()


def test_every_checkpoint_is_of_the_one_log(grown: RunningLog, reader: LogReader) -> None:
    leaves = grown.audit_files().leaves
    for size in SIZES:
        row = reader.checkpoint_of_size(size)
        assert row is not None
        signed = open_checkpoint(SignedNote.parse(row.note), grown.verifier).checkpoint
        assert (signed.size, signed.root) == (row.size, row.root) == (size, root_of(leaves[:size]))


def test_checkpoints_are_found_by_their_size(reader: LogReader) -> None:
    latest, bounded = reader.latest_checkpoint(), reader.largest_checkpoint(299)
    assert latest is not None
    assert bounded is not None
    assert (latest.size, bounded.size) == (811, 256)
    assert reader.checkpoint_of_size(257) is None
    assert reader.largest_checkpoint(4) is None


def test_every_leaf_can_be_proven_in_every_checkpoint_over_it(grown: RunningLog, reader: LogReader) -> None:
    leaves = grown.audit_files().leaves
    for size in SIZES:
        for index in {0, 4, 255, 256, 299, 300, size - 1}:
            if index < size:
                path = tuple(reader.inclusion(LoggedEntry(leaves[index], index, published=True), size))
                assert prove_inclusion(leaf_hash(leaves[index]), index, size, path).root == root_of(leaves[:size])


def test_every_checkpoint_continues_the_ones_before(grown: RunningLog, reader: LogReader) -> None:
    leaves = grown.audit_files().leaves
    for new in SIZES:
        for old in [size for size in SIZES if size <= new]:
            proof = tuple(reader.consistency(old, new))
            prove_consistency(old, root_of(leaves[:old]), new, root_of(leaves[:new]), proof)
            with pytest.raises(AnchorsError):
                prove_consistency(old, root_of(leaves[1 : old + 1]), new, root_of(leaves[:new]), proof)


def test_what_no_checkpoint_covers_is_not_proven(reader: LogReader) -> None:
    with pytest.raises(OutsideTree):
        reader.inclusion(LoggedEntry(bytes(32), 5, published=True), 5)
    with pytest.raises(OutsideTree):
        reader.inclusion(LoggedEntry(bytes(32), 0, published=True), 812)
    with pytest.raises(OutsideTree):
        reader.consistency(300, 812)
    with pytest.raises(OutsideTree):
        reader.consistency(300, 256)


def test_a_commitment_is_found_before_and_after_it_is_published(make_log: MakeLog) -> None:
    log = make_log().start()
    reader = log.reader()
    (receipt,) = receipts(log.submit(commitments(1)))
    before = reader.find(receipt.commitment)
    log.restart()
    after = reader.find(receipt.commitment)
    assert before is not None
    assert after is not None
    assert (before.index, before.published) == (0, False)
    assert (after.index, after.published) == (0, True)
    assert reader.find(bytes(32)) is None
