"""The third act: a tender across provinces from a joint notice to the award, and one of which a bid is dropped.

Of five bids one is replaced and one withdrawn. Two sites draw a panel, which stays sealed until the award; an objection
is made and dismissed. In a second tender the host leaves a bid out, and the bidder's claim stands. What the register
makes everyone wait days for is waited for by the chain's clock (adr/0022). `audits` recomputes both tenders offline.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from anchors.tenders import least_until
from ledger_service.chain.devnet import Devnet
from ledger_service.cli.console import say
from ledger_service.demo import audits
from ledger_service.demo.bidders import Bid, Bidder, wait_until_anchored
from ledger_service.demo.members import Alliance, together
from ledger_service.demo.panel import Ceremony, Drawn
from ledger_service.demo.processes import bidledger
from ledger_service.demo.stage import DAY, Stage

HOST, PARTNER, THIRD = "sichuan", "guizhou", "chongqing"
JOINT: Final = (HOST, PARTNER, THIRD)
SITES: Final = (HOST, PARTNER)
BIDDERS: Final = ("甲", "乙", "丙", "丁", "戊")
REPLACING, WITHDRAWING, DROPPED = 3, 4, 1  # places among them; the last in the second tender
BIDDING_DAYS: Final = 20  # 招标投标法 24
ANSWER_DAYS: Final = 3
OFFICER, REGULATOR = (HOST, "tender-officer"), (HOST, "regulator")
HOUR: Final = 3600


def tell(node: Devnet, alliance: Alliance, where: Path) -> dict[str, Any]:
    """Play the act.

    Args:
        node: the chain, whose clock is put forward.
        alliance: HOST and PARTNER are served.
        where: where files go.

    Returns:
        What was told and proven, and `ok`: whether all of it is as it must be.
    """
    where.mkdir()
    stage = Stage(node, alliance, HOST, where)
    say(f"10. {', '.join(JOINT)} announce a tender together, and {HOST} another one alone")
    deadline = stage.now + BIDDING_DAYS * DAY + HOUR
    whole, short = together(lambda codes: _announce(stage, codes, deadline), (JOINT, (HOST,)))
    stage.settle()  # bids are taken once the notice is final
    ceremony = Ceremony(alliance, SITES, THIRD, whole, where / "draw")
    say(f"11. bids come in, and experts of {' and '.join(SITES)} are drawn")
    with ThreadPoolExecutor(max_workers=1) as thread:
        drawing = thread.submit(_draw, stage, ceremony)
        bids, dropped = _hand_in(stage, whole, short)
        drawn = drawing.result()
    stage.wait_until(deadline, "the deadline comes")
    say(f"12. the bids are opened; of the second tender {HOST} leaves one out, and its bidder claims at {PARTNER}")
    _open(stage, whole, short, dropped)
    claim = _claim(stage, dropped)
    say("13. both sites evaluate, candidates are published, an objection is made and dismissed")
    _evaluate(stage, whole, drawn)
    until = _name_candidates(stage, whole)
    stage.wait_until(max(until, claim["answer_by"] + 1), "the candidates' days are over, and those of the answer")
    say("14. the tender is awarded, which unseals the panel; the claim was not answered and stands")
    _award(stage, whole, drawn)
    told = [stage.told(tender) for tender in (whole, short)]
    say("15. both tenders are audited from one file each, in processes that may open no socket")
    shown, refuted = _audit(alliance, where / "audits", bids, dropped, whole)
    drawn_again = audits.replay(drawn, ceremony.open())
    return {
        "ok": _is_as_it_must_be(told, shown, refuted, drawn_again, drawn.panel["drawn"]),
        "forward_seconds": stage.forward,
        "tenders": [_summary(each) for each in told],
        "bids": bids,
        "draw": drawn_again,
        "audits": shown,
        "refuted": refuted,
    }


def _announce(stage: Stage, codes: tuple[str, ...], deadline: int) -> str:
    """The name of a tender of these members, once it is published."""
    name = "joint" if len(codes) > 1 else "alone"
    notice = stage.paper(f"{name}-notice", f"招标公告\n{', '.join(codes)}: a bridge between two provinces")
    body = {"members": list(codes), "digest": notice, "deadline": deadline, "answer_days": ANSWER_DAYS}
    done = stage.act("", {"notice": body}, [(code, "tender-officer") for code in codes])
    (tender,) = done["records"]
    say(f"   {tender} is published in block {done['block']} by {', '.join(codes)}")
    return str(tender)


def _draw(stage: Stage, ceremony: Ceremony) -> Drawn:
    drawn = ceremony.hold(stage.network.chain_id)
    said = " and ".join(f"{count} of {site}" for site, count in drawn.seats.items())
    say(f"   experts are drawn, {said}: who, is sealed; the draw {drawn.digest} is logged")
    return drawn


def _hand_in(stage: Stage, whole: str, short: str) -> tuple[dict[str, Any], Bid]:
    """Let all bids come in and be anchored: who did what, and the bid that the host will drop."""
    public = replace(stage.host, api_key_file=None)
    bidders = [Bidder.called(name, stage.where / "bidders") for name in BIDDERS]
    bids = [bidder.hand_in(public, whole, 1_000_000 + place) for place, bidder in enumerate(bidders)]
    better = bidders[REPLACING].hand_in(public, whole, 900_000)
    bidders[REPLACING].replace(public, stage.network, bids[REPLACING], better)
    bidders[WITHDRAWING].replace(public, stage.network, bids[WITHDRAWING], None)
    others = [bidder.hand_in(public, short, 500_000 + place) for place, bidder in enumerate(bidders[:4])]
    wait_until_anchored(public, [*bids, better, *others])
    say(f"   five of one tender, of which {BIDDERS[REPLACING]} replaces its own and {BIDDERS[WITHDRAWING]} withdraws")
    say("   four of the other; each has its receipt, and all are anchored before the deadline")
    opened = [bids[place].commitment for place in range(len(bids)) if place not in (REPLACING, WITHDRAWING)]
    dropped = others[DROPPED]
    told = {
        "opened": sorted([*opened, better.commitment]),
        "replaced": bids[REPLACING].commitment,
        "withdrawn": bids[WITHDRAWING].commitment,
        "listed": others[0].commitment,
        "dropped": dropped.commitment,
        "receipt": str(dropped.receipt),
    }
    return told, dropped


def _open(stage: Stage, whole: str, short: str, dropped: Bid) -> None:
    """Close and open both; of the second one bid is left out."""
    together(lambda tender: stage.act(f"/{tender}/closing", {}, []), (whole, short))
    received = stage.host.ask("GET", f"/v1/tenders/{short}/bids")["bids"]
    listed = [
        {"commitment": bid["commitment"], "index": bid["index"]}
        for bid in received
        if bid["commitment"] != dropped.commitment
    ]
    bodies = {whole: {}, short: {"bids": listed}}

    def open_one(tender: str) -> None:
        record = stage.paper(f"{tender[2:10]}-opening", "开标记录")
        stage.act(f"/{tender}/opening", {"record": record, **bodies[tender]}, [OFFICER])

    together(open_one, bodies)
    for tender in bodies:
        say(f"   {stage.told(tender)['opened']['count']} bids of {tender} are opened")


def _claim(stage: Stage, dropped: Bid) -> dict[str, Any]:
    """Let the bidder claim, with its receipt alone, at another member's service: the claim as it is told."""
    other = stage.alliance.members[PARTNER]
    operation = json.loads(bidledger("tender", "claim", dropped.receipt, "--url", other.url, "--json", quiet=True))
    stage.follow(other, operation)
    (claim,) = stage.told(dropped.tender)["claims"]
    say(f"   claim {claim['commitment']}: {HOST} signed that it had come, and did not open it")
    return dict(claim)


