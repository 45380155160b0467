"""Certificates over the compiled contracts: what our own code signs is taken, and its fold is the word in the state."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib import resources
from typing import Any

import pytest
from credit_alliance import SEATS, SENDER, CreditAlliance, found_credit
from eth_account.signers.local import LocalAccount
from founded_alliance import deploy, word
from web3 import HTTPProvider, Web3

from anchors.chain.header import DEVELOPMENT, header_of_block
from anchors.chain.keccak import keccak256
from anchors.chain.signatures import sign_digest
from anchors.credit import (
    NO_PLEDGE,
    NO_RECORD,
    Catalogue,
    Change,
    Choice,
    Event,
    Issued,
    Kind,
    Link,
    Named,
    Publication,
    Record,
    State,
    changes_digest,
    check_change,
    check_publication,
    check_record,
    choice_digest,
    day_at,
    fold,
    histories,
    links,
    opted_out,
    publication_digest,
)
from anchors.credit.certificate import CertificateVerdict, named_slot, verify_certificate, word_slot
from anchors.credit.certificate_file import RegisterPart, RegistryPart, write_certificate
from anchors.network import FORMAT, Contract, Governor, Member, Network, sign_network, write_network
from anchors.subjects import Subject
from ledger_service.chain import devnet
from ledger_service.chain.contracts import COMPILED

ARTIFACTS = resources.files("ledger_service.chain") / "artifacts"
CATALOGUE = Catalogue.parse(resources.files("anchors.credit").joinpath("measures.json").read_bytes())
COMPANY = Subject.parse("CN-USCC:91510000201837253E")
CLEAN = Subject.parse("CN-USCC:91110000600037341L")
ISSUER = 2
BAN, ANNOUNCED, LOWER_BOND = 201, 101, 1
PAPER = bytes(31) + b"\x07"


@dataclass
class Acting:
    """An alliance that acts on one company's credit by what our own code folds and signs."""

    alliance: CreditAlliance
    events: list[Event] = field(default_factory=list)

    @property
    def register(self) -> bytes:
        return bytes.fromhex(self.alliance.register.address[2:])

    @property
    def today(self) -> date:
        return day_at(self.alliance.now)

    def record(self, kind: Kind, months: int, *measures: int) -> Record:
        """A record that was decided 100 days ago and ends about so many months later."""
        decided = self.today - timedelta(100)
        ends = decided + timedelta(30 * months + 20)
        return Record(COMPANY.key, ISSUER, kind, decided, ends, len(self.events), measures, PAPER, PAPER)

    def publish(self, record: Record) -> None:
        check_record(record, CATALOGUE, self.alliance.now)
        check_publication(record, self.events)
        deadline = self.alliance.now + 600
        digest = publication_digest(self.register, 1337, [record], deadline)
        others = [self.alliance.regulator(n) for n in range(1, SEATS + 1) if n != ISSUER]
        endorsements = [compact(each, digest) for each in others] if record.kind is Kind.SERIOUS else []
        call = self.alliance.register.functions.publish(
            [(record.subject, content(record))], [], deadline, self.pair(digest), endorsements
        )
        self.events.append(Publication(record, self.send(call)))

    def decide(self, record: Record, state: State, pledge: bytes = NO_PLEDGE) -> None:
        change, given, since, deadline, digest = self.change(record, state, pledge=pledge)
        call = self.alliance.register.functions.decide([given], since, deadline, self.pair(digest))
        self.events.append(dataclasses.replace(change, time=self.send(call)))

    def object_to(self, record: Record) -> None:
        change, given, since, deadline, digest = self.change(record, State.OBJECTED)
        by = compact(self.alliance.publisher(1), digest)
        call = self.alliance.register.functions.objectTo(given, since, deadline, by)
        self.events.append(dataclasses.replace(change, time=self.send(call)))

    def correct(self, record: Record, corrected: Record) -> None:
        change, given, since, deadline, digest = self.change(record, State.CORRECTED, corrected)
        call = self.alliance.register.functions.correct(given, content(corrected), since, deadline, self.pair(digest))
        self.events.append(dataclasses.replace(change, time=self.send(call)))

    def change(
        self, record: Record, state: State, after: Record | None = None, pledge: bytes = NO_PLEDGE
    ) -> tuple[Change, tuple[Any, ...], list[bytes], int, bytes]:
        """A change with what the contract is shown of the chain, and what is signed."""
        name = record.struct_hash()
        (history,) = (each for each in histories(self.events) if each.name == name)
        standing = history.standing(self.alliance.now)
        assert standing is not None
        change = Change(name, state, PAPER, pledge, after or standing.content, self.alliance.now)
        check_change(standing.state, standing.content, change, CATALOGUE)
        made = list(links(self.events))
        at = max(place for place, link in enumerate(made) if link.record == name)
        given = (record.subject, name, content(standing.content), *opened(made[at]), fold(self.events[:at]))
        since = [part for link in made[at + 1 :] for part in (link.record, link.leaf())]
        deadline = self.alliance.now + 600
        digest = changes_digest(self.register, 1337, [(history.leaf(), change)], deadline)
        return change, (*given, state, PAPER, pledge), since, deadline, digest

    def pair(self, digest: bytes) -> tuple[tuple[bytes, bytes], ...]:
        return compact(self.alliance.publisher(ISSUER), digest), compact(self.alliance.regulator(ISSUER), digest)

    def send(self, call: Any) -> int:
        return self.alliance.time_of(self.alliance.send(SENDER, call))

    # ---- certificates ----

    def certificate(self, subject: Subject = COMPANY, events: Sequence[Event] | None = None) -> bytes:
        """The certificate at the newest block, telling all events unless told otherwise."""
        header = header_of_block(self.rpc("eth_getBlockByNumber", "latest", False), DEVELOPMENT)
        told = tuple(self.events if events is None else events)
        register = RegisterPart(self.register, told, *self.proof(self.register, word_slot(subject.key), header.number))
        registry = RegistryPart(*self.proof(self.registry, named_slot(), header.number))
        return write_certificate(subject, [register], registry, header.raw, None)

    def judge(self, certificate: bytes) -> CertificateVerdict:
        return verify_certificate(certificate, self.network_file(), self.alliance.now + 60)

    @property
    def registry(self) -> bytes:
        return bytes.fromhex(self.alliance.registry.address[2:])

    def proof(self, contract: bytes, slot: bytes, block: int) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        answer = self.rpc("eth_getProof", "0x" + contract.hex(), ["0x" + slot.hex()], hex(block))
        account, stored = answer["accountProof"], answer["storageProof"][0]["proof"]
        return tuple(bytes.fromhex(node[2:]) for node in account), tuple(bytes.fromhex(node[2:]) for node in stored)

    def network_file(self) -> bytes:
        """The network file of the alliance, signed by all its governors."""
        contracts = (("AllianceRegistry", self.registry), ("CreditRegister", self.register))
        numbers = range(1, SEATS + 1)
        network = Network(
            format=FORMAT,
            alliance="联盟",
            domain="west.example",
            version=1,
            chain_id=1337,
            genesis_hash=bytes(32),
            consensus=DEVELOPMENT,
            validators=(),
            contracts=tuple(Contract(name, each, self.code_hash(each), 0, None) for name, each in contracts),
            members=tuple(Member(number, f"centre-{number}", "中心", (), ()) for number in numbers),
            governors=tuple(
                Governor(number, bytes.fromhex(self.alliance.governor(number).address[2:]), 0, None)
                for number in numbers
            ),
            threshold=3,
            signatures=(),
        )
        keys = [self.alliance.governor(number) for number in numbers]
        return write_network(sign_network(network, {bytes.fromhex(each.address[2:]): bytes(each.key) for each in keys}))

    def code_hash(self, contract: bytes) -> bytes:
        return keccak256(bytes(self.alliance.web3.eth.get_code(Web3.to_checksum_address(contract))))

    def rpc(self, method: str, *arguments: Any) -> Any:
        answer = self.alliance.web3.provider.make_request(method, arguments)  # type: ignore[arg-type]
        return json.loads(Web3.to_json(answer))["result"]  # type: ignore[arg-type]


