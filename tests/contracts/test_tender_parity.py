"""Solidity and Python agree on tenders: on what is signed, on random lives and lists, and on the journal."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from founded_alliance import DAY, SUSPENDED
from tender_alliance import (
    HOST,
    HOUR,
    NOTHING,
    OTHER,
    PAPER,
    REASON,
    SENDER,
    TYPES,
    Act,
    Commitment,
    Panel,
    TenderAlliance,
    bids,
    changed,
    message,
    page,
    types,
)
from web3.contract.contract import ContractFunction

from anchors import tenders as ours
from anchors.errors import AnchorsError
from ledger_service.index.decode import RawLog
from ledger_service.index.events import Place
from ledger_service.index.journal import EMPTY_JOURNAL, fold

ACTS: dict[str, type[ours.Act]] = {
    "TenderNotice": ours.Notice,
    "TenderAmendment": ours.Amendment,
    "TenderOpening": ours.Opening,
    "TenderEvaluation": ours.Evaluation,
    "TenderCandidates": ours.Candidates,
    "TenderObjection": ours.Objection,
    "TenderRuling": ours.Ruling,
    "TenderAward": ours.Award,
    "TenderFailure": ours.Failure,
}
SIGNED_ALONE: dict[str, type[ours.BidReceipt] | type[ours.Replacement]] = {
    "BidReceipt": ours.BidReceipt,
    "BidReplacement": ours.Replacement,
}
NAMES = {
    "TenderRegister_Over": "TenderEnded",
    "TenderRegister_NothingStated": "ActIncomplete",
    "TenderRegister_WithoutHost": "HostMissing",
    "TenderRegister_DeadlinePassed": "DeadlineOver",
    "TenderRegister_BadAnswerDays": "AnswerDaysOutside",
    "TenderRegister_OtherVersion": "VersionDiffers",
    "TenderRegister_OtherRound": "RoundDiffers",
    "TenderRegister_CandidatesAlreadyPublished": "CandidatesPublished",
    "TenderRegister_OtherBasis": "BasisDiffers",
    "TenderRegister_Suspended": "AwardSuspended",
    "TenderRegister_OtherPanel": "PanelUnsealedOtherwise",
    "TenderRegister_ExpertsNotAscending": "ExpertsOutOfOrder",
    "TenderRegister_NotDrawn": "ExpertNotDrawn",
    "TenderRegister_OtherTender": "TenderDiffers",
    "TenderRegister_Opened": "BidOpened",
    "TenderRegister_NotAmongOpened": "BidNotOpened",
    "BidList_OtherPage": "PageDiffers",
}
"""Where the contract's error has another name than ours."""


def our_name(refusal: str) -> str:
    return NAMES.get(refusal, refusal.partition("_")[2] or refusal)


def values(kind: str, chance: random.Random) -> Act:
    """Random fields of an act."""
    sizes = {"bytes32": 256, "bool": 1}
    drawn = {each["name"]: (each["type"], sizes.get(each["type"])) for each in types(kind)[kind]}
    found: list[Any] = []
    for solidity, size in drawn.values():
        number = chance.getrandbits(size or int(solidity.removeprefix("uint")))
        found.append(number.to_bytes(32, "big") if solidity == "bytes32" else number)
    return tuple(bool(v) if t == "bool" else v for v, (t, _) in zip(found, drawn.values(), strict=True))


class TestSigned:
    @pytest.mark.parametrize("kind", ACTS)
    def test_the_digest_of_an_act_is_that_of_the_typed_data(self, tenders: TenderAlliance, kind: str) -> None:
        register = bytes.fromhex(tenders.register.address[2:])
        chance = random.Random(kind)  # which values are tried is no secret
        for _ in range(5):
            act, until = values(kind, chance), chance.getrandbits(64)
            expected = _hash_eip191_message(encode_typed_data(*tenders.typed(kind, act, until)))
            assert ours.signed_digest(register, 1337, ACTS[kind](*act), until) == expected

    @pytest.mark.parametrize("kind", SIGNED_ALONE)
    def test_so_are_those_of_a_receipt_and_a_replacement(self, tenders: TenderAlliance, kind: str) -> None:
        register, act = bytes.fromhex(tenders.register.address[2:]), values(kind, random.Random(kind))
        data = (tenders.domain(), types(kind), message(kind, act))
        expected = _hash_eip191_message(encode_typed_data(*data))
        assert SIGNED_ALONE[kind](*act).digest(register, 1337) == expected

    def test_no_act_is_left_out(self) -> None:
        assert {*ACTS, *SIGNED_ALONE} == set(TYPES)


