"""All signers of Clique together can give up what they confirmed; then evidence is withdrawn and issued anew."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from member import Member, stop_sealing, wait_until

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


def take_back(directory: Path, chain: devnet.Devnet, block: int) -> None:
    """Let all signers forget a block and what came after it, and meet anew to seal others."""
    nodes = [Rpc(node.rpc) for node in chain.nodes]
    stop_sealing(nodes)
    for rpc in nodes:
        rpc.call("debug_setHead", hex(block - 1))
        rpc.close()
    devnet.down(directory)  # they would ask one another for blocks that nobody has any more
    devnet.up("clique", directory)


def sealed_hash(member: Member, proof: dict[str, Any]) -> str:
    """The hash of the block that a proof shows sealed, as its reader proves it."""
    header = decode_header(bytes.fromhex(proof["anchor"]["header"][2:]), CLIQUE)
    later = [bytes.fromhex(one[2:]) for one in proof["finality"]["headers"]]
    assert len(set(prove_seals(header, member.network().validators, later).sealers)) >= 3
    return f"0x{header.hash.hex()}"


def test_evidence_that_all_signers_reverse_is_withdrawn_and_issued_anew(member: Member, tmp_path: Path) -> None:
    receipt = member.submit()
    assert receipt is not None
    path = f"/v1/evidence/{receipt['commitment']}"
    wait_until(lambda: member.get(f"{path}/proof"))
    before, proof = member.get(path), member.get(f"{path}/proof")
    assert (before["state"], before["withdrawn"]) == ("final", [])
    old_hash = sealed_hash(member, proof)

    take_back(tmp_path / "chain", member.node, before["anchor"]["block_number"])
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
    told = subprocess.run(
        [sys.executable, "-m", "ledger_service.cli", "status", "--url", member.service.url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    print(told)
    assert "(clique): block " in told
    assert "1 reorganisations seen" in told
    assert "sealed   by 4 of 4 validators in the last " in told
    assert ", 1 more may fail" in told
    assert f"evidence 1 withdrawn, the last of block {before['anchor']['block_number']}" in told
    print(f"block {before['anchor']['block_number']} became block {listed['anchor']['block_number']}")
