"""All signers of Clique together can give up what they confirmed; then evidence is withdrawn and issued anew."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from member import Member, wait_until

from anchors.chain.header import CLIQUE, decode_header
from anchors.seals import prove_seals
from ledger_service.chain import devnet
from ledger_service.chain.rpc import Rpc


@pytest.fixture
def member(geth: Path, tmp_path: Path) -> Iterator[Member]:
    try:
        running = Member(devnet.up("clique", tmp_path / "chain"), tmp_path, slots=0)
        running.start()
        try:
            yield running
        finally:
            running.end(signal.SIGTERM)
    finally:
        devnet.down(tmp_path / "chain")


def take_back(chain: devnet.Devnet, block: int) -> None:
    """Let all signers forget a block and what came after it, and seal anew."""
    nodes = [Rpc(node.rpc) for node in chain.nodes]
    for method, *parameters in (("miner_stop",), ("debug_setHead", hex(block - 1)), ("miner_start",)):
        for rpc in nodes:
            rpc.call(method, *parameters)
    for rpc in nodes:
        rpc.close()


def sealed_hash(member: Member, proof: dict[str, Any]) -> str:
    """The hash of the block that a proof shows sealed, as its reader proves it."""
    header = decode_header(bytes.fromhex(proof["anchor"]["header"][2:]), CLIQUE)
    later = [bytes.fromhex(one[2:]) for one in proof["finality"]["headers"]]
    assert len(set(prove_seals(header, member.network().validators, later).sealers)) >= 3
    return f"0x{header.hash.hex()}"


def test_evidence_that_all_signers_reverse_is_withdrawn_and_issued_anew(member: Member) -> None:
    receipt = member.submit()
    assert receipt is not None
    path = f"/v1/evidence/{receipt['commitment']}"
    wait_until(lambda: member.get(f"{path}/proof"))
    before, proof = member.get(path), member.get(f"{path}/proof")
    assert (before["state"], before["withdrawn"]) == ("final", [])
    old_hash = sealed_hash(member, proof)

    take_back(member.node, before["anchor"]["block_number"])
    wait_until(lambda: (member.get(path) or {}).get("withdrawn"))
    (withdrawn,) = member.get(path)["withdrawn"]
    assert (withdrawn["block_number"], withdrawn["block_hash"]) == (before["anchor"]["block_number"], old_hash)
    print(f"while it is outstanding the status says: {member.details()}")

    wait_until(lambda: member.get(f"{path}/proof"))
    after = member.get(f"{path}/proof")
    assert after["tlog_proof"] == proof["tlog_proof"]
    assert sealed_hash(member, after) != old_hash
    (listed,) = member.get("/v1/withdrawals")["withdrawals"]
    assert listed["anchor"] == member.get(path)["anchor"]
    status = member.get("/v1/status")
    assert (status["withdrawn"]["count"], status["withdrawn"]["outstanding"]) == (1, 0)
    wait_until(lambda: member.problems() == set())
    print(f"block {before['anchor']['block_number']} became block {listed['anchor']['block_number']}")
