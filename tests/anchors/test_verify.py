"""Every step of the verifier with just that step broken, every part stripped, and hostile bytes in every place."""

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import Node, running
from exhibits import DOCUMENT, INDEX, LEAVES, Exhibit, address, governed, key, log_signer, make_exhibit, signed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchors.bounded_json import MAX_FILE_BYTES
from anchors.chain import rlp
from anchors.chain.header import DEVELOPMENT, decode_header
from anchors.chain.receipts import receipt_key, receipts_trie
from anchors.evidence import Anchor
from anchors.merkle import Levels
from anchors.network import Contract, LogKey, ReceiptSigner
from anchors.notes import Checkpoint, SignedNote, TlogProof, sign_checkpoint
from anchors.verify import STEPS, Grade, Verdict, verify

OFFLINE = ("document", "commitment", "inclusion", "checkpoint")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8) | st.just("0x" + "00" * 32),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=4), values, max_size=3),
    max_leaves=6,
)
hostile = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def exhibit() -> Iterator[Exhibit]:
    with running("anvil") as node:
        yield make_exhibit(node)


def judge(exhibit: Exhibit, require: str | None = None, **sections: Any) -> Verdict:
    return verify(exhibit.document, exhibit.evidence_with(**sections), exhibit.network_file, require)


def assert_refuted_at(step: str, verdict: Verdict, why: str = "") -> None:
    assert [each.step for each in verdict.steps if not each.ok] == [step]
    assert verdict.steps[-1].step == step
    assert why in verdict.steps[-1].detail
    assert verdict == Verdict(verdict.steps), "a refuted verdict claims nothing"
    assert not verdict.proven


def sections(exhibit: Exhibit) -> dict[str, Any]:
    return dict(json.loads(exhibit.evidence))


def edited(exhibit: Exhibit, section: str, **members: Any) -> dict[str, Any]:
    return {section: sections(exhibit)[section] | members}


# ---- what holds ----


def test_an_anchored_document_is_proven_on_either_chain(node: Node) -> None:
    exhibit = make_exhibit(node)
    verdict = judge(exhibit)
    header = decode_header(exhibit.anchor.header, DEVELOPMENT)
    assert [(each.step, each.ok) for each in verdict.steps] == [(step, True) for step in STEPS]
    assert (verdict.grade, verdict.member, verdict.index) == (Grade.ANCHORED, "sichuan", INDEX)
    assert verdict.block_number == header.number
    assert datetime.fromisoformat(str(verdict.anchored_at)) == datetime.fromtimestamp(header.timestamp, UTC)


def test_the_verdict_reads_as_the_command_prints_it(exhibit: Exhibit) -> None:
    content = json.loads(json.dumps(judge(exhibit).as_json()))
    assert list(content) == ["verdict", "grade", "steps", "anchored_at", "block_number", "member", "index"]
    assert content["verdict"] == "proven"
    assert content["grade"] == "anchored"
    assert [list(step) for step in content["steps"]] == [["step", "ok", "detail"]] * 9
    assert content["anchored_at"].endswith("Z")
    refuted = judge(exhibit, statement=None).as_json()
    assert refuted["verdict"] == "refuted"
    assert [refuted[name] for name in ("grade", "anchored_at", "block_number", "member", "index")] == [None] * 5


def test_a_development_network_says_that_nobody_sealed(exhibit: Exhibit) -> None:
    (seals,) = (step for step in judge(exhibit).steps if step.step == "seals")
    assert seals.detail == "development network: nobody sealed this block"


@pytest.mark.parametrize("require", ["logged", "anchored"])
def test_less_may_be_asked_for_than_is_proven(exhibit: Exhibit, require: str) -> None:
    assert judge(exhibit, require).grade is Grade.ANCHORED


def test_a_log_proof_alone_is_good_where_only_that_is_asked_for(exhibit: Exhibit) -> None:
    verdict = judge(exhibit, "logged", anchor=None)
    assert [(each.step, each.ok) for each in verdict.steps] == [(step, True) for step in (*OFFLINE, "network")]
    assert (verdict.grade, verdict.member, verdict.index) == (Grade.LOGGED, "sichuan", INDEX)
    assert (verdict.anchored_at, verdict.block_number) == (None, None)


# ---- stripped parts ----


