"""Delivers webhooks in a process of its own, until it is killed: database, network file, secret in hex."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from anchors.chain.header import DEVELOPMENT
from anchors.network import parse_network
from ledger_service.chain.finality import Finality
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.webhook_addresses import Reach
from ledger_service.credit.webhooks import Delivering
from ledger_service.database import open_engine

url, network_file, secret = sys.argv[1:]
network = parse_network(Path(network_file).read_bytes())
ground = CreditGround.pinned(open_engine(url), network, network.member(2), lambda: datetime.now(UTC))
reach = Reach.of(["127.0.0.0/8"])
delivering = Delivering(ground, Finality(DEVELOPMENT, 0), bytes.fromhex(secret), reach, lambda _session, _record: [])
print("ready", flush=True)
while True:
    delivering.step()
    time.sleep(0.01)