def _evaluate(stage: Stage, tender: str, drawn: Drawn) -> None:
    """Have the evaluation signed by an officer of each site, the panel sealed in it."""
    body = {
        "report": stage.paper("report", f"评标报告\nThe panel is that of the draw {drawn.digest}."),
        "sites": list(SITES),
        "panel": drawn.seal,
        "result": stage.paper("result", f"1. {BIDDERS[REPLACING]}\n2. {BIDDERS[0]}"),
    }
    stage.act(f"/{tender}/evaluation", body, [(site, "tender-officer") for site in SITES])


def _name_candidates(stage: Stage, tender: str) -> int:
    """Publish the candidates, and have an objection to them made at another member and dismissed; until when they are
    published."""
    until = least_until(stage.now + HOUR)
    named = stage.paper("candidates", f"中标候选人公示\n1. {BIDDERS[REPLACING]}\n2. {BIDDERS[0]}")
    stage.act(f"/{tender}/candidates", {"list": named, "until": until}, [OFFICER])
    grounds = stage.paper("objection", f"异议 {BIDDERS[0]}: the price of {BIDDERS[REPLACING]} is below its cost.")
    stage.act(f"/{tender}/objections", {"grounds": grounds}, [(PARTNER, "tender-officer")], at=PARTNER)
    ruling = stage.paper("ruling", "The panel had its explanation before it (评标报告, 3), and found it sufficient.")
    body = {"grounds": grounds, "upheld": False, "ruling": ruling}
    stage.act(f"/{tender}/rulings", body, [OFFICER, REGULATOR])
    return until


def _award(stage: Stage, tender: str, drawn: Drawn) -> None:
    body = {"award": stage.paper("award", f"中标通知书 {BIDDERS[REPLACING]}"), "panel": drawn.panel}
    done = stage.act(f"/{tender}/award", body, [OFFICER, REGULATOR])
    stage.settle()
    say(f"   awarded in block {done['block']}")


def _audit(
    alliance: Alliance, where: Path, bids: dict[str, Any], dropped: Bid, whole: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The audits of both tenders, the second by whoever holds the dropped bid's receipt; and of a forged file."""
    where.mkdir()
    first = audits.audit(alliance, HOST, whole, where / "joint.audit.json")
    file = where / "alone.audit.json"
    second = audits.audit(alliance, PARTNER, dropped.tender, file, "--receipt", dropped.receipt)
    return [first, second], audits.refute(alliance, file, dropped, bids["listed"], where / "forged.audit.json")


def _is_as_it_must_be(
    told: list[dict[str, Any]],
    shown: list[dict[str, Any]],
    refuted: dict[str, Any],
    drawn: dict[str, Any],
    unsealed: list[str],
) -> bool:
    whole, short = shown
    (claim,) = told[1]["claims"]
    return (
        [each["state"] for each in told] == ["awarded", "opened"]
        and claim["upheld"]
        and whole["verdict"] != "refuted"
        and not whole["broken"]
        and short["broken"] == ["dropped-bids"]
        and refuted["step"] == "events"
        and drawn["verdict"] == "drawn"
        and drawn["words"] == unsealed
    )


def _summary(told: dict[str, Any]) -> dict[str, Any]:
    names = ("tender", "state", "host", "members", "deadline", "claims")
    return {**{name: told[name] for name in names}, "events": [event["kind"] for event in told["events"]]}
