"""The parts of a network file as JSON: each entry of a history read strictly, and any fact written.

Promises an entry whose names, sizes and bounds are those of the format and whose span does not end before it begins,
or MalformedFile with the path to what is wrong. Whether entries fit together is for the file as a whole.
"""

import dataclasses
from typing import Any

from anchors.bounded_json import Fields
from anchors.errors import MalformedFile
from anchors.network.facts import Contract, Governor, GovernorSignature, LogKey, Member, ReceiptSigner, ValidatorSet

MAX_MEMBERS = 255  # votes are one bitmap word of the registry
MAX_HISTORY = 4096
NAME = r"[^\x00-\x1f\x7f]{1,128}"

_MAX_GENERATION = (1 << 32) - 1
_VKEY = r"[!-~]{1,512}"
_CODE = r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"


def to_json(value: object) -> Any:
    """A fact of this module as JSON values; its fields stand in the order of the format."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return [to_json(element) for element in value]
    if dataclasses.is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def read_validators(value: object, where: str) -> ValidatorSet:
    """Read one span of validators."""
    fields = Fields(value, where, _names(ValidatorSet))
    return ValidatorSet(*_span(fields, "block"), fields.hex_list("addresses", MAX_HISTORY, 20))


def read_contract(value: object, where: str) -> Contract:
    """Read one span of a contract."""
    fields = Fields(value, where, _names(Contract))
    name, address = fields.text("name", r"[A-Za-z0-9]{1,64}"), fields.hex("address", 20)
    return Contract(name, address, fields.hex("code_hash", 32), *_span(fields, "block"))


def read_member(value: object, where: str) -> Member:
    """Read a member with all its keys."""
    fields = Fields(value, where, _names(Member))
    return Member(
        number=fields.number("number", 1, MAX_MEMBERS),
        code=fields.text("code", _CODE),
        name=fields.text("name", NAME),
        log_keys=fields.each("log_keys", MAX_HISTORY, read_log_key),
        receipt_signers=fields.each("receipt_signers", MAX_HISTORY, read_receipt_signer),
    )


def read_log_key(value: object, where: str) -> LogKey:
    """Read one span of a log's key."""
    fields = Fields(value, where, _names(LogKey))
    generation, vkey = fields.number("generation", 0, _MAX_GENERATION), fields.text("vkey", _VKEY)
    return LogKey(generation, vkey, *_span(fields, "size"))


def read_receipt_signer(value: object, where: str) -> ReceiptSigner:
    """Read one span of a receipt signer."""
    fields = Fields(value, where, _names(ReceiptSigner))
    return ReceiptSigner(fields.hex("address", 20), *_span(fields, "time"))


def read_governor(value: object, where: str) -> Governor:
    """Read a governor."""
    fields = Fields(value, where, _names(Governor))
    member, address = fields.number("member", 1, MAX_MEMBERS), fields.hex("address", 20)
    return Governor(member, address, *_span(fields, "block"))


def read_signature(value: object, where: str) -> GovernorSignature:
    """Read one signature."""
    fields = Fields(value, where, _names(GovernorSignature))
    return GovernorSignature(fields.hex("governor", 20), fields.hex("signature", 65))


def _span(fields: Fields, unit: str) -> tuple[int, int | None]:
    start = fields.number(f"from_{unit}")
    end = fields.nullable(f"to_{unit}", fields.number)
    if end is not None and end < start:
        raise MalformedFile(fields.path(f"to_{unit}"), f"lies before from_{unit}")
    return start, end


def _names(facts: type) -> list[str]:
    return [field.name for field in dataclasses.fields(facts)]
