"""`bidledger draw`: a draw of experts from its terms to the panel, and held again offline by anybody.

What a member does is printed as one JSON document of parts, for `draw send` to the host, or for `draw add` of whoever
puts the draw together by hand. Nothing here opens a socket; what does is in `draw_service`.
"""

import csv
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_service.cli import draw_service
from ledger_service.cli.console import JsonFlag, print_json, say
from ledger_service.cli.inputs import read_bounded
from ledger_service.errors import Conflict, Exit, InvalidContent

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from anchors.tenders.draw import Draw, DrawVerdict, ExpertList
    from ledger_service.keys import EthereumKey

app = typer.Typer(help="Draw experts so that nobody can choose them, and prove it.", no_args_is_help=True)
draw_service.add_to(app)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The draw's file.")]
SiteOption = Annotated[str, typer.Option(help="Code of the member whose site it is.")]
MemberOption = Annotated[str, typer.Option(help="Code of the member.")]
ListOption = Annotated[Path, typer.Option("--list", help="The site's list, of `draw list`.")]
ValueOption = Annotated[Path, typer.Option("--value", help="File of the site's value; keep it until the reveal.")]
ShareKeyOption = Annotated[Path, typer.Option("--key", help="The member's key for shares, of `draw key`.")]
KeystoreOption = Annotated[Path, typer.Option(help="The key of the member's tender officer.")]
PasswordOption = Annotated[Path, typer.Option(help="File that holds the password of these keys.")]


@app.callback()
def draw() -> None:
    """Draw experts so that nobody can choose them, and prove it."""


