"""Audits as the API hands them out, from a real chain, recomputed offline with the network file alone."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import httpx
import pytest
from bidding import Room, identity
from conftest import Clock
from founding import NOW, Founded, Tree, catch_up, later
from liar import Refusal, lying
from sealed_headers import NAMES, pin
from sealing_node import SealingNode
from sqlalchemy import delete
from sqlmodel import Session, col
from tendering import BIDDERS, DAY, HOST, Tendering
from typer.testing import CliRunner

from anchors.chain.header import CLIQUE, QBFT
from anchors.network import Network, sign_network, write_network
from anchors.tenders.audit import AuditFile, AuditVerdict, audit
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.cli import app
from ledger_service.errors import NodeDishonest, Unavailable
from ledger_service.index.indexer import Followed, Indexer
from ledger_service.index.tender_tables import TenderEvent
from ledger_service.log.past_periods import PastPeriods
from ledger_service.log.reader import LogReader
from ledger_service.tenders.audit_words import HostsDesk
from ledger_service.tenders.auditing import AT_ONCE, Audits
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.period_keys import PeriodKeys

Follow = Callable[[], None]
LEFT_OUT = BIDDERS[5]
ANCHORED = 8  # leaves, above all places of bids


@pytest.fixture
def fetch(room: Room, follow: Follow) -> Callable[[bytes], bytes]:
    """A tender's audit, after the index has caught up."""

    def fetched(tender: bytes) -> bytes:
        answer = asked(room, tender, follow)
        assert answer.status_code == 200, answer.text
        return answer.content

    return fetched


def asked(room: Room, tender: bytes, follow: Follow) -> httpx.Response:
    follow()
    return room.client.get(f"/v1/tenders/0x{tender.hex()}/audit")


def judged(founded: Founded, file: bytes) -> AuditVerdict:
    verdict = audit(file, write_network(founded.network))
    assert [step for step in verdict.steps if not step.ok] == []
    return verdict


def audits(ground: TenderGround, founded: Founded, rpc: Rpc, folder: Path) -> Audits:
    """Without a log."""
    reader, finality = LogReader(ground.engine, folder, 0, ground.clock), Finality.pinned(ground.network, 0)
    keys = PeriodKeys(ground, finality, PastPeriods(ground.engine, identity(founded, HOST)), 0)
    return Audits(ground, rpc, finality, reader, keys, HostsDesk(ground, founded.opened[HOST, "receipt-signer"]))


def ruled(verdict: AuditVerdict, outcome: str) -> set[str]:
    return {rule.rule for rule in verdict.rules if rule.outcome == outcome}


def live(tendering: Tendering, tender: bytes) -> None:
    """From the amendment to the award, with an objection upheld and one dismissed."""
    tendering.amend(tender, digest=b"\x71" * 32)
    tendering.founded.anchor(tendering.rpc, HOST, Tree(b"host"), ANCHORED)
    tendering.close(tender)
    tendering.open(tender)
    tendering.evaluate(tender)
    tendering.name_candidates(tender)
    tendering.object_to(tender)
    tendering.rule(tender, upheld=True)
    tendering.evaluate(tender)
    tendering.name_candidates(tender)
    tendering.object_to(tender, b"\x68" * 32)
    tendering.rule(tender, b"\x68" * 32)
    tendering.award(tender)


def test_a_whole_life_is_audited_from_one_file(
    tendering: Tendering, founded: Founded, fetch: Callable[[bytes], bytes]
) -> None:
    tender = tendering.publish()
    early = judged(founded, fetch(tender))
    assert (early.state, ruled(early, "broken")) == (tendering.tenders[tender].state, set())
    live(tendering, tender)
    verdict = judged(founded, fetch(tender))
    assert (verdict.tender, verdict.state) == (tender, tendering.tenders[tender].state)
    assert ruled(verdict, "broken") == set()
    assert ruled(verdict, "not shown") == {"places", "leaves", "draw"}  # no leaves of the log, and no draw's file


