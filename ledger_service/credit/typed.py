"""What is signed as EIP-712 JSON, so that any wallet shows it field by field and signs the same digest.

Promises documents that `eth_signTypedData_v4` takes and that hash to the digests of `anchors.credit`. Whether what
they say may be done is checked before.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from anchors.credit import Change, Choice, Issued, Record
from ledger_service.operations.typed import TypedData, typed_document

__all__ = ["changes_typed", "choice_typed", "publication_typed"]

_RECORD: Final = (
    *(("subject", "bytes32"), ("member", "uint16"), ("kind", "uint8"), ("decidedOn", "uint32")),
    *(("lastDay", "uint32"), ("earlier", "uint32"), ("measures", "uint256")),
    *(("statement", "bytes32"), ("document", "bytes32")),
)
_CHANGE: Final = (
    *(("leaf", "bytes32"), ("state", "uint8"), ("grounds", "bytes32")),
    *(("pledge", "bytes32"), ("content", "bytes32")),
)
_CHOICE: Final = (("applied", "bool"), ("reason", "bytes32"), ("earlier", "uint32"), ("deadline", "uint64"))
_OF_KIND: Final = (("member", "uint16"), ("issuer", "uint16"), ("kind", "uint8"), *_CHOICE)
_OF_RECORD: Final = (("member", "uint16"), ("record", "bytes32"), *_CHOICE)
_FIRST_DAY: Final = date(1970, 1, 1)


def publication_typed(register: bytes, chain_id: int, records: Sequence[Record], deadline: int) -> TypedData:
    """What is signed to publish records; the arguments are those of `publication_digest`."""
    types = {
        "CreditPublication": (("records", "CreditRecord[]"), ("deadline", "uint64")),
        "CreditRecord": _RECORD,
    }
    message = {"records": [_record(record) for record in records], "deadline": deadline}
    return typed_document(register, chain_id, "CreditPublication", types, message)


def changes_typed(register: bytes, chain_id: int, changes: Sequence[tuple[bytes, Change]], deadline: int) -> TypedData:
    """What is signed to change records; the arguments are those of `changes_digest`."""
    types = {"CreditChanges": (("changes", "CreditChange[]"), ("deadline", "uint64")), "CreditChange": _CHANGE}
    message = {"changes": [_change(leaf, change) for leaf, change in changes], "deadline": deadline}
    return typed_document(register, chain_id, "CreditChanges", types, message)


def choice_typed(matrix: bytes, chain_id: int, choice: Choice, earlier: int, deadline: int) -> TypedData:
    """What is signed to opt out, or in again; the arguments are those of `choice_digest`."""
    rest = {"applied": choice.applied, "reason": _hex(choice.reason), "earlier": earlier, "deadline": deadline}
    about = choice.about
    if isinstance(about, Issued):
        message = {"member": choice.member, "issuer": about.issuer, "kind": about.kind.value, **rest}
        return typed_document(matrix, chain_id, "RecognitionOfKind", {"RecognitionOfKind": _OF_KIND}, message)
    message = {"member": choice.member, "record": _hex(about.record), **rest}
    return typed_document(matrix, chain_id, "RecognitionOfRecord", {"RecognitionOfRecord": _OF_RECORD}, message)


def _record(record: Record) -> dict[str, Any]:
    return {
        "subject": _hex(record.subject),
        "member": record.member,
        "kind": record.kind.value,
        "decidedOn": (record.decided_on - _FIRST_DAY).days,
        "lastDay": (record.last_day - _FIRST_DAY).days,
        "earlier": record.earlier,
        "measures": str(sum(1 << code for code in record.measures)),  # more than a number of JavaScript holds
        "statement": _hex(record.statement),
        "document": _hex(record.document),
    }


def _change(leaf: bytes, change: Change) -> dict[str, Any]:
    return {
        "leaf": _hex(leaf),
        "state": change.state.value,
        "grounds": _hex(change.grounds),
        "pledge": _hex(change.pledge),
        "content": _hex(change.content.struct_hash()),
    }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
