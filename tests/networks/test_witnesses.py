"""A member's log before outside eyes: a witness of other people's making, another member, and OpenSSL's authority.

The whole way: what they signed stands on the published checkpoint and in an evidence file, and is verified offline.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import authority
import httpx
import litewitness
import pytest
from authority import Authority
from command_line import bidledger
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litewitness import Litewitness

from anchors.network import parse_network
from anchors.notes import Policy, SignedNote, Verifier, prove_quorum
from ledger_service.chain import devnet
from ledger_service.chain.deploy import deploy_from_file
from ledger_service.demo.alliance import Founding, found
from ledger_service.demo.processes import Service, service_settings

SCRIPT = Path(__file__).parents[2] / "scripts" / "litewitness"
LOG, WITNESS = "sichuan", "guizhou"
DEADLINE = 60.0
_Found = TypeVar("_Found")


def wait_until(found: Callable[[], _Found], what: str) -> _Found:
    deadline = time.monotonic() + DEADLINE
    while not (holds := found()):
        assert time.monotonic() < deadline, f"not within {DEADLINE} s: {what}"
        time.sleep(0.1)
    return holds


@dataclass
class Member:
    """A member's service, as a process."""

    url: str
    environment: dict[str, str]
    output: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        command = [sys.executable, "-m", "ledger_service.cli", "serve"]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(command, env=self.environment, stdout=output, stderr=output)
        wait_until(lambda: self.get("/readyz").status_code == 200, f"{self.output} serves")

    def end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(timeout=30)

    def get(self, path: str) -> httpx.Response:
        try:
            return httpx.get(self.url + path, timeout=5)
        except httpx.HTTPError:
            return httpx.Response(503)

    def parts_in_trouble(self) -> set[str]:
        return {one["part"] for one in self.get("/v1/status").json()["conditions"]}

    def witnessed(self) -> int:
        return self.get("/v1/status").json()["log"]["witnessed"] or 0

    def anchored(self) -> int:
        anchor = self.get("/v1/status").json()["last_anchor"]
        return anchor["size"] if anchor else 0


@dataclass
class Eyes:
    """A log, and all who watch it."""

    directory: Path
    log: Member
    member: Member
    lite: Litewitness
    restart_lite: Callable[[], None]
    kill_lite: Callable[[], None]
    authority: Authority
    policy: bytes = field(default=b"")

    @property
    def vkey(self) -> Verifier:
        network = parse_network((self.directory / "network.json").read_bytes())
        return Verifier.parse(next(one for one in network.members if one.code == LOG).log_keys[0].vkey)

    def latest(self) -> SignedNote:
        return SignedNote.parse(self.log.get("/log/checkpoint").content)


@pytest.fixture(scope="module")
def program() -> Path:
    """The litewitness to ask; where it cannot be built these tests are skipped, unless REQUIRE_LITEWITNESS is set."""
    built = subprocess.run([SCRIPT], capture_output=True, text=True, check=False)
    if built.returncode == 2 and not os.environ.get("REQUIRE_LITEWITNESS"):
        pytest.skip(built.stderr)
    assert built.returncode == 0, built.stderr
    return Path(built.stdout.strip())


@pytest.fixture(scope="module")
def eyes(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eyes]:
    directory = tmp_path_factory.mktemp("eyes")
    with ExitStack() as stack:
        node = stack.enter_context(devnet.running("anvil", block_seconds=1))
        founding = found(directory / "keys")
        deploy_from_file(node.rpc, founding.alliance_file, directory / "network.json")
        port, key = devnet.free_port(), Ed25519PrivateKey.generate()
        running = stack.enter_context(ExitStack())

        def start_lite() -> Litewitness:
            return running.enter_context(litewitness.running(program, directory / "lite", port, key))

        lite = start_lite()
        tsa = stack.enter_context(authority.running(directory / "authority"))
        member = service(node.rpc, founding, directory, WITNESS)
        log = service(node.rpc, founding, directory, LOG)
        eyes = Eyes(directory, log, member, lite, lambda: start_lite() and None, running.close, tsa)
        lite.knows(eyes.vkey)
        eyes.policy = write_policy(eyes, founding)
        log.environment |= {
            "BIDLEDGER_WITNESS_POLICY_FILE": str(directory / "policy"),
            "BIDLEDGER_TIMESTAMP_URL": tsa.url,
        }
        member.environment["BIDLEDGER_WITNESS_KEY_FILE"] = str(directory / "keys" / WITNESS / "witness.json")
        for one in (member, log):
            stack.callback(one.end, signal.SIGTERM)
            one.start()
        yield eyes


def service(rpc: str, founding: Founding, directory: Path, code: str) -> Member:
    place = directory / code
    place.mkdir()
    shutil.copy(directory / "network.json", place)
    running = Service(f"http://127.0.0.1:{devnet.free_port()}", place / "operator.key", code)
    environment = os.environ | service_settings(rpc, founding, place, running)
    return Member(
        running.url,
        environment | {"BIDLEDGER_PERIOD_SECONDS": "1"},
        place / "service.log",
    )


