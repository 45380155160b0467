"""The audit of tenders that the contracts themselves held: what a reader makes of a real chain's receipts and state."""

from dataclasses import dataclass
from typing import Any

from founded_alliance import DAY, entries, key
from rfc6962 import Tree
from tender_alliance import (
    HOST,
    HOUR,
    OTHER,
    REASON,
    SEATS,
    SENDER,
    Bid,
    Commitment,
    TenderAlliance,
)

from anchors.chain.header import DEVELOPMENT, Header, header_of_block
from anchors.chain.keccak import keccak256
from anchors.chain.receipts import receipt_key, receipts_trie
from anchors.evidence import Anchor, Place
from anchors.merkle import Levels
from anchors.network import FORMAT as NETWORK_FORMAT
from anchors.network import (
    Contract,
    Governor,
    LogKey,
    Member,
    Network,
    ReceiptSigner,
    sign_network,
    write_network,
)
from anchors.notes import KeyType, Signer
from anchors.tenders import BidReceipt
from anchors.tenders.audit import (
    AuditVerdict,
    FinalState,
    LogPart,
    PeriodLeaves,
    ProvenLog,
    SignedReceipt,
    audit,
    audit_slots,
    range_path,
    write_audit,
)

SIZE, LATER = 16, 24
LEAVES = entries(LATER)
GONE = Commitment(salt=b"\x11" * 32)
DROPPED = b"\xd1" * 32
DOMAIN = "west.example"


def listed() -> list[Bid]:
    """Four bids, one of which had no anchored place at the closing."""
    return sorted((LEAVES[place], place) for place in (2, 5, 11, 20))


