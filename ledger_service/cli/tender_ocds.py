"""`bidledger tender import` and `bidledger tender export`: open contracting data in and out.

Nothing is sent before the plan was shown and agreed to. Packages, documents and keys stay on this machine: digests,
times and signatures are sent.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_service.cli.console import JsonFlag, print_json, say, working
from ledger_service.cli.inputs import read_bounded, read_object
from ledger_service.cli.operations import exit_code, follow
from ledger_service.cli.service import SERVICE_URL, ApiKeyFile
from ledger_service.errors import Exit, ServiceError

if TYPE_CHECKING:
    from datetime import datetime

    from anchors.network import Network
    from ledger_service.keys import EthereumKey
    from ledger_service.tenders.client import TenderClient, Told
    from ledger_service.tenders.ocds.importing import Import, Later
    from ledger_service.tenders.ocds.package import Package
    from ledger_service.tenders.ocds.plan import Given, Plan

UrlOption = Annotated[str, typer.Option(envvar="BIDLEDGER_URL", help="The API of the member that is asked.")]
_NOT_COUNTED = ("wrong-role", "other-member", "signed-already", "unknown-signer", "role-not-in-force")


def add_to(app: typer.Typer) -> None:
    """Put these commands into the group of tenders."""
    app.command("import")(import_packages)
    app.command("export")(export_tender)


def import_packages(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="OCDS 1.1 release packages, in any order.")],
    member: Annotated[
        list[str] | None, typer.Option(help="Who publishes the notice, by its code; repeat it. By default the host.")
    ] = None,
    answer_days: Annotated[int | None, typer.Option(help="How many days a claim waits for its answer.")] = None,
    opens_after: Annotated[
        int | None, typer.Option(min=0, help="Seconds from the deadline to the opening, usually 0.")
    ] = None,
    former: Annotated[str | None, typer.Option(help="The failed tender that this one replaces.")] = None,
    until: Annotated[str | None, typer.Option(help="Candidates are published until 2026-01-31T16:00:00Z.")] = None,
    panel: Annotated[Path | None, typer.Option(help="JSON file of the panel, which the award unseals.")] = None,
    shift_days: Annotated[int, typer.Option(help="Move all times, to play a tender of the past again.")] = 0,
    documents: Annotated[
        Path | None, typer.Option(help="Folder of the documents, which are held against their stated hashes.")
    ] = None,
    keystore: Annotated[list[Path] | None, typer.Option(help="Sign with this key; repeat it for others.")] = None,
    password_file: Annotated[
        list[Path] | None, typer.Option(help="Opens the keystores: one file for all, or one for each in turn.")
    ] = None,
    network: Annotated[Path | None, typer.Option(help="The network file that you trust, needed to sign.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for each act until it is final.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Send and sign without asking.")] = False,
    url: UrlOption = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Draw up notice, amendments, candidates and award from release packages. Run it again as the tender goes on."""
    from datetime import timedelta

    from ledger_service.tenders.client import TenderClient
    from ledger_service.tenders.ocds.importing import Later, hold_against_chain
    from ledger_service.tenders.ocds.plan import Given

    later = Later(None if until is None else _second(until), None if panel is None else read_object(panel))
    signing = _signing(keystore or [], password_file or [], network, yes=yes)
    with TenderClient(url, api_key_file) as client:
        host, now = _host_and_time(client)
        given = Given(
            host=host,
            members=tuple(member or [host]),
            answer_days=answer_days,
            opens_after=None if opens_after is None else timedelta(seconds=opens_after),
            former=None if former is None else _word(former),
            shift=timedelta(days=shift_days),
        )
        plans = _plans(files, given, now, documents)
        with working(f"asking {url} what it has"):
            imports = [hold_against_chain(plan, later, client, has_key=api_key_file is not None) for plan in plans]
        for one in imports:
            _show(one)
        agreed = not dry_run and _agreed(imports, yes=yes)
        run = _Run(client, later, signing, wait)
        try:
            if agreed:
                imports = [run.go_on(one) for one in imports]
        finally:
            _report(imports, run.operations, client.url, as_json=as_json)
    _end(imports, run.operations, agreed=agreed or dry_run)


