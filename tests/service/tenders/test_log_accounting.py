"""`bidledger log account`: whoever has the URL of a log and the network file accounts for its leaves."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Clock
from founding import Founded
from hosting import Hosted
from tendering import BIDDERS, Tendering
from typer.testing import CliRunner, Result

from anchors.errors import LeavesDiffer, MalformedFile
from anchors.merkle import TILE_WIDTH
from anchors.network import write_network
from anchors.tenders import Bid
from ledger_service.cli import app
from ledger_service.connection import Connection
from ledger_service.log.accounting import account_for


def test_the_leaves_that_are_not_filling_are_listed_once_keys_are_told(
    hosted: Hosted, founded: Founded, tendering: Tendering, tmp_path: Path, clock: Clock
) -> None:
    network = tmp_path / "network.json"
    network.write_bytes(write_network(founded.network))
    with hosted() as host:

        def account(*options: str) -> Result:
            asked = ["log", "account", "--url", str(host.room.client.base_url), "--network", str(network), *options]
            return CliRunner().invoke(app, asked)

        tender = tendering.publish()
        host.catch_up()
        receipts = host.room.handed_in(tender, *BIDDERS[:4])
        host.pass_periods(receipts[0].index)
        before = json.loads(account("--json").stdout)
        assert (before["left"], len(before["sealed"])) == ([], before["periods"])
        tendering.close(tender)
        tendering.open(tender, [Bid(one.commitment, one.index) for one in receipts[:3]])
        host.anchor()
        host.pass_block()
        number = host.period_of(receipts[0].index)["number"]
        told = account("--json")
        found = json.loads(told.stdout)
        left = {one["leaf"] for one in found["left"]}
        assert {"0x" + one.commitment.hex() for one in receipts} <= left
        assert number not in found["sealed"]
        assert len(left) <= len(receipts) + 1  # and what commits to the last key, where the next is not told yet
        printed = account()
        assert f"{receipts[3].index} 0x{receipts[3].commitment.hex()}" in printed.stdout
        after = datetime.fromtimestamp(clock().timestamp() + 10 * 86_400, UTC)
        nothing = account("--since", f"{after:%Y-%m-%dT%H:%M:%SZ}")
        assert nothing.exit_code != 0


def test_leaves_that_are_not_the_logs_are_refused(hosted: Hosted, founded: Founded, tmp_path: Path) -> None:
    with hosted() as host:
        host.grow(TILE_WIDTH)
        with Connection(str(host.room.client.base_url)) as connection:
            assert account_for(connection, founded.network, None, None).first == 0
            with pytest.raises(MalformedFile, match="does not name"):
                account_for(connection, replace(founded.network, domain="other.example"), None, None)
            bundle = tmp_path / "data" / "log" / "0" / "tile" / "entries" / "000"
            content = bytearray(bundle.read_bytes())
            content[40] ^= 1
            bundle.write_bytes(content)
            with pytest.raises(LeavesDiffer):
                account_for(connection, founded.network, None, None)
