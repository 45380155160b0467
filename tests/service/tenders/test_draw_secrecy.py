"""What is told of a draw to whom: no value, list or seat before the award; then a seat to all, all to the host."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from drawing import SITES, Drawing
from founding import Founded
from holding import PAPER, Holding
from tendering import BIDDERS

from anchors.network import write_network
from anchors.tenders import Evaluators
from anchors.tenders.audit import AuditFile, audit
from anchors.tenders.draw import DrawState, Panel, Seat, SeatProof, prove_seat, replay
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.tenders.draws.reading import DrawReads, StillSealed
from ledger_service.tenders.ground import TenderGround

ELSEWHERE = ("outsider", "bidder", None)  # who may submit, or has no key


@pytest.fixture
def drawing(holding: Holding) -> Drawing:
    return Drawing(holding, holding.announced())


def answers(drawing: Drawing, key: str | None) -> str:
    """All that the API answers about the tender to whoever has this key."""
    drawing.holding.follow()
    client = drawing.holding.room.client
    headers = {} if key is None else {"authorization": f"Bearer secret-{key}"}
    described = client.get("/v1/openapi.json").json()["paths"]
    paths = [path for path, methods in described.items() if "get" in methods and "{tender}" in path]
    assert sum("/draws" in path for path in paths) == 7
    values = {"{tender}": drawing.tender[-66:], "{number}": "1", "{seat}": "1", "{commitment}": PAPER}
    filled = [re.sub(r"{\w+}", lambda name: values[name[0]], path) for path in paths]
    return "\n".join(client.get(path, headers=headers).text for path in filled)


def found(secrets: Sequence[str], text: str) -> set[str]:
    return {secret for secret in secrets if secret in text}


def panel_of(drawing: Drawing) -> Panel:
    seats = drawing.get("/seats", "operator").json()["seats"]
    return Panel(drawing.file().terms.digest(), tuple(Seat.from_json(one, "") for one in seats))


def of_panel(panel: Panel) -> list[str]:
    return [each.hex() for each in (*panel.words, *(seat.salt for seat in panel.seats))]


def awarded(drawing: Drawing, evaluators: Evaluators) -> None:
    """Live the tender's life, to the award that unseals this panel."""
    holding, tender = drawing.holding, drawing.tender
    holding.room.handed_in(bytes.fromhex(tender[-64:]), *BIDDERS[:3])
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    holding.done(f"{tender}/opening", {"record": PAPER})
    holding.done(f"{tender}/evaluation", holding.evaluation(panel="0x" + evaluators.sealed().hex()))
    holding.done(f"{tender}/candidates", holding.candidates())
    holding.wait_until(holding.told(tender)["candidates"]["until"])
    drawn, signers = (["0x" + one.hex() for one in words] for words in (evaluators.drawn, evaluators.signers))
    holding.done(f"{tender}/award", holding.award(salt="0x" + evaluators.salt.hex(), drawn=drawn, signers=signers))


def test_nothing_is_told_before_the_award(drawing: Drawing) -> None:
    secrets: list[str] = []
    values: list[str] = []

    def see() -> None:
        for key in ELSEWHERE:
            assert found(secrets, answers(drawing, key)) == set()
        by_members = found(secrets, answers(drawing, "officer"))
        assert by_members == set(values)

    drawing.committed()
    secrets += drawing.secrets()
    see()
    drawing.done([drawing.send(drawing.reveal("sichuan"))])
    values.append(drawing.values["sichuan"].hex())
    see()
    share: Any = drawing.share("guizhou", "yunnan")
    drawing.done([drawing.send(share)])
    values.append(share.share.hex())
    secrets.append(share.share.hex())
    see()
    drawing.done(drawing.send(drawing.reveal(site)) for site in ("chongqing", "guizhou"))
    values += [drawing.values[site].hex() for site in ("chongqing", "guizhou")]
    drawing.done([drawing.conclude()])
    secrets += of_panel(panel_of(drawing))
    see()
    lists = [each.key.hex() for each in drawing.lists.values()]
    assert found(lists, answers(drawing, "operator")) == set()  # nor the host's own operator
    for path in ("/seats/1", "/opened"):
        answer = drawing.get(path, "operator")
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:bidledger:problem:still-sealed")


