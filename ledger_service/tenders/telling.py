"""Tenders as the API writes them: hashes as 0x-hex, members by their codes, what has not happened yet as null."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import orjson

from anchors.tenders import Answer, Bid, Opening, Page, State, parse_bids, parse_refusals
from ledger_service.index.tender_tables import ClaimVersion, TenderVersion, read_members
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.queries import Happened, Standing

__all__ = ["Told", "bid_told", "claim_told", "events_told", "notice_told", "opening_told", "page_told", "tender_told"]

Told: TypeAlias = dict[str, Any]  # JSON values
_ONE_MEMBER: Final = ("host", "member")
_MEMBERS: Final = ("members", "sites")


def notice_told(ground: TenderGround, one: Standing) -> Told:
    """What is announced."""
    row = one.row
    return {
        "tender": _hex(row.tender),
        "contract": _hex(row.contract),
        "state": State(row.state).title,
        "host": ground.code_of(row.host),
        "members": _codes(ground, row.members),
        "version": row.version,
        "digest": _hex(row.digest),
        "former": _hex(row.former),
        "deadline": row.deadline,
        "opening": row.opening,
        "answer_days": row.answer_days,
        "published_block": row.published_block,
        "published_at": one.published_at,
    }


def tender_told(ground: TenderGround, one: Standing) -> Told:
    """How it stands."""
    row = one.row
    return {
        **notice_told(ground, one),
        "closed": _closed(row),
        "opened": _opened(row),
        "evaluated": _evaluated(ground, row),
        "candidates": _candidates(row),
        "suspended_by": len(row.waiting) // 64,
        "award": _hex(row.award),
        "failure": _hex(row.failure),
    }


def events_told(ground: TenderGround, events: Sequence[Happened], bids: bytes, refusals: bytes) -> list[Told]:
    """All that happened, in the chain's order.

    Args:
        ground: for the members' codes.
        events: each with its block.
        bids, refusals: the lists of the opening, packed, which stand at its event.
    """
    told = []
    for event, block in events:
        data = {name: _told(ground, name, value) for name, value in orjson.loads(event.data).items()}
        if event.kind == "opened":
            data["bids"] = [bid_told(bid) | {"evidence": _evidence(bid)} for bid in parse_bids(bids)]
            data["refused"] = [
                {"commitment": _hex(one.commitment), "reason": _hex(one.reason)} for one in parse_refusals(refusals)
            ]
        told.append(
            {
                "kind": event.kind,
                "subject": _hex(event.subject),
                "data": data,
                "block": event.block_number,
                "block_hash": _hex(block.hash),
                "transaction_index": event.transaction_index,
                "log_index": event.log_index,
                "time": block.timestamp,
            }
        )
    return told


def claim_told(ground: TenderGround, row: ClaimVersion, time: int) -> Told:
    """A claim as of a time, POSIX seconds."""
    return {
        "commitment": _hex(row.commitment),
        "member": ground.code_of(row.member),
        "late": row.late,
        "index": row.index,
        "received_at": row.received_at,
        "claimed_in": row.claimed_in,
        "answer_by": row.answer_by,
        "answer": None if row.answer is None else Answer(row.answer).name.lower(),
        "by": _hex(row.by),
        "upheld": row.late or (row.answer is None and time > row.answer_by),
    }


def bid_told(bid: Bid) -> Told:
    """An opened bid."""
    return {"commitment": _hex(bid.commitment), "index": bid.place}


def opening_told(opening: Opening) -> Told:
    """The opening as the register takes it with a claim."""
    return {
        "tender": _hex(opening.tender),
        "root": _hex(opening.root),
        "count": opening.count,
        "refusals": _hex(opening.refusals),
        "record": _hex(opening.record),
    }


def page_told(page: Page) -> Told:
    """A page of the opened list with its path."""
    return {"number": page.number, "entries": _hex(page.entries), "path": [_hex(node) for node in page.path]}


def _evidence(bid: Bid) -> str:
    """The path at the host's API under which the bid's leaf is proven from the log to its block."""
    return f"/v1/evidence/{_hex(bid.commitment)}"


def _closed(row: TenderVersion) -> Told | None:
    if row.closed_in is None:
        return None
    return {"block": row.closed_in, "log": _hex(row.log), "generation": row.generation, "size": row.size}


def _opened(row: TenderVersion) -> Told | None:
    if row.manifest is None:
        return None
    return {
        "manifest": _hex(row.manifest),
        "root": _hex(row.root),
        "count": row.count,
        "on_receipt": row.on_receipt,
        "refusals": _hex(row.refusals),
        "record": _hex(row.record),
    }


def _evaluated(ground: TenderGround, row: TenderVersion) -> Told | None:
    if row.evaluation is None:
        return None
    return {
        "evaluation": _hex(row.evaluation),
        "round": row.round,
        "report": _hex(row.report),
        "sites": _codes(ground, row.sites or ""),
        "panel": _hex(row.panel),
        "result": _hex(row.result),
    }


def _candidates(row: TenderVersion) -> Told | None:
    if row.candidates is None:
        return None
    return {"candidates": _hex(row.candidates), "list": _hex(row.candidate_list), "until": row.until}


def _codes(ground: TenderGround, members: str) -> list[str]:
    return [ground.code_of(number) for number in read_members(members)]


def _told(ground: TenderGround, name: str, value: Any) -> Any:
    if name in _ONE_MEMBER:
        return ground.code_of(value)
    return [ground.code_of(number) for number in value] if name in _MEMBERS else value


def _hex(data: bytes | None) -> str | None:
    return None if data is None else "0x" + data.hex()