class TestLists:
    @pytest.mark.parametrize("seed", range(6))
    def test_a_random_list_has_the_same_root_and_the_same_pages(self, tenders: TenderAlliance, seed: int) -> None:
        chance = random.Random(seed)
        listed = [ours.Bid(chance.randbytes(32), chance.getrandbits(64)) for _ in range(chance.randrange(3, 70))]
        packed = ours.pack_bids(listed)
        tender, plain = tenders.close(), [tuple(bid) for bid in ours.parse_bids(packed)]
        done = tenders.send(SENDER, tenders.opening_bids(tender, plain))
        event, opened = tenders.event("BidsOpened", done), ours.open_list(packed)
        assert (event["root"], event["count"], event["entries"]) == (opened.root, opened.count, packed)
        for commitment in (chance.randbytes(32), chance.choice(listed).commitment, chance.randbytes(32)):
            shown = ours.show_page(packed, commitment)
            assert (shown.number, shown.entries, list(shown.path)) == page(plain, commitment)
            found = ours.find_bid(opened, shown, commitment)
            call = tenders.claiming(tenders.receipt(tender, commitment), plain, page=given(shown))
            assert tenders.refusal(SENDER, call) == ("accepted" if found is None else "TenderRegister_Opened")

    @pytest.mark.parametrize("seed", range(4))
    def test_both_refuse_the_same_claims(self, tenders: TenderAlliance, seed: int) -> None:
        chance = random.Random(seed)
        listed = bids(chance.randrange(3, 40), seed=str(seed))
        tender = tenders.open(listed)
        state = our_tender(tenders, tender)
        packed = ours.pack_bids([ours.Bid(*bid) for bid in listed])
        for _ in range(12):
            late = chance.random() < 0.5
            commitment = chance.choice([chance.randbytes(32), chance.choice(listed)[0]])
            shown = ours.show_page(packed, chance.choice([commitment, chance.choice(listed)[0]]))
            received = state.deadline + chance.choice([-1, 0])
            receipt = tenders.receipt(tender, commitment, receivedAt=received)
            call = tenders.claiming(receipt, listed, late=late, page=given(shown))
            claim = ours.claim_late if late else ours.claim_dropped
            opening = ours.Opening(*tenders.opening(tender, listed))
            expected = outcome(lambda: claim(state, opening, ours.BidReceipt(*receipt), shown, tenders.now))  # noqa: B023
            assert our_name(tenders.refusal(SENDER, call)) == expected

    def test_the_same_holder_is_named(self) -> None:
        bid = Commitment()
        assert ours.holder_of(bid.hash, bid.layout) == bid.holder


def given(shown: ours.Page) -> tuple[int, bytes, list[bytes]]:
    return shown.number, shown.entries, list(shown.path)


def our_tender(tenders: TenderAlliance, tender: bytes) -> ours.Tender:
    """The tender as the library has it, from what the register keeps."""
    kept = tenders.tender(tender)
    return ours.Tender(
        tender,
        *(kept[name] for name in ("host", "members", "answerDays", "deadline", "opening")),
        state=ours.State(kept["state"]),
        version=kept["version"],
        round=kept["round"],
        manifest=kept["manifest"],
    )


def outcome(act: Callable[[], object]) -> str:
    """The name of the error with which the library refuses, or that it accepts."""
    try:
        act()
    except AnchorsError as refused:
        return type(refused).__name__
    return "accepted"


