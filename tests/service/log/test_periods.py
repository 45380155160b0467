"""Periods: what an auditor with their keys can account for, and that without them every leaf is like any other."""

import time
from collections.abc import Callable

import pytest
from auditor import Audit
from running_log import RunningLog, commitments, receipts

from anchors.errors import PeriodKeyDiffers
from anchors.periods import account, key_commitment, slot_order

MakeLog = Callable[..., RunningLog]


def period_leaves(audit: Audit, number: int, slots: int) -> list[bytes]:
    return audit.leaves[number * slots : (number + 1) * slots]


def wait_for_size(log: RunningLog, size: int) -> None:
    deadline = time.monotonic() + 20
    while published_size(log) < size:
        assert time.monotonic() < deadline, f"the log does not reach {size}"
        time.sleep(0.02)


def published_size(log: RunningLog) -> int:
    answer = log.get("checkpoint")
    return int(answer.text.splitlines()[1]) if answer.status_code == 200 else 0


# Count hiding


def test_a_log_opens_with_a_period_that_takes_nothing(make_log: MakeLog) -> None:
    log = make_log(slots=8).start()
    opened = log.audit()
    assert opened.size == 8
    first = account(log.period_key(0), opened.leaves, log.period_key(1))
    assert (first.accepted, len(first.filling)) == ((), 7)
    (receipt,) = receipts(log.submit(commitments(1)))
    assert 8 <= receipt.index < 16


def test_commitments_get_the_slots_that_the_periods_key_gives(make_log: MakeLog) -> None:
    log = make_log(slots=16).start()
    given = [one.index for _ in range(5) for one in receipts(log.submit(commitments(3)))]
    order = slot_order(log.period_key(1), 16)
    assert given == [16 + slot for slot in order[:-1]]
    assert log.submit(commitments(1)).status_code == 429


@pytest.mark.parametrize("accepted", [0, 1, 4, 7])
def test_the_log_grows_by_the_same_however_many_came(make_log: MakeLog, accepted: int) -> None:
    log = make_log(slots=8).start()
    for _ in range(2):
        for some in commitments(accepted):
            receipts(log.submit([some]))
        log.restart()
    assert log.audit().size == 24


def test_an_auditor_with_the_keys_accounts_for_every_leaf(make_log: MakeLog) -> None:
    log = make_log(slots=8).start()
    rounds = [commitments(count) for count in (3, 0, 7, 1)]
    for some in rounds:
        if some:
            receipts(log.submit(some))
        log.restart()
    audit = log.audit()
    for number, some in enumerate([[], *rounds]):
        leaves = period_leaves(audit, number, 8)
        of_period = account(log.period_key(number), leaves, log.period_key(number + 1))
        assert [f"0x{leaves[slot].hex()}" for slot in of_period.accepted] == some
        assert len(of_period.filling) == 7 - len(some)


def test_a_key_is_committed_to_one_period_before_its_use(make_log: MakeLog) -> None:
    log = make_log(slots=8).start()
    leaves = log.audit().leaves
    assert key_commitment(log.period_key(1)) in leaves
    with pytest.raises(PeriodKeyDiffers):
        account(log.period_key(0), leaves, log.period_key(2))


def test_filling_and_key_commitments_answer_as_commitments_do(make_log: MakeLog) -> None:
    log = make_log(slots=8).start()
    (own,) = commitments(1)
    receipts(log.submit([own]))
    log.restart()
    period_one = period_leaves(log.audit(), 1, 8)
    answers = [log.submit([f"0x{leaf.hex()}"]) for leaf in period_one]
    assert bytes.fromhex(own[2:]) in period_one
    assert {(answer.status_code, answer.content) for answer in answers} == {(409, answers[0].content)}
    reader = log.reader()
    for at, leaf in enumerate(period_one, start=8):
        entry = reader.find(leaf)
        assert entry is not None
        assert (entry.index, entry.published) == (at, True)


# Changing the slots


def test_other_slots_hold_from_the_next_period_on(make_log: MakeLog) -> None:
    log = make_log(slots=8).start()
    receipts(log.submit(commitments(2)))
    log.restart(slots=32)
    assert log.audit().size == 16
    receipts(log.submit(commitments(31)))
    log.restart()
    leaves = log.audit().leaves
    assert len(leaves) == 48
    assert len(account(log.period_key(1), leaves[8:16], log.period_key(2)).accepted) == 2
    assert len(account(log.period_key(2), leaves[16:], log.period_key(3)).accepted) == 31


def test_slots_after_the_compact_mode_begin_with_a_period_that_takes_nothing(make_log: MakeLog) -> None:
    log = make_log(slots=0).start()
    receipts(log.submit(commitments(3)))
    log.restart(slots=8)
    opened = log.audit()
    assert opened.size == 3 + 8
    (receipt,) = receipts(log.submit(commitments(1)))
    assert receipt.index >= 11
    log.restart(slots=0)
    leaves = log.audit().leaves
    assert account(log.period_key(1), leaves[3:11], log.period_key(2)).accepted == ()
    assert account(log.period_key(2), leaves[11:19], log.period_key(3)).accepted == (receipt.index - 11,)
    assert receipts(log.submit(commitments(1)))[0].index == 19


# The clock


def test_periods_close_by_the_clock(make_log: MakeLog) -> None:
    log = make_log(slots=8, period_seconds=0.2).start()
    wait_for_size(log, 40)
    log.end()
    audit = log.audit_files()
    assert audit.size % 8 == 0
    for number in range(audit.size // 8):
        account(log.period_key(number), period_leaves(audit, number, 8), log.period_key(number + 1))


def test_accepting_goes_on_over_the_turns(make_log: MakeLog) -> None:
    log = make_log(slots=1024, period_seconds=0.1).start()  # more slots than one client can fill between two turns
    given = receipts(log.submit(commitments(1)))
    while given[-1].index < given[0].index + 3 * 1024:
        given += receipts(log.submit(commitments(1)))
    wait_for_size(log, max(one.index for one in given) + 1)
    log.end()
    audit = log.audit_files()
    assert [audit.leaves[one.index] for one in given] == [one.commitment for one in given]


def test_a_compact_log_that_has_not_grown_signs_nothing(make_log: MakeLog) -> None:
    log = make_log(slots=0, period_seconds=0.05).start()
    assert log.get("checkpoint").status_code == 404
    receipts(log.submit(commitments(2)))
    wait_for_size(log, 2)
    first = log.get("checkpoint").content
    time.sleep(0.3)  # some periods without anything
    assert log.get("checkpoint").content == first


# Keys


def test_another_period_secret_than_the_one_committed_to_is_refused(make_log: MakeLog) -> None:
    log = make_log(slots=8).start()
    log.end()
    size = log.audit_files().size
    right = log.config["period_secret"]
    log.config["period_secret"] = "00" * 32
    assert "period secret" in log.refused_start()
    log.config["period_secret"] = right
    assert log.start().audit().size == size + 8


def test_another_log_key_than_the_one_that_signed_is_refused(make_log: MakeLog) -> None:
    log = make_log(slots=8).start()
    log.end()
    before = (log.public_dir / "checkpoint").read_bytes()
    right = log.config["log_key"]
    log.config["log_key"] = "01" * 32
    assert "log key" in log.refused_start()
    assert (log.public_dir / "checkpoint").read_bytes() == before
    log.config["log_key"] = right
    log.start()
