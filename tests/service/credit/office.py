"""A member's API with all that import and export ask of it, on a real chain; lists to import, and the command line."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from acting import KEY, Acting, routers
from command_line import bidledger
from founding import Founded, block_time
from serving import application, serving
from starlette.types import Receive, Scope, Send

import ledger_service.alliance.routes as alliance
from anchors.credit import day_at
from anchors.network import write_network
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.credit import certificates, routes
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.subjects import PREFIX, SubjectEndpoint

HEADER = ("统一社会信用代码", "类别", "违法事实", "处罚日期", "公示截止", "措施", "决定书")
DOCUMENTS = tuple(f"{number:064x}" for number in range(1, 500))
MAPPING = """
format = "bidledger/credit-mapping/v1"

[subject]
scheme = "CN-USCC"
column = "统一社会信用代码"

[kind]
column = "类别"
values = {"一般" = "general", "严重" = "serious", "守信" = "honour"}

[decided_on]
column = "处罚日期"

[last_day]
column = "公示截止"

[measures]
column = "措施"
separator = ";"

[statement]
facts = "违法事实"
basis = {fixed = ["《政府采购法》第七十七条"]}

[document]
digest = "决定书"
"""
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@contextmanager
def open_office(
    founded: Founded, rpc: Rpc, ground: CreditGround, clock: object, follow: Callable[[], None]
) -> Iterator[Acting]:
    """The API of member 2."""
    made = certificates.Certificates(ground, rpc, Finality.pinned(ground.network, 0))
    app = application(
        *routers(ground),
        routes.routes(ground),
        alliance.routes(ground.engine, write_network(founded.network)),
        certificates.routes(made),
    )
    subjects = SubjectEndpoint(ground)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        about = path.startswith(PREFIX) and not path.endswith("/certificate")
        await (subjects if about else app)(scope, receive, send)

    with serving(front) as client:
        yield Acting(client, founded, rpc, ground.engine, ground, clock, follow)


@dataclass
class Office:
    """Who imports and exports at that API."""

    acting: Acting
    folder: Path

    @property
    def url(self) -> str:
        return str(self.acting.client.base_url).rstrip("/")

    @property
    def key_file(self) -> Path:
        path = self.folder / "api-key"
        path.write_text(KEY + "\n")
        return path

    @property
    def mapping(self) -> Path:
        path = self.folder / "mapping.toml"
        path.write_text(MAPPING)
        return path

    def entry(self, company: str, document: str, kind: str = "一般", **changes: str) -> dict[str, str]:
        """A line of the list: a decision of ten days ago, published for 200 days, or 600 if serious."""
        decided = day_at(block_time(self.acting.rpc)) - timedelta(days=10)
        days, measures = {"一般": (200, "101"), "严重": (600, "101;201"), "守信": (365, "1")}[kind]
        values = (company, kind, f"事实 {document[-4:]}", decided, decided + timedelta(days=days), measures, document)
        return dict(zip(HEADER, map(str, values), strict=True)) | changes

    def list_of(self, *entries: dict[str, str], name: str = "list.csv") -> Path:
        path = self.folder / name
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, HEADER)
            writer.writeheader()
            writer.writerows(entries)
        return path

    def arguments(self, path: Path, *options: str) -> list[str]:
        common = ("--mapping", str(self.mapping), "--url", self.url, "--api-key-file", str(self.key_file), "--json")
        return ["credit", "import", str(path), *common, *options]

    def import_list(self, path: Path, *options: str, status: int = 0) -> dict[str, Any]:
        """Import a list, with that exit code; what the command told."""
        self.acting.follow()
        outcome = bidledger(*self.arguments(path, *options))
        assert outcome.returncode == status, outcome.stderr
        told: dict[str, Any] = json.loads(outcome.stdout) if outcome.stdout else {}
        return told | {"stderr": outcome.stderr}

    def publish(self, told: dict[str, Any]) -> None:
        """Sign and send what an import drew up."""
        for operation in told["operations"]:
            self.acting.done(self.acting.show(operation))
        self.acting.follow()


def company(number: int) -> str:
    """A unified social credit code that a company can have, one for each number."""
    code = f"91510000MA{number:07d}"
    total = sum(_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(code))
    return code + _ALPHABET[-total % 31]


def fates(told: dict[str, Any]) -> dict[int, str]:
    """What becomes of each line."""
    return {entry["line"]: entry["fate"] for entry in told["plan"]["entries"]}
