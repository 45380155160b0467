"""Writes exhibits to tests/vectors/evidence, each once: every later version must still prove them.

`v1` is a real one of a development chain; `v1-clique`, `v1-ibft2` and `v1-qbft` are the same in blocks that validators
have sealed. Run as `python tests/anchors/freeze.py` from the repository's root, with `.` on PYTHONPATH. A new format
gets new folders; nothing here is ever written over.
"""

import json
from pathlib import Path

from conftest import running
from exhibits import DOCUMENT, make_exhibit
from sealed_exhibits import BFT, Sealing

from anchors.evidence import Finality

FOLDER = Path(__file__).parents[1] / "vectors" / "evidence"


def freeze() -> None:
    """Make the exhibits on anvil and write those that are missing."""
    with running("anvil") as node:
        exhibit = make_exhibit(node)
        client = node.rpc("web3_clientVersion")
    _write("v1", client, exhibit.evidence, exhibit.network_file)
    for consensus in (*BFT, "clique"):
        sealing = Sealing(exhibit, consensus)
        header, headers = sealing.sealed()
        evidence = sealing.evidence(header, None if headers is None else Finality(tuple(headers)).to_json())
        _write(
            f"v1-{consensus}", f"{client}, its receipts in a block sealed by the test", evidence, sealing.network_file
        )


def _write(name: str, chain: str, evidence: bytes, network_file: bytes) -> None:
    folder = FOLDER / name
    if folder.exists():
        return
    folder.mkdir(parents=True)
    (folder / "bid.txt").write_bytes(DOCUMENT)
    (folder / "bid.txt.evidence.json").write_bytes(evidence)
    (folder / "network.json").write_bytes(network_file)
    provenance = {
        "source": "tests/anchors/freeze.py",
        "chain": chain,
        "licence": "Apache-2.0, as this repository",
        "note": "All keys are SHA-256 of names in tests/anchors/exhibits.py: public, and good for nothing.",
    }
    (folder / "PROVENANCE.json").write_text(json.dumps(provenance, indent=1) + "\n")


if __name__ == "__main__":
    freeze()
