"""`bidledger tender ...` at a member's API: what stands where, bids, acts, signatures, claims.

The keys stay on this machine, and so do documents: only digests and commitments are sent.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json, say, working
from ledger_service.cli.inputs import read_bounded, read_object
from ledger_service.cli.operations import exit_code, follow, told
from ledger_service.cli.service import SERVICE_URL, ApiKeyFile
from ledger_service.errors import Exit

if TYPE_CHECKING:
    from ledger_service.tenders.client import Told

UrlOption = Annotated[str, typer.Option(envvar="BIDLEDGER_URL", help="The API of the member that is asked.")]
TenderArgument = Annotated[str, typer.Argument(metavar="TENDER", help="Its name, 0x and 64 hexadecimal digits.")]
CommitmentArgument = Annotated[str, typer.Argument(metavar="COMMITMENT", help="Of the bid.")]
OperationArgument = Annotated[str, typer.Argument(metavar="OPERATION", help="Its id, from the answer to the act.")]
AsOfOption = Annotated[str | None, typer.Option(help="As of this block, or a time such as 2026-01-31T16:00:00Z.")]
BodyArgument = Annotated[Path, typer.Argument(metavar="BODY", help="JSON file of the act; see docs/TENDERS.md.")]


def add_to(app: typer.Typer) -> None:
    """Put these commands into the group of tenders."""
    app.command("list")(list_tenders)
    app.command("fetch-audit")(fetch_audit)
    for command in (show, opened, bid, publish, act, claim, sign, operation):
        app.command()(command)


def list_tenders(
    state: Annotated[str | None, typer.Option(help="Only in this state.")] = None,
    member: Annotated[str | None, typer.Option(help="Only published by this member, alone or with others.")] = None,
    as_of: AsOfOption = None,
    url: UrlOption = SERVICE_URL,
    as_json: JsonFlag = False,
) -> None:
    """List tenders in the order of their notices."""
    from ledger_service.tenders.client import TenderClient

    with TenderClient(url) as client:
        found = list(client.tenders(state=state, member=member, as_of=as_of))
    if as_json:
        print_json(found)
        return
    for one in found:
        _print(f"{one['tender']} {one['state']} {one['host']} until {_time(one['deadline'])}")


def show(
    tender: TenderArgument, as_of: AsOfOption = None, url: UrlOption = SERVICE_URL, as_json: JsonFlag = False
) -> None:
    """Show a tender with all that happened to it."""
    from ledger_service.tenders.client import TenderClient

    with TenderClient(url) as client:
        told = client.tender(tender, as_of)
    if as_json:
        print_json(told)
        return
    _print(f"{told['tender']} {told['state']}, held by {told['host']} with {', '.join(told['members'])}")
    for event in told["events"]:
        _print(f"  {_time(event['time'])} {event['kind']} in block {event['block']} {event['subject'] or ''}")
    for claim in told["claims"]:
        answer = "upheld" if claim["upheld"] else claim["answer"] or f"to be answered by {_time(claim['answer_by'])}"
        _print(f"  claim {claim['commitment']}: {answer}")


def opened(
    tender: TenderArgument, commitment: CommitmentArgument, url: UrlOption = SERVICE_URL, as_json: JsonFlag = False
) -> None:
    """Say whether a bid was opened, by a proof that is checked here: exit 0, or 1 if it was not."""
    from ledger_service.tenders.client import TenderClient
    from ledger_service.tenders.opened import prove_opened

    with TenderClient(url) as client:
        told = client.opened(tender, commitment)
    bid = prove_opened(told, tender, commitment)
    if as_json:
        print_json(told)
    else:
        _print(f"manifest {told['manifest']}: " + ("not opened" if bid is None else f"opened, place {bid.place}"))
    raise typer.Exit(Exit.REFUTED if bid is None else Exit.DONE)


def fetch_audit(
    tender: TenderArgument,
    out: Annotated[Path, typer.Option(help="Where the file goes.")],
    url: UrlOption = SERVICE_URL,
) -> None:
    """Fetch a tender's audit, for `bidledger tender audit`: any member's service has it."""
    from ledger_service.files import write_durably
    from ledger_service.tenders.client import TenderClient

    with TenderClient(url) as client, working(f"fetching from {url}"):
        file = client.audit(tender)
    write_durably(out, file)


def bid(
    tender: TenderArgument,
    commitments: Annotated[list[str], typer.Argument(metavar="COMMITMENT...", help="Of the bids.")],
    out: Annotated[Path, typer.Option(help="Where the receipts go, COMMITMENT.bid-receipt.json each.")] = Path(),
    idempotency_key: Annotated[str | None, typer.Option(help="That of a request whose answer was lost.")] = None,
    url: UrlOption = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Hand in bids at the host, and keep its receipts: a claim rests on them."""
    import json

    from ledger_service.files import write_durably
    from ledger_service.tenders.client import TenderClient

    key = idempotency_key or secrets.token_hex(16)
    say(f"under the Idempotency-Key {key}")
    with TenderClient(url, api_key_file) as client, working(f"handing in at {url}"):
        answer = client.bid(tender, commitments, key)
    out.mkdir(parents=True, exist_ok=True)
    for commitment, receipt in zip(commitments, answer["bid_receipts"], strict=True):
        write_durably(out / f"{commitment}.bid-receipt.json", (json.dumps(receipt, indent=2) + "\n").encode())
    if as_json:
        print_json(answer)