@dataclass(frozen=True)
class Reader:
    """Gathers an audit's file as a service does, from a node's plain answers, and holds it against a network file."""

    tenders: TenderAlliance

    def rpc(self, method: str, *parameters: object) -> Any:
        answer = self.tenders.web3.provider.make_request(method, parameters)  # type: ignore[arg-type]
        assert "error" not in answer, answer
        return answer["result"]

    @property
    def register(self) -> bytes:
        return bytes.fromhex(self.tenders.register.address[2:])

    def events(self, tender: bytes) -> list[ProvenLog]:
        """All of the tender and all anchors."""
        own = self._logs(self.tenders.register.address, [None, "0x" + tender.hex()])
        return [self._proven(each) for each in [*own, *self._logs(self.tenders.log.address, [])]]

    def _logs(self, address: str, topics: list[str | None]) -> Any:
        return self.rpc("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "address": address, "topics": topics})

    def _proven(self, log: dict[str, Any]) -> ProvenLog:
        block = self.rpc("eth_getBlockByNumber", log["blockNumber"], False)
        receipts = [self.rpc("eth_getTransactionReceipt", each) for each in block["transactions"]]
        trie, header = receipts_trie(receipts), header_of_block(block, DEVELOPMENT)
        assert trie.root == header.receipts_root
        at = int(log["transactionIndex"], 16)
        index = [each["logIndex"] for each in receipts[at]["logs"]].index(log["logIndex"])
        return ProvenLog(Anchor(header.raw, tuple(trie.prove(receipt_key(at))), Place(at, index)), None)

    def state(self, tender: bytes, grounds: list[bytes], commitments: list[bytes]) -> FinalState:
        slots = ["0x" + slot.hex() for slot in audit_slots(tender, grounds, commitments)]
        header = self.header()
        answer = self.rpc("eth_getProof", self.tenders.register.address, slots, hex(header.number))
        texts = [answer["accountProof"], *(each["proof"] for each in answer["storageProof"])]
        return FinalState(header.raw, None, tuple(bytes.fromhex(text[2:]) for proof in texts for text in proof))

    def header(self) -> Header:
        return header_of_block(self.rpc("eth_getBlockByNumber", "latest", False), DEVELOPMENT)

    def receipt(self, tender: bytes, bid: Bid, **fields: Any) -> SignedReceipt:
        act = self.tenders.receipt(tender, bid[0], index=bid[1], **fields)
        ours = BidReceipt(*act)
        signed = key(f"signer {HOST}").unsafe_sign_hash(ours.digest(self.register, self.tenders.web3.eth.chain_id))
        return SignedReceipt(ours, bytes(signed.signature))

    def log(self) -> LogPart:
        """All leaves, without a key."""
        path = range_path(0, LATER, LATER, lambda level, at: Levels.over(LEAVES[at << level : at + 1 << level]).root)
        return LogPart(LATER, (PeriodLeaves(0, tuple(LEAVES), None, None, path),))

    @property
    def network(self) -> bytes:
        chain_id = self.tenders.web3.eth.chain_id
        members = range(1, SEATS + 1)
        network = Network(
            format=NETWORK_FORMAT,
            alliance="西部公共资源交易联盟",
            domain=DOMAIN,
            version=1,
            chain_id=chain_id,
            genesis_hash=bytes(32),
            consensus=DEVELOPMENT,
            validators=(),
            contracts=tuple(
                self._contract(name, contract.address)
                for name, contract in (("EvidenceLog", self.tenders.log), ("TenderRegister", self.tenders.register))
            ),
            members=tuple(self._member(number, chain_id) for number in members),
            governors=tuple(Governor(number, _address(f"governor {number}"), 0, None) for number in members),
            threshold=3,
            signatures=(),
        )
        return write_network(
            sign_network(network, {_address(f"governor {n}"): bytes(key(f"governor {n}").key) for n in members})
        )

    def _contract(self, name: str, address: str) -> Contract:
        code = bytes.fromhex(self.rpc("eth_getCode", address, "latest")[2:])
        return Contract(name, bytes.fromhex(address[2:]), keccak256(code), 0, None)

    @staticmethod
    def _member(number: int, chain_id: int) -> Member:
        origin = f"{DOMAIN}/{chain_id}/centre-{number}/0"
        vkey = Signer(origin, KeyType.ED25519, bytes([number]) * 32).verifier.vkey
        signer = ReceiptSigner(_address(f"signer {number}"), 0, None)
        return Member(number, f"centre-{number}", f"Centre {number}", (LogKey(0, vkey, 0, None),), (signer,))

    def judge(self, file: bytes) -> AuditVerdict:
        return audit(file, self.network)


def _address(name: str) -> bytes:
    return bytes.fromhex(key(name).address[2:])


def _open(tenders: TenderAlliance, refusals: bytes = b"") -> bytes:
    """A tender, amended, whose host's log was anchored before the deadline and after it, and whose bids are opened."""
    tree = Tree(LEAVES)
    tender = tenders.publish()
    tenders.send(SENDER, tenders.amending(tenders.amendment(tender)))
    tenders.anchor(HOST, tree, SIZE)
    tenders.pass_time(DAY + HOUR)
    tenders.send(SENDER, tenders.closing(tender))
    tenders.anchor(HOST, tree, LATER, old=SIZE)
    tenders.send(SENDER, tenders.opening_bids(tender, listed(), refusals))
    return tender


def _name(tenders: TenderAlliance, tender: bytes) -> None:
    tenders.send(SENDER, tenders.evaluating(tenders.evaluation(tender)))
    tenders.send(SENDER, tenders.naming(tenders.candidates(tender)))


def _award(tenders: TenderAlliance) -> bytes:
    """A tender from its notice to the award, with an objection that was upheld and one that was not."""
    tender = _open(tenders)
    _name(tenders, tender)
    tenders.send(SENDER, tenders.objecting(tenders.objection(tender)))
    tenders.send(SENDER, tenders.deciding(tenders.ruling(tender, upheld=True)))
    _name(tenders, tender)
    second = {"grounds": DROPPED}
    tenders.send(SENDER, tenders.objecting(tenders.objection(tender, **second), by=tenders.officer(OTHER)))
    tenders.send(SENDER, tenders.deciding(tenders.ruling(tender, **second)))
    tenders.pass_time(5 * DAY)
    tenders.send(SENDER, tenders.awarding(tenders.awarded(tender)))
    return tender


def test_a_tender_that_the_contracts_held_is_kept_in_all_that_is_shown(tenders: TenderAlliance) -> None:
    reader, tender = Reader(tenders), _award(tenders)
    file = write_audit(
        tender,
        reader.events(tender),
        reader.state(tender, [REASON, DROPPED], []),
        receipts=[reader.receipt(tender, bid) for bid in listed()],
        log=reader.log(),
    )
    verdict = reader.judge(file)
    assert [step.step for step in verdict.steps if not step.ok] == []
    said = {rule.rule: rule.outcome.value for rule in verdict.rules}
    assert {rule for rule, outcome in said.items() if outcome != "kept"} == {"leaves", "draw"}
    assert (said["leaves"], said["draw"]) == ("not shown", "not shown")  # a log without slots, and no draw's file
    assert len(verdict.unaccounted) == LATER - len(listed())
    assert not verdict.sealed
    assert verdict.state is not None
    assert verdict.state.title == "awarded"


def test_a_dropped_bid_is_seen_on_the_chain(tenders: TenderAlliance) -> None:
    reader = Reader(tenders)
    tender = _open(tenders)
    tenders.send(SENDER, tenders.claiming(tenders.receipt(tender, DROPPED), listed()))
    tenders.send(SENDER, tenders.claiming(tenders.receipt(tender, GONE.hash), listed()))
    tenders.send(SENDER, tenders.replacing(tender, GONE))
    tenders.pass_time(6 * DAY)
    events, commitments = reader.events(tender), [DROPPED, GONE.hash]
    verdict = reader.judge(write_audit(tender, events, reader.state(tender, [], commitments)))
    assert [step.step for step in verdict.steps if not step.ok] == []
    assert [rule.rule for rule in verdict.rules if rule.outcome == "broken"] == ["dropped-bids"]
    told = next(rule.detail for rule in verdict.rules if rule.rule == "dropped-bids")
    assert DROPPED.hex() in told
    assert GONE.hash.hex() not in told


def test_each_event_that_is_left_out_is_missed(tenders: TenderAlliance) -> None:
    reader, tender = Reader(tenders), _award(tenders)
    events, state = reader.events(tender), reader.state(tender, [REASON, DROPPED], [])
    own = len(events) - 2  # the anchors come last, and are no part of the life
    for at in range(own):
        verdict = reader.judge(write_audit(tender, [*events[:at], *events[at + 1 :]], state))
        assert verdict.steps[-1].step in ("network", "life", "state"), at
        assert not verdict.rules


def test_a_tender_that_failed_and_is_held_again(tenders: TenderAlliance) -> None:
    reader = Reader(tenders)
    former = tenders.open(listed()[:2])
    tender = tenders.publish(former=former)
    old = reader.judge(write_audit(former, reader.events(former), reader.state(former, [], [])))
    assert old.state is not None
    assert old.state.title == "retendered"
    assert next(rule.outcome.value for rule in old.rules if rule.rule == "three-bids") == "kept"
    new = reader.judge(write_audit(tender, reader.events(tender), reader.state(tender, [], [])))
    assert new.steps[-1].ok
    assert {rule.rule for rule in new.rules if rule.outcome == "kept"} == {"notice", "amendments", "complete"}


def test_a_late_bid_that_was_opened_is_seen(tenders: TenderAlliance) -> None:
    reader = Reader(tenders)
    tender = _open(tenders)
    late = tenders.receipt(tender, listed()[0][0], receivedAt=tenders.tender(tender)["deadline"])
    tenders.send(SENDER, tenders.claiming(late, listed(), late=True))
    state = reader.state(tender, [], [listed()[0][0]])
    verdict = reader.judge(write_audit(tender, reader.events(tender), state))
    assert [rule.rule for rule in verdict.rules if rule.outcome == "broken"] == ["late-bids"]