def test_the_award_opens_it(drawing: Drawing, ground: TenderGround, founded: Founded, rpc: Rpc) -> None:
    drawing.held()
    told, panel = drawing.told(), panel_of(drawing)
    digest = bytes.fromhex(told["digest"][2:])
    evaluators = panel.evaluators(digest, (1, 2, 4))
    assert evaluators.drawn == panel.words
    assert evaluators.signers == tuple(sorted(panel.seats[n - 1].word(panel.terms) for n in (1, 2, 4)))
    awarded(drawing, evaluators)

    # One seat to everybody, with its proof.
    proof = SeatProof.from_json(drawing.get("/seats/3").json())
    assert prove_seat(proof, bytes.fromhex(told["result"]["panel"][2:])) == panel.seats[2]
    beyond = drawing.get("/seats/6")
    assert (beyond.status_code, beyond.json()["type"]) == (404, "urn:bidledger:problem:not-found")

    # All to the host's operator, and to nobody else.
    opened = drawing.get("/opened", "operator")
    verdict = replay(opened.content)
    assert (verdict.state, verdict.digest, verdict.panel) == (DrawState.DRAWN, digest, panel)
    assert drawing.get("/opened", "officer").status_code == 403
    lists = [each.key.hex() for each in drawing.lists.values()]
    for key in (*ELSEWHERE, "officer"):
        assert found(lists, answers(drawing, key)) == set()

    # The audit shows the draw, sealed, and the rule by it.
    file = drawing.holding.room.client.get(f"{drawing.tender}/audit").content
    assert AuditFile(file).draws() == (drawing.get("/file").content,)
    judged = audit(file, write_network(founded.network))
    (rule,) = [rule for rule in judged.rules if rule.rule == "draw"]
    assert (rule.outcome, told["digest"] in rule.detail) == ("kept", True)
    assert found(lists, json.dumps(judged.as_json())) == set()


def test_the_award_must_be_final(drawing: Drawing, ground: TenderGround, founded: Founded, rpc: Rpc) -> None:
    drawing.held()
    panel = panel_of(drawing)
    awarded(drawing, panel.evaluators(bytes(32), (1,)))
    name, reads = bytes.fromhex(drawing.tender[-64:]), DrawReads(ground, Finality.pinned(founded.network, 3))
    with pytest.raises(StillSealed):
        reads.seat(name, 1, 1)
    with pytest.raises(StillSealed):
        reads.opened(name, 1)
    for _ in range(3):
        rpc.call("evm_mine")
    drawing.holding.follow()
    assert reads.seat(name, 1, 1).seat == panel.seats[0]
    assert replay(reads.opened(name, 1)).panel == panel


def test_an_audit_shows_void_rounds_before_the_one_that_drew(drawing: Drawing, founded: Founded) -> None:
    drawing.revealed("chongqing", "sichuan")
    drawing.done([drawing.conclude(void=True)])
    audited = drawing.holding.room.client.get(f"{drawing.tender}/audit").content
    assert AuditFile(audited).draws() == ()  # it tells values
    digest = bytes.fromhex(drawing.told()["digest"][2:])
    drawing.number, following = 2, drawing.plain.next_round(digest, ["guizhou"])
    drawing.values.clear()
    drawing.committed(following)
    drawing.done(drawing.send(drawing.reveal(site)) for site in SITES[:2])
    drawing.done([drawing.conclude()])
    panel = panel_of(drawing)
    awarded(drawing, panel.evaluators(drawing.file().digest(), (1, 2)))
    file = drawing.holding.room.client.get(f"{drawing.tender}/audit").content
    void, sealed = AuditFile(file).draws()
    assert replay(void).void == ("guizhou",)
    assert replay(sealed, [void]).state is DrawState.SEALED
    outcomes = {rule.rule: rule.outcome for rule in audit(file, write_network(founded.network)).rules}
    assert outcomes["draw"] == "kept"
