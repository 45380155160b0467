"""A wrong clock for one running process, whatever it is written in: what it reads of the time of day is off by so much.

A Go program asks the kernel's page of code that every process has mapped (vdso(7)), never the C library, so that a
preloaded library does not reach it, and a time namespace leaves the time of day alone. Here the page's
`clock_gettime` is written over, in that process's own copy of it, by one that asks the kernel and adds the seconds.
"""

import os
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger_service.chain import devnet
from ledger_service.chain.devnet import clique

# mov eax, 228 (clock_gettime); syscall; test edi, edi (CLOCK_REALTIME is 0); jne +7; add qword [rsi], <seconds>; ret
_CODE = bytes.fromhex("b8e4000000 0f05 85ff 7507 488106"), bytes.fromhex("c3")
_DYNSYM = 11  # elf(5), sh_type


@contextmanager
def clock_off(directory: Path, name: str, seconds: int) -> Iterator[None]:
    """Let a signer of a Clique chain read the time `seconds` off, and start it again with the right one afterwards.

    A geth that could not follow for long, or whom its peers have dropped for what it sent, may come back to them by
    nothing else.
    """
    running = devnet.status(directory).devnet
    assert running is not None
    set_off(running.node(name).process.pid, seconds)
    try:
        yield
    finally:
        clique.stop_node(directory, name)
        clique.start_node(directory, name)


def set_off(pid: int, seconds: int) -> None:
    """Let process `pid`, of this machine's own kind (x86-64), read the time of day `seconds` off from now on."""
    mapped = next(line for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if line.endswith("[vdso]"))
    first, last = (int(address, 16) for address in mapped.split()[0].split("-"))
    memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
    os.kill(pid, signal.SIGSTOP)
    try:
        place = first + _place(os.pread(memory, last - first, first), b"__vdso_clock_gettime")
        os.pwrite(memory, struct.pack("<i", seconds).join(_CODE), place)
    finally:
        os.kill(pid, signal.SIGCONT)
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
