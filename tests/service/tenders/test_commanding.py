"""The commands of tenders against a real API: what they show, what they sign, and what they refuse to sign."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bidding import Room
from command_line import bidledger
from founding import Founded
from holding import DIGEST, PAPER, Holding
from tendering import BIDDERS

from anchors.network import write_network
from anchors.tenders import Bid
from ledger_service.errors import InvalidContent
from ledger_service.tenders.opened import prove_opened
from ledger_service.tenders.signable import NotAsTold, read_signable

Run = Callable[..., Any]


@pytest.fixture
def run(room: Room, tmp_path: Path, holding: Holding) -> Run:
    """Runs a command with a key; what it prints as JSON."""

    def ran(*arguments: object, key: str | None = "officer", status: int = 0) -> Any:
        holding.follow()
        options = ["--url", str(room.client.base_url).rstrip("/"), "--json"]
        if key is not None:
            (tmp_path / key).write_text(f"secret-{key}\n")
            options += ["--api-key-file", str(tmp_path / key)]
        outcome = bidledger("tender", *arguments, *options)
        assert outcome.returncode == status, outcome.stderr
        return json.loads(outcome.stdout) if outcome.stdout else None

    return ran


def file(tmp_path: Path, body: Any) -> Path:
    path = tmp_path / "body.json"
    path.write_text(json.dumps(body))
    return path


def test_a_tender_is_held_from_the_command_line(
    run: Run, holding: Holding, founded: Founded, room: Room, tmp_path: Path
) -> None:
    network = tmp_path / "network.json"
    network.write_bytes(write_network(founded.network))

    def signed(operation: dict[str, Any], *members: int) -> None:
        for member in members:
            keys = founded.members[member]
            options = ("--keystore", keys.keystores["tender-officer"], "--password-file", keys.password_file)
            run("sign", operation["id"], *options, "--network", network, "--yes", key=None)
        assert holding.settle(operation)["state"] == "final"
        assert run("operation", operation["id"], key=None)["state"] == "final"

    notice = run("publish", file(tmp_path, holding.notice()))
    signed(notice, 1, 2, 3)
    (tender,) = notice["records"]
    assert [one["tender"] for one in run("list", "--state", "published", key=None)] == [tender]
    holding.clock.set(holding.now)
    words = ["0x" + bidder.commitment.hex() for bidder in BIDDERS[:4]]
    run("bid", tender, *words, "--out", tmp_path / "receipts", key="bidder")
    holding.wait_until(holding.told(f"/v1/tenders/{tender}")["opening"])
    signed(run("act", tender, "closing"))
    kept = [json.loads((tmp_path / "receipts" / f"{word}.bid-receipt.json").read_text()) for word in words]
    bids = [{"commitment": one["commitment"], "index": one["index"]} for one in kept[:3]]
    signed(run("act", tender, "opening", file(tmp_path, {"record": PAPER, "bids": bids})), 1)
    assert run("opened", tender, words[0], key=None)["opened"] is True
    assert run("opened", tender, words[3], key=None, status=1)["opened"] is False
    signed(run("claim", tmp_path / "receipts" / f"{words[3]}.bid-receipt.json", key=None))
    told = run("show", tender, key=None)
    assert [event["kind"] for event in told["events"]] == ["published", "closed", "opened", "claimed"]


def test_what_is_not_as_told_is_not_signed(holding: Holding, room: Room, founded: Founded) -> None:
    tender = holding.announced()
    room.handed_in(bytes.fromhex(tender[-64:]), *BIDDERS[:3])
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    operation = holding.drawn_up(f"{tender}/opening", {"record": PAPER})
    assert read_signable(operation, founded.network).digest.hex() == operation["digest"][2:]

    def changed(*path: str, to: Any) -> dict[str, Any]:
        copy: dict[str, Any] = json.loads(json.dumps(operation))
        at = copy
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = to
        return copy

    for other in (
        changed("digest", to=DIGEST),
        changed("act", to="award"),
        changed("act", to="closing"),
        changed("typed_data", "domain", "verifyingContract", to="0x" + "ab" * 20),
        changed("typed_data", "domain", "chainId", to=1),
        changed("typed_data", "message", "act", "record", to=DIGEST),
        changed("typed_data", "message", "validUntil", to=2**70),
        changed("typed_data", to={}),
        changed("request", "bids", to=operation["request"]["bids"][:2]),
        changed("request", "refusals", to=[{"commitment": DIGEST, "reason": DIGEST}]),
        changed("request", to=None),
    ):
        with pytest.raises(NotAsTold):
            read_signable(other, founded.network)


def test_an_answer_that_proves_nothing_is_refused(holding: Holding, room: Room) -> None:
    tender = holding.announced()
    (receipt, *_) = room.handed_in(bytes.fromhex(tender[-64:]), *BIDDERS[:3])
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    holding.done(f"{tender}/opening", {"record": PAPER})
    word = "0x" + receipt.commitment.hex()
    told = holding.told(f"{tender}/bids/{word}/opened")
    assert prove_opened(told, tender[-66:], word) == Bid(receipt.commitment, receipt.index)
    page, opening = told["page"], told["opening"]
    for other in (
        told | {"manifest": DIGEST},
        told | {"page": page | {"entries": "0x"}},
        told | {"page": page | {"number": 7}},
        told | {"page": page | {"path": [DIGEST]}},
        told | {"page": None},
        told | {"opening": opening | {"root": DIGEST}},
        told | {"opening": opening | {"count": "3"}},
        {},
    ):
        with pytest.raises(InvalidContent):
            prove_opened(other, tender[-66:], word)
    with pytest.raises(InvalidContent):
        prove_opened(told, DIGEST, word)
