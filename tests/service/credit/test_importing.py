"""Lists imported over real HTTP onto a real chain: planned, agreed to, sent once whatever ends, and published."""

import fcntl
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import openpyxl
import pytest
from command_line import bidledger
from conftest import Clock
from filing import COMPANIES, Filing
from founding import Founded
from office import DOCUMENTS, Office, company, fates, open_office

from anchors.credit import State, Statement
from ledger_service.chain.contracts import REGISTRY
from ledger_service.chain.rpc import Rpc
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.lists.journal import Journal, journal_path

FIRST, SECOND, THIRD, _ = (each.identifier for each in COMPANIES)


@pytest.fixture
def office(
    founded: Founded, rpc: Rpc, ground: CreditGround, clock: Clock, follow: Callable[[], None], tmp_path: Path
) -> Iterator[Office]:
    folder = tmp_path / "office"
    folder.mkdir()
    with open_office(founded, rpc, ground, clock, follow) as acting:
        yield Office(acting, folder)


def held(office: Office, identifier: str) -> list[dict[str, object]]:
    """The records of a company, ended or not."""
    answer = office.acting.client.get(f"/v1/subjects/CN-USCC:{identifier}", params={"ended": "true"})
    records: list[dict[str, object]] = answer.json()["records"]
    return records


def test_a_list_is_planned_sent_signed_published_and_then_unchanged(office: Office) -> None:
    entries = [
        office.entry(FIRST, DOCUMENTS[0]),
        office.entry(SECOND, DOCUMENTS[1], "严重"),
        office.entry(FIRST, DOCUMENTS[2]),
        office.entry(THIRD, DOCUMENTS[3], "守信"),
        office.entry("915100002018088029", DOCUMENTS[4]),
    ]
    path = office.list_of(*entries)
    planned = office.import_list(path, "--dry-run")
    assert fates(planned) == {2: "new", 3: "new", 4: "new", 5: "new", 6: "refused"}
    assert "wrong check character" in planned["plan"]["entries"][4]["reasons"][0]
    assert (planned["sent"], office.acting.operations(), sorted(office.folder.glob("list.csv*"))) == (False, [], [path])

    sent = office.import_list(path, "--yes")
    assert [(each["lines"], each["state"]) for each in sent["operations"]] == (
        [([5], "collecting"), ([2, 4], "collecting"), ([3], "collecting")]
    )
    statements = {file.stem: file.read_bytes() for file in (office.folder / "list.csv.statements").iterdir()}
    for name, content in statements.items():
        assert (sha256(content).hexdigest(), Statement.parse(content).digest().hex()) == (name, name)
    asked = [record for operation in office.acting.operations() for record in operation["request"]["records"]]
    assert {record["statement"] for record in asked} == {"0x" + name for name in statements}
    assert "事实" not in json.dumps(asked, ensure_ascii=False)

    waiting = office.import_list(path, "--yes")
    assert fates(waiting) == {2: "waiting", 3: "waiting", 4: "waiting", 5: "waiting", 6: "refused"}
    assert waiting["operations"] == sent["operations"]
    assert len(office.acting.operations()) == 3

    office.publish(sent)
    assert [record["earlier"] for record in held(office, FIRST)] == [0, 1]
    done = office.import_list(path, "--yes")
    assert fates(done) == {2: "unchanged", 3: "unchanged", 4: "unchanged", 5: "unchanged", 6: "refused"}
    assert (done["operations"], len(office.acting.operations())) == ([], 3)


def test_what_differs_is_shown_and_not_sent(office: Office) -> None:
    entry = office.entry(FIRST, DOCUMENTS[0])
    office.publish(office.import_list(office.list_of(entry), "--yes"))
    (record,) = held(office, FIRST)
    changed = entry | {"公示截止": entry["处罚日期"].replace("20", "21", 1), "措施": "101;103"}
    later = office.list_of(entry | {"措施": "101;103"}, office.entry(SECOND, DOCUMENTS[1]), changed)
    told = office.import_list(later, "--yes")
    assert fates(told) == {2: "changed", 3: "new", 4: "refused"}
    shown = told["plan"]["entries"][0]
    assert shown["record"] == record["record"]
    assert shown["notes"][1:] == ["measures: the list has 101, 103, the register 101"]
    assert [each["lines"] for each in told["operations"]] == [[3]]


