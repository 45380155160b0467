"""Screenings on a real chain, log and server: what is told, that it was logged, and what is withdrawn afterwards."""

import json
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import rfc8785
from filing import COMPANIES, GROUNDS, REASON, Filing
from founding import Founded, catch_up, indexer, later
from screening_room import MEMBER, PATH, Room, now, results, running
from sqlmodel import Session, select

from anchors.commitment import Statement, commit, digest_document
from anchors.credit import Issued, Kind, State, certificate_file
from anchors.credit.certificate import verify_certificate
from anchors.evidence import EvidenceFile, write_evidence
from anchors.network import write_network
from anchors.receipt import parse_receipt
from anchors.verify import Grade, verify
from ledger_service.anchoring.proofs import ProofCapture
from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.credit import screening_queries
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.screenings import given
from ledger_service.log.reader import LogReader
from ledger_service.log.tables import Leaf

HIT, CLEAR, SECOND, _ = COMPANIES
RESIDENT = "11010519491231002X"  # the specimen of GB 11643


@pytest.fixture
def room(ground: CreditGround, founded: Founded, rpc: Rpc, tmp_path: Path) -> Iterator[Room]:
    with running(ground, founded, rpc, tmp_path / "data", 3600) as made:
        yield made


def test_each_row_is_told_in_its_order_and_no_other_than_a_company_is_repeated(
    filing: Filing, room: Room, follow: Callable[[], None], founded: Founded
) -> None:
    (name,) = filing.publish(filing.record(HIT, Kind.SERIOUS))
    follow()
    asked = [str(HIT), str(CLEAR), RESIDENT, HIT.identifier, "四川公司", str(HIT)[:-1] + "A", str(HIT)]
    answer = room.ask(asked)
    assert results(answer) == [
        (str(HIT), "hit"),
        (str(CLEAR), "clear"),
        (None, "invalid"),
        (str(HIT), "hit"),
        (None, "invalid"),
        (None, "invalid"),
        (str(HIT), "hit"),
    ]
    first, _, person, _, name_alone, wrong_check, _ = answer["result"]["results"]
    (record,) = first["records"]
    assert (record["record"], record["kind"], record["applies"]) == (f"0x{name.hex()}", "serious", True)
    problems = [one["problem"] for one in (person, name_alone, wrong_check)]
    assert problems == ["natural-person", "bad-subject", "bad-subject"]
    assert "line" not in person
    assert wrong_check["detail"] == "the party has a wrong check character."
    for private in (RESIDENT, "四川公司", asked[5]):
        assert private not in room.last.text
    assert answer["result"]["member"] == "sichuan"
    assert room.last.headers["location"] == f"{PATH}/{answer['result']['id']}"


def test_the_answer_is_canonical_and_its_result_is_the_document_that_was_logged(
    filing: Filing, room: Room, follow: Callable[[], None], founded: Founded, ground: CreditGround
) -> None:
    filing.publish(filing.record(HIT))
    follow()
    answer = room.ask([str(HIT), str(CLEAR)])
    assert rfc8785.dumps(answer) == room.last.content
    statement = Statement.from_json(answer["statement"])
    digests = digest_document(BytesIO(rfc8785.dumps(answer["result"])))
    assert (statement.kind, statement.kind.code) == ("screening", 8)
    assert (statement.sha256, statement.sm3) == (digests.sha256, digests.sm3)
    assert answer["commitment"] == answer["receipt"]["commitment"] == f"0x{commit(statement).hex()}"
    receipt = parse_receipt(answer["receipt"])
    receipt.prove_entry()
    assert receipt.signer(founded.network.chain_id) == founded.opened[MEMBER, "receipt-signer"].address
    with Session(ground.engine) as session:
        assert [one.commitment for one in session.exec(select(Leaf))] == [receipt.commitment]
    assert room.ask([str(HIT)])["statement"]["salt"] != answer["statement"]["salt"]


