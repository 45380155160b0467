"""Everything that the contracts can say, made to happen on a real chain."""

from dataclasses import replace

from filing import COMPANIES, Filing
from founding import Founded, Tree, block_time, later
from tendering import BIDDERS, GROUNDS, REASON, Tendering, bids

from anchors.credit import Issued, Kind, Named, State
from anchors.tenders import Bid, Refusal
from ledger_service.chain.contracts import EVIDENCE_LOG, REGISTRY
from ledger_service.chain.rpc import Rpc

DAY = 24 * 3600
LOGS = {number: Tree(b"log %d" % number) for number in range(1, 5)}
FRESH = [bytes([0xF0, number]) * 10 for number in range(8)]  # addresses that serve nobody yet
PROMISED = b"promised".ljust(32, b"-")


def everything(founded: Founded, rpc: Rpc) -> None:
    """Let every event of all contracts happen at least once."""
    few_anchors(founded, rpc)
    founded.vote(rpc, REGISTRY, "setStatus", 4, 2)
    founded.vote(rpc, REGISTRY, "setStatus", 4, 1)
    founded.vote(rpc, REGISTRY, "rename", 4, "云南 \0")
    founded.vote(rpc, REGISTRY, "setParameter", b"receiptDays", 2**256 - 1)
    founded.vote(rpc, REGISTRY, "setSystemContract", b"Other", founded.address(REGISTRY))
    founded.vote(rpc, EVIDENCE_LOG, "closeGeneration", 3)
    founded.anchor(rpc, 3, LOGS[3], 5)
    operators = [("0x" + FRESH[0].hex(), 0), ("0x" + FRESH[1].hex(), 1)]
    founded.vote(rpc, REGISTRY, "addMember", (b"xpcc", "兵团", b"\x05" * 32, operators))
    _own_affairs(founded, rpc)
    _broken_promises(founded, rpc)
    lives(Filing(founded, rpc))
    tenders(Tendering(founded, rpc))


def lives(filing: Filing) -> None:
    """Let records be published, disputed, ruled on and repaired, and members opt out, and in again."""
    rpc = filing.rpc
    first, second, *_ = COMPANIES
    serious = filing.record(first, Kind.SERIOUS)
    name, _ = filing.publish(serious, filing.record(second, Kind.HONOUR))
    filing.change(first.key, name, State.OBJECTED, by=3)
    later(rpc, DAY)
    lighter = replace(serious, kind=Kind.GENERAL, measures=(101,))
    filing.change(first.key, name, State.CORRECTED, replace(lighter, last_day=filing.record(first).last_day))
    (general,) = filing.publish(filing.record(second))
    filing.change(second.key, general, State.OBJECTED, by=2)
    filing.change(second.key, general, State.UPHELD)
    filing.change(second.key, general, State.WITHDRAWN)
    later(rpc, 120 * DAY)
    filing.change(first.key, name, State.REPAIRED)
    filing.choose(3, Issued(2, Kind.SERIOUS))
    filing.choose(3, Issued(2, Kind.SERIOUS), applied=True)
    filing.choose(1, Named(name))


def tenders(tendering: Tendering) -> tuple[bytes, bytes, bytes]:
    """Let one tender come to its award by way of an upheld objection, one fail and one replace it.

    Returns:
        Their names.
    """
    first = tendering.publish()
    opening = tendering.notices[first].opening
    tendering.amend(first, deadline=opening + DAY, opening=opening + DAY)
    tendering.close(first)
    listed = [*bids(3), Bid(b"\xff" * 32, 2**64 - 1)]
    tendering.open(first, listed, (Refusal(BIDDERS[5].commitment, REASON),))
    _claims(tendering, first)
    _rounds(tendering, first)
    tendering.award(first)
    failed = tendering.publish(digest=b"\2" * 32)
    tendering.close(failed)
    tendering.open(failed, bids(2))
    again = tendering.publish(digest=b"\3" * 32, former=failed)
    tendering.fail(again)
    return first, failed, again


def _claims(tendering: Tendering, tender: bytes) -> None:
    """A late bid was let in; of those left out one was withdrawn, one refused, and of one nobody says why."""
    tendering.claim(tendering.receipt(tender, b"\xff" * 32, 2**64 - 1, late=True))
    for place, bidder in enumerate(BIDDERS[3:], start=3):
        tendering.claim(tendering.receipt(tender, bidder.commitment, place))
    tendering.answer_as_holder(tender, BIDDERS[3])
    tendering.answer_by_refusal(tender, BIDDERS[5].commitment)


def _rounds(tendering: Tendering, tender: bytes) -> None:
    """Two objections to the first candidates, of which one is upheld; the other is ruled on in the next round."""
    other = GROUNDS[::-1][:-1] + b"\1"
    tendering.evaluate(tender)
    tendering.name_candidates(tender)
    tendering.object_to(tender)
    tendering.object_to(tender, other, by=3)
    tendering.rule(tender, upheld=True)
    tendering.evaluate(tender, report=b"\4" * 32)
    tendering.name_candidates(tender)
    tendering.rule(tender, other, upheld=True)


def few_anchors(founded: Founded, rpc: Rpc) -> None:
    """Two members anchor, one twice."""
    founded.anchor(rpc, 2, LOGS[2], 3)
    founded.anchor(rpc, 3, LOGS[3], 1)
    founded.anchor(rpc, 2, LOGS[2], 8)


def _own_affairs(founded: Founded, rpc: Rpc) -> None:
    """What a member's governor does without a vote."""
    governor, second = founded.opened[1, "governor"], founded.opened[2, "governor"]
    operator, for_ever = "0x" + FRESH[2].hex(), 2**64 - 1
    founded.send(rpc, governor, REGISTRY, "grantOwnRole", operator, 2, 0, for_ever)
    founded.send(rpc, governor, REGISTRY, "revokeOwnRole", operator, 2)
    founded.send(rpc, second, REGISTRY, "setOwnLogKey", b"\x06" * 32)
    regulator = "0x" + FRESH[3].hex()
    founded.send(rpc, governor, REGISTRY, "requestRegulator", regulator, for_ever)
    founded.send(rpc, second, REGISTRY, "secondRegulator", 1, regulator)


def _broken_promises(founded: Founded, rpc: Rpc) -> None:
    """A receipt for a place that holds another leaf, and one for a place far beyond the log."""
    now = block_time(rpc)
    broken = founded.signed_receipt(2, 0, 1, PROMISED, (now, now))
    late = founded.signed_receipt(2, 0, 2**64 - 1, PROMISED, (now, now))
    later(rpc, 10)
    anybody = founded.opened[4, "governor"]
    found, inclusion = LOGS[2].entries(8)[1], LOGS[2].inclusion(1, 8)
    founded.send(rpc, anybody, EVIDENCE_LOG, "reportBrokenReceipt", broken, found, inclusion)
    founded.send(rpc, anybody, EVIDENCE_LOG, "reportLateReceipt", late)
