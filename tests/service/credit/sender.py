"""The job that sends alone, beside an index, for tests that kill it: `python sender.py CONFIG`, a JSON file.

It prints a line once it runs. The keys are opened before, as the service does, since that takes longer than a step.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from anchors.network import parse_network
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.credit.acts import CreditActs
from ledger_service.credit.ground import CreditGround
from ledger_service.database import open_engine
from ledger_service.errors import ServiceError
from ledger_service.index.indexer import Followed, Indexer
from ledger_service.keys import open_ethereum_key
from ledger_service.operations.sending import Sending


def now() -> datetime:
    return datetime.now(UTC)


def main(config: dict[str, str]) -> None:
    network = parse_network(Path(config["network"]).read_bytes())
    engine, rpc = open_engine(config["database"]), Rpc(config["rpc"])
    member = next(one for one in network.members if one.code == "sichuan")
    ground = CreditGround.pinned(engine, network, member, now)
    key = open_ethereum_key(Path(config["keystore"]), Path(config["password_file"]))
    acts, finality = CreditActs(ground), Finality.pinned(network, 0)
    sending = Sending(engine, rpc, network.chain_id, key, acts, finality, now)
    follower = Indexer(engine, rpc, Followed.pinned(network), now)
    print("running", flush=True)
    while True:
        for step in (follower.step, sending.step):
            try:
                step()
            except ServiceError as error:
                print(f"{error.problem}: {error.detail}", flush=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