@pytest.mark.parametrize(
    ("section", "step"),
    [("statement", "document"), ("receipt", "commitment"), ("tlog_proof", "inclusion"), ("anchor", "event")],
)
@pytest.mark.parametrize("require", [None, "anchored", "sealed"])
def test_a_stripped_section_refutes_at_its_step(exhibit: Exhibit, section: str, step: str, require: str | None) -> None:
    assert_refuted_at(step, judge(exhibit, require, **{section: None}), f"the evidence has no {section}")
    without = {name: value for name, value in sections(exhibit).items() if name != section}
    evidence = json.dumps(without).encode()
    assert_refuted_at(step, verify(exhibit.document, evidence, exhibit.network_file, require), "has no")


@pytest.mark.parametrize(
    ("member", "step"),
    [("transaction_index", "event"), ("log_index", "event"), ("receipt_proof", "receipt"), ("header", "header")],
)
@pytest.mark.parametrize("require", [None, "logged", "anchored", "sealed"])
def test_a_stripped_part_of_the_anchor_refutes_whatever_is_asked_for(
    exhibit: Exhibit, member: str, step: str, require: str | None
) -> None:
    anchor = sections(exhibit)["anchor"]
    del anchor[member]
    assert_refuted_at(step, judge(exhibit, require, anchor=anchor), f"anchor.{member} is missing")


def test_an_empty_receipt_proof_refutes(exhibit: Exhibit) -> None:
    assert_refuted_at("receipt", judge(exhibit, **edited(exhibit, "anchor", receipt_proof=[])))


@pytest.mark.parametrize("section", ["statement", "receipt"])
def test_a_section_stripped_of_one_member_refutes_at_its_step(exhibit: Exhibit, section: str) -> None:
    step = {"statement": "document", "receipt": "commitment"}[section]
    whole = sections(exhibit)[section]
    for member in whole:
        rest = {name: value for name, value in whole.items() if name != member}
        assert_refuted_at(step, judge(exhibit, None, **{section: rest}), "missing")


# ---- document ----


def test_another_document_refutes(exhibit: Exhibit) -> None:
    other = dataclasses.replace(exhibit.document, sha256=key("another document"))
    verdict = verify(other, exhibit.evidence, exhibit.network_file)
    assert_refuted_at("document", verdict, "SHA-256")


def test_a_document_of_another_sm3_refutes(exhibit: Exhibit) -> None:
    other = dataclasses.replace(exhibit.document, sm3=key("another document"))
    assert_refuted_at("document", verify(other, exhibit.evidence, exhibit.network_file), "SM3")


@pytest.mark.parametrize("evidence", [b"", b"{}", b"[]", b"null", DOCUMENT, b"\xff", b"{" * 1000, b'{"format": 1}'])
def test_what_is_no_evidence_file_refutes(exhibit: Exhibit, evidence: bytes) -> None:
    assert_refuted_at("document", verify(exhibit.document, evidence, exhibit.network_file))


def test_a_file_above_the_bound_refutes(exhibit: Exhibit) -> None:
    evidence = exhibit.evidence + b" " * MAX_FILE_BYTES
    assert_refuted_at("document", verify(exhibit.document, evidence, exhibit.network_file), "more than")


def test_an_unknown_section_or_format_refutes(exhibit: Exhibit) -> None:
    for change in ({"key": "trust me"}, {"format": "bidledger/evidence/v2"}):
        evidence = json.dumps(sections(exhibit) | change).encode()
        assert_refuted_at("document", verify(exhibit.document, evidence, exhibit.network_file))


@pytest.mark.parametrize("member", ["kind", "sha256", "salt", "holder"])
def test_a_malformed_statement_refutes(exhibit: Exhibit, member: str) -> None:
    assert_refuted_at("document", judge(exhibit, **edited(exhibit, "statement", **{member: "?"})))


# ---- commitment ----


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"tender": "another"},
        {"tender": None},
        {"party": None},
        {"holder": None},
        {"sm3": None},
        {"extra": {"lot": 8}},
        {"extra": None},
        {"salt": "0x" + "00" * 32},
    ],
    ids=str,
)
def test_a_statement_that_says_something_else_refutes(exhibit: Exhibit, change: dict[str, Any]) -> None:
    assert_refuted_at("commitment", judge(exhibit, **edited(exhibit, "statement", **change)), "commits to")


