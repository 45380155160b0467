"""Certificates that the service makes from a real chain, and that the offline verifier proves."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from filing import COMPANIES, Filing
from founding import Founded, later
from liar import Refusal, lying
from serving import application, serving
from sqlalchemy import delete
from sqlmodel import Session

from anchors.credit import Kind, State
from anchors.credit.certificate import CertificateVerdict, verify_certificate
from anchors.network import write_network
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.credit.certificates import Certificates, routes
from ledger_service.credit.ground import CreditGround
from ledger_service.errors import IndexBehind, NodeDishonest, Unavailable
from ledger_service.index.tables import CreditEvent

DAY = 24 * 3600


@pytest.fixture
def certificates(ground: CreditGround, rpc: Rpc) -> Certificates:
    return Certificates(ground, rpc, Finality.pinned(ground.network, 0))


def verified(founded: Founded, certificate: bytes) -> CertificateVerdict:
    return verify_certificate(certificate, write_network(founded.network), 2_000_000_000)


def test_a_certificate_tells_a_record_its_end_and_that_others_have_none(
    filing: Filing, certificates: Certificates, follow: Callable[[], None], founded: Founded, rpc: Rpc
) -> None:
    first, second, clean, _ = COMPANIES
    (name,) = filing.publish(filing.record(first, Kind.SERIOUS))
    filing.publish(filing.record(second, Kind.HONOUR))
    follow()
    before = certificates.final_block()
    verdict = verified(founded, certificates.gather([first, clean, second], before))
    assert verdict.proven, verdict.steps
    assert verdict.block_number == before
    assert [(str(one.subject), [shown.standing.title for shown in one.records]) for one in verdict.subjects] == [
        (str(first), ["published"]),
        (str(clean), []),
        (str(second), ["published"]),
    ]
    assert verdict.subjects[0].records[0].history.name == name
    later(rpc, 400 * DAY)
    filing.change(first.key, name, State.REPAIRED)
    follow()
    after = verified(founded, certificates.gather([first], certificates.final_block()))
    assert [shown.standing.title for shown in after.subjects[0].records] == ["repaired"]
    assert not after.subjects[0].records[0].standing.applies


def test_a_certificate_is_of_the_block_that_was_asked_for(
    filing: Filing, certificates: Certificates, follow: Callable[[], None], founded: Founded
) -> None:
    subject = COMPANIES[0]
    follow()
    before = certificates.final_block()
    filing.publish(filing.record(subject))
    follow()
    assert verified(founded, certificates.gather([subject], before)).subjects[0].records == ()
    assert len(verified(founded, certificates.gather([subject], before + 1)).subjects[0].records) == 1


def test_no_certificate_is_given_of_what_the_state_contradicts(
    filing: Filing, ground: CreditGround, founded: Founded, rpc: Rpc, follow: Callable[[], None]
) -> None:
    subject = COMPANIES[0]
    filing.publish(filing.record(subject))
    follow()
    with lying(rpc) as liar, Rpc(liar.url) as node:
        made = Certificates(ground, node, Finality.pinned(ground.network, 0))
        block = made.final_block()
        liar.tamper = shorten_account
        with pytest.raises(NodeDishonest, match="does not lead to the header's state root"):
            made.gather([subject], block)
        liar.tamper = forget_state
        with pytest.raises(Unavailable, match="keeps no state"):
            made.gather([subject], block)
    with Session(ground.engine) as session:
        session.exec(delete(CreditEvent))
        session.commit()
    with pytest.raises(NodeDishonest, match="the state counts 1 events and the index 0"):
        Certificates(ground, rpc, Finality.pinned(ground.network, 0)).gather([subject], block)


def shorten_account(method: str, _parameters: list[Any], result: Any) -> Any:
    return result | {"accountProof": result["accountProof"][:-1]} if method == "eth_getProof" else result


def forget_state(method: str, _parameters: list[Any], result: Any) -> Any:
    return Refusal("missing trie node") if method == "eth_getProof" else result


def test_the_route_answers_with_the_file_and_refuses_whom_it_cannot_be_about(
    filing: Filing, certificates: Certificates, follow: Callable[[], None], founded: Founded
) -> None:
    subject = COMPANIES[0]
    with serving(application(routes(certificates))) as client:
        behind = client.get(f"/v1/subjects/{subject}/certificate")
        assert (behind.status_code, behind.json()["type"]) == (503, "urn:bidledger:problem:index-behind")
        follow()
        answer = client.get(f"/v1/subjects/{subject}/certificate")
        assert answer.status_code == 200
        assert verified(founded, answer.content).proven
        again = client.get(f"/v1/subjects/{subject}/certificate", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        for wrong, problem in (
            ("CN-USCC:91110000600037341X", "bad-subject"),
            ("CN-SFZ:110101199001011234", "natural-person"),
        ):
            refused = client.get(f"/v1/subjects/{wrong}/certificate")
            assert (refused.status_code, refused.json()["type"]) == (422, f"urn:bidledger:problem:{problem}")


def test_without_a_final_block_there_is_no_certificate(certificates: Certificates) -> None:
    with pytest.raises(IndexBehind):
        certificates.final_block()


def test_an_altered_certificate_is_refuted_at_its_step(
    filing: Filing, certificates: Certificates, follow: Callable[[], None], founded: Founded
) -> None:
    subject, other = COMPANIES[:2]
    filing.publish(filing.record(subject))
    follow()
    content = json.loads(certificates.gather([subject], certificates.final_block()))
    content["subjects"][0]["subject"] = str(other)
    verdict = verified(founded, json.dumps(content).encode())
    assert (verdict.proven, verdict.steps[-1].step) == (False, "word")
