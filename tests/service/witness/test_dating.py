"""Checkpoints are dated by OpenSSL's own authority; what it answers is proven before it is kept, and nobody waits."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import authority
import pytest
from authority import Authority
from growing_log import GrowingLog
from sqlalchemy import Engine
from witnessing import NOW

from anchors.notes import SignedNote
from anchors.timestamp import prove_timestamp
from ledger_service import conditions
from ledger_service.witness.asking import NoAnswer
from ledger_service.witness.dating import AuthorityRefuses, Dating
from ledger_service.witness.kept import Kept

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here to be an authority")


@pytest.fixture
def tsa(tmp_path: Path) -> Iterator[Authority]:
    with authority.running(tmp_path / "authority") as running:
        yield running


def dating(engine: Engine, url: str) -> Dating:
    return Dating(engine, Kept(engine, 0), url, lambda: NOW)


def test_every_checkpoint_is_dated_once_and_proven_against_the_authority_s_root(
    engine: Engine, log: GrowingLog, tsa: Authority
) -> None:
    asking = dating(engine, tsa.url)
    asking.step()
    sizes = [log.grow(3), log.grow(4)]
    asking.step()
    asking.step()
    assert len(tsa.asked) == len(sizes)
    for size in sizes:
        checkpoint, response = log.reader.checkpoint_of_size(size), Kept(engine, 0).timestamp(size)
        assert checkpoint is not None
        assert response is not None
        proven = prove_timestamp(response, SignedNote.parse(checkpoint.note).text, tsa.root)
        assert abs(proven.time - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_answer_to_another_request_is_not_kept(engine: Engine, log: GrowingLog, tsa: Authority) -> None:
    size = log.grow(3)
    dating(engine, tsa.url).step()
    response = Kept(engine, 0).timestamp(size)
    assert response is not None
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM witness_timestamp")
    tsa.instead = (200, response)
    with pytest.raises(AuthorityRefuses, match="another request"):
        dating(engine, tsa.url).step()
    larger = log.grow(1)
    Kept(engine, 0).keep_timestamp(size, response)
    with pytest.raises(AuthorityRefuses, match="the timestamp is of 0x"):
        dating(engine, tsa.url).step()
    assert Kept(engine, 0).timestamp(larger) is None


@pytest.mark.parametrize("instead", [(500, b"no"), (200, b"no"), (200, b"x" * (1 << 20))])
def test_an_authority_that_fails_stands_in_the_conditions_until_it_answers(
    engine: Engine, log: GrowingLog, tsa: Authority, instead: tuple[int, bytes]
) -> None:
    size = log.grow(3)
    tsa.instead = instead
    with pytest.raises((AuthorityRefuses, NoAnswer)):
        dating(engine, tsa.url).step()
    assert [one.part for one in conditions.current(engine)] == ["timestamp"]
    tsa.instead = None
    dating(engine, tsa.url).step()
    assert (conditions.current(engine), Kept(engine, 0).timestamp(size) is None) == ([], False)


def test_an_authority_that_rejects_the_digest_is_told(engine: Engine, log: GrowingLog, tsa: Authority) -> None:
    log.grow(3)
    tsa.digests = "sha512"
    with pytest.raises(AuthorityRefuses, match="not granted: status 2"):
        dating(engine, tsa.url).step()
