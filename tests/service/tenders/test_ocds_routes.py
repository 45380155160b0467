"""Tenders of a real chain as OCDS release packages over HTTP: valid, complete, and the same as long as nothing
happens."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from conftest import Clock
from founding import Founded, Tree, block_time, later
from published import validate
from serving import application, serving
from tendering import BIDDERS, DAY, HOST, PANEL, PAPER, REASON, Tendering

from anchors.tenders import Refusal
from ledger_service.chain.rpc import Rpc
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.ocds.package import Package, read_package
from ledger_service.tenders.ocds.references import References, read_references
from ledger_service.tenders.ocds.routes import routes
from ledger_service.tenders.ocds.told import Event, Happening

PREFIX = "ocds-123abc"
PUBLIC = "https://ledger.example/api/"
AMENDED = b"\x71" * 32

Ask = Callable[..., httpx.Response]


@pytest.fixture
def client(ground: TenderGround) -> Iterator[httpx.Client]:
    with serving(application(routes(ground, PREFIX, None))) as asking:
        yield asking


@pytest.fixture
def ask(client: httpx.Client, follow: Callable[[], None]) -> Ask:
    """What a route answers, after the index has caught up."""

    def asked(path: str, **request: Any) -> httpx.Response:
        follow()
        return client.get(path, **request)

    return asked


def exported(ask: Ask, tender: bytes, **query: str) -> Package:
    """A tender's package, which keeps the schemas."""
    answer = ask(f"/v1/tenders/0x{tender.hex()}/ocds", params=query)
    assert answer.status_code == 200, answer.text
    validate(answer.content)
    return read_package(answer.content)


def references(package: Package) -> list[References]:
    found = [read_references(release) for release in package.releases]
    assert None not in found
    return [each for each in found if each is not None]


def events(package: Package) -> list[Event]:
    return [event for each in references(package) for event in each.events]


def live(tendering: Tendering, tender: bytes) -> None:
    """From the amendment to the award, with a refused bid and a dismissed objection."""
    tendering.amend(tender, digest=AMENDED)
    tendering.founded.anchor(tendering.rpc, HOST, Tree(b"host"), 2)
    tendering.close(tender)
    tendering.founded.anchor(tendering.rpc, HOST, Tree(b"host"), 8)
    tendering.open(tender, refused=(Refusal(BIDDERS[5].commitment, REASON),))
    tendering.evaluate(tender)
    tendering.name_candidates(tender)
    tendering.object_to(tender)
    tendering.rule(tender)
    tendering.award(tender)


def test_every_event_is_told_with_its_place(
    tendering: Tendering, founded: Founded, ask: Ask, client: httpx.Client
) -> None:
    tender = tendering.publish()
    live(tendering, tender)
    package = exported(ask, tender)
    told = events(package)
    assert [event.happening.value for event in told] == [
        *("notice", "amendment", "closing", "opening", "evaluation", "candidates", "objection", "ruling", "award")
    ]
    assert {each.ocid for each in package.releases} == {f"{PREFIX}-{tender.hex()}"}
    assert {(each.tender, each.chain_id) for each in references(package)} == {(tender, founded.network.chain_id)}
    base = str(client.base_url).rstrip("/")
    assert {event.evidence for event in told} == {(f"{base}/v1/tenders/0x{tender.hex()}/audit",)}
    node = tendering.rpc
    for event in told:
        block: Any = node.call("eth_getBlockByNumber", hex(event.place.block), False)
        assert event.place.block_hash.hex() == block["hash"][2:]
        assert event.place.time.timestamp() == int(block["timestamp"], 16)
        receipt: Any = node.call("eth_getTransactionReceipt", block["transactions"][event.place.transaction])
        assert tender.hex() in receipt["logs"][event.place.log_index]["topics"][1]


def test_events_say_what_the_chain_recorded(tendering: Tendering, ask: Ask) -> None:
    tender = tendering.publish()
    live(tendering, tender)
    told = {event.happening: event for event in events(exported(ask, tender))}
    notice = tendering.notices[tender]
    assert told[Happening.NOTICE].digest == notice.digest
    assert told[Happening.NOTICE].details["members"] == ("chongqing", "sichuan", "guizhou")
    assert told[Happening.NOTICE].details["host"] == "chongqing"
    assert told[Happening.AMENDMENT].digest == AMENDED
    assert told[Happening.AMENDMENT].details["reason"] == "0x" + REASON.hex()
    assert told[Happening.CLOSING].digest is None
    assert told[Happening.OPENING].details["refused"] == ("0x" + BIDDERS[5].commitment.hex(),)
    assert told[Happening.AWARD].digest == PAPER
    assert told[Happening.AWARD].details["signers"] == tuple("0x" + one.hex() for one in PANEL.signers)
    package = exported(ask, tender)
    published = package.releases[0].published
    assert published["tender"] == {
        "id": f"0x{tender.hex()}",
        "status": "active",
        "tenderPeriod": {"endDate": told[Happening.NOTICE].details["deadline"]},
    }


