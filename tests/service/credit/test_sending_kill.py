"""Kill the sender at any moment, again and again, while blocks are made: each act comes onto the chain once."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from acting import Acting, fresh_digest
from filing import COMPANIES
from test_sending import count, nonce, ready

from anchors.network import write_network

KILLS = 12
ACTS = 8
SECONDS = 60


@contextmanager
def sending(config: Path) -> Iterator["subprocess.Popen[str]"]:
    """The sender in a process of its own, which is killed."""
    command = [sys.executable, str(Path(__file__).with_name("sender.py")), str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        while process.stdout.readline().strip() != "running":
            assert process.poll() is None
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


@pytest.mark.usefixtures("standstill")
def test_every_act_takes_effect_once(acting: Acting, tmp_path: Path) -> None:
    made = [ready(acting, subject=COMPANIES[at], document=fresh_digest()) for at in range(4)]
    network, config, keys = tmp_path / "network.json", tmp_path / "sender.json", acting.founded.members[1]
    network.write_bytes(write_network(acting.founded.network))
    config.write_text(
        json.dumps(
            {
                "network": str(network),
                "database": acting.engine.url.render_as_string(),
                "rpc": acting.rpc.url,
                "keystore": str(keys.keystores["anchorer"]),
                "password_file": str(keys.password_file),
            }
        )
    )
    for _ in range(KILLS):
        with sending(config):
            time.sleep(random.uniform(0, 0.3))
            acting.rpc.call("evm_mine")
            time.sleep(random.uniform(0, 0.1))
        if len(made) < ACTS:
            acting.follow()
            company = COMPANIES[len(made) % 4]
            made.append(ready(acting, subject=company, document=fresh_digest()))
    with sending(config):
        deadline = time.monotonic() + SECONDS
        while {acting.show(one)["state"] for one in made} != {"final"}:
            assert time.monotonic() < deadline, [acting.show(one)["state"] for one in made]
            acting.rpc.call("evm_mine")
            time.sleep(0.1)
    assert [count(acting, at) for at in range(4)] == [2] * 4
    assert nonce(acting) == ACTS, "nothing was sent in vain"
