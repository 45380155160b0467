"""Records of one company, as the tests tell them."""

import dataclasses
import hashlib
from datetime import date
from importlib import resources
from typing import Any

from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from anchors.credit import NO_PLEDGE, Catalogue, Change, History, Kind, Publication, Record, State, end_of
from anchors.subjects import Subject

CATALOGUE = Catalogue.parse(resources.files("anchors.credit").joinpath("measures.json").read_bytes())
COMPANY = Subject.parse("CN-USCC:91510000201837253E")
LOWER_BOND, ANNOUNCED, BAN, COLLUSION = 1, 101, 201, 202
SICHUAN = 2
REGISTER = bytes(range(20))
CHAIN_ID = 31337
DECIDED = date(2026, 3, 15)


def digest(text: str) -> bytes:
    """The digest of a paper that a test means by this name."""
    return hashlib.sha256(text.encode()).digest()


def noon(day: date) -> int:
    """A time on a day in China."""
    return end_of(day) - 12 * 3600


SERIOUS = Record(
    subject=COMPANY.key,
    member=SICHUAN,
    kind=Kind.SERIOUS,
    decided_on=DECIDED,
    last_day=date(2028, 3, 15),
    earlier=0,
    measures=(ANNOUNCED, BAN),
    statement=digest("statement"),
    document=digest("decision"),
)
GENERAL = dataclasses.replace(SERIOUS, kind=Kind.GENERAL, last_day=date(2026, 9, 15), measures=(ANNOUNCED,))
HONOUR = dataclasses.replace(SERIOUS, kind=Kind.HONOUR, last_day=date(2027, 3, 15), measures=(LOWER_BOND,))
PUBLISHED_AT = noon(date(2026, 3, 20))


def change(state: State, day: date, content: Record = SERIOUS, **facts: Any) -> Change:
    """A change at noon of a day, with its papers unless told otherwise."""
    pledge = digest("pledge") if state is State.REPAIRED else NO_PLEDGE
    plain = Change(SERIOUS.struct_hash(), state, digest(state.title), pledge, content, noon(day))
    return dataclasses.replace(plain, **facts)


def history(record: Record, *changes: Change) -> History:
    """A record with what became of it, whether the rules allow it or not."""
    return History(record, PUBLISHED_AT, changes)


def publication(record: Record) -> Publication:
    """A record's publication."""
    return Publication(record, PUBLISHED_AT)


def fields_of(kind: str) -> list[str]:
    return kind.rstrip(")").partition("(")[2].split(",")


def by_eth_account(name: str, fields: str, item: str, message: dict[str, object]) -> bytes:
    """The digest of typed data, made by no code of ours."""
    types = {
        kind.partition("(")[0]: [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields_of(kind)]
        for kind in (f"{name}({fields})", item)
    }
    domain = {"name": "bidledger", "version": "1", "chainId": CHAIN_ID, "verifyingContract": "0x" + REGISTER.hex()}
    made = encode_typed_data(domain, types, message)
    return keccak(b"\x19" + made.version + made.header + made.body)