def test_opened_bids_have_their_leaves_and_anchors(tendering: Tendering, founded: Founded, ask: Ask) -> None:
    tender = tendering.publish()
    live(tendering, tender)
    told = {event.happening: event.log for event in events(exported(ask, tender))}
    closing, opening = told[Happening.CLOSING], told[Happening.OPENING]
    assert closing is not None
    assert opening is not None
    assert (closing.size, [anchor.size for anchor in closing.anchors]) == (2, [2])
    assert [anchor.size for anchor in opening.anchors] == [2, 8]  # the fifth bid stands at place 4
    assert opening.anchors[1].root == Tree(b"host").root(8)
    assert {leaf.commitment: leaf.index for leaf in opening.leaves} == {
        bidder.commitment: place for place, bidder in enumerate(BIDDERS[:5])
    }
    word = f"0x{opening.leaves[0].commitment.hex()}"
    assert [url.partition("/v1/")[2] for url in opening.leaves[0].evidence] == [
        f"tenders/0x{tender.hex()}/bids/{word}/opened",
        f"evidence/{word}/proof",
    ]
    assert {name for name, log in told.items() if log is not None} == {Happening.CLOSING, Happening.OPENING}


def test_another_members_service_names_no_proofs_of_leaves(
    tendering: Tendering, ground: TenderGround, follow: Callable[[], None]
) -> None:
    tender = tendering.publish()
    tendering.close(tender)
    tendering.open(tender)
    follow()
    elsewhere = replace(ground, member=ground.network.members[1])
    with serving(application(routes(elsewhere, None, PUBLIC))) as client:
        package = read_package(client.get(f"/v1/tenders/0x{tender.hex()}/ocds").content)
    opening = next(event for event in events(package) if event.happening is Happening.OPENING)
    assert opening.log is not None
    assert opening.log.anchors == ()  # nothing of this log is anchored
    assert {len(leaf.evidence) for leaf in opening.log.leaves} == {1}
    assert package.extensions == ("https://ledger.example/api/v1/ocds/extension/extension.json",)
    assert package.uri == f"https://ledger.example/api/v1/tenders/0x{tender.hex()}/ocds"
    assert package.releases[0].ocid == f"unregistered-{tender.hex()}"


def test_a_claim_and_its_answer_name_the_bid(tendering: Tendering, ask: Ask) -> None:
    tender, dropped = tendering.publish(), BIDDERS[5]
    tendering.close(tender)
    tendering.open(tender)
    tendering.claim(tendering.receipt(tender, dropped.commitment))
    tendering.answer_as_holder(tender, dropped)
    claim, answer = events(exported(ask, tender))[-2:]
    assert (claim.happening, answer.happening) == (Happening.CLAIM, Happening.ANSWER)
    assert claim.commitments == answer.commitments == (dropped.commitment,)
    assert (claim.digest, claim.details["late"], claim.details["index"]) == (None, False, 7)
    assert answer.details["answer"] == "withdrawn"


def test_a_tender_that_failed_for_lack_of_bids_is_unsuccessful(tendering: Tendering, ask: Ask) -> None:
    tender = tendering.publish()
    tendering.close(tender)
    tendering.open(tender, [])
    package = exported(ask, tender)
    failure = events(package)[-1]
    assert (failure.happening, failure.digest) == (Happening.FAILURE, None)
    assert package.releases[-1].published["tender"]["status"] == "unsuccessful"  # type: ignore[index]


def test_times_beyond_all_calendars_are_told_as_numbers(tendering: Tendering, ask: Ask) -> None:
    far = 1 << 62
    tender = tendering.publish(deadline=far, opening=far)
    package = exported(ask, tender)
    (notice,) = events(package)
    assert notice.details["deadlineSecond"] == str(far)
    assert "tenderPeriod" not in package.releases[0].published["tender"]  # type: ignore[operator]


def test_a_package_is_of_its_moment_and_stays_until_something_happens(
    tendering: Tendering, rpc: Rpc, ask: Ask, clock: Clock
) -> None:
    tender = tendering.publish()
    path = f"/v1/tenders/0x{tender.hex()}/ocds"
    first, block = ask(path), int(str(rpc.call("eth_blockNumber")), 16)
    later(rpc, DAY // 2)
    clock.set(block_time(rpc) + 60)
    again = ask(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    tendering.amend(tender, digest=AMENDED)
    assert len(events(exported(ask, tender))) == 2
    then = json.loads(ask(path, params={"as_of": str(block)}).content)
    assert then.pop("uri").endswith(f"/ocds?as_of={block}")
    assert then["releases"] == json.loads(first.content)["releases"]


def test_a_notice_is_found_by_the_digest_of_any_version(tendering: Tendering, ask: Ask) -> None:
    first, other = tendering.publish(digest=b"\x81" * 32), tendering.publish(digest=b"\x82" * 32)
    tendering.amend(first, digest=b"\x83" * 32)
    tendering.amend(first, digest=b"\x82" * 32)

    def found(digest: bytes) -> list[str]:
        answer = ask(f"/v1/ocds/notices/0x{digest.hex()}")
        assert answer.status_code == 200, answer.text
        tenders: list[str] = answer.json()["tenders"]
        return tenders

    assert found(b"\x81" * 32) == found(b"\x83" * 32) == [f"0x{first.hex()}"]
    assert set(found(b"\x82" * 32)) == {f"0x{first.hex()}", f"0x{other.hex()}"}
    assert found(b"\x84" * 32) == []


def test_what_there_is_not_is_refused(tendering: Tendering, ask: Ask) -> None:
    unknown = ask(f"/v1/tenders/0x{'99' * 32}/ocds")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:bidledger:problem:not-found")
    tender = tendering.publish()
    path = f"/v1/tenders/0x{tender.hex()}/ocds"
    assert ask(path, params={"as_of": "yesterday"}).status_code == 422
    endless = ask(path, headers={"host": "x" * 600})
    assert (endless.status_code, endless.json()["type"]) == (400, "urn:bidledger:problem:bad-request")
    assert b"script" not in ask(path, headers={"host": "ledger.example\\<script>"}).content