@app.command()
def replay(
    file: FileArgument,
    earlier: Annotated[
        list[Path] | None, typer.Option("--after", help="The file of the round before; repeat it, first to last.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Hold a draw again, offline: exit 0 if its panel is proven, or sealed as it must be, 1 otherwise."""
    gc.disable()  # one answer and the process ends: there is nothing to collect
    from anchors.tenders.draw import MAX_DRAW_BYTES
    from anchors.tenders.draw import replay as replay_draw

    before = [read_bounded(path, MAX_DRAW_BYTES) for path in earlier or ()]
    verdict = replay_draw(read_bounded(file, MAX_DRAW_BYTES), before)
    if as_json:
        print_json(verdict.as_json())
    else:
        _show(file, verdict)
    raise typer.Exit(Exit.DONE if verdict.proven else Exit.REFUTED)


@app.command("list")
def make_list(
    site: Annotated[str, typer.Argument(help="Code of the member whose experts they are.")],
    experts: Annotated[Path, typer.Argument(metavar="CSV", help="A line for each expert: code,speciality.")],
    out: Annotated[Path, typer.Option(help="The list, with the key of its salts; it stays with the site.")],
) -> None:
    """Put a site's experts in order under a new key, write LIST.json, and print what the terms need of it."""
    from anchors.tenders.draw import ExpertList
    from anchors.tenders.draw.parts import write_parts

    try:
        with experts.open(newline="", encoding="utf-8-sig") as stream:
            rows = [tuple(cell.strip() for cell in row) for row in csv.reader(stream) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidContent(f"{experts} cannot be read as CSV in UTF-8: {error}") from error
    wrong = next((number for number, row in enumerate(rows, 1) if len(row) != 2), None)
    if wrong is not None:
        raise InvalidContent(f"{experts}, line {wrong}: an expert is a code and a speciality, and nothing else")
    made = ExpertList.of(site, [(row[0], row[1]) for row in rows])
    _write_new(out, write_parts(made))
    print_json(made.commit().to_json())


@app.command()
def key(
    out: Annotated[Path, typer.Argument(metavar="KEYFILE", help="Where the key goes; nothing is overwritten.")],
    password_file: PasswordOption,
) -> None:
    """Make a member's key for shares, and print its public part for the terms."""
    from ledger_service.keys import make_secret

    print_json({"key": f"0x{_x25519(make_secret(out, password_file)).public_key().public_bytes_raw().hex()}"})


@app.command("open")
def open_draw(
    terms: Annotated[Path, typer.Argument(metavar="TERMS", help="The terms, as docs/DRAW.md says.")],
    out: Annotated[Path, typer.Option(help="The draw's file.")],
) -> None:
    """Check the terms and begin the draw's file with them."""
    from anchors.bounded_json import MAX_FILE_BYTES, read_json
    from anchors.tenders.draw import Draw, Terms

    agreed = Terms.from_json(read_json(read_bounded(terms, MAX_FILE_BYTES)))
    _write_new(out, Draw(agreed).to_json())
    print_json({"terms": f"0x{agreed.digest().hex()}"})


@app.command()
def commit(
    file: FileArgument,
    site: SiteOption,
    experts: ListOption,
    value: ValueOption,
    keystore: KeystoreOption,
    password_file: PasswordOption,
) -> None:
    """Make the site's value, deposit its shares, and sign that these are the terms and this is the site's list."""
    from anchors.tenders.draw import deposit
    from anchors.tenders.draw.parts import write_parts
    from ledger_service.keys import make_secret

    agreed, officer = _read(file), _officer(keystore, password_file)
    commitment = next((each for each in agreed.terms.sites if each.site == site), None)
    if commitment is None:
        raise InvalidContent(f"{file} draws from no list of {site}")
    _read_list(experts).check(commitment)
    print_json(write_parts(deposit(agreed.terms, site, make_secret(value, password_file), officer.sign)))


@app.command()
def confirm(
    file: FileArgument,
    member: MemberOption,
    share_key: ShareKeyOption,
    keystore: KeystoreOption,
    password_file: PasswordOption,
    lists: Annotated[
        list[Path] | None, typer.Option("--list", help="A site's list that the member holds; repeat it, in any order.")
    ] = None,
) -> None:
    """Open the member's share of every deposit, and sign that each fits and which lists it holds."""
    from anchors.tenders.draw import confirm as confirm_shares
    from anchors.tenders.draw.parts import write_parts

    agreed, own, officer = _read(file), _share_key(share_key, password_file), _officer(keystore, password_file)
    held = {each.site: each for each in map(_read_list, lists or ())}
    strange = held.keys() - set(agreed.terms.site_codes)
    if strange:
        raise InvalidContent(f"{file} draws from no list of {', '.join(sorted(strange))}")
    kept = [held[site] for site in agreed.terms.site_codes if site in held]
    print_json(write_parts(confirm_shares(agreed, member, own, officer.sign, kept)))


@app.command()
def reveal(
    file: FileArgument,
    site: SiteOption,
    value: ValueOption,
    keystore: KeystoreOption,
    password_file: PasswordOption,
) -> None:
    """Reveal the site's value to all members, once enough of them have confirmed."""
    from anchors.tenders.draw import reveal as reveal_value
    from anchors.tenders.draw.parts import write_parts
    from ledger_service.keys import open_secret

    officer = _officer(keystore, password_file)
    print_json(write_parts(reveal_value(_read(file), site, open_secret(value, password_file), officer.sign)))


@app.command()
def shares(
    file: FileArgument,
    member: MemberOption,
    share_key: ShareKeyOption,
    keystore: KeystoreOption,
    password_file: PasswordOption,
) -> None:
    """Disclose the member's shares of the values of all sites that have not revealed."""
    from anchors.tenders.draw import disclose
    from anchors.tenders.draw.parts import write_parts

    own, officer, agreed = _share_key(share_key, password_file), _officer(keystore, password_file), _read(file)
    revealed = {each.site for each in agreed.opened.reveals} if agreed.opened else set()
    withheld = [site for site in agreed.terms.site_codes if site not in {*revealed, member}]
    print_json(write_parts(*(disclose(agreed, site, member, own, officer.sign) for site in withheld)))


@app.command()
def add(
    file: FileArgument,
    parts: Annotated[list[Path], typer.Argument(metavar="PART...", help="What the other commands printed.")],
) -> None:
    """Add the parts that members handed in to the draw's file, each checked."""
    from anchors.tenders.draw import MAX_DRAW_BYTES
    from anchors.tenders.draw.parts import add_part, read_parts

    agreed = _read(file)
    for path in parts:
        for part in read_parts(read_bounded(path, MAX_DRAW_BYTES)):
            agreed = add_part(agreed, part)
    write_secretly(file, agreed.write())
    opened = agreed.opened
    say(
        f"{len(agreed.deposits)} deposits, {len(agreed.confirmations)} confirmations, "
        f"{len(opened.reveals) if opened else 0} reveals, {len(opened.shares) if opened else 0} shares, "
        f"{len(opened.lists) if opened else 0} lists"
    )


@app.command()
def hold(file: FileArgument, as_json: JsonFlag = False) -> None:
    """Draw the panel and write it into the file: exit 0, or 1 where the draw is void."""
    from anchors.tenders.draw import hold as hold_draw
    from anchors.tenders.draw import replay as replay_draw

    held = hold_draw(_read(file))
    verdict = replay_draw(held.write())
    if held.result is not None and verdict.proven != bool(held.result.void):
        write_secretly(file, held.write())
    if as_json:
        print_json(verdict.as_json())
    else:
        _show(file, verdict)
    raise typer.Exit(Exit.DONE if verdict.proven else Exit.REFUTED)


@app.command()
def seal(file: FileArgument, out: Annotated[Path, typer.Option(help="The sealed file, to be logged.")]) -> None:
    """Write the draw without what tells its panel, and print its digest, which is that of the sealed file's bytes."""
    agreed = _read(file)
    _write_new(out, agreed.sealed().write())
    print_json({"digest": f"0x{agreed.digest().hex()}", "file": str(out.absolute())})


@app.command()
def seat(file: FileArgument, number: Annotated[int, typer.Argument(min=1, metavar="SEAT")]) -> None:
    """Print the proof that shows one seat of the panel, and nothing of the others."""
    from anchors.tenders.draw import Panel

    agreed = _read(file)
    if agreed.opened is None or len(agreed.opened.seats) < number:
        raise InvalidContent(f"{file} does not tell a seat {number}")
    print_json(Panel(agreed.terms.digest(), agreed.opened.seats).prove(number).to_json())


@app.command()
def panel(
    file: FileArgument,
    signers: Annotated[
        list[int] | None, typer.Option("--signer", min=1, help="A seat whose expert signed the report; repeat it.")
    ] = None,
) -> None:
    """Print the panel as the evaluation seals it, and as the award unseals it; it stays with the host until then."""
    from anchors.tenders.draw import Panel

    agreed = _read(file)
    seats = agreed.opened.seats if agreed.opened else ()
    wrong = [number for number in signers or () if number > len(seats)]
    if wrong or not seats:
        raise InvalidContent(f"{file} does not tell a seat {wrong[0] if wrong else 1}")
    found = Panel(agreed.terms.digest(), seats).evaluators(agreed.digest(), signers or ())
    drawn, signed = ([f"0x{word.hex()}" for word in words] for words in (found.drawn, found.signers))
    unsealed = {"salt": f"0x{found.salt.hex()}", "drawn": drawn, "signers": signed}
    print_json({"sealed": f"0x{found.sealed().hex()}", "panel": unsealed})


@app.command()
def prove_seat(
    proof: Annotated[Path, typer.Argument(metavar="PROOF", help="Of `draw seat`.")],
    sealed: Annotated[Path, typer.Argument(metavar="FILE", help="The draw's file, sealed or open.")],
    as_json: JsonFlag = False,
) -> None:
    """Prove that an expert has a seat of the sealed panel: exit 0 proven, 1 refuted."""
    from anchors.bounded_json import read_json
    from anchors.errors import BadDraw
    from anchors.tenders.draw import MAX_DRAW_BYTES, SeatProof
    from anchors.tenders.draw import prove_seat as prove
    from anchors.tenders.draw import replay as replay_draw

    verdict = replay_draw(read_bounded(sealed, MAX_DRAW_BYTES))
    if verdict.root is None:
        _show(sealed, verdict)
        raise typer.Exit(Exit.REFUTED)
    try:
        found = prove(SeatProof.from_json(read_json(read_bounded(proof, 1 << 16))), verdict.root)
    except BadDraw as error:
        say(f"{proof}: refuted: {error.diagnostics()}")
        raise typer.Exit(Exit.REFUTED) from error
    if as_json:
        print_json({"verdict": "proven", "seat": found.to_json()})
    else:
        print(f"{found.expert.code} of {found.expert.site} has seat {found.number}, for {found.expert.speciality}")


def _show(file: Path, verdict: "DrawVerdict") -> None:
    for step in verdict.steps:
        print(f"  {'✓' if step.ok else '✗'} {step.step:<11} {step.detail}")
    for each in verdict.panel.seats if verdict.panel else ():
        print(f"  seat {each.number}: {each.expert.code} of {each.expert.site}, {each.expert.speciality}")
    digest = f", digest 0x{verdict.digest.hex()}" if verdict.digest else ""
    void = f" by {', '.join(verdict.void)}" if verdict.void else ""
    print(f"{file}: {verdict.state.value}{void}{digest}")


def _read(file: Path) -> "Draw":
    from anchors.tenders.draw import MAX_DRAW_BYTES, DrawFile

    return DrawFile(read_bounded(file, MAX_DRAW_BYTES)).draw()


def _read_list(path: Path) -> "ExpertList":
    from anchors.tenders.draw import MAX_DRAW_BYTES, ExpertList
    from anchors.tenders.draw.parts import read_parts

    parts = read_parts(read_bounded(path, MAX_DRAW_BYTES))
    if len(parts) != 1 or not isinstance(parts[0], ExpertList):
        raise InvalidContent(f"{path} does not hold one site's list, as `bidledger draw list` writes it")
    return parts[0]


def _officer(keystore: Path, password_file: Path) -> "EthereumKey":
    from ledger_service.keys import open_ethereum_key

    return open_ethereum_key(keystore, password_file)


def _share_key(path: Path, password_file: Path) -> "X25519PrivateKey":
    from ledger_service.keys import open_secret

    return _x25519(open_secret(path, password_file))


def _x25519(secret: bytes) -> "X25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.from_private_bytes(secret)


def write_secretly(file: Path, data: bytes) -> None:
    """Write what others on this machine may not read, in place of what is there."""
    from ledger_service.files import write_durably

    before = os.umask(0o077)
    try:
        write_durably(file, data)
    finally:
        os.umask(before)


def _write_new(path: Path, content: object) -> None:
    """Write what others may not read, and never over anything."""
    import rfc8785

    data = content if isinstance(content, bytes) else rfc8785.dumps(content)  # type: ignore[arg-type]  # JSON
    try:
        path.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise Conflict(f"{path} cannot be made: {error.strerror}; nothing is ever overwritten") from error
    path.write_bytes(data)
