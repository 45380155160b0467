"""What the events of tenders change; see `apply`.

Each is kept whole as a fact, and moves the tender on. Whether an objection that is upheld sends the tender back to its
evaluation depends on what else waits, so that it is derived from the version before it, as the register does.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from anchors.chain.keccak import keccak256
from anchors.tenders import NO_TENDER, Answer, State, pack_refusals
from ledger_service.index import tender_events as events
from ledger_service.index.effects import Added, Changed, Effect, Values
from ledger_service.index.events import Place
from ledger_service.index.tender_events import TenderEvent
from ledger_service.index.tender_tables import ClaimVersion, TenderBid, TenderVersion, members_in, write_members
from ledger_service.index.tender_tables import TenderEvent as EventRow

KINDS: Final[Mapping[type[TenderEvent], tuple[str, str | None]]] = {
    events.TenderPublished: ("published", None),
    events.TenderAmended: ("amended", None),
    events.BidsClosed: ("closed", None),
    events.BidsOpened: ("opened", "manifest"),
    events.TenderEvaluated: ("evaluated", "evaluation"),
    events.CandidatesPublished: ("candidates", "candidates"),
    events.ObjectionMade: ("objected", "grounds"),
    events.ObjectionRuled: ("ruled", "grounds"),
    events.TenderAwarded: ("awarded", "award"),
    events.TenderFailed: ("failed", None),
    events.BidClaimed: ("claimed", "commitment"),
    events.ClaimAnswered: ("answered", "commitment"),
}
"""How a row names an event, and which of its fields is the row's subject."""

_ELSEWHERE: Final = {"tender", "register", "entries", "refusals"}
_MASKS: Final = {"members", "sites"}
_WAITING: Final = 64  # bytes: candidates ‖ grounds


def _published(event: events.TenderPublished, place: Place) -> tuple[Effect, ...]:
    values = {
        "published_block": place.block_number,
        "published_transaction": place.transaction_index,
        "published_log": place.log_index,
        "state": State.PUBLISHED.value,
        "host": event.host,
        "members": write_members(event.members),
        "answer_days": event.answer_days,
        "former": _named(event.former),
        "version": 1,
        "digest": event.digest,
        "deadline": event.deadline,
        "opening": event.opening,
        "round": 0,
        "waiting": b"",
    }
    former = {"tender": event.former, "contract": event.register}
    replaced = Changed(TenderVersion, former, {"state": State.RETENDERED.value})
    return (*_told(event, place, values), *([] if event.former == NO_TENDER else [replaced]))


def _amended(event: events.TenderAmended, place: Place) -> tuple[Effect, ...]:
    names = ("version", "digest", "deadline", "opening")
    return _told(event, place, _only(event, *names))


def _closed(event: events.BidsClosed, place: Place) -> tuple[Effect, ...]:
    values = _only(event, "log", "generation", "size")
    return _told(event, place, values | {"closed_in": place.block_number, "state": State.CLOSED.value})


def _opened(event: events.BidsOpened, place: Place) -> tuple[Effect, ...]:
    values = _only(event, "manifest", "root", "count", "on_receipt", "record")
    refusals = {"refusals": keccak256(pack_refusals(event.refusals))}
    bids = [_bid(event, place, bid.commitment, opened=True, index=bid.place) for bid in event.entries]
    bids += [_bid(event, place, each.commitment, opened=False, reason=each.reason) for each in event.refusals]
    return (*_told(event, place, values | refusals | {"state": State.OPENED.value}), *bids)


def _bid(event: events.BidsOpened, place: Place, commitment: bytes, **said: object) -> Effect:
    row = {
        "tender": event.tender,
        "contract": event.register,
        "commitment": commitment,
        "index": None,
        "reason": None,
        "block_number": place.block_number,
    }
    return Added(TenderBid, row | said)


def _evaluated(event: events.TenderEvaluated, place: Place) -> tuple[Effect, ...]:
    values = _only(event, "round", "evaluation", "report", "panel", "result")
    sites = {"sites": write_members(event.sites)}
    return _told(event, place, values | sites | {"state": State.EVALUATED.value})


