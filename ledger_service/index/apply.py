"""What an event changes, as a pure function: no database is read, so the same events always leave the same rows.

An event adds a fact, or gives a version of some key other values. `ledger_service.index.store` carries that out;
what events of tenders change is in `apply_tenders`.
"""

from collections.abc import Callable
from typing import Any, Final

from anchors.credit import State
from ledger_service.index import events, tables
from ledger_service.index.apply_tenders import TENDER_EFFECTS
from ledger_service.index.effects import Added, Changed, Effect, Values
from ledger_service.index.events import Event, Place

_PUBLISHED: Final = State.PUBLISHED.value
_NOTHING: Final = dict.fromkeys(tables.CREDIT_EVENT_PARTS)


def effects(event: Event, place: Place) -> tuple[Effect, ...]:
    """Say what `event`, lying at `place`, changes.

    Returns:
        The effects, each on another key.
    """
    return _EFFECTS[type(event)](event, place)


def _anchored(event: events.Anchored, place: Place) -> tuple[Effect, ...]:
    row = {
        "member": event.member,
        "generation": event.generation,
        "size": event.size,
        "root": event.root,
        "count": event.count,
        "block_number": place.block_number,
        "transaction_index": place.transaction_index,
        "log_index": place.log_index,
    }
    return (Added(tables.Anchor, row),)


def _generation_closed(event: events.GenerationClosed, place: Place) -> tuple[Effect, ...]:
    row = {
        "member": event.member,
        "generation": event.generation,
        "size": event.size,
        "root": event.root,
        "block_number": place.block_number,
    }
    return (Added(tables.GenerationEnd, row),)


def _receipt_broken(event: events.ReceiptBroken, place: Place) -> tuple[Effect, ...]:
    return (_fault("broken", event, place, promised=event.promised, found=event.found),)


def _receipt_late(event: events.ReceiptLate, place: Place) -> tuple[Effect, ...]:
    return (_fault("late", event, place, anchor_by=event.anchor_by),)


def _fault(kind: str, event: events.ReceiptBroken | events.ReceiptLate, place: Place, **only: object) -> Effect:
    row = {
        "entry": event.entry,
        "kind": kind,
        "member": event.member,
        "generation": event.generation,
        "index": event.index,
        "promised": None,
        "found": None,
        "anchor_by": None,
        "block_number": place.block_number,
    }
    return Added(tables.Fault, row | only)


def _member_added(event: events.MemberAdded, place: Place) -> tuple[Effect, ...]:
    values = {"code": event.code, "name": event.name, "log_key": event.log_key, "status": int(events.Status.ACTIVE)}
    return (
        Changed(tables.MemberVersion, {"number": event.member}, values),
        _log_key(event.member, 0, 0, event.log_key, place),
    )


def _member_status_changed(event: events.MemberStatusChanged, _place: Place) -> tuple[Effect, ...]:
    return (Changed(tables.MemberVersion, {"number": event.member}, {"status": int(event.status)}),)


def _member_renamed(event: events.MemberRenamed, _place: Place) -> tuple[Effect, ...]:
    return (Changed(tables.MemberVersion, {"number": event.member}, {"name": event.name}),)


def _log_key_changed(event: events.LogKeyChanged, place: Place) -> tuple[Effect, ...]:
    return (
        Changed(tables.MemberVersion, {"number": event.member}, {"log_key": event.log_key}),
        _log_key(event.member, event.generation, event.from_size, event.log_key, place),
    )


def _log_key(member: int, generation: int, from_size: int, public_key: bytes, place: Place) -> Effect:
    row = {"member": member, "generation": generation, "from_size": from_size, "public_key": public_key}
    return Added(tables.LogKey, row | place._asdict())


def _role_granted(event: events.RoleGranted, _place: Place) -> tuple[Effect, ...]:
    values = {
        "member": event.member,
        "from_time": event.from_time,
        "until_time": event.until_time,
        "revoked": False,
        "generation": 0,
        "size": 0,
    }
    return (Changed(tables.OperatorVersion, {"address": event.operator, "role": int(event.role)}, values),)


def _role_revoked(event: events.RoleRevoked, _place: Place) -> tuple[Effect, ...]:
    values = {
        "until_time": event.until_time,
        "revoked": True,
        "generation": event.generation,
        "size": event.size,
    }
    return (Changed(tables.OperatorVersion, {"address": event.operator, "role": int(event.role)}, values),)


def _regulator_requested(event: events.RegulatorRequested, _place: Place) -> tuple[Effect, ...]:
    key = {"member": event.member, "address": event.operator}
    values = {"until_time": event.until_time, "lapses_at": event.lapses_at, "second": None}
    return (Changed(tables.RegulatorRequestVersion, key, values),)


def _regulator_seconded(event: events.RegulatorSeconded, _place: Place) -> tuple[Effect, ...]:
    key = {"member": event.member, "address": event.operator}
    return (Changed(tables.RegulatorRequestVersion, key, {"second": event.second}),)


def _parameter_changed(event: events.ParameterChanged, _place: Place) -> tuple[Effect, ...]:
    return (Changed(tables.ParameterVersion, {"name": event.name}, {"value": event.value}),)


def _system_contract_changed(event: events.SystemContractChanged, _place: Place) -> tuple[Effect, ...]:
    return (Changed(tables.SystemContractVersion, {"name": event.name}, {"address": event.target}),)


