"""The clock of a development chain, put forward: blocks come from the time on, and it never goes back."""

import subprocess
import sys

import pytest

from ledger_service.chain import devnet
from ledger_service.chain.devnet.clock import head, put_forward, set_clocks_off
from ledger_service.errors import Misconfigured

DAY = 86_400
TELL_THE_TIME = "import time\nwhile input():\n    print(int(time.time()), flush=True)"


@pytest.mark.parametrize("chain", devnet.UNSEALED)
def test_blocks_come_from_the_time_on_and_never_go_back(chain: str) -> None:
    with devnet.running(chain, block_seconds=1) as running:
        _, before = head(running.nodes[0])
        put_forward(running, before + 20 * DAY)
        number, after = head(running.nodes[0])
        assert before + 20 * DAY <= after < before + 21 * DAY
        put_forward(running, before + DAY)
        assert head(running.nodes[0]) >= (number, after)


def test_a_running_process_reads_the_new_time_and_the_next_change_counts_from_the_right_one() -> None:
    command = [sys.executable, "-c", TELL_THE_TIME]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def told() -> int:
            process.stdin.write("?\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        right = told()
        try:
            for days in (20, 24, -1):
                set_clocks_off([process.pid], days * DAY)
                assert 0 <= told() - right - days * DAY < DAY
        finally:
            process.kill()


def test_a_process_that_is_gone_is_said_so() -> None:
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    with pytest.raises(Misconfigured):
        set_clocks_off([gone.pid], DAY)