def test_what_was_told_is_proven_from_the_evidence_years_later(
    filing: Filing, ground: CreditGround, founded: Founded, rpc: Rpc, tmp_path: Path
) -> None:
    filing.publish(filing.record(HIT))
    follower = indexer(ground.engine, rpc, founded)
    catch_up(follower)
    with running(ground, founded, rpc, tmp_path / "data", 0.05) as room:
        answer = room.ask([str(HIT), str(CLEAR)])
        anchor(room.reader, founded, rpc)
        catch_up(follower)
        ProofCapture(ground.engine, rpc, MEMBER, Finality.pinned(ground.network, 0), now).step()
        proof = room.client.get(f"/v1/evidence/{answer['commitment']}/proof")
    assert proof.status_code == 200, proof.text
    statement, receipt = Statement.from_json(answer["statement"]), parse_receipt(answer["receipt"])
    file = write_evidence(EvidenceFile.assemble(statement, receipt, proof.json()))
    document = rfc8785.dumps(answer["result"])
    verdict = verify(digest_document(BytesIO(document)), file, write_network(founded.network))
    assert verdict.proven, verdict.steps
    assert verdict.grade is Grade.ANCHORED
    other = verify(digest_document(BytesIO(document.replace(b'"hit"', b'"not"'))), file, write_network(founded.network))
    assert not other.proven


def anchor(reader: LogReader, founded: Founded, rpc: Rpc) -> None:
    """Wait until the log is published, and anchor it."""
    deadline = time.monotonic() + 20
    while (latest := reader.latest_checkpoint()) is None or latest.size < 1:
        assert time.monotonic() < deadline, "nothing was published"
        time.sleep(0.01)
    founded.send(rpc, founded.opened[MEMBER, "anchorer"], EVIDENCE_LOG, "anchor", latest.size, latest.root, [])


def test_a_member_that_opted_out_is_told_no_hit(filing: Filing, room: Room, follow: Callable[[], None]) -> None:
    filing.publish(filing.record(HIT, Kind.GENERAL))
    filing.choose(3, Issued(2, Kind.GENERAL))
    follow()
    assert results(room.ask([str(HIT)], params={"recognized_by": "guizhou"})) == [(str(HIT), "clear")]
    answer = room.ask([str(HIT)], params={"recognized_by": "chongqing"})
    assert results(answer) == [(str(HIT), "hit")]
    assert answer["result"]["recognized_by"] == "chongqing"
    unseen = room.ask([str(HIT)])["result"]["results"][0]["records"][0]
    assert [(one["member"], one["reason"]) for one in unseen["not_applied_by"]] == [("guizhou", f"0x{REASON.hex()}")]
    refused = room.ask([str(HIT)], params={"recognized_by": "tibet"}, status=422)
    assert (refused["type"], refused["pointer"]) == ("urn:bidledger:problem:unknown-member", "/query/recognized_by")


def test_a_certificate_beside_it_is_of_the_same_block_and_named_in_the_result(
    filing: Filing, room: Room, follow: Callable[[], None], founded: Founded, monkeypatch: pytest.MonkeyPatch
) -> None:
    filing.publish(filing.record(HIT))
    follow()
    answer = room.ask([str(HIT), "nobody", str(CLEAR), str(HIT)], params={"certificate": True})
    certificate = rfc8785.dumps(answer["certificate"])
    assert answer["result"]["certificate"] == f"0x{sha256(certificate).hexdigest()}"
    verdict = verify_certificate(json.dumps(answer["certificate"]).encode(), write_network(founded.network), 1 << 31)
    assert verdict.proven, verdict.steps
    assert (verdict.block_number, verdict.block_time) == (answer["result"]["block"], answer["result"]["time"])
    assert [(str(one.subject), len(one.records)) for one in verdict.subjects] == [(str(HIT), 1), (str(CLEAR), 0)]
    assert room.ask(["nobody"], params={"certificate": True})["certificate"] is None
    monkeypatch.setattr(certificate_file, "MAX_CERTIFICATE_BYTES", 100)
    refused = room.ask([str(HIT)], params={"certificate": True}, status=422)
    assert (refused["type"], refused["pointer"]) == (
        "urn:bidledger:problem:certificate-too-large",
        "/query/certificate",
    )