class Life:
    """A tender on the chain, and the same in the library; every act is tried on both."""

    def __init__(self, tenders: TenderAlliance, chance: random.Random) -> None:
        self.tenders, self.chance = tenders, chance
        self.panel = chance.choice([Panel(), Panel(), Panel(signers=(PAPER,))])
        self.name = tenders.publish()
        self.state = our_tender(tenders, self.name)
        self.grounds: list[bytes] = [REASON]

    def act(self) -> None:
        """Try an act of some kind, most often the one whose turn it is."""
        turns: dict[ours.State, Callable[[], None]] = {
            ours.State.PUBLISHED: self.close,
            ours.State.CLOSED: self.open,
            ours.State.OPENED: self.evaluate,
            ours.State.EVALUATED: self.name_candidates,
            ours.State.CANDIDATES: self.award,
        }
        others = [self.amend, self.object_, self.rule, *turns.values()]
        due = turns.get(self.state.state, self.fail)
        self.chance.choice([due, due, self.object_, self.rule, self.chance.choice(others)])()
        if self.chance.random() < 0.7:
            self.tenders.pass_time(self.chance.choice([HOUR, DAY, 2 * DAY]))

    def amend(self) -> None:
        later = self.state.deadline + self.chance.choice([-1, 0, HOUR])
        act = self.tenders.amendment(self.name, deadline=later, opening=later, **self.slip("version", 9))
        time = self.next_time()
        self.compare(self.tenders.amending(act), lambda: self.state.amended(ours.Amendment(*act), time))

    def close(self) -> None:
        time = self.next_time()
        self.compare(self.tenders.closing(self.name), lambda: self.state.closed(time))

    def open(self) -> None:
        listed, time = bids(self.chance.choice([2, 5, 9, 9, 9, 17])), self.next_time()
        call = self.tenders.opening_bids(self.name, listed)
        act = ours.Opening(*self.tenders.opening(self.name, listed))
        self.compare(call, lambda: self.state.opened(act, time))

    def evaluate(self) -> None:
        slip = self.slip("round", 9) or self.slip("manifest", PAPER) or self.slip("report", NOTHING)
        act = self.tenders.evaluation(self.name, **{"panel": self.panel.sealed, **slip})
        self.compare(self.tenders.evaluating(act), lambda: self.state.evaluated(ours.Evaluation(*act)))

    def name_candidates(self) -> None:
        act = self.tenders.candidates(self.name, **(self.slip("evaluation", PAPER) or self.slip("until", 1)))
        time = self.next_time()
        call = self.tenders.naming(act)
        self.compare(call, lambda: self.state.with_candidates(ours.Candidates(*act), time))

    def object_(self) -> None:
        self.grounds.append(self.chance.randbytes(32))
        fields = {"grounds": self.chance.choice(self.grounds[-2:]), **self.slip("candidates", PAPER)}
        act, time = self.tenders.objection(self.name, **fields), self.next_time()
        self.compare(self.tenders.objecting(act), lambda: self.state.objected(ours.Objection(*act), time))

    def rule(self) -> None:
        grounds, upheld = self.chance.choice([*self.grounds, *self.state.objections]), self.chance.random() < 0.3
        act = self.tenders.ruling(self.name, grounds=grounds, upheld=upheld)
        self.compare(self.tenders.deciding(act), lambda: self.state.ruled(ours.Ruling(*act)))

    def award(self) -> None:
        act = self.tenders.awarded(self.name, **self.slip("candidates", PAPER))
        panel = self.chance.choice([self.panel, self.panel, Panel(salt=PAPER)])
        evaluators, time = ours.Evaluators(panel.salt, panel.drawn, panel.signers), self.next_time()
        call = self.tenders.awarding(act, panel)
        self.compare(call, lambda: self.state.awarded(ours.Award(*act), evaluators, time))

    def fail(self) -> None:
        failure = ours.Failure(self.name, REASON)
        self.compare(self.tenders.failing(self.name), lambda: self.state.failed(failure))

    def slip(self, field: str, wrong: Any) -> dict[str, Any]:
        return {field: wrong} if self.chance.random() < 0.1 else {}

    def next_time(self) -> int:
        """The time of the block that a call would be in: that of the last, since time stands still between."""
        return self.tenders.now

    def compare(self, call: ContractFunction, act: Callable[[], ours.Tender]) -> None:
        refusal = self.tenders.refusal(SENDER, call)
        assert our_name(refusal) == outcome(act)
        if refusal == "accepted":
            self.tenders.send(SENDER, call)
            self.state = act()
        kept = self.tenders.tender(self.name)
        facts = ("state", "version", "round", "deadline", "opening", "manifest", "evaluation", "panel", "candidates")
        assert {name: kept[name] for name in (*facts, "until")} == {
            name: getattr(self.state, name) for name in (*facts, "until")
        }
        assert kept["objections"] == self.state.waiting