def publish(
    body: BodyArgument, url: UrlOption = SERVICE_URL, api_key_file: ApiKeyFile = None, as_json: JsonFlag = False
) -> None:
    """Draw up a notice; its officers then sign the operation."""
    from ledger_service.tenders.client import TenderClient

    with TenderClient(url, api_key_file) as client:
        _show(client.publish(read_object(body), secrets.token_hex(16)), as_json=as_json)


def act(
    tender: TenderArgument,
    what: Annotated[str, typer.Argument(metavar="ACT", help="amendments, closing, opening, evaluation, ...")],
    body: Annotated[Path | None, typer.Argument(metavar="[BODY]", help="JSON file of the act.")] = None,
    url: UrlOption = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Draw up any other act of a tender, by the last part of its route (docs/TENDERS.md, Acts)."""
    from ledger_service.tenders.client import TenderClient

    given = {} if body is None else read_object(body)
    with TenderClient(url, api_key_file) as client:
        _show(client.act(tender, what, given, secrets.token_hex(16)), as_json=as_json)


def claim(
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="The host's receipt for the bid.")],
    url: UrlOption = SERVICE_URL,
    as_json: JsonFlag = False,
) -> None:
    """Claim that a bid was left out of the opening, or a late one let in; at any member, without a key."""
    from ledger_service.tenders.client import TenderClient

    with TenderClient(url) as client:
        _show(client.claim(read_object(receipt)), as_json=as_json)


def sign(
    operation: OperationArgument,
    keystore: Annotated[Path, typer.Option(help="Your key: a tender officer's or a regulator's.")],
    password_file: Annotated[Path, typer.Option(help="File that holds its password.")],
    network: Annotated[Path, typer.Option(help="The network file that you trust: whose register it must be for.")],
    url: UrlOption = SERVICE_URL,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show what an act says, sign it once you agreed, and hand the signature in. The key stays on this machine."""
    from anchors.network import MAX_NETWORK_BYTES, parse_network, prove_network
    from ledger_service.keys import open_ethereum_key
    from ledger_service.tenders.client import TenderClient
    from ledger_service.tenders.signable import read_signable

    pinned = parse_network(read_bounded(network, MAX_NETWORK_BYTES))
    prove_network(pinned)
    key = open_ethereum_key(keystore, password_file)
    with TenderClient(url) as client:
        signable = read_signable(client.operation(operation), pinned)
        for line in signable.lines:
            say(line)
        say(f"you: 0x{key.address.hex()}")
        if not yes and not typer.confirm("Sign this?", err=True):
            raise typer.Exit(Exit.USAGE)
        signed = client.sign(operation, key.sign(signable.digest))
    _show(signed, as_json=as_json)


def operation(
    operation: OperationArgument,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until it is final.")] = 0,
    url: UrlOption = SERVICE_URL,
    as_json: JsonFlag = False,
) -> None:
    """Say how far an act has come and whose signatures are missing: exit 0, or 1 once it is refused or expired."""
    from ledger_service.tenders.client import TenderClient

    with TenderClient(url) as client:
        found = follow(lambda: client.operation(operation), wait)
    _show(found, as_json=as_json)
    raise typer.Exit(exit_code(found))


def _show(operation: "Told", *, as_json: bool) -> None:
    if as_json:
        print_json(operation)
        return
    for line in _lines(operation):
        _print(line)


def _lines(operation: "Told") -> Iterator[str]:
    needed, signed = operation["needed"], {(one["role"], one["member"]) for one in operation["signatures"]}
    missing = [f"officer of {code}" for code in needed.get("officers", ()) if ("officer", code) not in signed]
    if needed["regulator"] and not any(role == "regulator" for role, _ in signed):
        missing.append("regulator")
    return told(operation, "tender", missing)


def _print(line: str) -> None:
    print("".join(character if character.isprintable() else "?" for character in line))


def _time(seconds: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
