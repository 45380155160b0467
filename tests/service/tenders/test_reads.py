"""Tenders as the API tells of them, as of any block, from a real chain; and the proof that a bid was opened, or not."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from founding import block_time, later
from serving import application, serving
from tendering import BIDDERS, GROUNDS, HOST, PANEL, PAPER, REASON, RULING, Bidder, Tendering, bids

from anchors.tenders import NO_TENDER, Bid, OpenedList, Opening, Page, Refusal, find_bid, reason_of
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.tenders.answers import NoticesOut, OpenedOut, TenderHistoryOut, TendersOut
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.routes import routes

Follow = Callable[[], None]


@pytest.fixture
def client(ground: TenderGround, follow: Follow) -> Iterator[httpx.Client]:
    with serving(application(routes(ground))) as asking:
        yield asking


@pytest.fixture
def ask(client: httpx.Client, follow: Follow) -> Callable[..., Any]:
    """What a route answers, after the index has caught up."""

    def asked(path: str, **parameters: object) -> Any:
        follow()
        answer = client.get(path, params=parameters)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        return answer.json()

    return asked


def of(tender: bytes) -> str:
    return f"/v1/tenders/0x{tender.hex()}"


def head(rpc: Rpc) -> int:
    return quantity(rpc.call("eth_blockNumber"))


def test_a_tender_is_told_with_all_that_happened_to_it(tendering: Tendering, rpc: Rpc, ask: Callable[..., Any]) -> None:
    tender = tendering.publish()
    tendering.amend(tender, digest=b"\x71" * 32)
    tendering.close(tender)
    refused = Refusal(BIDDERS[5].commitment, REASON)
    tendering.open(tender, refused=(refused,))
    tendering.evaluate(tender)
    tendering.name_candidates(tender)
    tendering.object_to(tender)
    suspended = ask(of(tender))
    tendering.rule(tender)
    tendering.award(tender)
    told = ask(of(tender))
    TenderHistoryOut.model_validate(told)
    happened = [event["kind"] for event in told["events"]]
    assert happened == [
        *("published", "amended", "closed", "opened", "evaluated", "candidates", "objected", "ruled", "awarded")
    ]
    assert suspended["suspended_by"] == 1
    assert suspended["state"] == "candidates"
    assert (told["state"], told["suspended_by"], told["version"]) == ("awarded", 0, 2)
    assert (told["host"], told["members"]) == ("chongqing", ["chongqing", "sichuan", "guizhou"])
    assert told["evaluated"]["sites"] == ["chongqing", "guizhou"]
    opened = told["events"][3]["data"]
    assert [bid["commitment"] for bid in opened["bids"]] == sorted("0x" + bid.commitment.hex() for bid in bids(5))
    assert {bid["evidence"] for bid in opened["bids"]} == {f"/v1/evidence/0x{bid.commitment.hex()}" for bid in bids(5)}
    assert opened["refused"] == [{"commitment": "0x" + refused.commitment.hex(), "reason": "0x" + REASON.hex()}]
    assert told["events"][6]["data"]["member"] == "sichuan"
    assert told["events"][7]["data"]["ruling"] == "0x" + RULING.hex()
    assert told["events"][7]["subject"] == "0x" + GROUNDS.hex()
    assert told["events"][8]["data"]["drawn"] == ["0x" + one.hex() for one in PANEL.drawn]
    blocks = [rpc.call("eth_getBlockByNumber", hex(event["block"]), False) for event in told["events"]]
    assert [event["block_hash"] for event in told["events"]] == [block["hash"] for block in blocks]  # type: ignore[index,call-overload]


def test_a_tender_is_told_as_of_any_block(tendering: Tendering, rpc: Rpc, ask: Callable[..., Any]) -> None:
    tender = tendering.publish()
    published = head(rpc)
    tendering.close(tender)
    closed = head(rpc)
    tendering.open(tender)
    before, between, now = (ask(of(tender), as_of=block) for block in (published, closed, head(rpc)))
    assert [one["state"] for one in (before, between, now)] == ["published", "closed", "opened"]
    assert before["closed"] is None
    assert between["opened"] is None
    assert [event["kind"] for event in between["events"]] == ["published", "closed"]
    assert now["opened"]["count"] == 5
    assert [one["state"] for one in ask("/v1/tenders", as_of=closed)["tenders"]] == ["closed"]
    assert ask("/v1/tenders", as_of=published - 1)["tenders"] == []


def test_tenders_are_listed_by_state_and_member_and_page(
    tendering: Tendering, client: httpx.Client, ask: Callable[..., Any]
) -> None:
    alone = tendering.publish(members=(HOST,), digest=b"\x01" * 32)
    joint = tendering.publish(digest=b"\x02" * 32)
    failed = tendering.publish(digest=b"\x03" * 32)
    tendering.fail(failed)
    again = tendering.publish(digest=b"\x04" * 32, former=failed)

    def names(path: str, kind: str, **parameters: object) -> list[str]:
        return [one["tender"][2:] for one in ask(path, **parameters)[kind]]

    everything = ask("/v1/tenders")
    TendersOut.model_validate(everything)
    order = [one.hex() for one in (alone, joint, failed, again)]
    assert [one["tender"][2:] for one in everything["tenders"]] == order
    assert names("/v1/tenders", "tenders", state="retendered") == [failed.hex()]
    assert names("/v1/tenders", "tenders", member="guizhou") == order[1:]
    assert names("/v1/tenders", "tenders", member="yunnan") == []
    NoticesOut.model_validate(ask("/v1/notices"))
    assert names("/v1/notices", "notices", joint=True) == order[1:]
    assert names("/v1/notices", "notices", joint=False) == order[:1]
    assert everything["tenders"][3]["former"] == "0x" + failed.hex()
    page = client.get("/v1/tenders", params={"limit": 3})
    rest = client.get(page.links["next"]["url"]).json()
    assert [one["tender"] for one in page.json()["tenders"] + rest["tenders"]] == ["0x" + one for one in order]


def proven(answer: dict[str, Any], commitment: bytes) -> Bid | None:
    """What an answer proves to whoever has it, and the manifest."""
    OpenedOut.model_validate(answer)
    word = {name: bytes.fromhex(value[2:]) for name, value in answer["opening"].items() if name != "count"}
    count = answer["opening"]["count"]
    opening = Opening(word["tender"], word["root"], count, word["refusals"], word["record"])
    assert "0x" + opening.struct_hash().hex() == answer["manifest"]
    page = answer["page"]
    path = tuple(bytes.fromhex(node[2:]) for node in page["path"])
    shown = Page(page["number"], bytes.fromhex(page["entries"][2:]), path)
    return find_bid(OpenedList(opening.root, opening.count), shown, commitment)


def test_that_a_bid_was_opened_or_not_is_proven(tendering: Tendering, ask: Callable[..., Any]) -> None:
    tender = tendering.publish()
    tendering.close(tender)
    many = [Bid(bytes([n]) * 32, n) for n in range(1, 20)]
    refused = Refusal(BIDDERS[5].commitment, REASON)
    tendering.open(tender, many, (refused,))
    for bid in many:
        answer = ask(f"{of(tender)}/bids/0x{bid.commitment.hex()}/opened")
        assert proven(answer, bid.commitment) == bid
        assert answer["opened"] is True
    missing = BIDDERS[0].commitment
    answer = ask(f"{of(tender)}/bids/0x{missing.hex()}/opened")
    assert proven(answer, missing) is None
    assert (answer["opened"], answer["bid"], answer["refused"]) == (False, None, None)
    tendering.claim(tendering.receipt(tender, missing))
    assert ask(f"{of(tender)}/bids/0x{missing.hex()}/opened")["claim"]["upheld"] is False
    answer = ask(f"{of(tender)}/bids/0x{refused.commitment.hex()}/opened")
    assert (answer["opened"], answer["refused"]) == (False, "0x" + REASON.hex())
    _, refusals = tendering.lists[tender]
    assert reason_of(refusals, bytes.fromhex(answer["opening"]["refusals"][2:]), refused.commitment) == REASON


def test_a_claim_is_told_until_it_is_upheld(tendering: Tendering, rpc: Rpc, ask: Callable[..., Any]) -> None:
    tender = tendering.publish()
    tendering.close(tender)
    tendering.open(tender)
    dropped, withdrawn = BIDDERS[5], Bidder("another")
    tendering.claim(tendering.receipt(tender, dropped.commitment))
    tendering.claim(tendering.receipt(tender, withdrawn.commitment))
    tendering.answer_as_holder(tender, withdrawn)
    told = {one["commitment"]: one for one in ask(of(tender))["claims"]}
    waiting, answered = (told["0x" + one.commitment.hex()] for one in (dropped, withdrawn))
    assert (waiting["answer"], waiting["upheld"], waiting["member"]) == (None, False, "chongqing")
    assert (answered["answer"], answered["upheld"]) == ("withdrawn", False)
    later(rpc, waiting["answer_by"] - block_time(rpc) + 1)
    told = {one["commitment"]: one["upheld"] for one in ask(of(tender))["claims"]}
    assert told == {waiting["commitment"]: True, answered["commitment"]: False}


@pytest.mark.parametrize(
    ("path", "status", "problem"),
    [
        (f"/v1/tenders/0x{'ab' * 32}", 404, "not-found"),
        (f"/v1/tenders/0x{'AB' * 32}", 422, "invalid-content"),
        (f"/v1/tenders/0x{'ab' * 32}/bids/0x{'ab' * 32}/opened", 404, "not-found"),
        ("/v1/tenders?state=none", 422, "invalid-content"),
        ("/v1/tenders?member=nobody", 422, "unknown-member"),
        ("/v1/tenders?as_of=yesterday", 422, "invalid-content"),
        ("/v1/tenders?as_of=999999", 404, "not-found"),
        ("/v1/notices?joint=perhaps", 422, "invalid-content"),
        ("/v1/tenders?cursor=1", 422, "invalid-content"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    client: httpx.Client, follow: Follow, path: str, status: int, problem: str
) -> None:
    follow()
    answer = client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:bidledger:problem:{problem}")


def test_before_the_opening_no_bid_was_opened_or_left_out(
    tendering: Tendering, client: httpx.Client, follow: Follow
) -> None:
    tender = tendering.publish(former=NO_TENDER, digest=PAPER)
    follow()
    answer = client.get(f"{of(tender)}/bids/0x{BIDDERS[0].commitment.hex()}/opened")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:bidledger:problem:not-opened")
