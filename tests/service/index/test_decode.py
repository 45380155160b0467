"""Decoding by hand: every event of the compiled contracts, as eth-abi writes it; any other bytes are refused."""

import json
from contextlib import suppress
from importlib import resources
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from anchors.chain.keccak import keccak256
from anchors.credit import Kind, State
from anchors.tenders import Answer, Bid, Refusal
from ledger_service.chain.contracts import COMPILED
from ledger_service.index import decode, events, tender_events
from ledger_service.index.apply import effects
from ledger_service.index.decode import LAYOUTS, RawLog, UnreadableLog
from ledger_service.index.events import Place, Role, Status

PLACE = Place(7, 1, 2)
A = b"\xaa" * 20
B = b"\xbb" * 20
H = bytes(range(32))
G = H[::-1]
FAR = 2**64 - 1
TEXT = "西部 a\0"


CONTENT = (4 | 3 << 16 | 20_000 << 24 | 20_500 << 56 | 7 << 88, 1 << 255 | 1 << 101 | 2, H, G)
SAID = events.Content(4, Kind.SERIOUS, 20_000, 20_500, 7, (1, 101, 255), H, G)


def canonical(part: dict[str, Any]) -> str:
    """The type of a parameter; a tuple is spelt out."""
    inner = ",".join(canonical(each) for each in part.get("components", ()))
    return f"({inner})" if part["type"] == "tuple" else str(part["type"])


def signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(map(canonical, entry['inputs']))})"


def artifact_events() -> dict[bytes, dict[str, Any]]:
    found = {}
    for name in COMPILED:
        path = resources.files("ledger_service.chain").joinpath("artifacts", f"{name}.json")
        for entry in json.loads(path.read_bytes())["abi"]:
            if entry["type"] == "event" and entry["name"] != "EIP712DomainChanged":  # never emitted: of OpenZeppelin's
                found[keccak256(signature(entry).encode())] = entry
    return found


EVENTS = artifact_events()
EXAMPLES: dict[str, tuple[list[object], object]] = {
    "Anchored": ([7, 2, 2**63 - 1, H, 9], events.Anchored(7, 2, 2**63 - 1, H, 9)),
    "GenerationClosed": ([255, 2**32 - 1, 5, H], events.GenerationClosed(255, 2**32 - 1, 5, H)),
    "ReceiptBroken": ([1, H, 3, FAR, G, H], events.ReceiptBroken(1, H, 3, FAR, G, H)),
    "ReceiptLate": ([1, H, 3, FAR, 1_800_000_000], events.ReceiptLate(1, H, 3, FAR, 1_800_000_000)),
    "MemberAdded": ([4, b"sichuan", TEXT, H], events.MemberAdded(4, "sichuan", "西部 a\ufffd", H)),
    "MemberStatusChanged": ([4, 2], events.MemberStatusChanged(4, Status.SUSPENDED)),
    "MemberRenamed": ([4, "x" * 128], events.MemberRenamed(4, "x" * 128)),
    "LogKeyChanged": ([4, H, 3, 99], events.LogKeyChanged(4, H, 3, 99)),
    "RoleGranted": ([4, A, 4, 5, FAR], events.RoleGranted(4, A, Role.REGULATOR, 5, FAR)),
    "RoleRevoked": ([4, A, 2, 6, 1, 77], events.RoleRevoked(4, A, Role.RECEIPT_SIGNER, 6, 1, 77)),
    "RegulatorRequested": ([4, A, FAR, 8], events.RegulatorRequested(4, A, FAR, 8)),
    "RegulatorSeconded": ([4, A, 5], events.RegulatorSeconded(4, A, 5)),
    "ParameterChanged": ([b"maxGrowth", 2**256 - 1], events.ParameterChanged("maxGrowth", 2**256 - 1)),
    "SystemContractChanged": ([b"EvidenceLog", B], events.SystemContractChanged("EvidenceLog", B)),
    "Proposed": ([12, 4, A, B, b"\x01" * 70, 9], events.Proposed(12, 4, A, B, b"\x01" * 70, 9)),
    "Approved": ([12, 4, A], events.Approved(12, 4, A)),
    "Executed": ([12], events.Executed(12)),
    "RecordPublished": ([H, G, CONTENT, A, B, 14], events.RecordPublished(H, G, A, SAID, A, B, 14)),
    "RecordObjected": ([H, G, 3, H, B], events.RecordObjected(H, G, A, 3, H, B)),
    "RecordChanged": ([H, G, 6, H, G, A, B], events.RecordChanged(H, G, A, State.REPAIRED, H, G, A, B)),
    "RecordCorrected": ([H, G, CONTENT, G, A, B], events.RecordCorrected(H, G, A, SAID, G, A, B)),
    "KindRecognitionChanged": (
        [3, 2, 3, False, H, A, B],
        events.KindRecognitionChanged(3, 2, Kind.SERIOUS, False, H, A, B),
    ),
    "TenderPublished": (
        [H, 3, 1 << 255 | 8, G, H, FAR, FAR, 30],
        tender_events.TenderPublished(H, A, 3, 1 << 255 | 8, G, H, FAR, FAR, 30),
    ),
    "TenderAmended": ([H, 2, G, H, 5, FAR], tender_events.TenderAmended(H, A, 2, G, H, 5, FAR)),
    "BidsClosed": ([H, 3, B, 2, FAR], tender_events.BidsClosed(H, A, 3, B, 2, FAR)),
    "BidsOpened": (
        [H, G, G, 2, 1, H, B, H + FAR.to_bytes(8, "big") + G + bytes(8), H + G],
        tender_events.BidsOpened(H, A, G, G, 2, 1, H, B, (Bid(H, FAR), Bid(G, 0)), (Refusal(H, G),)),
    ),
    "TenderEvaluated": ([H, G, 2, G, 10, H, G], tender_events.TenderEvaluated(H, A, G, 2, G, 10, H, G)),
    "CandidatesPublished": ([H, G, H, FAR, B], tender_events.CandidatesPublished(H, A, G, H, FAR, B)),
    "ObjectionMade": ([H, G, H, 3, B], tender_events.ObjectionMade(H, A, G, H, 3, B)),
    "ObjectionRuled": ([H, G, True, H, A, B], tender_events.ObjectionRuled(H, A, G, True, H, A, B)),
    "TenderAwarded": (
        [H, G, A, B, H, [G, H], [H]],
        tender_events.TenderAwarded(H, A, G, A, B, H, (G, H), (H,)),
    ),
    "TenderFailed": ([H, G, A, B], tender_events.TenderFailed(H, A, G, A, B)),
    "BidClaimed": ([H, G, 3, True, FAR, FAR, 8], tender_events.BidClaimed(H, A, G, 3, True, FAR, FAR, 8)),
    "ClaimAnswered": ([H, G, 3, G], tender_events.ClaimAnswered(H, A, G, Answer.REFUSED, G)),
    "RecordRecognitionChanged": ([3, G, True, H, A, B], events.RecordRecognitionChanged(3, G, True, H, A, B)),
}