@pytest.mark.parametrize("seed", range(12))
def test_a_random_life_goes_the_same_way(tenders: TenderAlliance, seed: int) -> None:
    life = Life(tenders, random.Random(seed))  # which life is tried is no secret
    for _ in range(25):
        life.act()


class TestJournal:
    def test_it_folds_from_the_raw_logs(self, tenders: TenderAlliance) -> None:
        self.do_everything_once(tenders)
        word, topics = EMPTY_JOURNAL, set()
        for found in tenders.web3.eth.get_logs({"address": tenders.register.address, "fromBlock": 0}):
            place = Place(found["blockNumber"], found["transactionIndex"], found["logIndex"])
            log = RawLog(place, bytes(20), tuple(bytes(topic) for topic in found["topics"]), bytes(found["data"]))
            topics.add(log.topics[0])
            word = fold(word, log)
        assert tenders.register.functions.journal().call() == word
        declared = [event for event in tenders.register.events if event.event_name != "EIP712DomainChanged"]
        assert topics == {bytes.fromhex(event.topic.removeprefix("0x")) for event in declared}

    def do_everything_once(self, tenders: TenderAlliance) -> None:
        """Make every event happen."""
        listed, dropped = bids(5), Commitment()
        tender = tenders.publish()
        tenders.send(SENDER, tenders.amending(tenders.amendment(tender)))
        tenders.pass_time(DAY + HOUR)
        tenders.send(SENDER, tenders.closing(tender))
        tenders.send(SENDER, tenders.opening_bids(tender, listed, PAPER + REASON))
        claim = tenders.claiming(tenders.receipt(tender, dropped.hash), listed, refusals=PAPER + REASON)
        tenders.send(SENDER, claim)
        tenders.send(SENDER, tenders.replacing(tender, dropped))
        tenders.send(SENDER, tenders.evaluating(tenders.evaluation(tender)))
        tenders.send(SENDER, tenders.naming(tenders.candidates(tender)))
        tenders.send(SENDER, tenders.objecting(tenders.objection(tender)))
        tenders.send(SENDER, tenders.deciding(tenders.ruling(tender)))
        tenders.pass_time(5 * DAY)
        tenders.send(SENDER, tenders.awarding(tenders.awarded(tender)))
        tenders.send(SENDER, tenders.failing(tenders.publish(digest=REASON)))


def test_a_suspended_host_still_answers_but_does_not_act(tenders: TenderAlliance) -> None:
    tender, dropped = tenders.open(), Commitment()
    tenders.send(SENDER, tenders.claiming(tenders.receipt(tender, dropped.hash), bids(5)))
    tenders.vote(tenders.registry.functions.setStatus(HOST, SUSPENDED))
    evaluating = tenders.evaluating(tenders.evaluation(tender))
    assert tenders.refusal(SENDER, evaluating) == "AllianceRegistry_MemberNotActive"
    tenders.send(SENDER, tenders.replacing(tender, dropped))
    late = changed("BidReceipt", tenders.receipt(tender, PAPER), index=OTHER)
    assert tenders.refusal(SENDER, tenders.claiming(late, bids(5))) == "accepted"
