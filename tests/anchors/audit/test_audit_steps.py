"""A file that was tampered with is refuted at the step that says why, and tells nothing of its tender."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from audited import Audited, Block, altered, node_reader, receipt
from audited_life import (
    CHAIN_ID,
    CLOSED_SIZE,
    DAY,
    DEADLINE,
    LOG,
    PAPER,
    REGISTER,
    SIZE,
    SLOTS,
    START,
    Emission,
    Life,
    commitment,
    word,
)
from draw.held_draw import held
from exhibits import CODES, governed
from sealed_headers import key

from anchors.chain.keccak import keccak256
from anchors.chain.receipts import receipts_trie
from anchors.chain.signatures import sign_digest
from anchors.errors import AuditTooLarge
from anchors.evidence import Finality
from anchors.network import Contract, write_network
from anchors.tenders.audit import Finding, LogPart, audit, range_path, write_audit

KEPT = Audited(Life())


def _refuted(file: bytes, audited: Audited = KEPT, **reader: Any) -> tuple[str, str]:
    """The step that fails, and what is said of it."""
    verdict = audited.judge(file, **reader)
    assert verdict.finding is Finding.REFUTED
    assert verdict.rules == ()
    assert verdict.tender is None
    assert verdict.unaccounted == ()
    assert not verdict.steps[-1].ok
    assert all(step.ok for step in verdict.steps[:-1])
    return verdict.steps[-1].step, verdict.steps[-1].detail


# ---- an event left out, invented, or told otherwise ----


@pytest.mark.parametrize(
    "name",
    [
        "TenderPublished",
        "BidsClosed",
        "BidsOpened",
        "TenderEvaluated",
        "CandidatesPublished",
    ],
)
def test_an_event_that_others_follow_from_cannot_be_left_out(name: str) -> None:
    assert _refuted(KEPT.file(name))[0] == "life"


@pytest.mark.parametrize(
    ("name", "says"),
    [("TenderAmended", "version"), ("TenderAwarded", "state"), ("ClaimAnswered", "claim")],
)
def test_an_event_that_nothing_follows_from_is_missed_by_the_state(name: str, says: str) -> None:
    step, detail = _refuted(KEPT.file(name))
    assert step == "state"
    assert says in detail


def test_a_ruling_that_is_left_out_is_missed() -> None:
    assert _refuted(KEPT.file("ObjectionRuled"))[0] == "life"


def test_an_objection_that_waits_is_missed_by_the_state() -> None:
    audited = Audited(Life(ruled=False))
    events = audited.events()
    left = [event for event, each in zip(events, audited.life.emitted, strict=True) if each.name != "ObjectionMade"]
    step, _ = _refuted(audited.file(events=left), audited)
    assert step == "life"  # the first one was ruled on
    second = [event for at, event in enumerate(events) if at != _last(audited, "ObjectionMade")]
    step, detail = _refuted(audited.file(events=second, state=_state(audited, 1)), audited)
    assert step == "state"
    assert "objections that wait" in detail


def _last(audited: Audited, name: str) -> int:
    return max(at for at, each in enumerate(audited.life.emitted) if each.name == name)


def _state(audited: Audited, grounds: int) -> Any:
    """The state with the slots of fewer objections, as who leaves one out would show it."""
    storage = list(audited.words)
    shown = [*storage[: 8 + 2 * grounds], *storage[12:]]
    full = audited.state()
    nodes = [node for slot in shown for node in audited.storage.prove(keccak256(slot))]
    return replace(full, nodes=(*audited.accounts.prove(keccak256(REGISTER)), *nodes))


def test_an_event_of_another_field_is_not_what_its_hash_names() -> None:
    def change(events: list[Emission]) -> list[Emission]:
        return [_with_word(each, 3, word(99)) if each.name == "BidsOpened" else each for each in events]

    audited = Audited(Life(change=change))
    step, detail = _refuted(audited.file(), audited)
    assert step == "life"
    assert "the opening names an act that is not made of its fields" in detail


def _with_word(event: Emission, at: int, value: bytes) -> Emission:
    return replace(event, data=event.data[: 32 * at] + value + event.data[32 * at + 32 :])


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("TenderPublished", lambda data: data[:-1]),
        ("TenderPublished", lambda data: data + bytes(32)),
        ("TenderPublished", lambda data: data[:-32] + b"\xff" * 32),
        ("BidsClosed", lambda data: b"\xff" * 32 + data[32:]),
        ("BidsOpened", lambda data: data[: 5 * 32] + word(0) + data[6 * 32 :]),
        ("BidsOpened", lambda data: data[: 7 * 32] + b"\xff" * 32 + data[8 * 32 :]),
        ("BidsOpened", lambda data: data[:-64]),
        ("ObjectionRuled", lambda data: word(2) + data[32:]),
        ("TenderAwarded", lambda data: data[: 3 * 32] + word(1 << 250) + data[4 * 32 :]),
        ("ClaimAnswered", lambda data: word(4) + data[32:]),
    ],
)
def test_an_event_that_the_contract_never_writes_is_refused(name: str, spoil: Callable[[bytes], bytes]) -> None:
    def change(events: list[Emission]) -> list[Emission]:
        return [replace(each, data=spoil(each.data)) if each.name == name else each for each in events]

    audited = Audited(Life(change=change))
    assert _refuted(audited.file(), audited)[0] == "events"


def test_events_out_of_order_or_twice_are_refused() -> None:
    assert _refuted(altered(KEPT.file(), lambda file: file["events"].reverse()))[0] == "events"
    assert _refuted(altered(KEPT.file(), lambda file: file["events"].append(file["events"][-1])))[0] == "events"


def test_an_event_that_is_not_there_is_refused() -> None:
    assert _refuted(altered(KEPT.file(), lambda file: file["events"][3].update(log=2)))[0] == "events"
    assert _refuted(altered(KEPT.file(), lambda file: file["events"][3].update(transaction=9)))[0] == "events"
    assert _refuted(altered(KEPT.file(), lambda file: file.update(events=[])))[0] == "network"


def test_a_log_of_another_contract_is_no_event_of_the_tender() -> None:
    def change(events: list[Emission]) -> list[Emission]:
        return [replace(each, address=b"\x44" * 20) if each.name == "TenderAwarded" else each for each in events]

    audited = Audited(Life(change=change))
    assert _refuted(audited.file(), audited)[0] == "network"


def test_another_event_beside_it_is_no_event_of_an_audit() -> None:
    assert _refuted(altered(KEPT.file(), lambda file: file["events"][3].update(log=0)))[0] == "events"


def test_an_event_of_another_tender_is_refused_but_for_an_opening() -> None:
    def change(events: list[Emission]) -> list[Emission]:
        other = next(each for each in events if each.name == "TenderAmended")
        foreign = replace(other, time=other.time + 1, topics=(other.topics[0], word(7), other.topics[2]))
        return sorted([*events, foreign], key=lambda each: each.time)

    audited = Audited(Life(change=change))
    assert _refuted(audited.file(state=None), audited)[0] == "life"


def test_the_file_of_one_tender_does_not_do_for_another() -> None:
    assert _refuted(altered(KEPT.file(), lambda file: file.update(tender="0x" + "11" * 32)))[0] == "network"


# ---- blocks and their seals ----


def test_nodes_of_another_block_prove_nothing() -> None:
    def swap(file: dict[str, Any]) -> None:
        file["events"][0]["block"], file["events"][1]["block"] = file["events"][1]["block"], file["events"][0]["block"]

    assert _refuted(altered(KEPT.file(), swap))[0] == "events"


def test_a_block_that_too_few_sealed_is_refused() -> None:
    audited = Audited(Life(), "clique")
    events = [replace(event, finality=Finality(event.finality.headers[:1])) for event in audited.events()]  # type: ignore[union-attr]
    assert _refuted(audited.file(events=events), audited)[0] == "seals"


def test_a_state_that_nobody_sealed_is_refused() -> None:
    forged = Block(500, DEADLINE + 30 * DAY, [], word(5), "qbft")
    header, _ = forged.sealed(receipts_trie([receipt([])]).root)
    state = replace(KEPT.state(), header=header[:-3] + bytes((header[-3] ^ 1,)) + header[-2:])
    assert _refuted(KEPT.file(state=state))[0] in ("headers", "seals")


def test_headers_and_nodes_that_nothing_needs_are_refused() -> None:
    def header(file: dict[str, Any]) -> None:
        file["headers"].append("AAAA")

    def node(file: dict[str, Any]) -> None:
        file["nodes"].append("AAAA")

    assert _refuted(altered(KEPT.file(), header))[0] == "headers"
    assert _refuted(altered(KEPT.file(), node))[0] == "state"


# ---- the register and its state ----


def test_a_register_that_the_network_does_not_list_is_refused() -> None:
    other = Contract("TenderRegister", b"\x55" * 20, word(1), 10, None)
    network = governed(replace(KEPT.network, contracts=(other, KEPT.network.contracts[1])))
    verdict = audit(KEPT.file(), write_network(network))
    assert verdict.steps[-1].step == "network"


SECOND = b"\x55" * 20


def _judged_with(life: Life, *contracts: Contract) -> str:
    """The step at which a life is refuted where the network lists these contracts."""
    audited = Audited(life)
    network = governed(replace(KEPT.network, contracts=contracts))
    verdict = audit(audited.file(), write_network(network))
    assert verdict.finding is Finding.REFUTED
    return verdict.steps[-1].step


def _emitted_by(name: str, by: bytes, **life: Any) -> Life:
    def change(events: list[Emission]) -> list[Emission]:
        return [replace(each, address=by) if each.name == name else each for each in events]

    return Life(change=change, **life)


def test_a_tenders_events_are_of_one_register() -> None:
    register, log = KEPT.network.contracts
    two = (replace(register, to_block=110), replace(register, address=SECOND, from_block=110))
    assert _judged_with(_emitted_by("TenderAwarded", SECOND), *two, log) == "network"
    assert _judged_with(_emitted_by("", SECOND), replace(register, to_block=50), log) == "network"


def test_anchors_are_of_the_log_that_took_the_bids() -> None:
    register, log = KEPT.network.contracts
    two = (replace(log, to_block=50), replace(log, address=SECOND, from_block=50))
    assert _judged_with(_emitted_by("Anchored", SECOND), register, *two) == "life"


def test_a_log_that_the_network_does_not_list_took_no_bids() -> None:
    register, log = KEPT.network.contracts
    assert _judged_with(_emitted_by("Anchored", SECOND), register, replace(log, address=SECOND)) == "network"


def test_an_opening_by_a_stranger_accounts_for_nothing() -> None:
    def change(events: list[Emission]) -> list[Emission]:
        return [replace(each, address=SECOND) if each.topics[1] == PAPER else each for each in events]

    audited = Audited(Life(elsewhere=("of another tender",), change=change))
    assert _refuted(audited.file(), audited)[0] == "network"


def test_another_code_at_the_register_is_refused() -> None:
    other = Contract("TenderRegister", REGISTER, word(1), 10, None)
    network = governed(replace(KEPT.network, contracts=(other, KEPT.network.contracts[1])))
    verdict = audit(KEPT.file(), write_network(network))
    assert verdict.steps[-1].step == "state"


def test_a_state_from_before_the_last_event_is_refused() -> None:
    assert _refuted(KEPT.file(state=KEPT.state(number=90)))[0] == "state"


def test_a_state_without_its_nodes_is_refused() -> None:
    bare = replace(KEPT.state(), nodes=KEPT.state().nodes[:-1])
    assert _refuted(KEPT.file(state=bare))[0] == "state"


@pytest.mark.parametrize("at", range(len(Life().storage)))
def test_every_word_that_the_register_keeps_must_be_as_told(at: int) -> None:
    class Other(Audited):
        @property
        def words(self) -> dict[bytes, int]:
            slots = dict(super().words)
            slot = list(slots)[at]
            return slots | {slot: slots[slot] ^ 1}

    other = Other(Life())
    assert _refuted(other.file(), other)[0] == "state"


# ---- what is shown beside the events ----


def test_a_receipt_by_another_key_is_refused() -> None:
    step, _ = _refuted(KEPT.file(receipts=[KEPT.receipt("echo", by="somebody")]))
    assert step == "receipts"
    assert _refuted(KEPT.file(), receipts=[KEPT.receipt("golf", by=f"{CODES[0]} receipt signer")])[0] == "receipts"


def test_a_receipt_from_before_its_signer_had_the_role_is_refused() -> None:
    assert _refuted(KEPT.file(receipts=[KEPT.receipt("echo", at=START - 1)]))[0] == "receipts"


def test_a_receipt_for_another_tender_is_refused() -> None:
    assert _refuted(KEPT.file(receipts=[KEPT.receipt("echo", tender=word(4))]))[0] == "receipts"


def test_a_replacement_by_another_than_the_holder_is_refused() -> None:
    forged = KEPT.replacement("beta", bytes(32), signer="the host")
    assert _refuted(KEPT.file(replacements=[forged]))[0] == "receipts"


def test_a_replacement_in_another_tender_is_refused() -> None:
    word_of = KEPT.replacement("beta", bytes(32))
    other = replace(word_of, act=replace(word_of.act, tender=word(4)))
    signature = sign_digest(key("beta holder"), other.act.digest(REGISTER, CHAIN_ID))
    assert _refuted(KEPT.file(replacements=[replace(other, signature=signature)]))[0] == "receipts"


def test_a_replacement_in_a_tender_that_the_file_shows_opened_is_from_before_that() -> None:
    audited = Audited(Life(elsewhere=("of another tender",)))
    opened_at = audited.life.opened_at + 1
    late = audited.replacement("beta", bytes(32), at=opened_at, tender=PAPER)
    assert _refuted(audited.file(replacements=[late]), audited)[0] == "receipts"
    timely = audited.replacement("beta", bytes(32), at=opened_at - 1, tender=PAPER)
    assert audited.judge(audited.file(replacements=[timely])).finding is not Finding.REFUTED


def test_a_replacement_of_another_bid_is_refused() -> None:
    other = replace(KEPT.replacement("beta", bytes(32)), preimage=KEPT.replacement("alpha", bytes(32)).preimage)
    assert _refuted(KEPT.file(replacements=[other]))[0] == "receipts"


def test_a_replacement_from_the_deadline_on_is_refused() -> None:
    late = KEPT.replacement("beta", bytes(32), at=DEADLINE)
    assert _refuted(KEPT.file(replacements=[late]))[0] == "receipts"


@pytest.mark.parametrize("at", [0, 7, 15])
def test_leaves_that_the_log_does_not_have_are_refused(at: int) -> None:
    log = KEPT.log()
    leaves = list(log.periods[1].leaves)
    leaves[at] = commitment("never logged")
    forged = LogPart(SIZE, (log.periods[0], replace(log.periods[1], leaves=tuple(leaves)), log.periods[2]))
    assert _refuted(KEPT.file(log=forged))[0] == "log"


def test_leaves_at_another_place_are_refused() -> None:
    log = KEPT.log()
    moved = replace(log.periods[0], first=2 * SLOTS)
    assert _refuted(KEPT.file(log=LogPart(SIZE, (moved,))))[0] == "log"
    assert _refuted(KEPT.file(log=LogPart(CLOSED_SIZE, log.periods)))[0] == "log"


def test_leaves_under_a_size_that_nobody_anchored_are_refused() -> None:
    size = SIZE - 1
    path = range_path(0, SLOTS, size, node_reader(KEPT.life.leaves[:size]))
    shown = replace(KEPT.period(0), path=path)
    assert _refuted(KEPT.file(log=LogPart(size, (shown,))))[0] == "log"


def test_a_key_that_the_period_before_did_not_commit_to_is_refused() -> None:
    log = KEPT.log()
    other = replace(log.periods[0], next_key=word(3))
    assert _refuted(KEPT.file(log=LogPart(SIZE, (other, *log.periods[1:]))))[0] == "log"
    chosen = replace(log.periods[1], key=word(3), next_key=None)
    assert _refuted(KEPT.file(log=LogPart(SIZE, (log.periods[0], chosen))))[0] == "log"


def test_an_anchor_of_another_log_is_refused() -> None:
    def change(events: list[Emission]) -> list[Emission]:
        return [replace(each, topics=(each.topics[0], word(3))) if each.address == LOG else each for each in events]

    audited = Audited(Life(change=change))
    assert _refuted(audited.file(), audited)[0] == "life"


def test_a_draw_that_is_not_what_it_says_is_refused() -> None:
    other = held().write().replace(b'"threshold":2', b'"threshold":3')
    step, detail = _refuted(KEPT.file(draws=[other]))
    assert step == "draw"
    assert "commitments" in detail


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"[" * 40, b'{"format": "bidledger/tender-audit/v2"}'])
def test_what_is_no_audit_is_refused(data: bytes) -> None:
    assert _refuted(data)[0] == "headers"


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff"])
def test_what_is_no_network_file_is_refused(data: bytes) -> None:
    assert audit(KEPT.file(), data).steps[-1].step == "network"


def test_a_file_that_nobody_would_read_is_not_written() -> None:
    with pytest.raises(AuditTooLarge):
        write_audit(KEPT.life.name, [], None, draws=[bytes(25 << 20)])
