"""The end of the third act: both tenders audited from one file each, and a file that was tampered with refuted.

The host's service gives the one file, another member's the other: neither is believed. All is recomputed in processes
that may open no socket.
"""

import base64
import json
from pathlib import Path
from typing import Any, Final

from ledger_service.cli.console import say
from ledger_service.demo.bidders import Bid
from ledger_service.demo.members import Alliance
from ledger_service.demo.panel import Drawn
from ledger_service.demo.processes import bidledger, verdict_of

__all__ = ["audit", "refute", "replay"]

_KINDS: Final = ("kept", "not shown", "broken")


def audit(alliance: Alliance, code: str, tender: str, file: Path, *options: str | Path) -> dict[str, Any]:
    """Fetch a tender's audit from a member's service, and recompute it.

    Args:
        alliance: who is asked, and the network file.
        code: of the member.
        tender: its name.
        file: where the audit's file goes.
        options: further ones of `bidledger tender audit`.
    """
    bidledger("tender", "fetch-audit", tender, "--url", alliance.members[code].url, "--out", file, quiet=True)
    verdict = verdict_of("tender", "audit", file, "--network", alliance.network, *options)
    found = {kind: [each["rule"] for each in verdict["rules"] if each["outcome"] == kind] for kind in _KINDS}
    said = ", ".join(f"{len(rules)} {kind}" + _named(kind, rules) for kind, rules in found.items() if rules)
    say(f"   {file.name} of {code}: {verdict['verdict']}; {said}")
    for leaf in verdict["unaccounted"]:
        say(f"   leaf {leaf['index']} {leaf['leaf']} is neither filling nor accounted for: {code} is to be asked")
    return {
        "file": str(file),
        "from": code,
        **{name: verdict[name] for name in ("tender", "verdict", "state", "sealed", "block_number")},
        **{kind.replace(" ", "_"): rules for kind, rules in found.items()},
        "unaccounted": [leaf["leaf"] for leaf in verdict["unaccounted"]],
    }


def refute(alliance: Alliance, file: Path, dropped: Bid, opened: str, forged: Path) -> dict[str, Any]:
    """Let a host write the dropped bid into the opened list of a file, in place of another, and have that recomputed.

    Args:
        alliance: the network file.
        file: of the audit.
        dropped: the bid that was left out.
        opened: commitment of a bid that was opened, 0x and 64 digits.
        forged: where the forged file goes.
    """
    content = json.loads(file.read_bytes())
    before, after = bytes.fromhex(opened[2:]), bytes.fromhex(dropped.commitment[2:])
    nodes = [base64.b64decode(node) for node in content["nodes"]]
    content["nodes"] = [base64.b64encode(node.replace(before, after)).decode() for node in nodes]
    forged.write_text(json.dumps(content), encoding="utf-8")
    verdict = verdict_of("tender", "audit", forged, "--network", alliance.network)
    step = next((each["step"] for each in verdict["steps"] if not each["ok"]), None)
    say(f"   {forged.name}, with the dropped bid in the list: {verdict['verdict']} at {step}")
    return {"changed": "dropped bid listed", "step": step}


def replay(drawn: Drawn, opened: Path) -> dict[str, Any]:
    """Hold a draw again from its open file."""
    verdict = verdict_of("draw", "replay", opened)
    say(f"   {opened.name} of the draw, held again: {verdict['verdict']}, {len(verdict['words'] or ())} seats")
    return {
        "file": str(opened),
        "sealed": str(drawn.sealed),
        "seats": drawn.seats,
        **{name: verdict[name] for name in ("verdict", "digest", "words")},
    }


def _named(kind: str, rules: list[str]) -> str:
    return f" ({', '.join(rules)})" if kind != "kept" else ""