def export_tender(
    tender: Annotated[str, typer.Argument(metavar="TENDER", help="Its name, 0x and 64 hexadecimal digits.")],
    out: Annotated[Path | None, typer.Option(help="Where the package goes; by default to standard output.")] = None,
    release: Annotated[
        list[Path] | None,
        typer.Option(help="A package that it was taken in from, whose releases are put back; repeat it for others."),
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="As of this block, or a time such as 2026-01-31T16:00:00Z.")] = None,
    url: UrlOption = SERVICE_URL,
) -> None:
    """Write a tender as an OCDS release package that names where on the chain each step is, and what proves it."""
    from ledger_service.files import write_durably
    from ledger_service.tenders.client import TenderClient
    from ledger_service.tenders.ocds.package import read_package
    from ledger_service.tenders.ocds.restoring import restore
    from ledger_service.tenders.ocds.schema import check_schema

    published = [_read_package(path) for path in release or ()]
    with TenderClient(url) as client, working(f"fetching from {url}"):
        data = client.ocds(tender, as_of)
    if published:
        data = restore(read_package(data, url), published)
    check_schema(read_package(data, url))
    if out is None:
        sys.stdout.write(f"{data.decode()}\n")
    else:
        write_durably(out, data)
        print(out)


# ---- what is read ----


def _read_package(path: Path) -> "Package":
    from ledger_service.tenders.ocds.package import MAX_PACKAGE_BYTES, read_package

    return read_package(read_bounded(path, MAX_PACKAGE_BYTES), f"{path.name}: package")


def _plans(files: list[Path], given: "Given", now: "datetime", documents: Path | None) -> tuple["Plan", ...]:
    from ledger_service.tenders.ocds.documents import with_files
    from ledger_service.tenders.ocds.planning import make_plans
    from ledger_service.tenders.ocds.schema import check_schema

    with working(f"reading {len(files)} package{'' if len(files) == 1 else 's'}"):
        packages = [_read_package(path) for path in files]
        for package in packages:
            check_schema(package)
        plans = make_plans(packages, given, now)
        return plans if documents is None else tuple(with_files(plan, documents) for plan in plans)


def _host_and_time(client: "TenderClient") -> tuple[str, "datetime"]:
    """Whose API it is, and the later of the chain's time and this machine's."""
    from datetime import UTC, datetime

    from ledger_service.errors import Unavailable

    status, now = client.ask_json("GET", "/v1/status"), datetime.now(UTC)
    try:
        head = status["chain"]["head_time"]
        return str(status["member"]), now if head is None else max(now, datetime.fromisoformat(head))
    except (KeyError, TypeError, ValueError) as error:
        raise Unavailable(f"{client.url} answered no status; is it a bidledger API?") from error


def _second(text: str) -> int:
    from datetime import UTC, datetime

    try:
        return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise typer.BadParameter(f"{text} is no time such as 2026-01-31T16:00:00Z", param_hint="--until") from error


def _word(text: str) -> bytes:
    digits = text.removeprefix("0x")
    if len(digits) != 64 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        raise typer.BadParameter("a tender is named by 0x and 64 hexadecimal digits", param_hint="--former")
    return bytes.fromhex(digits)


# ---- signing and sending ----


@dataclass(frozen=True, slots=True)
class _Signing:
    """Keys that sign what is drawn up."""

    keys: list["EthereumKey"]
    network: "Network"
    yes: bool

    def sign(self, client: "TenderClient", operation: "Told") -> "Told":
        """Give an operation the signatures of those keys that count for it; the operation after the last."""
        from ledger_service.tenders.signable import read_signable

        if operation["state"] != "collecting":
            return operation
        signable = read_signable(operation, self.network)
        for line in signable.lines:
            say(_printable(line))
        if not self.yes and not typer.confirm("Sign this?", err=True):
            return operation
        for key in self.keys:
            if operation["state"] == "collecting":
                operation = self._signed(client, operation, key, signable.digest)
        return operation

    def _signed(self, client: "TenderClient", operation: "Told", key: "EthereumKey", digest: bytes) -> "Told":
        try:
            return client.sign(operation["id"], key.sign(digest))
        except ServiceError as error:
            if error.problem not in _NOT_COUNTED:
                raise
            say(f"0x{key.address.hex()} does not sign this: {_printable(error.detail)}")
            return operation


