"""Puts a development chain's clock forward, so that days which a contract makes everyone wait for can be shown at once.

Contracts know no time but that of the blocks, and a node takes that from its clock. anvil and ganache have a call that
puts theirs forward. geth has none, and a network of signers takes no block from ahead of its own clocks; so those of
all signers are put forward at one moment, see `set_clocks_off`. No node is started again, and nothing else of what it
does is changed: blocks are sealed, sent and checked as ever. A signer that is started again has the right time.
"""

import contextlib
import os
import platform
import signal
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ledger_service.chain.devnet.lifecycle import UNSEALED
from ledger_service.chain.devnet.state import Devnet, Node
from ledger_service.chain.rpc import Rpc, fields, quantity
from ledger_service.errors import ChainUnreachable, Misconfigured

__all__ = ["head", "put_forward", "set_clocks_off"]

REACH_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05
# mov eax, 228 (clock_gettime); syscall; test edi, edi (CLOCK_REALTIME is 0); jne +7; add qword [rsi], <seconds>; ret
_CODE: Final = bytes.fromhex("b8e4000000 0f05 85ff 7507 488106"), bytes.fromhex("c3")
_DYNSYM: Final = 11  # elf(5), sh_type


def head(node: Node) -> tuple[int, int]:
    """The number of a node's last block, and its time, POSIX seconds."""
    with Rpc(node.rpc) as rpc:
        block = fields(rpc.call("eth_getBlockByNumber", "latest", False))
    return quantity(block["number"]), quantity(block["timestamp"])


def put_forward(devnet: Devnet, until: int) -> None:
    """Let a chain's clock come to a time, and wait until every node has a block from then on.

    Args:
        devnet: a chain that makes blocks by its clock.
        until: POSIX seconds; one that has come already changes nothing.

    Raises:
        Misconfigured: the clocks of signers cannot be changed on this machine.
        ChainUnreachable: no such block came.
    """
    if (behind := until - max(head(node)[1] for node in devnet.nodes)) > 0:
        if devnet.chain in UNSEALED:
            with Rpc(devnet.rpc) as rpc:
                rpc.call("evm_increaseTime", behind)
        else:
            set_clocks_off([node.process.pid for node in devnet.nodes], until - int(time.time()))
    deadline = time.monotonic() + REACH_SECONDS
    while any(head(node)[1] < until for node in devnet.nodes):
        if time.monotonic() > deadline:
            raise ChainUnreachable(f"no block from {until} on came within {REACH_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def set_clocks_off(pids: Sequence[int], seconds: int) -> None:
    """Let running processes read the time of day so many seconds off the right one, all from the same moment on.

    A Go program asks the kernel's page of code that every process has mapped (vdso(7)), never the C library, so that a
    preloaded library does not reach it, and a time namespace leaves the time of day alone. Here the page's
    `clock_gettime` is written over, in each process's own copy of it, by one that asks the kernel and adds the seconds.

    Args:
        pids: of processes of this machine's own kind that this one may change, as it may its children.
        seconds: may be negative; what was set before does not count in.

    Raises:
        Misconfigured: this is no Linux on x86-64, or they may not be changed.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Misconfigured("the clock of a running program can be changed on Linux on x86-64 only")
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            _wait_until_stopped(pid)
            _write_over(pid, seconds)
    except (OSError, LookupError) as error:
        raise Misconfigured(f"the clocks of the processes {pids} cannot be changed: {error}") from error
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _wait_until_stopped(pid: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while not all(_state(thread) == "T" for thread in Path(f"/proc/{pid}/task").iterdir()):
        if time.monotonic() > deadline:
            raise Misconfigured(f"process {pid} does not stop")
        time.sleep(0.001)


def _state(thread: Path) -> str:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0]


def _write_over(pid: int, seconds: int) -> None:
    (mapped, *_) = [line for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if line.endswith("[vdso]")]
    first, last = (int(address, 16) for address in mapped.split()[0].split("-"))
    memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
    try:
        place = first + _place(os.pread(memory, last - first, first), b"__vdso_clock_gettime")
        os.pwrite(memory, struct.pack("<i", seconds).join(_CODE), place)
    finally:
        os.close(memory)


def _place(image: bytes, function: bytes) -> int:
    """Where a function begins in an ELF image of 64 bits. Source: elf(5)."""
    (table,) = struct.unpack_from("<Q", image, 0x28)
    size, count = struct.unpack_from("<HH", image, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", image, table + number * size) for number in range(count)]
    symbols = next(section for section in sections if section[1] == _DYNSYM)
    names = sections[symbols[6]][4]
    for at in range(symbols[4], symbols[4] + symbols[5], 24):
        name, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", image, at)
        if image.startswith(function + b"\0", names + name):
            return int(value)
    raise LookupError(f"the kernel's page has no {function.decode()}")
