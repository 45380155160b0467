"""The demonstration: found an alliance, submit files, fetch their evidence, prove it, and fail to forge it.

Its second act, about credit, is told by `credit`, its third by `tenders`; how parts are run, by `processes`. What is
said goes to standard error; the one JSON document, when asked for, to standard output.
"""

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from anchors.chain.header import DEVELOPMENT
from ledger_service.chain import devnet
from ledger_service.chain.deploy import deploy_from_file
from ledger_service.cli.console import print_json, say
from ledger_service.demo import credit, forgery, tenders
from ledger_service.demo.alliance import Founding, found
from ledger_service.demo.forgery import Exhibit, Forgeries
from ledger_service.demo.members import Alliance, Member
from ledger_service.demo.pdf import print_notice
from ledger_service.demo.processes import MEMBER, Service, bidledger, serving, verdict_of
from ledger_service.demo.stage import DAY
from ledger_service.errors import Exit, InvalidContent, NotFound

TENDER = "ocds-213czf-000-00001"
ANCHOR_SECONDS = 240.0


def run(files: Sequence[Path], directory: Path | None, chain: str, *, keep: bool, as_json: bool) -> Exit:
    """Run the demonstration.

    Args:
        files: what to submit; none takes the OCDS tender process and a PDF printed from it.
        directory: where everything goes, new or empty; None takes a new one below the current folder.
        chain: one of `devnet.CHAINS`.
        keep: wait, with chain and API running, until interrupted.
        as_json: print the JSON document to standard output.

    Returns:
        DONE when every verdict is as it must be, REFUTED otherwise.
    """
    _refuse_what_cannot_be_read(files)
    where = _new_directory(directory)
    with _interruptible():
        say(f"1. a chain of its own ({chain}) and an alliance of thirteen members")
        node = devnet.up(chain, where / "chain")
        try:
            founding = found(where / "keys", node.consensus, node.validators)
            network = deploy_from_file(node.rpc, founding.alliance_file, where / "network.json")
            say(f"   chain {network.chain_id} at {node.rpc}; network file {where / 'network.json'}")
            service = Service(f"http://127.0.0.1:{devnet.free_port()}", where / "keys" / "operator.key")
            with serving(service, node.rpc, founding, where):
                report = _play(node, service, founding, where, files or _default_files(where / "documents"))
                said = "all verdicts are as they must be" if report["ok"] else "A VERDICT IS NOT AS IT MUST BE"
                took = ", ".join(f"{act} {seconds:.0f} s" for act, seconds in report["seconds"].items())
                say(f"{said}; everything lies in {where} ({took})")
                if as_json:
                    print_json(report)
                if keep:
                    _wait_for_interrupt(node.rpc, service, sum(report["tenders"]["forward_seconds"]) / DAY)
        finally:
            devnet.down(where / "chain")
    return Exit.DONE if report["ok"] else Exit.REFUTED


def _play(
    node: devnet.Devnet, service: Service, founding: Founding, where: Path, files: Sequence[Path]
) -> dict[str, Any]:
    """All three acts, the last two with the service of another member beside the first; the JSON document."""
    url = f"http://127.0.0.1:{devnet.free_port()}"
    other = Service(url, where / "keys" / credit.OPTED_OUT / "operator.key", credit.OPTED_OUT)
    alliance = _alliance(founding, (service, other), where / "network.json")
    acts = {
        "evidence": partial(_first_act, node, service, where, files),
        "credit": partial(credit.tell, alliance, where / "credit"),
        "tenders": partial(tenders.tell, node, alliance, where / "tenders"),
    }
    told, seconds = {}, {}
    with serving(other, node.rpc, founding, where):
        for name, play in acts.items():
            began = time.monotonic()
            told[name] = play()
            seconds[name] = round(time.monotonic() - began, 1)
    ok = all(act["ok"] for act in told.values())
    return {**told.pop("evidence"), **told, "ok": ok, "seconds": seconds}


def _alliance(founding: Founding, served: Sequence[Service], network: Path) -> Alliance:
    apis = {one.member: (one.url, one.operator_key_file) for one in served}
    members = {code: Member(keys, *apis.get(code, ("", None))) for code, keys in founding.members.items()}
    return Alliance(members, network)


