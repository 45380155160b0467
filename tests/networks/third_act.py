"""What the demonstration's third act must have told, whatever chain it ran on."""

import json
from pathlib import Path
from typing import Any

import httpx
from command_line import bidledger

from anchors.tenders.audit import audit
from anchors.tenders.audit.verdict import STEPS

DAY = 86_400
LIFE = ["published", "closed", "opened", "evaluated", "candidates", "objected", "ruled", "awarded"]


def check_third_act(report: dict[str, Any], *, sealed: bool) -> None:
    """Hold the act's part of the demonstration's document, and the files that it names, against the story."""
    act = report["tenders"]
    assert act["ok"] is True
    whole, short = act["tenders"]
    assert (whole["state"], whole["events"]) == ("awarded", LIFE)
    assert set(whole["members"]) == {"sichuan", "guizhou", "chongqing"}
    assert (short["state"], short["events"]) == ("opened", ["published", "closed", "opened", "claimed"])
    (claim,) = short["claims"]
    assert (claim["commitment"], claim["answer"], claim["upheld"]) == (act["bids"]["dropped"], None, True)
    _check_the_audits(report, sealed=sealed)
    _check_the_days(act)
    assert act["draw"]["verdict"] == "drawn"
    assert act["draw"]["seats"] == {"sichuan": 3, "guizhou": 2}
    assert act["refuted"] == {"changed": "dropped bid listed", "step": "events"}


def _check_the_audits(report: dict[str, Any], *, sealed: bool) -> None:
    """Anew, by the library: what the demonstration's document says of them is not taken on trust."""
    act = report["tenders"]
    network = Path(report["network"]).read_bytes()
    whole, short = (audit(Path(one["file"]).read_bytes(), network) for one in act["audits"])
    for verdict, one in zip((whole, short), act["audits"], strict=True):
        assert [step.step for step in verdict.steps if step.ok] == list(STEPS)
        assert verdict.sealed is one["sealed"] is sealed
    outcomes = {rule.rule: rule.outcome for rule in whole.rules}
    assert {name for name, outcome in outcomes.items() if outcome != "kept"} <= {"leaves"}
    # The bid that the other tender dropped is in the log, and nothing says what it is.
    assert {leaf.leaf for leaf in whole.unaccounted} <= {bytes.fromhex(act["bids"]["dropped"][2:])}
    assert [rule.rule for rule in short.rules if rule.outcome == "broken"] == ["dropped-bids"]
    forged = Path(act["audits"][1]["file"]).with_name("forged.audit.json")
    assert [step.step for step in audit(forged.read_bytes(), network).steps if not step.ok] == ["events"]


def _check_the_days(act: dict[str, Any]) -> None:
    """Twenty days for bids, more than three for candidates: none is skipped but by the chain's clock."""
    bidding, published = act["forward_seconds"]
    assert bidding > 20 * DAY
    assert 3 * DAY - 3600 < published <= 4 * DAY


def check_bids(report: dict[str, Any]) -> None:
    """What was opened is what came in and was not taken back, by the API's list and by proofs of single bids."""
    act, url = report["tenders"], report["url"]
    whole, short = (one["tender"] for one in act["tenders"])
    bids = act["bids"]
    events = httpx.get(f"{url}/v1/tenders/{whole}").json()["events"]
    (opened,) = (event["data"]["bids"] for event in events if event["kind"] == "opened")
    assert [bid["commitment"] for bid in opened] == bids["opened"]
    assert len({*bids["opened"], bids["replaced"], bids["withdrawn"]}) == 6
    for tender, commitment, expected in (
        (whole, bids["replaced"], 1),
        (short, bids["listed"], 0),
        (short, bids["dropped"], 1),
    ):
        assert bidledger("tender", "opened", tender, commitment, "--url", url).returncode == expected
    receipt = json.loads(Path(bids["receipt"]).read_bytes())
    assert (receipt["tender"], receipt["commitment"]) == (short, bids["dropped"])