@pytest.mark.parametrize(
    "change",
    [{"index": INDEX + 1}, {"position": 1}, {"count": 3}, {"root": "0x" + "00" * 32}, {"path": []}],
    ids=str,
)
def test_a_receipt_whose_path_leads_elsewhere_refutes(exhibit: Exhibit, change: dict[str, Any]) -> None:
    assert_refuted_at("commitment", judge(exhibit, **edited(exhibit, "receipt", **change)))


@pytest.mark.parametrize("signature", ["0x", "0x" + "00" * 65, "0x" + "ff" * 64 + "1b"])
def test_a_malformed_receipt_signature_refutes(exhibit: Exhibit, signature: str) -> None:
    assert_refuted_at("commitment", judge(exhibit, **edited(exhibit, "receipt", signature=signature)))


# ---- inclusion ----


def _with_proof(exhibit: Exhibit, proof: TlogProof) -> Exhibit:
    return dataclasses.replace(exhibit, proof=proof)


def test_a_proof_of_another_index_refutes(exhibit: Exhibit) -> None:
    proof = TlogProof.of(INDEX - 1, exhibit.proof.path, exhibit.proof.note)
    assert_refuted_at("inclusion", judge(_with_proof(exhibit, proof)), "promises leaf")


def test_a_path_that_leads_elsewhere_refutes(exhibit: Exhibit) -> None:
    path = (key("node"), *exhibit.proof.path[1:])
    proof = TlogProof.of(INDEX, path, exhibit.proof.note)
    assert_refuted_at("inclusion", judge(_with_proof(exhibit, proof)), "does not lead to the root")


@pytest.mark.parametrize("cut", [slice(1, None), slice(0, 0)])
def test_a_path_that_is_too_short_refutes(exhibit: Exhibit, cut: slice) -> None:
    proof = TlogProof.of(INDEX, exhibit.proof.path[cut], exhibit.proof.note)
    assert_refuted_at("inclusion", judge(_with_proof(exhibit, proof)))


@pytest.mark.parametrize("text", ["", "c2sp.org/tlog-proof@v1\n", 7, {}])
def test_a_malformed_tlog_proof_refutes(exhibit: Exhibit, text: object) -> None:
    assert_refuted_at("inclusion", judge(exhibit, tlog_proof=text))


# ---- checkpoint ----


def _signed_by(exhibit: Exhibit, code: str, generation: int = 0, name_of: str | None = None) -> Exhibit:
    """The same tree under a checkpoint of another log."""
    signer = log_signer(code, generation)
    checkpoint = dataclasses.replace(exhibit.proof.checkpoint, origin=signer.verifier.name)
    note = sign_checkpoint(checkpoint, signer)
    return _with_proof(exhibit, TlogProof.of(INDEX, exhibit.proof.path, note))


def test_another_members_checkpoint_refutes(exhibit: Exhibit) -> None:
    assert_refuted_at("checkpoint", judge(_signed_by(exhibit, "xpcc")), "xpcc")


def test_a_checkpoint_of_another_generation_refutes(exhibit: Exhibit) -> None:
    assert_refuted_at("checkpoint", judge(_signed_by(exhibit, "sichuan", 1)), "sichuan/1")


def test_a_checkpoint_that_the_log_did_not_sign_refutes(exhibit: Exhibit) -> None:
    line = dataclasses.replace(exhibit.proof.note.signatures[0], signature=bytes(64))
    note = SignedNote(exhibit.proof.note.text, (line,))
    proof = TlogProof.of(INDEX, exhibit.proof.path, note)
    assert_refuted_at("checkpoint", judge(_with_proof(exhibit, proof)), "did not sign")


def test_a_checkpoint_above_the_size_that_its_key_is_good_for_refutes(exhibit: Exhibit) -> None:
    key_until = LogKey(0, log_signer("sichuan").verifier.vkey, 0, LEAVES - 1)
    network = _network(exhibit, members=_members(exhibit, log_keys=(key_until,)))
    assert_refuted_at("checkpoint", judge(network), "no key of sichuan is good")


def test_a_log_key_that_is_no_key_refutes(exhibit: Exhibit) -> None:
    key_id, _, _ = log_signer("sichuan").verifier.vkey.rpartition("+")
    network = _network(exhibit, members=_members(exhibit, log_keys=(LogKey(0, f"{key_id}+AQ==", 0, None),)))
    assert_refuted_at("checkpoint", judge(network))


def test_a_receipt_of_an_unknown_member_refutes(exhibit: Exhibit) -> None:
    assert_refuted_at("checkpoint", judge(exhibit, **edited(exhibit, "receipt", member=99)), "no member 99")