def _first_act(node: devnet.Devnet, service: Service, where: Path, files: Sequence[Path]) -> dict[str, Any]:
    """Evidence: submit, fetch, verify and forge."""
    say(f"2. {len(files)} files are committed and receipted by {MEMBER} at {service.url}")
    bidledger("evidence", "submit", *files, "--url", service.url, "--tender", TENDER, "--out", where / "receipts")
    receipts = [where / "receipts" / f"{file.name}.receipt.json" for file in files]
    sealed = node.consensus != DEVELOPMENT
    confirmed = " and confirmed by later signers" if sealed else ""
    say(f"3. the log's period closes, its checkpoint is anchored{confirmed}, the evidence files are fetched")
    bidledger("evidence", "fetch", *receipts, "--wait", str(ANCHOR_SECONDS), "--out", where / "evidence")
    say("4. each file is verified in a process of its own that may open no socket")
    network = where / "network.json"
    exhibits = [Exhibit(file, where / "evidence" / f"{file.name}.evidence.json", network) for file in files]
    proven = [_verified(exhibit) for exhibit in exhibits]
    tried = forgery.SEALED if sealed else forgery.UNSEALED
    say(f"5. one byte is changed: {', '.join(tried)}")
    refuted = [_refuted(changed, tried, exhibits[0], where / "forged") for changed in tried]
    ok = all(file["verdict"] == "proven" for file in proven) and all(
        refusal["step"] == tried[refusal["changed"]][1] for refusal in refuted
    )
    log = {"url": f"{service.url}/log", **_log_identity(network)}
    return {
        "ok": ok,
        "rpc": node.rpc,
        "url": service.url,
        "network": str(network),
        "log": log,
        "files": proven,
        "refuted": refuted,
    }


def _verified(exhibit: Exhibit) -> dict[str, Any]:
    verdict = _verdict(exhibit)
    say(f"   {exhibit.document.name}: {verdict['verdict']}, {verdict['grade']}, block {verdict['block_number']}")
    return {
        "document": str(exhibit.document),
        "evidence": str(exhibit.evidence),
        "tlog_proof": str(exhibit.evidence.with_name(f"{exhibit.document.name}.tlog-proof")),
        **{name: verdict[name] for name in ("verdict", "grade", "index", "block_number")},
    }


def _refuted(changed: str, tried: Forgeries, exhibit: Exhibit, where: Path) -> dict[str, Any]:
    change, expected = tried[changed]
    verdict = _verdict(change(exhibit, where / changed))
    step = next((step["step"] for step in verdict["steps"] if not step["ok"]), None)
    say(f"   {changed} changed: {verdict['verdict']} at {step} (expected at {expected})")
    return {"changed": changed, "step": step}


def _verdict(exhibit: Exhibit) -> dict[str, Any]:
    return verdict_of("verify", exhibit.document, exhibit.evidence, "--network", exhibit.network)


def _log_identity(network: Path) -> dict[str, str]:
    members = json.loads(network.read_bytes())["members"]
    (vkey,) = (member["log_keys"][-1]["vkey"] for member in members if member["code"] == MEMBER)
    return {"origin": vkey.partition("+")[0], "vkey": vkey}


def _default_files(where: Path) -> list[Path]:
    """The OCDS tender process, as files of their own, and the notice printed from it."""
    where.mkdir()
    files = []
    for source in resources.files("ledger_service.demo").joinpath("ocds").iterdir():
        if source.name[0].isdigit():
            files.append(where / source.name)
            files[-1].write_bytes(source.read_bytes())
    notice = where / "tender-notice.pdf"
    print_notice(where / "02-tender.json", notice)
    return [*sorted(files), notice]


def _refuse_what_cannot_be_read(files: Sequence[Path]) -> None:
    for file in files:
        if not file.is_file():
            raise NotFound(f"{file}: no such file; name files to submit, or none for the built-in ones")
    if len({file.name for file in files}) != len(files):
        raise InvalidContent("two of the files have the same name; receipts and evidence files are named after them")


def _new_directory(directory: Path | None) -> Path:
    where = (directory or Path(f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}")).absolute()
    if where.exists() and any(where.iterdir()):
        raise InvalidContent(f"{where} is not empty; name a new folder with --dir")
    where.mkdir(parents=True, exist_ok=True)
    return where


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let a termination unwind like an interrupt does, so that chain and service are stopped."""

    def unwind(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _wait_for_interrupt(rpc: str, service: Service, days: float) -> None:
    say(f"chain {rpc}, whose clock is {days:.1f} days ahead")
    say(f"API   {service.url} (operator's API key in {service.operator_key_file})\nCtrl-C stops both")
    sys.stdout.flush()
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        say("stopping")
