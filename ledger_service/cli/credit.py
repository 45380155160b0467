"""`bidledger credit`: lists of other bodies in, the alliance's own out, and questions about companies."""

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_service.cli import credit_sign
from ledger_service.cli.console import JsonFlag, print_json, say, working
from ledger_service.cli.service import SERVICE_URL, ApiKeyFile
from ledger_service.errors import Exit

if TYPE_CHECKING:
    from ledger_service.credit.client import CreditClient
    from ledger_service.credit.lists.importing import Outcome
    from ledger_service.credit.lists.journal import Journal
    from ledger_service.credit.lists.planning import Plan

app = typer.Typer(help="Import, export and look up credit records, and sign acts.", no_args_is_help=True)
app.command()(credit_sign.sign)
app.command()(credit_sign.operation)
UrlOption = Annotated[str, typer.Option(envvar="BIDLEDGER_URL", help="The member's API.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="As of a block, or of a time such as 2026-01-31T16:00:00Z.")
]
SubjectArgument = Annotated[str, typer.Argument(metavar="SUBJECT", help="Such as CN-USCC:91110000600037341L.")]


class ExportFormat(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSONL = "jsonl"
    FTM = "ftm"


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list: CSV, JSON Lines or XLSX.")],
    mapping: Annotated[Path, typer.Option(help="TOML file that says what its columns mean.")],
    url: UrlOption = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
    statements: Annotated[
        Path | None, typer.Option(help="Folder for the statements, which you must keep; by default FILE.statements.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Send what is new without asking.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Draw up records from another body's list. Only digests leave this machine, and nothing before you agreed."""
    from ledger_service.cli.credit_plan import show_plan
    from ledger_service.credit.client import CreditClient
    from ledger_service.credit.lists.importing import check_interrupted
    from ledger_service.credit.lists.journal import Journal, journal_path

    take = Journal.read if dry_run else Journal.begin
    with CreditClient(url, api_key_file) as client, take(journal_path(file), client.url) as journal:
        plan = _plan(file, mapping, client, journal)
        check_interrupted(journal, "0x" + plan.file.digest.hex())
        show_plan(plan)
        outcomes: list[Outcome] = []
        agreed = not dry_run and _agreed(plan, journal, yes=yes)
        if agreed:
            outcomes = _send(plan, journal, client, statements or file.with_name(f"{file.name}.statements"))
        _report(plan, outcomes, journal, client, sent=agreed, as_json=as_json)
    if any(outcome.refused for outcome in outcomes) or not (agreed or dry_run):
        raise typer.Exit(Exit.USAGE)


@app.command("export")
def export_list(
    out: Annotated[Path, typer.Option(help="Where the records go.")],
    url: UrlOption = SERVICE_URL,
    form: Annotated[ExportFormat, typer.Option("--format", help="What it is written as.")] = ExportFormat.CSV,
    member: Annotated[str | None, typer.Option(help="All that this member applies, by its code.")] = None,
    issuer: Annotated[str | None, typer.Option(help="What this member decided, by its code.")] = None,
    kind: Annotated[str | None, typer.Option(help="honour, general or serious.")] = None,
    state: Annotated[str | None, typer.Option(help="In this state; by default what applies.")] = None,
    as_of: AsOfOption = None,
    companies: Annotated[
        Path | None, typer.Option(help="List of companies that you know: the register has only hashes of identifiers.")
    ] = None,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the alliance's records as CSV, JSON Lines or FollowTheMoney entities."""
    from anchors.credit import read_catalogue
    from anchors.subjects import Subject
    from ledger_service.credit.client import CreditClient
    from ledger_service.credit.lists.companies import read_companies
    from ledger_service.credit.lists.exporting import Source, export

    if member is not None and (issuer is not None or state is not None):
        raise typer.BadParameter("what a member applies is no matter of issuer or state", param_hint="--member")
    named = [each.company for each in read_companies(companies)] if companies else []
    with CreditClient(url, api_key_file) as client, working(f"exporting from {url}"):
        names = {str(each.get("code")): str(each.get("name")) for each in client.members()}
        source = Source(read_catalogue(), [each for each in named if isinstance(each, Subject)], names, client.url)
        if member is not None:
            records = client.effective_list(member, kind=kind, as_of=as_of)
        else:
            records = client.records(member=issuer, kind=kind, state=state, as_of=as_of)
        count = export(records, form.value, out, source)
    if as_json:
        print_json({"file": str(out.absolute()), "format": form.value, "records": count})
    else:
        print(f"{out}: {count} records")


@app.command()
def screen(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Up to 1,000 companies: CSV, JSON Lines, XLSX, text.")],
    url: UrlOption = SERVICE_URL,
    recognized_by: Annotated[str | None, typer.Option(help="What this member applies, by its code.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="Ask for a certificate, and write it there.")] = None,
    out: Annotated[Path, typer.Option(help="Where the result and its receipt go.")] = Path(),
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Look companies up; the member logs what it answers, and the result and its receipt are kept here."""
    from anchors.subjects import Subject
    from ledger_service.cli.screening import keep, tell
    from ledger_service.credit.client import CreditClient
    from ledger_service.credit.lists.companies import read_companies
    from ledger_service.credit.screening_lists import MAX_SUBJECTS
    from ledger_service.files import write_durably

    named = read_companies(file, MAX_SUBJECTS)
    asked = [(each.line, each.company) for each in named if isinstance(each.company, Subject)]
    unnamed = [(each.line, each.company) for each in named if isinstance(each.company, str)]
    with CreditClient(url, api_key_file) as client, working(f"screening {len(asked)} companies"):
        subjects = [str(company) for _, company in asked]
        answer = client.screening(subjects, recognized_by=recognized_by, certificate=certificate is not None)
    kept = keep(answer, client.url, out)
    if certificate is not None:
        write_durably(certificate, kept.certificate)
    tell(kept, [line for line, _ in asked], unnamed, as_json=as_json)


@app.command("certificate")
def fetch_certificate(
    subject: SubjectArgument,
    out: Annotated[Path, typer.Option(help="Where the certificate goes.")],
    url: UrlOption = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Fetch the certificate of a company's records, or that it has none; `verify-certificate` proves it."""
    from anchors.subjects import Subject
    from ledger_service.credit.client import CreditClient
    from ledger_service.files import write_durably

    company = Subject.parse(subject)
    with CreditClient(url, api_key_file) as client, working(f"fetching the certificate of {company}"):
        write_durably(out, client.certificate(str(company)))
    if as_json:
        print_json({"subject": str(company), "file": str(out.absolute())})
    else:
        print(f"{out}: prove it with bidledger verify-certificate {out} --network network.json --subject {company}")


@app.command()
def show(
    subject: SubjectArgument,
    url: UrlOption = SERVICE_URL,
    as_of: AsOfOption = None,
    recognized_by: Annotated[str | None, typer.Option(help="What this member applies, by its code.")] = None,
    ended: Annotated[bool, typer.Option("--ended", help="Also what applies no more.")] = False,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a company's records."""
    from anchors.subjects import Subject
    from ledger_service.cli.screening import record_line
    from ledger_service.credit.client import CreditClient

    company = Subject.parse(subject)
    with CreditClient(url, api_key_file) as client:
        told = client.subject(str(company), ended=ended, as_of=as_of, recognized_by=recognized_by)
    if as_json:
        print_json(told)
        return
    records = told.get("records") or []
    print(f"{company}: {len(records) or 'no'} record{'' if len(records) == 1 else 's'}")
    for record in records:
        print(f"  {record_line(record)}")


def _plan(file: Path, mapping: Path, client: "CreditClient", journal: "Journal") -> "Plan":
    from anchors.credit import read_catalogue
    from ledger_service.credit.lists.importing import waiting
    from ledger_service.credit.lists.listfile import ListFile
    from ledger_service.credit.lists.mapping import Mapping
    from ledger_service.credit.lists.planning import make_plan, read_drafts

    meaning = Mapping.read(mapping)
    opened = ListFile.open(file, meaning.shape)
    with working(f"reading {file}"):
        drafts, refused = read_drafts(opened, meaning, read_catalogue(), int(time.time()))
    with working(f"asking {client.url} what it has"):
        return make_plan(opened, drafts, refused, waiting(journal, client), client)


def _agreed(plan: "Plan", journal: "Journal", *, yes: bool) -> bool:
    new, begun = plan.counts()["new"], sum(len(batch.records) for batch in journal.batches.values() if batch.open)
    if yes or not new + begun:
        return True
    if not sys.stdin.isatty():
        say("nothing was sent: nobody is here to ask, so agree with --yes")
        return False
    return typer.confirm(f"Send {new + begun} records?", err=True)


def _send(plan: "Plan", journal: "Journal", client: "CreditClient", folder: Path) -> list["Outcome"]:
    from ledger_service.credit.lists.importing import send, write_statements
    from ledger_service.credit.lists.planning import Fate

    new = [each.draft for each in plan.of(Fate.NEW)]
    if new:
        write_statements(new, folder)
        say(f"the statements are in {folder}; keep them: the register holds only their digests")
    with working(f"sending to {client.url}"):
        return list(send(plan, journal, client))


def _report(
    plan: "Plan",
    outcomes: list["Outcome"],
    journal: "Journal",
    client: "CreditClient",
    *,
    sent: bool,
    as_json: bool,
) -> None:
    from ledger_service.credit.lists.importing import pending

    operations = pending(journal, client)
    refused = [entry for outcome in outcomes for entry in outcome.refused]
    if as_json:
        told: dict[str, Any] = {"plan": plan.as_json(), "sent": sent, "operations": operations}
        print_json(told | {"refused": [{"line": entry.line, "reason": entry.reason} for entry in refused]})
        return
    for entry in refused:
        print(f"line {entry.line} was refused: {entry.reason}")
    for operation in operations:
        count = f"{operation['records']} record{'' if operation['records'] == 1 else 's'}"
        print(f"{count}, {operation['state']}: bidledger credit sign {operation['id']} --url {client.url}")