def test_what_has_ended_is_not_published_again(office: Office, filing: Filing) -> None:
    entry = office.entry(FIRST, DOCUMENTS[0])
    office.publish(office.import_list(office.list_of(entry), "--yes"))
    acting = office.acting
    acting.done(acting.changing(str(held(office, FIRST)[0]["record"]), "withdrawal"))
    told = office.import_list(office.folder / "list.csv", "--yes")
    assert fates(told) == {2: "unchanged"}
    assert told["plan"]["entries"][0]["notes"] == ["is withdrawn, published by sichuan"]
    assert State.WITHDRAWN.title == "withdrawn"
    assert told["operations"] == []


def test_one_decision_is_one_record(office: Office) -> None:
    entry = office.entry(FIRST, DOCUMENTS[0])
    other = entry | {"措施": "103"}
    told = office.import_list(office.list_of(entry, entry, other, office.entry(SECOND, DOCUMENTS[0])), "--dry-run")
    assert fates(told) == {2: "new", 3: "refused", 4: "refused", 5: "new"}
    reasons = [entry["reasons"][0] for entry in told["plan"]["entries"][1:3]]
    assert [reason.split(",")[0] for reason in reasons] == ["says the same as line 2", "contradicts line 2"]


def test_every_form_of_a_list_gives_the_same_plan(office: Office) -> None:
    entries = [office.entry(FIRST, DOCUMENTS[0]), office.entry(SECOND, DOCUMENTS[1], "严重")]
    first = office.import_list(office.list_of(*entries), "--dry-run")["plan"]["entries"]
    book = openpyxl.Workbook()
    book.active.append(list(entries[0]))  # type: ignore[union-attr]
    for entry in entries:
        book.active.append(list(entry.values()))  # type: ignore[union-attr]
    book.save(office.folder / "list.xlsx")
    lines = "\n".join(["", *(json.dumps(entry, ensure_ascii=False) for entry in entries)])
    (office.folder / "list.jsonl").write_text(lines, encoding="utf-8")
    for name in ("list.xlsx", "list.jsonl"):
        assert office.import_list(office.folder / name, "--dry-run")["plan"]["entries"] == first


def test_nothing_is_sent_unless_somebody_agrees(office: Office) -> None:
    path = office.list_of(office.entry(FIRST, DOCUMENTS[0]))
    told = office.import_list(path, status=2)
    assert "agree with --yes" in told["stderr"]
    assert "1 new" in told["stderr"]
    assert (told["sent"], told["operations"], office.acting.operations()) == (False, [], [])
    assert list(office.folder.glob("list.csv.*")) == []


def test_a_person_sees_the_plan_and_what_to_sign(office: Office) -> None:
    path = office.list_of(office.entry(FIRST, DOCUMENTS[0]), office.entry(SECOND, "0", 决定书="\x1b[2J"))
    office.acting.follow()
    outcome = bidledger(*(each for each in office.arguments(path, "--yes") if each != "--json"))
    assert outcome.returncode == 0, outcome.stderr
    (operation,) = office.acting.operations()
    assert outcome.stdout == f"1 record, collecting: bidledger credit sign {operation['id']} --url {office.url}\n"
    assert f"{path}, read as UTF-8: 1 new, 0 waiting, 0 unchanged, 0 changed, 1 refused" in outcome.stderr
    assert f"CN-USCC:{FIRST}" in outcome.stderr
    assert "line 3 refused: 决定书: is no SHA-256" in outcome.stderr
    assert "\x1b[2J" not in outcome.stderr


def test_a_record_that_the_api_refuses_leaves_the_others(office: Office) -> None:
    acting = office.acting
    mask = acting.founded.ask(acting.rpc, REGISTRY, "parameter", b"measures:general")[0]
    acting.founded.vote(acting.rpc, REGISTRY, "setParameter", b"measures:general", mask & ~(1 << 103))
    numbers = range(5)
    entries = [office.entry(company(n), DOCUMENTS[n], **({"措施": "101;103"} if n in (1, 3) else {})) for n in numbers]
    told = office.import_list(office.list_of(*entries), "--yes", status=2)
    assert [(entry["line"], "103" in entry["reason"]) for entry in told["refused"]] == [(3, True), (5, True)]
    assert [operation["lines"] for operation in told["operations"]] == [[2, 4, 6]]
    again = office.import_list(office.folder / "list.csv", "--yes", status=2)
    assert fates(again) == {2: "waiting", 3: "new", 4: "waiting", 5: "new", 6: "waiting"}
    assert len(acting.operations()) == 1