def test_the_commands_fetch_and_audit(
    tendering: Tendering, founded: Founded, room: Room, follow: Follow, tmp_path: Path
) -> None:
    tender = tendering.publish()
    follow()
    file, network = tmp_path / "audit.json", tmp_path / "network.json"
    network.write_bytes(write_network(founded.network))
    fetching = ["tender", "fetch-audit", "0x" + tender.hex(), "--url", str(room.client.base_url), "--out", str(file)]
    fetched = CliRunner().invoke(app, fetching)
    assert fetched.exit_code == 0, fetched.output
    told = CliRunner().invoke(app, ["tender", "audit", str(file), "--network", str(network), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["tender"] == "0x" + tender.hex()


def test_a_dropped_bid_is_seen_once_nobody_answers_its_claim(
    tendering: Tendering, founded: Founded, rpc: Rpc, fetch: Callable[[bytes], bytes]
) -> None:
    tender = tendering.publish()
    tendering.close(tender)
    tendering.open(tender)
    tendering.claim(tendering.receipt(tender, LEFT_OUT.commitment))
    waiting = judged(founded, fetch(tender))
    assert "dropped-bids" in ruled(waiting, "not shown")
    later(rpc, 6 * DAY)
    verdict = judged(founded, fetch(tender))
    assert ruled(verdict, "broken") == {"dropped-bids"}
    told = next(rule.detail for rule in verdict.rules if rule.rule == "dropped-bids")
    assert LEFT_OUT.commitment.hex() in told


def test_holders_words_are_told_from_the_opening_on(
    tendering: Tendering, founded: Founded, room: Room, follow: Follow, clock: Clock, fetch: Callable[[bytes], bytes]
) -> None:
    tender = tendering.publish()
    follow()
    room.handed_in(tender, LEFT_OUT)
    word = room.replacement(tender, LEFT_OUT, signed_at=int(clock().timestamp()))
    assert room.replace(tender, word).status_code == 204
    for act in (lambda: None, lambda: tendering.close(tender)):
        act()
        assert AuditFile(fetch(tender)).replacements() == ()
    tendering.open(tender)
    file = fetch(tender)
    (told,) = AuditFile(file).replacements()
    assert told.act.commitment == LEFT_OUT.commitment
    assert ruled(judged(founded, file), "broken") == set()


def test_of_a_tender_that_nobody_announced_there_is_no_audit(room: Room, follow: Follow) -> None:
    answer = asked(room, b"\x99" * 32, follow)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:bidledger:problem:not-found")


def test_no_audit_is_given_of_what_the_state_contradicts(
    tendering: Tendering, ground: TenderGround, founded: Founded, rpc: Rpc, follow: Follow, tmp_path: Path
) -> None:
    tender = tendering.publish()
    tendering.amend(tender, digest=b"\x71" * 32)
    follow()
    with lying(rpc) as liar, Rpc(liar.url) as node:
        made = audits(ground, founded, node, tmp_path)
        liar.tamper = shorten_account
        with pytest.raises(NodeDishonest, match="does not lead to the header's state root"):
            made.gather(tender)
        liar.tamper = forget_state
        with pytest.raises(Unavailable, match="keeps no state"):
            made.gather(tender)
    with Session(ground.engine) as session:
        session.exec(delete(TenderEvent).where(col(TenderEvent.kind) == "amended"))
        session.commit()
    with pytest.raises(NodeDishonest, match="would be refuted at state"):
        audits(ground, founded, rpc, tmp_path).gather(tender)


def shorten_account(method: str, _parameters: list[Any], result: Any) -> Any:
    return result | {"accountProof": result["accountProof"][:-1]} if method == "eth_getProof" else result


def forget_state(method: str, _parameters: list[Any], result: Any) -> Any:
    return Refusal("missing trie node") if method == "eth_getProof" else result


def test_a_slow_node_does_not_take_all_threads(
    tendering: Tendering, ground: TenderGround, founded: Founded, rpc: Rpc, follow: Follow, tmp_path: Path
) -> None:
    tender = tendering.publish()
    follow()
    asking, answered = Semaphore(0), Event()

    def wait(method: str, _parameters: list[Any], result: Any) -> Any:
        if method == "eth_getProof":
            asking.release()
            assert answered.wait(20)
        return result

    with lying(rpc) as liar, Rpc(liar.url) as node, ThreadPoolExecutor(AT_ONCE) as pool:
        liar.tamper = wait
        made = audits(ground, founded, node, tmp_path)
        running = [pool.submit(made.gather, tender) for _ in range(AT_ONCE)]
        try:
            assert all(asking.acquire(timeout=20) for _ in running)
            with pytest.raises(Unavailable, match="Many audits"):
                made.gather(tender)
        finally:
            answered.set()
        assert len({one.result() for one in running}) == 1
        assert made.gather(tender) == running[0].result()


@pytest.mark.parametrize("consensus", [QBFT, CLIQUE])
def test_where_validators_seal_every_block_is_shown_sealed(
    tendering: Tendering, ground: TenderGround, founded: Founded, rpc: Rpc, tmp_path: Path, consensus: str
) -> None:
    tender = tendering.publish()
    live(tendering, tender)
    for _ in range(len(NAMES[:4])):
        rpc.call("evm_mine")
    with lying(rpc) as liar, Rpc(liar.url) as node:
        liar.tamper = SealingNode(rpc, consensus, lambda _: NAMES[:4])
        network = sealed_network(founded, liar.tamper, consensus)
        catch_up(Indexer(ground.engine, node, Followed.pinned(network), lambda: NOW))
        made = audits(replace(ground, network=network), founded, node, tmp_path)
        file = made.gather(tender)
    verdict = audit(file, write_network(network))
    assert [step for step in verdict.steps if not step.ok] == []
    assert (verdict.sealed, verdict.state) == (True, tendering.tenders[tender].state)
    assert ruled(verdict, "broken") == set()


def sealed_network(founded: Founded, sealed: SealingNode, consensus: str) -> Network:
    """The network file of the same alliance, on a chain that these validators seal."""
    first = Followed.pinned(founded.network).from_block
    network = replace(
        founded.network,
        consensus=consensus,
        genesis_hash=bytes.fromhex(sealed.block(0)["hash"][2:]),
        validators=(pin(NAMES[:4], first),),
        signatures=(),
    )
    governors = [key for (_, role), key in founded.opened.items() if role == "governor"]
    return sign_network(network, {key.address: key.private.secret for key in governors})