def compact(account: LocalAccount, digest: bytes) -> tuple[bytes, bytes]:
    """Our own signature as EIP-2098 writes it."""
    made = sign_digest(bytes(account.key), digest)
    return made[:32], (int.from_bytes(made[32:64], "big") | (made[64] - 27) << 255).to_bytes(32, "big")


def content(record: Record) -> tuple[int, int, bytes, bytes]:
    """A record as the contract takes it."""
    first = date(1970, 1, 1)
    days = (record.decided_on - first).days, (record.last_day - first).days
    terms = record.member | record.kind << 16 | days[0] << 24 | days[1] << 56 | record.earlier << 88
    return terms, sum(1 << code for code in record.measures), record.statement, record.document


def artifact(name: str) -> dict[str, Any]:
    return dict(json.loads((ARTIFACTS / f"{name}.json").read_bytes()))


def opened(link: Link) -> tuple[State, bytes, int]:
    return link.state, link.step, link.time


@pytest.fixture(scope="module")
def acting() -> Iterator[Acting]:
    artifacts = {name: artifact(name) for name in COMPILED}
    with devnet.running("anvil") as chain:
        alliance = found_credit(Web3(HTTPProvider(chain.rpc)), artifacts)
        for kind in Kind:
            name = f"measures:{kind.name.lower()}"
            alliance.vote(alliance.registry.functions.setParameter(word(name), CATALOGUE.mask(kind)))
        yield Acting(alliance)