def _network(exhibit: Exhibit, **changes: Any) -> Exhibit:
    """The exhibit with another network file, signed again."""
    return dataclasses.replace(exhibit, network=governed(dataclasses.replace(exhibit.network, **changes)))


def _members(exhibit: Exhibit, **changes: Any) -> tuple[Any, ...]:
    """The members with sichuan changed."""
    return tuple(
        dataclasses.replace(member, **changes) if member.code == "sichuan" else member
        for member in exhibit.network.members
    )


# ---- event ----


def _forged(exhibit: Exhibit, forge: Callable[[dict[str, Any]], None]) -> Exhibit:
    """The exhibit with another anchoring receipt in a block of its own, as a forger on a development chain makes it."""
    receipts = copy.deepcopy(exhibit.receipts)
    index = exhibit.anchor.place.transaction_index
    forge(receipts[index])
    trie = receipts_trie(receipts)
    fields = list(rlp.decode_list(exhibit.anchor.header))
    fields[5] = trie.root
    anchor = Anchor(rlp.encode(fields), tuple(trie.prove(receipt_key(index))), exhibit.anchor.place)
    return dataclasses.replace(exhibit, anchor=anchor)


def _in_log(member: str, value: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    def forge(receipt: dict[str, Any]) -> None:
        receipt["logs"][0][member] = value(receipt["logs"][0][member])

    return forge


def _word(at: int, word: int) -> Callable[[dict[str, Any]], None]:
    start = 2 + 64 * at
    return _in_log("data", lambda data: data[:start] + f"{word:064x}" + data[start + 64 :])


def test_the_forgers_block_is_good_but_for_what_is_forged(exhibit: Exhibit) -> None:
    assert judge(_forged(exhibit, lambda _: None)).proven


@pytest.mark.parametrize(
    "forge",
    [
        _word(0, 1),
        _word(1, LEAVES + 1),
        _word(2, 0),
        _in_log("data", lambda data: data[:-64]),
        _in_log("data", lambda data: data + "00"),
        _in_log("topics", lambda topics: [topics[0], "0x" + f"{3:064x}"]),
        _in_log("topics", lambda topics: ["0x" + "00" * 32, topics[1]]),
        _in_log("topics", lambda topics: topics[:1]),
        _in_log("topics", lambda topics: [*topics, topics[0]]),
    ],
    ids=["generation", "size", "root", "short", "long", "member", "other event", "fewer topics", "more topics"],
)
def test_an_event_that_anchors_something_else_refutes(
    exhibit: Exhibit, forge: Callable[[dict[str, Any]], None]
) -> None:
    assert_refuted_at("event", judge(_forged(exhibit, forge)), "does not anchor")


def test_an_event_of_another_contract_refutes(exhibit: Exhibit) -> None:
    forged = _forged(exhibit, _in_log("address", lambda _: "0x" + "77" * 20))
    assert_refuted_at("event", judge(forged), "0x" + "77" * 20)


def test_a_signed_checkpoint_that_was_never_anchored_refutes(exhibit: Exhibit) -> None:
    leaves = [key(f"another filler {number}") for number in range(LEAVES)]
    leaves[INDEX] = exhibit.receipt.commitment
    tree = Levels.over(leaves)
    signer = log_signer("sichuan")
    note = sign_checkpoint(Checkpoint(signer.verifier.name, LEAVES, tree.root), signer)
    fork = _with_proof(exhibit, TlogProof.of(INDEX, tuple(tree.path(INDEX)), note))
    assert_refuted_at("event", judge(fork), "does not anchor")


def test_an_event_at_no_place_refutes(exhibit: Exhibit) -> None:
    assert_refuted_at("event", judge(exhibit, **edited(exhibit, "anchor", log_index=1)), "has 1 events")


@pytest.mark.parametrize("change", [{"log_index": -1}, {"transaction_index": "0"}, {"log_index": None}, {"more": 1}])
def test_a_malformed_place_refutes(exhibit: Exhibit, change: dict[str, Any]) -> None:
    assert_refuted_at("event", judge(exhibit, **edited(exhibit, "anchor", **change)))


def test_an_anchor_that_is_no_object_refutes(exhibit: Exhibit) -> None:
    assert_refuted_at("event", judge(exhibit, "logged", anchor=[]))


# ---- receipt ----


def test_a_receipt_proof_for_another_place_refutes(exhibit: Exhibit) -> None:
    for place in (0, 2, 3):
        assert_refuted_at("receipt", judge(exhibit, **edited(exhibit, "anchor", transaction_index=place)))


@pytest.mark.parametrize(
    "edit",
    [
        lambda nodes: nodes[1:],
        lambda nodes: [nodes[0], *nodes],
        lambda nodes: [*nodes, nodes[-1]],
        lambda nodes: ["0x" + "00" * 40, *nodes[1:]],
        lambda nodes: nodes[:-1],
        lambda nodes: [*nodes[:-1], "0x"],
        lambda nodes: [*nodes[:-1], nodes[-1][:-1]],
        lambda nodes: nodes * 9,
        lambda _: "0x",
    ],
    ids=["no root", "root twice", "leaf twice", "another root", "no leaf", "empty leaf", "odd", "too many", "no list"],
)
def test_a_receipt_proof_that_leads_nowhere_refutes(exhibit: Exhibit, edit: Callable[[Any], Any]) -> None:
    nodes = edit(sections(exhibit)["anchor"]["receipt_proof"])
    assert_refuted_at("receipt", judge(exhibit, **edited(exhibit, "anchor", receipt_proof=nodes)))


def test_an_event_shown_in_a_leaf_of_no_trie_refutes(exhibit: Exhibit) -> None:
    leaf = bytearray(exhibit.anchor.receipt_proof[-1])
    leaf[-1] ^= 1  # of the count of anchors, which no step before this one looks at
    nodes = [*sections(exhibit)["anchor"]["receipt_proof"][:-1], "0x" + leaf.hex()]
    assert_refuted_at("receipt", judge(exhibit, **edited(exhibit, "anchor", receipt_proof=nodes)), "bad trie proof")


# ---- header ----


def test_a_header_of_another_block_refutes(exhibit: Exhibit) -> None:
    fields = list(rlp.decode_list(exhibit.anchor.header))
    fields[5] = key("another root")
    header = "0x" + rlp.encode(fields).hex()
    assert_refuted_at("header", judge(exhibit, **edited(exhibit, "anchor", header=header)), "the receipts root")


@pytest.mark.parametrize("header", ["0x", "0xc0", "0x" + "00" * 600, "", 7, "0x" + "00" * (1 << 17)])
def test_a_malformed_header_refutes(exhibit: Exhibit, header: object) -> None:
    assert_refuted_at("header", judge(exhibit, **edited(exhibit, "anchor", header=header)))


# ---- seals ----


def test_nothing_on_a_development_network_is_sealed(exhibit: Exhibit) -> None:
    assert_refuted_at("seals", judge(exhibit, "sealed"), "nobody sealed")


def test_a_finality_part_where_nobody_seals_refutes(exhibit: Exhibit) -> None:
    assert_refuted_at("seals", judge(exhibit, finality={"headers": []}), "finality")


# ---- network ----


@pytest.mark.parametrize("require", [None, "logged"])
def test_an_invalid_network_file_refutes_before_its_first_use(exhibit: Exhibit, require: str | None) -> None:
    unsigned = dataclasses.replace(exhibit, network=dataclasses.replace(exhibit.network, signatures=()))
    verdict = judge(unsigned, require)
    assert_refuted_at("network", verdict, "0 members")
    assert [each.step for each in verdict.steps] == ["document", "commitment", "inclusion", "network"]


@pytest.mark.parametrize("network", [b"", b"{}", b"\x00" * 100, b"[" * 9000])
def test_what_is_no_network_file_refutes(exhibit: Exhibit, network: bytes) -> None:
    assert_refuted_at("network", verify(exhibit.document, exhibit.evidence, network))


def _contracts(exhibit: Exhibit, *spans: tuple[bytes, int, int | None]) -> tuple[Contract, ...]:
    log = exhibit.network.contracts[0]
    return tuple(dataclasses.replace(log, address=at, from_block=start, to_block=end) for at, start, end in spans)


def test_a_contract_that_was_not_in_force_at_the_block_refutes(exhibit: Exhibit) -> None:
    log = exhibit.network.contracts[0].address
    block = decode_header(exhibit.anchor.header, DEVELOPMENT).number
    for spans in ([(log, block + 1, None)], [(log, 0, block)], [(log, 0, block), (address("next log"), block, None)]):
        network = _network(exhibit, contracts=_contracts(exhibit, *spans))
        assert_refuted_at("network", judge(network), "in force at block")
    successor = [(log, 0, block + 1), (address("next log"), block + 1, None)]
    assert judge(_network(exhibit, contracts=_contracts(exhibit, *successor))).proven


def test_a_receipt_for_an_unknown_contract_refutes(exhibit: Exhibit) -> None:
    receipt = signed(dataclasses.replace(exhibit.receipt, log=address("another log")), "sichuan receipt signer")
    assert_refuted_at("network", judge(dataclasses.replace(exhibit, receipt=receipt)), "no EvidenceLog")


@pytest.mark.parametrize("signer", ["stranger", "xpcc receipt signer", "sichuan governor"])
def test_a_receipt_by_whom_the_network_file_does_not_list_for_the_member_refutes(exhibit: Exhibit, signer: str) -> None:
    exhibit = dataclasses.replace(exhibit, receipt=signed(exhibit.receipt, signer))
    assert_refuted_at("network", judge(exhibit), "no receipt signer of sichuan")
    assert_refuted_at("network", judge(exhibit, "logged", anchor=None), "no receipt signer of sichuan")


@pytest.mark.parametrize("member", ["accepted_at", "anchor_by"])
def test_a_receipt_with_other_times_than_were_signed_refutes(exhibit: Exhibit, member: str) -> None:
    changed = edited(exhibit, "receipt", **{member: getattr(exhibit.receipt, member) + 1})
    assert_refuted_at("network", judge(exhibit, **changed), "no receipt signer")


def test_a_receipt_from_outside_its_signers_time_refutes(exhibit: Exhibit) -> None:
    accepted = exhibit.receipt.accepted_at
    for span in ((accepted + 1, None), (0, accepted)):
        signer = ReceiptSigner(address("sichuan receipt signer"), *span)
        network = _network(exhibit, members=_members(exhibit, receipt_signers=(signer,)))
        assert_refuted_at("network", judge(network), f"at time {accepted}")


def test_a_receipt_signed_for_another_chain_refutes(exhibit: Exhibit) -> None:
    origin = log_signer("sichuan").verifier.name
    assert str(exhibit.network.chain_id) in origin  # so a network file of another chain fails at the checkpoint
    assert_refuted_at("checkpoint", verify(exhibit.document, exhibit.evidence, _other_chain(exhibit).network_file))


def _other_chain(exhibit: Exhibit) -> Exhibit:
    members = tuple(dataclasses.replace(member, log_keys=()) for member in exhibit.network.members)
    return _network(exhibit, chain_id=1, members=members)


# ---- hostile bytes ----


@hostile
@given(evidence=st.binary(max_size=300), network=st.binary(max_size=300))
def test_any_bytes_end_in_a_refuted_verdict(exhibit: Exhibit, evidence: bytes, network: bytes) -> None:
    assert not verify(exhibit.document, evidence, exhibit.network_file).proven
    assert not verify(exhibit.document, exhibit.evidence, network).proven


@hostile
@given(data=st.data(), require=st.sampled_from([None, *Grade]))
def test_any_value_in_any_place_of_the_evidence_ends_in_a_verdict(
    exhibit: Exhibit, data: st.DataObject, require: str | None
) -> None:
    content = sections(exhibit)
    place: Any = content
    while True:
        step = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[step], dict | list) or not place[step] or data.draw(st.booleans()):
            break
        place = place[step]
    before, place[step] = place[step], data.draw(JSON)
    verdict = verify(exhibit.document, json.dumps(content).encode(), exhibit.network_file, require)
    stripped_anchor = require == "logged" and content["anchor"] is None
    assert not verdict.proven or place[step] == before or stripped_anchor


@hostile
@given(at=st.integers(0, 1 << 20), change=st.integers(1, 255))
def test_one_byte_changed_in_either_file_ends_in_a_verdict(exhibit: Exhibit, at: int, change: int) -> None:
    evidence, network = bytearray(exhibit.evidence), bytearray(exhibit.network_file)
    network[at % len(network)] ^= change
    assert_refuted_at("network", verify(exhibit.document, exhibit.evidence, bytes(network)))
    evidence[at % len(evidence)] ^= change
    verdict = verify(exhibit.document, bytes(evidence), exhibit.network_file)
    assert not verdict.proven or verdict.index == INDEX