def _candidates(event: events.CandidatesPublished, place: Place) -> tuple[Effect, ...]:
    values = _only(event, "candidates", "until") | {"candidate_list": event.list}
    return _told(event, place, values | {"state": State.CANDIDATES.value})


def _objected(event: events.ObjectionMade, place: Place) -> tuple[Effect, ...]:
    def one_more(before: Values) -> Values:
        return {"waiting": (before["waiting"] or b"") + event.candidates + event.grounds}

    return _told(event, place, {}, one_more)


def _ruled(event: events.ObjectionRuled, place: Place) -> tuple[Effect, ...]:
    def one_less(before: Values) -> Values:
        waiting = before["waiting"] or b""
        each = [waiting[at : at + _WAITING] for at in range(0, len(waiting), _WAITING)]
        ruled = [one[:32] for one in each if one[32:] == event.grounds]
        again = event.upheld and before["state"] == State.CANDIDATES and before["candidates"] in ruled
        left = b"".join(one for one in each if one[32:] != event.grounds)
        return {"waiting": left} | ({"state": State.OPENED.value} if again else {})

    return _told(event, place, {}, one_less)


def _awarded(event: events.TenderAwarded, place: Place) -> tuple[Effect, ...]:
    return _told(event, place, {"award": event.award, "state": State.AWARDED.value})


def _failed(event: events.TenderFailed, place: Place) -> tuple[Effect, ...]:
    return _told(event, place, {"failure": _named(event.reason), "state": State.FAILED.value})


def _claimed(event: events.BidClaimed, place: Place) -> tuple[Effect, ...]:
    values = _only(event, "member", "late", "index", "received_at", "answer_by")
    return (
        _fact(event, place),
        Changed(ClaimVersion, _claim(event), values | {"claimed_in": place.block_number}),
    )


def _answered(event: events.ClaimAnswered, place: Place) -> tuple[Effect, ...]:
    values = {"answer": event.answer.value, "by": _named(event.by)}
    return _fact(event, place), Changed(ClaimVersion, _claim(event), values)


def _claim(event: events.BidClaimed | events.ClaimAnswered) -> Values:
    return {"tender": event.tender, "commitment": event.commitment, "contract": event.register}


def _told(
    event: TenderEvent, place: Place, values: Values, derived: Callable[[Values], Values] | None = None
) -> tuple[Effect, Effect]:
    key = {"tender": event.tender, "contract": event.register}
    return _fact(event, place), Changed(TenderVersion, key, values, derived)


def _fact(event: TenderEvent, place: Place) -> Effect:
    kind, subject = KINDS[type(event)]
    row = {
        "tender": event.tender,
        "contract": event.register,
        "kind": kind,
        "subject": None if subject is None else getattr(event, subject),
        "data": json.dumps(_data(event, subject)),
    }
    return Added(EventRow, row | place._asdict())


def _data(event: TenderEvent, subject: str | None) -> dict[str, Any]:
    """What else an event says, as the API writes it; members by their numbers."""
    names = (field.name for field in fields(event) if field.name not in {*_ELSEWHERE, subject})
    return {name: _json(name, getattr(event, name)) for name in names}


def _json(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return [_json(name, each) for each in value]
    if isinstance(value, Answer):
        return value.name.lower()
    return list(members_in(value)) if name in _MASKS else value


def _only(event: TenderEvent, *names: str) -> dict[str, Any]:
    return {name: getattr(event, name) for name in names}


def _named(word: bytes) -> bytes | None:
    return word if any(word) else None


TENDER_EFFECTS: Final[dict[type[Any], Callable[[Any, Place], tuple[Effect, ...]]]] = {
    events.TenderPublished: _published,
    events.TenderAmended: _amended,
    events.BidsClosed: _closed,
    events.BidsOpened: _opened,
    events.TenderEvaluated: _evaluated,
    events.CandidatesPublished: _candidates,
    events.ObjectionMade: _objected,
    events.ObjectionRuled: _ruled,
    events.TenderAwarded: _awarded,
    events.TenderFailed: _failed,
    events.BidClaimed: _claimed,
    events.ClaimAnswered: _answered,
}
