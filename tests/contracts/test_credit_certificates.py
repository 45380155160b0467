"""Certificates over the compiled contracts: what our own code signs is taken, and its fold is the word in the state."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import pytest
from credit_acts import CHAIN_ID, COMPANY, ISSUER, PAPER, Acting, acting_alliance, artifact
from credit_alliance import SEATS
from founded_alliance import deploy
from web3 import Web3

from anchors.chain.header import DEVELOPMENT, header_of_block
from anchors.chain.keccak import keccak256
from anchors.credit import NO_RECORD, Choice, Event, Issued, Kind, Named, State, choice_digest, fold, opted_out
from anchors.credit.certificate import CertificateVerdict, SubjectRecords, named_slot, verify_certificate, word_slot
from anchors.credit.certificate_file import SubjectPart, write_certificate
from anchors.network import FORMAT, Contract, Governor, Member, Network, sign_network, write_network
from anchors.subjects import Subject

CLEAN = Subject.parse("CN-USCC:91110000600037341L")
BAN, ANNOUNCED, LOWER_BOND = 201, 101, 1


@pytest.fixture(scope="module")
def acting() -> Iterator[Acting]:
    with acting_alliance() as acting:
        yield acting


def test_a_company_s_whole_story_is_proven_at_every_block_of_it(acting: Acting) -> None:
    serious = acting.record(Kind.SERIOUS, 24, ANNOUNCED, BAN)
    milder = dataclasses.replace(
        serious, kind=Kind.GENERAL, last_day=serious.decided_on + timedelta(300), measures=(ANNOUNCED,)
    )
    story = [
        (lambda: None, []),
        (lambda: acting.publish(serious), ["published"]),
        (lambda: acting.publish(acting.record(Kind.HONOUR, 12, LOWER_BOND)), ["published", "published"]),
        (lambda: acting.apply(serious, State.OBJECTED), ["objected", "published"]),
        (lambda: acting.apply(serious, State.CORRECTED, content=milder), ["corrected", "published"]),
        (lambda: acting.apply(serious, State.REPAIRED), ["repaired", "published"]),
    ]
    for act, states in story:
        before = certify(acting) if acting.events else None
        told = list(acting.events)
        act()
        assert bytes(acting.alliance.register.functions.subjectWord(COMPANY.key).call()) == fold(acting.events)
        verdict = judge(acting, certify(acting))
        assert verdict.proven, verdict.steps[-1]
        assert [each.standing.title for each in verdict.subjects[0].records] == states
        assert before is None or judge(acting, before).proven, "what was true then stays proven, and older"
        if acting.events:
            stale = judge(acting, certify(acting, {COMPANY: told}))
            assert (stale.steps[-1].step, stale.proven) == ("word", False)


def test_a_clean_company_s_word_is_empty_beside_the_records_of_others(acting: Acting) -> None:
    verdict = judge(acting, certify(acting, told={CLEAN: []}))
    assert verdict.subjects == (SubjectRecords(CLEAN, ()),)
    assert fold([]) == NO_RECORD


def test_one_file_is_of_a_company_with_records_and_of_a_clean_one(acting: Acting) -> None:
    verdict = judge(acting, certify(acting, told={CLEAN: [], COMPANY: acting.events}))
    assert verdict.proven, verdict.steps[-1]
    assert [(each.subject, len(each.records)) for each in verdict.subjects] == [(CLEAN, 0), (COMPANY, 2)]
    swapped = judge(acting, certify(acting, told={CLEAN: acting.events[:1], COMPANY: []}))
    assert (swapped.steps[-1].step, swapped.proven) == ("word", False)


def test_a_choice_that_our_own_code_signs_is_taken_and_counts_from_its_block(acting: Acting) -> None:
    alliance = acting.alliance
    matrix = deploy(alliance.web3, artifact("RecognitionMatrix"), alliance.registry.address)
    address, record, of = bytes.fromhex(matrix.address[2:]), PAPER, Issued(1, Kind.SERIOUS)
    choices: list[Choice] = []
    for choice in (Choice(ISSUER, of, False, PAPER, 0), Choice(ISSUER, Named(record), False, PAPER, 0)):
        deadline = alliance.now + 600
        pair = acting.pair(choice_digest(address, CHAIN_ID, choice, 0, deadline))
        rest = (False, PAPER, 0, deadline, pair)
        call = (
            matrix.functions.recogniseKind(ISSUER, of.issuer, of.kind, *rest)
            if choice.about is of
            else matrix.functions.recogniseRecord(ISSUER, record, *rest)
        )
        choices.append(dataclasses.replace(choice, time=acting.send(call)))
        assert opted_out(choices, ISSUER, of, record, choices[0].time) == choices[0]
    assert matrix.functions.applies(ISSUER, of.issuer, of.kind, record).call() is False
    assert matrix.functions.applies(3, of.issuer, of.kind, record).call() is True
    assert opted_out(choices, 3, of, record, alliance.now) is None


# ---- how a certificate is made ----


def certify(acting: Acting, told: Mapping[Subject, Sequence[Event]] | None = None) -> bytes:
    """The certificate at the newest block, of all that happened to the company unless told otherwise."""
    header = header_of_block(acting.rpc("eth_getBlockByNumber", "latest", False), DEVELOPMENT)
    told = {COMPANY: acting.events} if told is None else told
    words = proof(acting, acting.register, [word_slot(subject.key) for subject in told], header.number)
    named = proof(acting, acting.registry, [named_slot()], header.number)
    parts = [SubjectPart(subject, (tuple(events),)) for subject, events in told.items()]
    return write_certificate(parts, [acting.register], words + named, header.raw, None)


def judge(acting: Acting, certificate: bytes) -> CertificateVerdict:
    return verify_certificate(certificate, network_file(acting), acting.alliance.now + 60)


def proof(acting: Acting, contract: bytes, slots: Sequence[bytes], block: int) -> list[bytes]:
    answer = acting.rpc("eth_getProof", "0x" + contract.hex(), ["0x" + slot.hex() for slot in slots], hex(block))
    proofs = [answer["accountProof"], *(each["proof"] for each in answer["storageProof"])]
    return [bytes.fromhex(node[2:]) for nodes in proofs for node in nodes]


def network_file(acting: Acting) -> bytes:
    """The network file of the alliance, signed by all its governors."""
    contracts = (("AllianceRegistry", acting.registry), ("CreditRegister", acting.register))
    numbers = range(1, SEATS + 1)
    network = Network(
        format=FORMAT,
        alliance="联盟",
        domain="west.example",
        version=1,
        chain_id=CHAIN_ID,
        genesis_hash=bytes(32),
        consensus=DEVELOPMENT,
        validators=(),
        contracts=tuple(Contract(name, each, code_hash(acting, each), 0, None) for name, each in contracts),
        members=tuple(Member(number, f"centre-{number}", "中心", (), ()) for number in numbers),
        governors=tuple(
            Governor(number, bytes.fromhex(acting.alliance.governor(number).address[2:]), 0, None) for number in numbers
        ),
        threshold=3,
        signatures=(),
    )
    keys = [acting.alliance.governor(number) for number in numbers]
    return write_network(sign_network(network, {bytes.fromhex(each.address[2:]): bytes(each.key) for each in keys}))


def code_hash(acting: Acting, contract: bytes) -> bytes:
    return keccak256(bytes(acting.alliance.web3.eth.get_code(Web3.to_checksum_address(contract))))
