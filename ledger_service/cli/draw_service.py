"""`bidledger draw ...` at the host's API: parts sent and fetched. Keys and values stay on this machine."""

import secrets
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_service.cli.console import JsonFlag, print_json, say, working
from ledger_service.cli.inputs import read_bounded
from ledger_service.cli.service import SERVICE_URL, ApiKeyFile

if TYPE_CHECKING:
    from ledger_service.tenders.draws.client import DrawClient

UrlOption = Annotated[str, typer.Option(envvar="BIDLEDGER_URL", help="The API of the tender's host.")]
TenderArgument = Annotated[str, typer.Argument(metavar="TENDER", help="Its name, 0x and 64 hexadecimal digits.")]
RoundOption = Annotated[int | None, typer.Option("--round", min=1, help="By default the last one.")]


class With(StrEnum):
    """What a fetched file has beside the sealed one."""

    REVEALS = "reveals"
    SEATS = "seats"
    ALL = "all"


def add_to(app: typer.Typer) -> None:
    """Put these commands into the group of draws."""
    for command in (begin, send, status, conclude, fetch):
        app.command()(command)
    app.command("fetch-seat")(fetch_seat)


def begin(
    terms: Annotated[Path, typer.Argument(metavar="TERMS", help="The terms, as docs/DRAW.md says.")],
    url: UrlOption = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Begin a round under its terms, as the host's operator; or begin it anew, as long as nobody has revealed."""
    from anchors.bounded_json import MAX_FILE_BYTES, read_json
    from anchors.tenders.draw import Terms
    from ledger_service.tenders.draws.client import DrawClient

    agreed = Terms.from_json(read_json(read_bounded(terms, MAX_FILE_BYTES)))
    with DrawClient(url, api_key_file) as client:
        _show(client.begin(agreed.tender, agreed.to_json()), as_json=as_json)


def send(
    tender: TenderArgument,
    parts: Annotated[list[Path], typer.Argument(metavar="PART...", help="What the other commands printed, or a list.")],
    number: RoundOption = None,
    url: UrlOption = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Send parts of a draw to the host, one after the other; the same one again changes nothing."""
    from anchors.tenders.draw import MAX_DRAW_BYTES
    from anchors.tenders.draw.parts import read_parts
    from ledger_service.errors import InvalidContent
    from ledger_service.tenders.draws.client import DrawClient

    given = [part for path in parts for part in read_parts(read_bounded(path, MAX_DRAW_BYTES))]
    if not given:
        raise InvalidContent("There is no part in these files.")
    with DrawClient(url, api_key_file) as client, working(f"sending to {url}"):
        at = number or client.last(tender)
        told = [client.send(tender, at, part) for part in given]
    _show(told[-1], as_json=as_json)


def status(
    tender: TenderArgument,
    number: RoundOption = None,
    url: UrlOption = SERVICE_URL,
    as_json: JsonFlag = False,
) -> None:
    """Say how a draw stands, and whose part is missing."""
    from ledger_service.tenders.draws.client import DrawClient

    with DrawClient(url) as client:
        _show(client.round(tender, number or client.last(tender)), as_json=as_json)


def conclude(
    tender: TenderArgument,
    number: RoundOption = None,
    void: Annotated[
        bool, typer.Option("--void", help="Wait no longer for values that are missing: the draw is void.")
    ] = False,
    url: UrlOption = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Have the draw held, as the host's operator, and its sealed file logged as evidence."""
    from ledger_service.tenders.draws.client import DrawClient

    with DrawClient(url, api_key_file) as client, working(f"asking {url}"):
        told = client.conclude(tender, number or client.last(tender), void=void)
    _show(told, as_json=as_json)


def fetch(
    tender: TenderArgument,
    out: Annotated[Path, typer.Option(help="Where the file goes, with OUT.receipt.json of a draw that was logged.")],
    number: RoundOption = None,
    more: Annotated[
        With | None,
        typer.Option(
            "--with",
            help="Also what was revealed, for members; the seats, for the host's operator; or all, for it once the "
            "award is final.",
        ),
    ] = None,
    url: UrlOption = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
) -> None:
    """Fetch the draw's file: sealed, as far as it has come, or with what this API key may have beside that."""
    from ledger_service.tenders.draws.client import DrawClient

    with DrawClient(url, api_key_file) as client, working(f"fetching from {url}"):
        at = number or client.last(tender)
        _keep(out, _file(client, tender, at, more))
        if more is None:
            _keep_receipt(client, tender, at, out)


def fetch_seat(
    tender: TenderArgument,
    seat: Annotated[int, typer.Argument(min=1, metavar="SEAT")],
    number: RoundOption = None,
    url: UrlOption = SERVICE_URL,
) -> None:
    """Print the proof of one seat, for `draw prove-seat`: for everybody, once the award is final."""
    from ledger_service.tenders.draws.client import DrawClient

    with DrawClient(url) as client:
        print_json(client.seat(tender, number or client.last(tender), seat))


def _file(client: "DrawClient", tender: str, number: int, more: With | None) -> bytes:
    if more is With.REVEALS:
        return client.revealed(tender, number).write()
    if more is With.SEATS:
        return client.drawn(tender, number).write()
    return client.opened(tender, number) if more is With.ALL else client.sealed(tender, number)


def _keep_receipt(client: "DrawClient", tender: str, number: int, out: Path) -> None:
    """What `evidence fetch` takes, once the log has given a receipt for the sealed file."""
    from anchors.commitment import Statement
    from ledger_service.evidence.submission import ReceiptFile

    evidence = client.round(tender, number).get("evidence")
    if evidence is None or evidence["receipt"] is None:
        return
    statement = Statement.from_json(evidence["statement"])
    receipt = ReceiptFile(out.name, client.url, statement, evidence["receipt"], secrets.token_hex(16))
    receipt.write(out.with_name(f"{out.name}.receipt.json"))


def _keep(path: Path, data: bytes) -> None:
    from ledger_service.cli.draw import write_secretly

    write_secretly(path, data)
    say(f"{path}: {len(data)} bytes")


def _show(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    print(f"round {told['round']}: {told['state']}" + (f", digest {told['digest']}" if told["digest"] else ""))
    for name, who in told["missing"].items():
        if who:
            listed = [one if isinstance(one, str) else f"{one['count']} for {one['site']}" for one in who]
            print(f"  missing {name}: {', '.join(listed)}")
    if told["result"] and told["result"]["void"]:
        print(f"  void by {', '.join(told['result']['void'])}")