def test_an_operation_that_came_to_nothing_is_drawn_up_anew(office: Office) -> None:
    path = office.list_of(office.entry(FIRST, DOCUMENTS[0]))
    (first,) = office.import_list(path, "--yes")["operations"]
    office.acting.clock.set(first["deadline"] + 1)
    (second,) = office.import_list(path, "--yes")["operations"]
    assert second["id"] != first["id"]
    assert [each["state"] for each in office.acting.operations()] == ["expired", "collecting"]


def lines_of(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def kill_at(office: Office, path: Path, lines: int) -> bool:
    """Start an import and kill it as soon as its journal has so many lines; whether it was alive then."""
    command = [sys.executable, "-m", "ledger_service.cli", *office.arguments(path, "--yes")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while process.poll() is None and lines_of(journal_path(path)) < lines:
        assert time.monotonic() < deadline
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def test_a_run_that_is_killed_is_finished_and_sends_nothing_twice(office: Office) -> None:
    count = 320
    path = office.list_of(*(office.entry(company(n), DOCUMENTS[n]) for n in range(count)))
    office.acting.follow()
    killed = [kill_at(office, path, lines) for lines in (1, 2, 3, 6, 7, 12)]
    assert sum(killed) >= 4
    told = office.import_list(path, "--yes")
    asked = [record for operation in office.acting.operations() for record in operation["request"]["records"]]
    assert sorted(record["subject"] for record in asked) == sorted(f"CN-USCC:{company(n)}" for n in range(count))
    assert sorted(line for operation in told["operations"] for line in operation["lines"]) == list(range(2, count + 2))
    assert len(list((office.folder / "list.csv.statements").glob("*.json"))) == count


def test_a_batch_that_was_written_and_not_answered_is_sent_under_its_key(office: Office) -> None:
    path = office.list_of(*(office.entry(company(n), DOCUMENTS[n]) for n in range(3)))
    office.import_list(path, "--yes")
    journal = journal_path(path)
    header, batch, _answer = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(header + batch + b'{"key": "torn')
    told = office.import_list(path, "--dry-run")
    assert fates(told) == {2: "waiting", 3: "waiting", 4: "waiting"}
    told = office.import_list(path, "--yes")
    assert len(office.acting.operations()) == 1
    assert [operation["lines"] for operation in told["operations"]] == [[2, 3, 4]]
    journal.unlink()
    office.import_list(path, "--yes")
    assert len(office.acting.operations()) == 1


def test_an_interrupted_run_is_finished_before_another_version_is_sent(office: Office) -> None:
    path = office.list_of(office.entry(FIRST, DOCUMENTS[0]))
    office.import_list(path, "--yes")
    journal = journal_path(path)
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:2]))
    office.list_of(office.entry(FIRST, DOCUMENTS[0]), office.entry(SECOND, DOCUMENTS[1]))
    told = office.import_list(path, "--yes", status=2)
    assert "another version of this list was interrupted" in told["stderr"]
    assert len(office.acting.operations()) == 1


def test_a_journal_is_of_one_register_and_one_process(office: Office) -> None:
    path = office.list_of(office.entry(FIRST, DOCUMENTS[0]))
    office.import_list(path, "--yes")
    with journal_path(path).open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert "another import of this list is running" in office.import_list(path, "--yes", status=2)["stderr"]
    journal_path(path).write_bytes(journal_path(path).read_bytes().replace(b"http://", b"http://other.", 1))
    assert "is of an import to http://other." in office.import_list(path, "--yes", status=2)["stderr"]
    journal_path(path).write_bytes(b"{}\n[1]\n")
    assert "is no journal" in office.import_list(path, "--yes", status=2)["stderr"]


def test_a_key_without_the_scope_and_a_wrong_list_end_with_their_codes(office: Office) -> None:
    path = office.list_of(office.entry(FIRST, DOCUMENTS[0]))
    office.acting.follow()
    wrong = office.folder / "wrong-key"
    wrong.write_text("submit-key")
    told = office.import_list(path, "--yes", "--api-key-file", str(wrong), status=6)
    assert "scope" in told["stderr"]
    assert office.acting.operations() == []
    (sent,) = office.import_list(path, "--yes")["operations"]
    assert sent["lines"] == [2]
    told = office.import_list(office.folder / "none.csv", "--yes", status=3)
    assert "none.csv" in told["stderr"]


def test_a_journal_without_its_file_is_empty(tmp_path: Path) -> None:
    assert Journal.read(tmp_path / "none", "http://127.0.0.1").batches == {}
    with Journal.begin(tmp_path / "made", "http://127.0.0.1"):
        pass
    assert not (tmp_path / "made").exists()