def written(entry: dict[str, Any], values: list[object]) -> RawLog:
    """The log that a contract emits for these values, by eth-abi."""
    inputs = entry["inputs"]
    indexed = [encode([canonical(each)], [v]) for each, v in zip(inputs, values, strict=True) if each["indexed"]]
    plain = [(canonical(each), value) for each, value in zip(inputs, values, strict=True) if not each["indexed"]]
    data = encode([kind for kind, _ in plain], [value for _, value in plain])
    return RawLog(PLACE, A, (keccak256(signature(entry).encode()), *indexed), data)


def test_the_layouts_are_those_of_the_compiled_contracts() -> None:
    assert set(LAYOUTS) == set(EVENTS)
    for topic, layout in LAYOUTS.items():
        assert layout.topics == 1 + sum(each["indexed"] for each in EVENTS[topic]["inputs"])
    assert {entry["name"] for entry in EVENTS.values()} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_event_is_read_as_it_was_written(name: str) -> None:
    values, event = EXAMPLES[name]
    entry = next(one for one in EVENTS.values() if one["name"] == name)
    read = decode.decode(written(entry, values))
    assert read == event
    assert effects(read, PLACE), "every event changes something"


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_log_of_another_length_is_refused(name: str) -> None:
    values, _ = EXAMPLES[name]
    log = written(next(one for one in EVENTS.values() if one["name"] == name), values)
    shorter = log.data[:-32] if log.data else b"\0" * 32
    for wrong in (log._replace(data=shorter), log._replace(topics=log.topics[:-1]), log._replace(topics=())):
        with pytest.raises(UnreadableLog, match="log 2 of transaction 1 in block 7"):
            decode.decode(wrong)


def test_an_unknown_event_is_refused_with_its_topic() -> None:
    with pytest.raises(UnreadableLog, match="is the service older than the contracts"):
        decode.decode(RawLog(PLACE, A, (H,), b""))


@given(
    st.sampled_from(sorted(LAYOUTS)), st.lists(st.binary(min_size=32, max_size=32), max_size=3), st.binary(max_size=400)
)
def test_any_bytes_end_in_an_event_or_in_a_refusal(topic: bytes, topics: list[bytes], data: bytes) -> None:
    with suppress(UnreadableLog):
        decode.decode(RawLog(PLACE, A, (topic, *topics), data))
