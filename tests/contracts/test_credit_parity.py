"""Solidity and Python agree on credit: on random histories, on the law's bounds, and on the journals."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from credit_alliance import (
    CORRECTED,
    GENERAL,
    GROUNDS,
    HONOUR,
    NOTHING,
    OBJECTED,
    PLEDGE,
    REPAIRED,
    SENDER,
    SERIOUS,
    SUBJECT,
    UPHELD,
    WITHDRAWN,
    CreditAlliance,
    Record,
    Subject,
    months_after,
)
from web3.contract import Contract

from anchors.credit import Change, Event, Kind, Publication, State, changes_digest, fold, publication_digest
from anchors.credit import Record as OurRecord
from ledger_service.index.decode import RawLog
from ledger_service.index.events import Place
from ledger_service.index.journal import EMPTY_JOURNAL
from ledger_service.index.journal import fold as fold_journal

FIRST_DAY = date(1970, 1, 1)


def ours(record: Record) -> OurRecord:
    """The record as the library has it."""
    return OurRecord(
        record.subject,
        record.member,
        Kind(record.kind),
        FIRST_DAY + timedelta(record.decided_on),
        FIRST_DAY + timedelta(record.last_day),
        record.earlier,
        tuple(code for code in range(256) if record.measures >> code & 1),
        record.statement,
        record.document,
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_random_history_folds_to_the_same_word(credit: CreditAlliance, seed: int) -> None:
    chance = random.Random(seed)  # which history is tried is no secret
    subject, events = Subject(), list[Event]()
    for _ in range(12):
        events.append(act(credit, subject, chance))
        assert fold(events) == credit.word() == subject.word


def act(credit: CreditAlliance, subject: Subject, chance: random.Random) -> Event:
    """Publish a record, or change one in a way that the rules allow."""
    open_records = [
        link for link in map(subject.last, {link.record for link in subject.links}) if link.state < WITHDRAWN
    ]
    if not open_records or chance.random() < 0.4:
        decided_on, kind = credit.today - 122, chance.choice((HONOUR, GENERAL, SERIOUS))
        record = credit.record(
            member=chance.randrange(1, 5),
            kind=kind,
            decided_on=decided_on,
            last_day=months_after(decided_on, 12),
            earlier=chance.randrange(len(subject.links) + 1),
            document=chance.randbytes(32),
        )
        return Publication(ours(record), credit.publish(subject, record).time)
    last = chance.choice(sorted(open_records, key=lambda link: link.record))
    ruling = chance.choice((UPHELD, CORRECTED)) if last.state == OBJECTED else OBJECTED
    state = WITHDRAWN if last.state == UPHELD else chance.choice((ruling, ruling, WITHDRAWN))
    now = replace(last.now, statement=chance.randbytes(32)) if state == CORRECTED else last.now
    if state == OBJECTED:
        link = credit.object_to(subject, last.record)
    elif state == CORRECTED:
        link = credit.correct(subject, last.record, now)
    else:
        link = credit.decide(subject, last.record, state)
    return Change(last.record, State(state), GROUNDS, NOTHING, ours(now), link.time)


@pytest.mark.parametrize(("kind", "seed"), [(kind, seed) for kind in (GENERAL, SERIOUS) for seed in range(8)])
def test_the_law_bounds_a_term_by_the_same_days(credit: CreditAlliance, kind: int, seed: int) -> None:
    decided_on = credit.today - random.Random(seed).randrange(80)
    term = Kind(kind).term.bounds(FIRST_DAY + timedelta(decided_on))
    first, last = ((day - FIRST_DAY).days for day in term)
    for day, expected in (
        (first - 1, "CreditRegister_UnlawfulTerm"),
        (first, "accepted"),
        (last, "accepted"),
        (last + 1, "CreditRegister_UnlawfulTerm"),
    ):
        record = credit.record(kind=kind, decided_on=decided_on, last_day=day)
        assert credit.refusal(SENDER, credit.publishing([record])) == expected


def test_what_is_signed_is_the_same(credit: CreditAlliance) -> None:
    register, deadline = bytes.fromhex(credit.register.address[2:]), credit.now + 60
    subject, record = Subject(), credit.record()
    digest = publication_digest(register, 1337, [ours(record)], deadline)
    pair = [sign_hash(credit, role, digest) for role in ("publisher", "regulator")]
    publish = credit.register.functions.publish
    credit.send(SENDER, publish([(SUBJECT, record.content)], [], deadline, pair, []))
    subject.publish(record, credit.now)
    last = subject.last(record.hash)
    change = Change(record.hash, State.WITHDRAWN, GROUNDS, NOTHING, ours(record), credit.now)
    digest = changes_digest(register, 1337, [(last.leaf, change)], deadline)
    pair = [sign_hash(credit, role, digest) for role in ("publisher", "regulator")]
    opened = (last.now.subject, last.record, last.now.content, last.state, last.signed, last.time, last.word)
    decide = credit.register.functions.decide
    credit.send(SENDER, decide([(*opened, WITHDRAWN, GROUNDS, NOTHING)], [], deadline, pair))


def sign_hash(credit: CreditAlliance, role: str, digest: bytes) -> tuple[bytes, bytes]:
    signed = getattr(credit, role)(1).unsafe_sign_hash(digest)
    return signed.r.to_bytes(32, "big"), ((signed.v - 27) << 255 | signed.s).to_bytes(32, "big")


def test_the_journals_fold_from_the_raw_logs(credit: CreditAlliance) -> None:
    do_everything_once(credit)
    for contract in (credit.register, credit.matrix):
        topics, word = folded(credit, contract)
        assert contract.functions.journal().call() == word
        declared = [event for event in contract.events if event.event_name != "EIP712DomainChanged"]
        assert topics == {bytes.fromhex(event.topic.removeprefix("0x")) for event in declared}


def do_everything_once(credit: CreditAlliance) -> None:
    """Make every event of both contracts happen."""
    decided_on = credit.today - 122
    subject, record = Subject(), credit.record(decided_on=decided_on, last_day=months_after(decided_on, 12))
    credit.publish(subject, record)
    credit.object_to(subject, record.hash)
    credit.correct(subject, record.hash, record)
    credit.decide(subject, record.hash, REPAIRED)
    assert subject.last(record.hash).state == REPAIRED
    credit.send(SENDER, credit.choosing(3, (1, GENERAL)))
    credit.send(SENDER, credit.choosing(3, record.hash, reason=PLEDGE))


def folded(credit: CreditAlliance, contract: Contract) -> tuple[set[bytes], bytes]:
    """The events' selectors, and the journal that the raw logs fold to."""
    word, topics = EMPTY_JOURNAL, set()
    for found in credit.web3.eth.get_logs({"address": contract.address, "fromBlock": 0}):
        place = Place(found["blockNumber"], found["transactionIndex"], found["logIndex"])
        log = RawLog(place, bytes(20), tuple(bytes(topic) for topic in found["topics"]), bytes(found["data"]))
        topics.add(log.topics[0])
        word = fold_journal(word, log)
    return topics, word