def _signing(keystores: list[Path], passwords: list[Path], network: Path | None, *, yes: bool) -> _Signing | None:
    from anchors.network import MAX_NETWORK_BYTES, parse_network, prove_network
    from ledger_service.keys import open_ethereum_key

    if not keystores:
        return None
    if network is None:
        raise typer.BadParameter("is needed to sign: whose register it must be for", param_hint="--network")
    if len(passwords) == 1:
        passwords = passwords * len(keystores)
    if len(passwords) != len(keystores):
        raise typer.BadParameter("one file for all keystores, or one for each", param_hint="--password-file")
    pinned = parse_network(read_bounded(network, MAX_NETWORK_BYTES))
    prove_network(pinned)
    opened = [open_ethereum_key(*each) for each in zip(keystores, passwords, strict=True)]
    return _Signing(opened, pinned, yes)


class _Run:
    """Sends what is next, signs it where there are keys, and goes on with what follows once it is final."""

    def __init__(self, client: "TenderClient", later: "Later", signing: _Signing | None, wait: float) -> None:
        self._client = client
        self._later = later
        self._signing = signing
        self._wait = wait
        self.operations: list[Told] = []

    def go_on(self, one: "Import") -> "Import":
        """As far as it goes now; how the tender stands then."""
        from ledger_service.tenders.ocds.importing import hold_against_chain, send

        while (following := one.next) is not None:
            with working(f"asking for the act: {following.step.act.value}"):
                operation = send(one, self._later, self._client)
            if self._signing is not None:
                operation = self._signing.sign(self._client, operation)
            if self._wait:
                with working("waiting until it is final"):
                    operation = self._follow(operation)
            self.operations.append(operation)
            one = hold_against_chain(one.plan, self._later, self._client, has_key=True)
            if operation["state"] != "final" or one.next is None or one.next.step == following.step:
                break
        return one

    def _follow(self, operation: "Told") -> "Told":
        return follow(lambda: self._client.operation(operation["id"]), self._wait)


# ---- what is said ----


def _agreed(imports: list["Import"], *, yes: bool) -> bool:
    if yes or all(one.next is None for one in imports):
        return True
    if not sys.stdin.isatty():
        say("nothing was sent: nobody is here to ask, so agree with --yes")
        return False
    return typer.confirm("Send what is next?", err=True)


def _show(one: "Import") -> None:
    """Show a plan on standard error."""
    title = "" if one.plan.title is None else f" {one.plan.title}"
    say(_printable(f"{one.plan.ocid}{title}: {one.tender or 'not on the chain'}"))
    for each in one.planned:
        for line in _lines(each.as_json()):
            say(_printable(line))
    for release in one.plan.passed_over:
        say(_printable(f"  passed over  {release}, which tells of no act"))


def _lines(told: dict[str, Any]) -> Iterator[str]:
    release = "" if told["release"] is None else f" {told['release']}"
    yield f"  {told['fate']:<12} {told['act']}{release}"
    for name, value in told["values"].items():
        yield f"      {name} {', '.join(value) if isinstance(value, list) else value}"
    for supplier in told["suppliers"]:
        yield f"      supplier {supplier['subject'] or 'without a subject'} {supplier['name'] or ''}"
    for document in told["documents"]:
        file = f", its file {document['sha256']}" if "sha256" in document else ""
        yield f"      document {document['id']} {document['title'] or ''} {document['digest']}{file}"
    for obstacle in told["obstacles"]:
        yield f"      refused: {obstacle['where']} {obstacle['what']} ({obstacle['problem']})"
    if told["missing"]:
        yield f"      missing: {', '.join(told['missing'])}"


def _report(imports: list["Import"], operations: list["Told"], url: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"plans": [one.as_json() for one in imports], "operations": operations})
        return
    for operation in operations:
        print(_printable(f"{operation['act']} {operation['id']}: {operation['state']}"))
        if operation["error"] is not None:
            print(_printable(f"  {operation['error']['name']}: {operation['error']['detail']}"))
        elif operation["state"] == "collecting":
            print(_printable(f"  to be signed: bidledger tender sign {operation['id']} --url {url}"))


def _end(imports: list["Import"], operations: list["Told"], *, agreed: bool) -> None:
    from ledger_service.tenders.ocds.importing import Fate

    refused = any(each.fate is Fate.REFUSED for one in imports for each in one.planned)
    if refused or not agreed:
        raise typer.Exit(Exit.USAGE)
    raise typer.Exit(max((exit_code(operation) for operation in operations), default=Exit.DONE))


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