def test_a_company_s_whole_story_is_proven_at_every_block_of_it(acting: Acting) -> None:
    serious = acting.record(Kind.SERIOUS, 24, ANNOUNCED, BAN)
    milder = dataclasses.replace(
        serious, kind=Kind.GENERAL, last_day=serious.decided_on + timedelta(300), measures=(ANNOUNCED,)
    )
    story = [
        (lambda: None, []),
        (lambda: acting.publish(serious), ["published"]),
        (lambda: acting.publish(acting.record(Kind.HONOUR, 12, LOWER_BOND)), ["published", "published"]),
        (lambda: acting.object_to(serious), ["objected", "published"]),
        (lambda: acting.correct(serious, milder), ["corrected", "published"]),
        (lambda: acting.decide(serious, State.REPAIRED, PAPER), ["repaired", "published"]),
    ]
    for act, states in story:
        before = acting.certificate() if acting.events else None
        told = list(acting.events)
        act()
        assert bytes(acting.alliance.register.functions.subjectWord(COMPANY.key).call()) == fold(acting.events)
        verdict = acting.judge(acting.certificate())
        assert verdict.proven, verdict.steps[-1]
        assert [each.standing.title for each in verdict.records] == states
        assert before is None or acting.judge(before).proven, "what was true then stays proven, and older"
        if acting.events:
            stale = acting.judge(acting.certificate(events=told))
            assert (stale.steps[-1].step, stale.proven) == ("word", False)


def test_a_clean_company_s_word_is_empty_beside_the_records_of_others(acting: Acting) -> None:
    verdict = acting.judge(acting.certificate(CLEAN, []))
    assert (verdict.proven, verdict.records) == (True, ())
    assert fold([]) == NO_RECORD


def test_a_choice_that_our_own_code_signs_is_taken_and_counts_from_its_block(acting: Acting) -> None:
    alliance = acting.alliance
    matrix = deploy(alliance.web3, artifact("RecognitionMatrix"), alliance.registry.address)
    address, record, of = bytes.fromhex(matrix.address[2:]), PAPER, Issued(1, Kind.SERIOUS)
    choices: list[Choice] = []
    for choice in (Choice(ISSUER, of, False, PAPER, 0), Choice(ISSUER, Named(record), False, PAPER, 0)):
        deadline = alliance.now + 600
        pair = acting.pair(choice_digest(address, 1337, choice, 0, deadline))
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
