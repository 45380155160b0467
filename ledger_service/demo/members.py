"""The members of the demonstration as its acts need them: who is served where, and acts that several people sign.

Every signature is given by the command line in a process of its own, which asks for the act and shows what it signs.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from ledger_service.cli.console import say
from ledger_service.demo.processes import bidledger
from ledger_service.errors import Unavailable
from ledger_service.keys import MemberKeys

FINAL_SECONDS: Final = 240.0
POLL_SECONDS: Final = 0.2
_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Member:
    """One member."""

    keys: MemberKeys
    url: str = ""  # its API, where it is served
    api_key_file: Path | None = None

    def ask(self, method: str, path: str, content: object = None, **query: str) -> dict[str, Any]:
        """One question to the member's API; raises Unavailable where it is refused."""
        headers = {}
        if self.api_key_file is not None:
            headers["Authorization"] = f"Bearer {self.api_key_file.read_text(encoding='ascii').strip()}"
        answer = httpx.request(method, f"{self.url}{path}", json=content, params=query, headers=headers, timeout=60)
        if not answer.is_success:
            raise Unavailable(f"{method} {path} ended with {answer.status_code}: {answer.text}")
        return dict(answer.json()) if answer.content else {}

    def asking(self) -> tuple[str | Path, ...]:
        """The options of the command line that ask this member's API, with its key where it has one."""
        key = () if self.api_key_file is None else ("--api-key-file", self.api_key_file)
        return ("--url", self.url, *key)

    def signing(self, role: str) -> tuple[str | Path, ...]:
        """The options of the command line that sign as whoever has a role of this member."""
        return ("--keystore", self.keys.keystores[role], "--password-file", self.keys.password_file)


@dataclass(frozen=True, slots=True)
class Alliance:
    """All members by their codes, and the network file that everybody pins."""

    members: Mapping[str, Member]
    network: Path

    @property
    def served(self) -> list[Member]:
        """The members with an API."""
        return [member for member in self.members.values() if member.url]

    def sign(self, group: str, at: Member, operation: Mapping[str, Any], signers: Sequence[tuple[str, str]]) -> None:
        """Let all signers sign an operation, each on its own.

        Args:
            group: of the commands, credit or tender.
            at: whose API has it.
            operation: as the API told it.
            signers: the code and the role of each.
        """
        command = (group, "sign", operation["id"], "--url", at.url, "--yes", "--network", self.network)
        together(lambda one: bidledger(*command, *self.members[one[0]].signing(one[1]), quiet=True), signers)
        said = ", ".join(f"the {role} of {code}" for code, role in signers)
        say(f"   {operation['act']} is signed by {said}")

    def carry_out(
        self, group: str, at: Member, operation: Mapping[str, Any], signers: Sequence[tuple[str, str]]
    ) -> dict[str, Any]:
        """Let all signers sign an operation, and wait until it is final; the arguments are those of `sign`."""
        self.sign(group, at, operation, signers)
        return wait_for_operation(at, operation, ("final",))


def wait_for_operation(at: Member, operation: Mapping[str, Any], states: Sequence[str]) -> dict[str, Any]:
    """Wait until an operation has come so far; raises Unavailable where it is refused, or does not in time."""
    deadline = time.monotonic() + FINAL_SECONDS
    while (now := at.ask("GET", f"/v1/operations/{operation['id']}"))["state"] not in states:
        if now["state"] in ("refused", "expired") or time.monotonic() > deadline:
            raise Unavailable(f"operation {operation['id']} is {now['state']}: {now['error']}")
        time.sleep(POLL_SECONDS)
    return now


def together(do: Callable[[_Given], _Made], each: Iterable[_Given]) -> list[_Made]:
    """What comes of doing something with each, all at once, in their order; raises what one of them raised."""
    given = list(each)
    with ThreadPoolExecutor(max_workers=max(1, len(given))) as threads:
        return list(threads.map(do, given))


def write(path: Path, text: str) -> Path:
    """Write a document of the demonstration."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def digest(path: Path) -> str:
    """A document's SHA-256, as the API takes it."""
    return "0x" + sha256(path.read_bytes()).hexdigest()