def _proposed(event: events.Proposed, place: Place) -> tuple[Effect, ...]:
    values = {
        "member": event.member,
        "governor": event.governor,
        "target": event.target,
        "data": event.data,
        "lapses_at": event.lapses_at,
        "executed": False,
    }
    return (
        Changed(tables.ProposalVersion, {"id": event.proposal}, values),
        _approval(event.proposal, event.member, event.governor, place),
    )


def _approved(event: events.Approved, place: Place) -> tuple[Effect, ...]:
    return (_approval(event.proposal, event.member, event.governor, place),)


def _approval(proposal: int, member: int, governor: bytes, place: Place) -> Effect:
    row = {"proposal": proposal, "member": member, "governor": governor}
    return Added(tables.Approval, row | place._asdict())


def _executed(event: events.Executed, _place: Place) -> tuple[Effect, ...]:
    return (Changed(tables.ProposalVersion, {"id": event.proposal}, {"executed": True}),)


def _record_published(event: events.RecordPublished, place: Place) -> tuple[Effect, ...]:
    key, content = {"subject": event.subject, "record": event.record}, _content(event.content)
    values = {
        **content,
        "contract": event.register,
        "published_block": place.block_number,
        "published_transaction": place.transaction_index,
        "published_log": place.log_index,
        "state": _PUBLISHED,
    }
    row = {
        **_NOTHING,
        **key,
        **content,
        "block_number": place.block_number,
        "transaction_index": place.transaction_index,
        "log_index": place.log_index,
        "contract": event.register,
        "state": _PUBLISHED,
        "publisher": event.publisher,
        "regulator": event.regulator,
        "endorsers": event.endorsers.to_bytes(32, "big"),
    }
    return Changed(tables.CreditRecordVersion, key, values), Added(tables.CreditEvent, row)


def _record_objected(event: events.RecordObjected, place: Place) -> tuple[Effect, ...]:
    row = {"grounds": event.grounds, "publisher": event.publisher, "objector": event.member}
    return _record_turned(event, place, State.OBJECTED, {}, row)


def _record_changed(event: events.RecordChanged, place: Place) -> tuple[Effect, ...]:
    pledge = event.pledge if any(event.pledge) else None
    row = {
        "grounds": event.grounds,
        "pledge": pledge,
        "publisher": event.publisher,
        "regulator": event.regulator,
    }
    return _record_turned(event, place, event.state, {}, row)


def _record_corrected(event: events.RecordCorrected, place: Place) -> tuple[Effect, ...]:
    row = {"grounds": event.grounds, "publisher": event.publisher, "regulator": event.regulator}
    return _record_turned(event, place, State.CORRECTED, _content(event.content), row)


def _record_turned(
    event: events.CreditEvent, place: Place, state: State, content: Values, known: Values
) -> tuple[Effect, ...]:
    key = {"subject": event.subject, "record": event.record}
    row = {
        **_NOTHING,
        **key,
        **content,
        **known,
        "block_number": place.block_number,
        "transaction_index": place.transaction_index,
        "log_index": place.log_index,
        "contract": event.register,
        "state": state.value,
    }
    turned = Changed(tables.CreditRecordVersion, key, {"state": state.value, **content})
    return turned, Added(tables.CreditEvent, row)


def _content(content: events.Content) -> dict[str, Any]:
    return {
        "member": content.member,
        "kind": int(content.kind),
        "decided_on": content.decided_on,
        "last_day": content.last_day,
        "earlier": content.earlier,
        "measures": tables.write_measures(content.measures),
        "statement": content.statement,
        "document": content.document,
    }


def _kind_recognition_changed(event: events.KindRecognitionChanged, place: Place) -> tuple[Effect, ...]:
    return (_recognition(event, place, issuer=event.issuer, kind=event.kind.value),)


def _record_recognition_changed(event: events.RecordRecognitionChanged, place: Place) -> tuple[Effect, ...]:
    return (_recognition(event, place, record=event.record),)


def _recognition(event: events.RecognitionEvent, place: Place, **about: object) -> Effect:
    row = {
        "member": event.member,
        "issuer": None,
        "kind": None,
        "record": None,
        "applied": event.applied,
        "reason": event.reason,
        "publisher": event.publisher,
        "regulator": event.regulator,
    }
    return Added(tables.Recognition, row | place._asdict() | about)


_EFFECTS: Final[dict[type[Event], Callable[[Any, Place], tuple[Effect, ...]]]] = {
    events.Anchored: _anchored,
    events.GenerationClosed: _generation_closed,
    events.ReceiptBroken: _receipt_broken,
    events.ReceiptLate: _receipt_late,
    events.MemberAdded: _member_added,
    events.MemberStatusChanged: _member_status_changed,
    events.MemberRenamed: _member_renamed,
    events.LogKeyChanged: _log_key_changed,
    events.RoleGranted: _role_granted,
    events.RoleRevoked: _role_revoked,
    events.RegulatorRequested: _regulator_requested,
    events.RegulatorSeconded: _regulator_seconded,
    events.ParameterChanged: _parameter_changed,
    events.SystemContractChanged: _system_contract_changed,
    events.Proposed: _proposed,
    events.Approved: _approved,
    events.Executed: _executed,
    events.RecordPublished: _record_published,
    events.RecordObjected: _record_objected,
    events.RecordChanged: _record_changed,
    events.RecordCorrected: _record_corrected,
    events.KindRecognitionChanged: _kind_recognition_changed,
    events.RecordRecognitionChanged: _record_recognition_changed,
    **TENDER_EFFECTS,
}
