"""Writes one real exhibit to tests/vectors/evidence/v1, once: every later version must still prove it.

Run as `python tests/anchors/freeze.py` from the repository's root, with `.` on PYTHONPATH. A new format gets a new
folder; nothing here is ever written over.
"""

import json
from pathlib import Path

from conftest import running
from exhibits import DOCUMENT, make_exhibit

FOLDER = Path(__file__).parents[1] / "vectors" / "evidence" / "v1"


def freeze() -> None:
    """Make the exhibit on anvil and write it."""
    FOLDER.mkdir(parents=True, exist_ok=False)
    with running("anvil") as node:
        exhibit = make_exhibit(node)
        client = node.rpc("web3_clientVersion")
    (FOLDER / "bid.txt").write_bytes(DOCUMENT)
    (FOLDER / "bid.txt.evidence.json").write_bytes(exhibit.evidence)
    (FOLDER / "network.json").write_bytes(exhibit.network_file)
    provenance = {
        "source": "tests/anchors/freeze.py",
        "chain": client,
        "licence": "Apache-2.0, as this repository",
        "note": "All keys are SHA-256 of names in tests/anchors/exhibits.py: public, and good for nothing.",
    }
    (FOLDER / "PROVENANCE.json").write_text(json.dumps(provenance, indent=1) + "\n")


if __name__ == "__main__":
    freeze()