def test_a_withdrawal_afterwards_is_shown_to_the_key_that_was_given_the_record(
    filing: Filing, room: Room, follow: Callable[[], None], ground: CreditGround
) -> None:
    first, second = filing.publish(filing.record(HIT), filing.record(SECOND))
    follow()
    made = [room.ask(about)["result"]["id"] for about in ([str(SECOND)], [str(HIT), str(SECOND)], [str(CLEAR)])]
    (theirs,) = (room.ask([str(HIT)], key="other")["result"]["id"],)
    assert room.get(params={"withdrawn": True}).json() == {"screenings": []}
    mined = filing.change(HIT.key, first, State.WITHDRAWN)
    filing.change(SECOND.key, second, State.OBJECTED)
    follow()
    assert results(room.ask([str(HIT)])) == [(str(HIT), "clear")]
    shown = room.get(f"/{made[1]}").json()
    assert (shown["subjects"], shown["hits"], shown["clear"], shown["invalid"]) == (2, 2, 0, 0)
    withdrawn = {one["record"]: one["withdrawn"] for one in shown["records"]}
    assert withdrawn == {
        f"0x{first.hex()}": {
            "block": mined.block_number,
            "time": filing.told(HIT.key)[-1].time,
            "grounds": f"0x{GROUNDS.hex()}",
        },
        f"0x{second.hex()}": None,
    }
    assert [one["id"] for one in room.get(params={"withdrawn": True}).json()["screenings"]] == [made[1]]
    with Session(ground.engine) as session:
        assert given(session, first) == [("centre", made[1]), ("other", theirs)]
        assert given(session, bytes(32)) == []
    hidden = room.get(f"/{made[1]}", key="other")
    assert (hidden.status_code, hidden.json()["type"]) == (404, "urn:bidledger:problem:not-found")


def test_a_withdrawal_that_the_chain_takes_back_is_shown_no_more(
    filing: Filing, room: Room, rpc: Rpc, founded: Founded, ground: CreditGround
) -> None:
    follower = indexer(ground.engine, rpc, founded)
    (name,) = filing.publish(filing.record(HIT))
    catch_up(follower)
    id = room.ask([str(HIT)])["result"]["id"]
    before = rpc.call("evm_snapshot")
    filing.change(HIT.key, name, State.WITHDRAWN)
    catch_up(follower)
    assert room.get(f"/{id}").json()["records"][0]["withdrawn"] is not None
    rpc.call("evm_revert", before)
    later(rpc, 100)
    catch_up(follower)
    assert room.get(f"/{id}").json()["records"][0]["withdrawn"] is None


def test_screenings_are_listed_in_pages(
    filing: Filing, room: Room, follow: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = filing.publish(filing.record(HIT))
    follow()
    asked = [[str(HIT)], [str(CLEAR)], [str(CLEAR)], [str(HIT)], [str(HIT)]]
    made = [room.ask(about)["result"]["id"] for about in asked]
    assert paged(room, limit=2) == [made[:2], made[2:4], made[4:]]
    assert paged(room, limit=5) == [made]
    filing.change(HIT.key, name, State.WITHDRAWN)
    follow()
    assert paged(room, limit=2, withdrawn=True) == [[made[0], made[3]], [made[4]]]
    monkeypatch.setattr(screening_queries, "_WINDOW", 2)
    assert paged(room, limit=2, withdrawn=True) == [[made[0]], [made[3]], [made[4]]]
    monkeypatch.setattr(screening_queries, "_WINDOW_RECORDS", 0)
    assert [one for page in paged(room, limit=2, withdrawn=True) for one in page] == [made[0], made[3], made[4]]
    unknown = room.get(params={"cursor": "0" * 32})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:bidledger:problem:not-found")


def paged(room: Room, **params: Any) -> list[list[str]]:
    pages, path = [], PATH + "?" + str(httpx.QueryParams(params))
    while path:
        answer = room.get(path.removeprefix(PATH))
        assert answer.status_code == 200, answer.text
        pages.append([one["id"] for one in answer.json()["screenings"]])
        path = answer.links.get("next", {}).get("url", "")
    return pages


def test_a_thousand_rows_of_csv_are_screened_with_the_lines_of_those_that_are_no_companies(
    filing: Filing, room: Room, follow: Callable[[], None]
) -> None:
    filing.publish(filing.record(HIT))
    follow()
    rows = ["编号,统一社会信用代码", f"1,{HIT.identifier}", f'"2\n",{CLEAR}', "", f"3,{RESIDENT}"]
    text = "\r\n".join([*rows, *([f"4,{CLEAR.identifier}"] * 997)])
    answer = room.ask(text.encode("gb18030"), headers={"Content-Type": "text/csv"})
    assert len(answer["result"]["results"]) == 1000
    assert results(answer)[:3] == [(str(HIT), "hit"), (str(CLEAR), "clear"), (None, "invalid")]
    assert answer["result"]["results"][2]["line"] == 6
    assert results(answer)[3:] == [(str(CLEAR), "clear")] * 997
