"""The next version of a network file, from a file that says what is new in it.

Promises a version that its readers will take once its governors have signed it: it follows the current one, is of its
format, and rewrites nothing. The changes are written as the entries of a network file are, and only those that are
new; a new span ends the open one that it succeeds, and an open entry that is written again with an end is ended.
"""

import dataclasses
from collections.abc import Callable, Mapping

from anchors.bounded_json import Fields, read_json
from anchors.errors import MalformedFile
from anchors.network.entries import (
    MAX_HISTORY,
    MAX_MEMBERS,
    NAME,
    read_contract,
    read_governor,
    read_log_key,
    read_member,
    read_receipt_signer,
    read_validators,
)
from anchors.network.facts import Contract, LogKey, Member, Network, ValidatorSet
from anchors.network.file import parse_network, write_network
from anchors.network.histories import E, Entry, end_of, ended, ends, start_of
from anchors.notes import KeyType, Verifier

_SECTIONS = ("validators", "contracts", "members", "governors", "threshold")
_CHANGED_PARTS = ("number", "name", "log_keys", "receipt_signers")
_LOG_KEY_PARTS = ("generation", "from_size", "to_size")
_MEMBER_PARTS = (*_CHANGED_PARTS, "code")


def propose(current: Network, changes: bytes) -> Network:
    """Write the next version of a network file, for its governors to sign.

    Args:
        current: the version in force.
        changes: a JSON object with any of `validators`, `contracts`, `members`, `governors` (lists of new entries, in
            the network file's own form) and `threshold`. An entry of `members` that has a `code` is a new member; one
            without names a member by its `number` and holds what is new: `name`, `log_keys`, `receipt_signers`. A
            log key may have its `public_key` (0x and 64 digits, Ed25519) where the network file has `vkey`.

    Returns:
        The version after `current`, without signatures.

    Raises:
        MalformedFile: the changes are not of that form, change nothing, do not fit the histories that stand, or leave
            a threshold that is not above two thirds of the members.
    """
    fields = Fields(read_json(changes), "", _SECTIONS, may_lack=_SECTIONS)
    network = dataclasses.replace(
        current,
        version=current.version + 1,
        validators=_extended(fields, "validators", read_validators, current.validators),
        contracts=_extended(fields, "contracts", read_contract, current.contracts),
        members=_members(fields, current),
        governors=_extended(fields, "governors", read_governor, current.governors),
        threshold=fields.number("threshold", 1, MAX_MEMBERS) if "threshold" in fields.members else current.threshold,
        signatures=(),
    )
    if dataclasses.replace(network, version=current.version, signatures=current.signatures) == current:
        raise MalformedFile("the file", "changes nothing")
    if 3 * network.threshold <= 2 * len(network.members):
        raise MalformedFile("threshold", f"is not above two thirds of the {len(network.members)} members; set it")
    return parse_network(write_network(network))


def _extended(fields: Fields, name: str, read: Callable[[object, str], E], history: tuple[E, ...]) -> tuple[E, ...]:
    """The history with the new entries of that name, if there are any."""
    if name in fields.members:
        for at, entry in enumerate(fields.each(name, MAX_HISTORY, read)):
            history = _with(history, entry, f"{fields.path(name)}[{at}]")
    return history


def _with(history: tuple[E, ...], entry: E, where: str) -> tuple[E, ...]:
    if entry in history:
        raise MalformedFile(where, "stands in the file already")
    for at, old in enumerate(history):
        if ends(old, entry):
            return (*history[:at], entry, *history[at + 1 :])
    before = (ended(old, start_of(entry)) if end_of(old) is None and _succeeds(old, entry) else old for old in history)
    return (*before, entry)


def _succeeds(old: Entry, new: Entry) -> bool:
    """Whether a new span takes the place of an open one."""
    match old, new:
        case ValidatorSet(), ValidatorSet():
            return True
        case Contract(), Contract():
            return old.name == new.name
        case LogKey(), LogKey():
            return old.generation == new.generation
        case _:
            return False  # governors and receipt signers are in force side by side


def _members(fields: Fields, current: Network) -> tuple[Member, ...]:
    """The members with what is new of each."""
    members = {member.number: member for member in current.members}

    def apply(value: object, where: str) -> None:
        if isinstance(value, dict) and "code" in value:
            parts = Fields(value, where, _MEMBER_PARTS)
            member = read_member(value | {"log_keys": []}, where)
            if member.number in members:
                raise MalformedFile(parts.path("number"), "is a member's already; leave out its code")
        else:
            parts = Fields(value, where, _CHANGED_PARTS, may_lack=_CHANGED_PARTS[1:])
            member = _changed(members, parts)
        log_keys = _extended(parts, "log_keys", _log_key_reader(current, member), member.log_keys)
        members[member.number] = dataclasses.replace(member, log_keys=log_keys)

    if "members" in fields.members:
        fields.each("members", MAX_MEMBERS, apply)
    return tuple(members.values())


def _changed(members: Mapping[int, Member], parts: Fields) -> Member:
    member = members.get(parts.number("number"))
    if member is None:
        raise MalformedFile(parts.path("number"), "is no member's; a new member has a code as well")
    return dataclasses.replace(
        member,
        name=parts.text("name", NAME) if "name" in parts.members else member.name,
        receipt_signers=_extended(parts, "receipt_signers", read_receipt_signer, member.receipt_signers),
    )


def _log_key_reader(current: Network, member: Member) -> Callable[[object, str], LogKey]:
    """Reads a log key that is given as the network file has it, or by the `public_key` that `keys create` prints."""

    def read(value: object, where: str) -> LogKey:
        if not isinstance(value, dict) or "public_key" not in value:
            return read_log_key(value, where)
        parts = Fields(value, where, (*_LOG_KEY_PARTS, "public_key"))
        unnamed = read_log_key({name: parts.raw(name) for name in _LOG_KEY_PARTS} | {"vkey": "-"}, where)
        origin = current.origin(member, unnamed.generation)
        return dataclasses.replace(unnamed, vkey=Verifier(origin, KeyType.ED25519, parts.hex("public_key", 32)).vkey)

    return read
