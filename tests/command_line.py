"""The command line as its user has it: a process of its own."""

import os
import subprocess
import sys


def bidledger(*arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; messages are not broken within, however long their paths."""
    command = [sys.executable, "-m", "ledger_service.cli", *map(str, arguments)]
    wide = os.environ | {"COLUMNS": "400"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=wide)