def write_policy(eyes: Eyes, founding: Founding) -> bytes:
    """All three keys must cosign: litewitness's and both of the other member's."""
    keys = founding.members[WITNESS]
    files = ("--key-file", keys.directory / "witness.json", "--password-file", keys.password_file)
    options = ("--network", eyes.directory / "network.json", "--member", WITNESS, "--url", eyes.member.url)
    lines = bidledger("keys", "witness", *files, *options).stdout
    lines += f"witness lite {eyes.lite.verifier.vkey} {eyes.lite.url}\n"
    lines += f"group other-member all {WITNESS}-04 {WITNESS}-06\ngroup all-of-them all other-member lite\n"
    (eyes.directory / "policy").write_text(f"log {eyes.vkey.vkey}\n{lines}quorum all-of-them\n")
    return (eyes.directory / "policy").read_bytes()


def fetched(eyes: Eyes, name: str, *, complete: Callable[[dict[str, Any]], bool]) -> tuple[Path, Path]:
    """A new document and its evidence file, as soon as outside eyes have said what is waited for."""
    document = eyes.directory / name
    document.write_text(f"投标文件 {name}")
    receipt = eyes.directory / f"{name}.receipt.json"
    out = ("--out", eyes.directory)
    submitted = bidledger("evidence", "submit", document, "--kind", "bid-document", "--url", eyes.log.url, *out)
    assert submitted.returncode == 0, submitted.stderr
    evidence = eyes.directory / f"{name}.evidence.json"

    def is_complete() -> bool:
        outcome = bidledger("evidence", "fetch", receipt, "--wait", "60", *out)
        assert outcome.returncode == 0, outcome.stderr
        return complete(json.loads(evidence.read_bytes()))

    wait_until(is_complete, "cosigned and dated evidence")
    return document, evidence


def verified(eyes: Eyes, document: Path, evidence: Path) -> dict[str, dict[str, Any]]:
    """The steps of the offline verification by the policy and the authority's root."""
    outside = ("--policy", eyes.directory / "policy", "--authorities", eyes.authority.folder / "root.pem")
    network = ("--network", eyes.directory / "network.json")
    outcome = bidledger("verify", document, evidence, *network, *outside, "--json")
    return {one["step"]: one for one in json.loads(outcome.stdout)["steps"]}


def has_cosigners(count: int) -> Callable[[dict[str, Any]], bool]:
    return lambda content: content["tlog_proof"].count("\n— ") == 1 + count and content.get("timestamp") is not None


def test_evidence_carries_the_third_party_s_cosignature_and_verifies_offline(eyes: Eyes) -> None:
    document, evidence = fetched(eyes, "bid.txt", complete=has_cosigners(3))
    steps = verified(eyes, document, evidence)
    assert [name for name, step in steps.items() if not step["ok"]] == []
    for who in ("lite", f"{WITNESS}-04", f"{WITNESS}-06"):
        assert f"'{who}' at 2" in steps["witnesses"]["detail"]
    print(steps["witnesses"]["detail"], steps["timestamp"]["detail"], sep="\n")
    content = json.loads(evidence.read_bytes())
    lines = content["tlog_proof"].split("\n")
    without = [line for line in lines if not line.startswith(f"— {litewitness.NAME} ")]
    evidence.write_text(json.dumps(content | {"tlog_proof": "\n".join(without)}))
    assert not verified(eyes, document, evidence)["witnesses"]["ok"]


def test_the_published_checkpoint_carries_every_cosignature(eyes: Eyes) -> None:
    def all_signed() -> SignedNote | None:
        note = eyes.latest()
        return note if len(note.signatures) == 4 else None

    note = wait_until(all_signed, "a checkpoint that all have cosigned")
    assert note is not None
    assert list(prove_quorum(Policy.parse(eyes.policy), note, eyes.vkey).cosigners) == [
        f"{WITNESS}-04",
        f"{WITNESS}-06",
        "lite",
    ]


def test_nothing_waits_for_witnesses_that_are_gone_and_they_catch_up_afterwards(eyes: Eyes) -> None:
    eyes.kill_lite()
    eyes.member.end(signal.SIGKILL)
    wait_until(
        lambda: {"witness lite", f"witness {WITNESS}-04, {WITNESS}-06"} <= eyes.log.parts_in_trouble(),
        "the status names both witnesses",
    )
    before, witnessed = eyes.log.anchored(), eyes.log.witnessed()
    document, evidence = fetched(eyes, "meanwhile.txt", complete=has_cosigners(0))
    assert eyes.log.anchored() > before
    assert eyes.log.witnessed() == witnessed > 0
    assert not verified(eyes, document, evidence)["witnesses"]["ok"]
    eyes.restart_lite()
    eyes.member.start()
    receipt = eyes.directory / "meanwhile.txt.receipt.json"

    def is_cosigned() -> bool:
        bidledger("evidence", "fetch", receipt, "--out", eyes.directory)
        return verified(eyes, document, evidence)["witnesses"]["ok"] is True

    wait_until(is_cosigned, "cosignatures of what was anchored meanwhile")
    wait_until(lambda: not eyes.log.parts_in_trouble(), "the status is clean again")
    assert eyes.log.witnessed() > before
    assert ", cosigned by the quorum up to " in bidledger("status", "--url", eyes.log.url).stdout
