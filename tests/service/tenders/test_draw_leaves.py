"""A draw that was logged while bids came in is a leaf that an audit accounts for: it is no bid that was kept back."""

from collections.abc import Callable

from conftest import Clock
from drawing import Drawing
from founding import Founded
from holding import PAPER, Holding
from hosting import Hosted
from tendering import BIDDERS

from anchors.commitment import Kind
from anchors.network import write_network
from anchors.tenders.audit import AuditFile, audit
from ledger_service.chain.rpc import Rpc
from ledger_service.tenders.ground import TenderGround


def test_the_evidence_of_a_draw_is_accounted_for(
    hosted: Hosted, ground: TenderGround, founded: Founded, rpc: Rpc, clock: Clock, follow: Callable[[], None]
) -> None:
    with hosted() as host:
        holding = Holding(host.room, founded, rpc, ground, clock, follow)
        host.anchor()
        tender = holding.announced()
        drawing = Drawing(holding, tender).held()
        evidence = drawing.told()["evidence"]
        receipts = host.room.handed_in(bytes.fromhex(tender[-64:]), *BIDDERS[:3])
        host.pass_periods(max(evidence["receipt"]["index"], *(one.index for one in receipts)))
        host.anchor()
        holding.wait_until(holding.told(tender)["opening"])
        holding.done(f"{tender}/closing", {})
        holding.done(f"{tender}/opening", {"record": PAPER})
        host.catch_up()
        for _ in range(2):
            host.turn()
            host.turn()
            host.anchor()
            host.pass_block()
        file = host.room.client.get(f"{tender}/audit").content
    verdict = audit(file, write_network(founded.network))
    assert [step for step in verdict.steps if not step.ok] == []
    (statement,) = AuditFile(file).statements()
    assert (statement.kind, statement.to_json()) == (Kind.EXPERT_DRAW, evidence["statement"])
    (leaves,) = [rule for rule in verdict.rules if rule.rule == "leaves"]
    assert verdict.unaccounted == ()
    assert leaves.outcome == "kept", leaves.detail
    assert "no bids by what opens them: expert-draw" in leaves.detail
