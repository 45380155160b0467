"""Open contracting data in and out over the command line: the real example on a real chain, from its notice to the
award, and given out again with proofs that hold."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from bidding import SLOTS, bidding
from command_line import bidledger
from conftest import Clock
from founding import Founded, block_time
from holding import PAPER, Holding
from published import example, package, release, validate
from tendering import BIDDERS, DAY, HOST

from anchors.network import write_network
from anchors.tenders import least_until
from ledger_service.anchoring.proofs import ProofCapture
from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.evidence.submission import ReceiptFile
from ledger_service.operations.acts import ActsByKind
from ledger_service.operations.sending import Sending
from ledger_service.tenders.client import TenderClient
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.ocds import told as timeline
from ledger_service.tenders.ocds.importing import Later, hold_against_chain, send
from ledger_service.tenders.ocds.package import Release, content_digest, read_package
from ledger_service.tenders.ocds.planning import Given, make_plans
from ledger_service.tenders.ocds.references import References, read_references
from ledger_service.tenders.ocds.told import Happening
from ledger_service.tenders.rooms import acts

MEMBERS = ("chongqing", "sichuan", "guizhou")
EXAMPLE_DEADLINE = datetime(2010, 4, 1, 18, tzinfo=UTC)


@pytest.fixture
def anchored(
    ground: TenderGround, founded: Founded, rpc: Rpc, tmp_path: Path, clock: Clock, follow: Callable[[], None]
) -> Iterator[Holding]:
    """Holds tenders at a host whose log closes its periods at once."""
    clock.set(block_time(rpc))
    follow()
    with bidding(ground, founded, rpc, tmp_path / "data", clock, SLOTS, 0.5) as room:
        yield Holding(room, founded, rpc, ground, clock, follow)


class Office:
    """A centre's office with its commands and files."""

    def __init__(self, holding: Holding, folder: Path) -> None:
        self.holding = holding
        self.folder = folder
        self.url = str(holding.room.client.base_url).rstrip("/")
        self.network = folder / "network.json"
        self.network.write_bytes(write_network(holding.founded.network))
        self.key = folder / "officer"
        self.key.write_text("secret-officer\n")
        now = datetime.fromtimestamp(holding.now, UTC)
        self.shift_days = (now - EXAMPLE_DEADLINE).days + 2  # the notice's deadline is a day or two away

    def ran(self, *arguments: object, status: int = 0) -> Any:
        """What an import prints, after the index has caught up."""
        self.holding.follow()
        terms = [part for code in MEMBERS for part in ("--member", code)]
        terms += ["--answer-days", "5", "--opens-after", "0", "--url", self.url, "--api-key-file", str(self.key)]
        outcome = bidledger("tender", "import", *terms, *arguments, "--json")
        assert outcome.returncode == status, outcome.stderr
        return json.loads(outcome.stdout) if outcome.stdout else outcome.stderr

    def imported(self, *arguments: object, status: int = 0) -> Any:
        """The real example's import."""
        return self.ran(*example(), "--shift-days", self.shift_days, "--yes", *arguments, status=status)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """The index and the job that sends go on beside what is run."""
        holding, stop = self.holding, Event()
        kinds, finality = ActsByKind(acts(holding.ground)), Finality.pinned(holding.founded.network, 0)
        key, chain = holding.founded.opened[HOST, "anchorer"], holding.founded.network.chain_id
        job = Sending(holding.ground.engine, holding.rpc, chain, key, kinds, finality, holding.clock)

        def run() -> None:
            while not stop.wait(0.05):
                holding.follow()
                job.step()

        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(run)
            try:
                yield
            finally:
                stop.set()
                running.result()

    def signing(self, *signers: tuple[int, str]) -> list[object]:
        """Options that sign with keys of members."""
        options: list[object] = ["--network", self.network]
        for member, role in signers:
            keys = self.holding.founded.members[member]
            options += ["--keystore", keys.keystores[role], "--password-file", keys.password_file]
        return options

    def verified(self, *arguments: object) -> str:
        """That a command of a verifier ends well, offline but for the files that it is given."""
        outcome = bidledger(*arguments, "--network", self.network)
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        return outcome.stdout


@pytest.fixture
def office(holding: Holding, tmp_path: Path) -> Office:
    return Office(holding, tmp_path)


def fates(told: Any, plan: int = 0) -> dict[str, str]:
    return {step["act"]: step["fate"] for step in told["plans"][plan]["steps"]}


def iso(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}"


# ---- the whole way ----


def test_the_real_example_comes_in_to_the_award_and_goes_out_with_proofs(anchored: Holding, tmp_path: Path) -> None:
    office = Office(anchored, tmp_path)
    path = take_in(office)
    out = tmp_path / "exported.json"
    restored = [part for file in example() for part in ("--release", file)]
    outcome = bidledger("tender", "export", path[-66:], "--url", office.url, "--out", out, *restored)
    assert outcome.returncode == 0, outcome.stderr
    validate(out.read_bytes())
    exported = read_package(out.read_bytes())
    published = {each.id: each.digest for file in example()[1:] for each in read_package(file.read_bytes()).releases}
    assert {each.id: each.digest for each in exported.releases if each.id in published} == published
    assert {each.ocid for each in exported.releases} == {"ocds-213czf-000-00001"}
    events = {event.happening: event for each in exported.releases for event in references(each).events}
    assert list(events) == [
        Happening.NOTICE,
        Happening.AMENDMENT,
        Happening.CLOSING,
        Happening.OPENING,
        Happening.EVALUATION,
        Happening.CANDIDATES,
        Happening.AWARD,
    ]
    check_extension(exported.extensions[0])
    check_audit(office, events[Happening.AWARD])
    check_bid(office, events[Happening.OPENING])


def take_in(office: Office) -> str:
    """The example's life on the chain, by as many runs as its officers need; the tender's path."""
    holding = office.holding
    told = office.imported(*office.signing((1, "tender-officer"), (2, "tender-officer"), (3, "tender-officer")))
    (notice,) = told["operations"]
    assert (notice["act"], notice["state"]) == ("tender", "ready")
    assert holding.settle(notice)["state"] == "final"
    holding.clock.set(holding.now)
    (amendment,) = office.imported()["operations"]
    assert amendment["state"] == "collecting"
    assert holding.settle(holding.sign_all(amendment))["state"] == "final"
    tender = f"/v1/tenders/{notice['records'][0]}"
    anchor_bids(office, tender)
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    holding.done(f"{tender}/opening", {"record": PAPER})
    holding.done(f"{tender}/evaluation", holding.evaluation())
    until = ("--until", iso(least_until(holding.now + 3600)))
    (candidates,) = office.imported(*until, *office.signing((1, "tender-officer")))["operations"]
    assert holding.settle(candidates)["state"] == "final"
    holding.wait_until(holding.told(tender)["candidates"]["until"])
    panel = office.folder / "panel.json"
    panel.write_text(json.dumps(holding.award()["panel"]))
    signers = office.signing((2, "tender-officer"), (1, "tender-officer"), (1, "regulator"))  # the first does not count
    (award,) = office.imported("--panel", panel, *signers)["operations"]
    assert holding.settle(award)["state"] == "final"
    told = office.imported()
    assert told["operations"] == []
    assert set(fates(told).values()) == {"done", "elsewhere"}
    assert fates(told)["log-contract"] == "elsewhere"
    assert holding.told(tender)["state"] == "awarded"
    return tender


def anchor_bids(office: Office, tender: str) -> None:
    """Hand in bids, keep the first one's receipt, and anchor the host's log before the deadline."""
    holding, name = office.holding, bytes.fromhex(tender[-64:])
    answer = holding.room.bid(name, ["0x" + bidder.commitment.hex() for bidder in BIDDERS[:4]])
    assert answer.status_code == 201, answer.text
    first = answer.json()["receipts"][0]
    ReceiptFile("bid.txt", office.url, BIDDERS[0].statement, first, "0" * 32).write(office.folder / "bid.receipt.json")
    (office.folder / "bid.txt").write_bytes(BIDDERS[0].name.encode())
    last = max(one["index"] for one in answer.json()["receipts"])
    deadline = time.monotonic() + 20
    while (published := holding.room.checkpoint()) is None or published.size <= last:
        assert time.monotonic() < deadline, "the log publishes no checkpoint"
        time.sleep(0.02)
    key = holding.founded.opened[HOST, "anchorer"]
    holding.founded.send(holding.rpc, key, EVIDENCE_LOG, "anchor", published.size, published.root, [])
    holding.follow()
    finality = Finality.pinned(holding.founded.network, 0)
    ProofCapture(holding.ground.engine, holding.rpc, HOST, finality, holding.clock).step()


def references(published: Release) -> References:
    found = read_references(published)
    assert found is not None
    return found


def check_extension(url: str) -> None:
    """The service serves the extension as OCDS has them: its schema lies beside its description."""
    described = httpx.get(url).json()
    assert described["schemas"] == ["release-schema.json"]
    schema = httpx.get(url.removesuffix("extension.json") + "release-schema.json").json()
    assert "bidledger" in schema["properties"]


def check_audit(office: Office, award: timeline.Event) -> None:
    """The file that an event names proves the life of the tender."""
    (url,) = award.evidence
    file = office.folder / "audit.json"
    file.write_bytes(httpx.get(url).content)
    assert "broken" not in office.verified("tender", "audit", file).splitlines()[-1]


def check_bid(office: Office, opening: timeline.Event) -> None:
    """An opened bid has its place in the log, an anchor above it, and proofs that hold offline."""
    assert opening.log is not None
    leaf = next(one for one in opening.log.leaves if one.commitment == BIDDERS[0].commitment)
    opened, proof = leaf.evidence
    assert httpx.get(opened).json()["opened"] is True
    (anchor,) = opening.log.anchors
    assert leaf.index < anchor.size
    assert anchor.place.time.timestamp() < office.holding.told(tender_of(opened))["deadline"]
    assert httpx.get(proof).status_code == 200
    fetched = bidledger("evidence", "fetch", office.folder / "bid.receipt.json", "--out", office.folder)
    assert fetched.returncode == 0, fetched.stderr
    office.verified("verify", office.folder / "bid.txt", office.folder / "bid.txt.evidence.json")


def tender_of(url: str) -> str:
    return f"/v1/tenders/{url.split('/v1/tenders/')[1][:66]}"


# ---- runs that are cut short, and repeated ----


def operations(office: Office) -> list[Any]:
    """All that was ever drawn up."""
    answer = office.holding.room.client.get("/v1/operations", headers={"authorization": "Bearer secret-officer"})
    listed: list[Any] = answer.json()["operations"]
    return listed


def test_a_plan_is_shown_and_nothing_is_sent_before_somebody_agrees(office: Office) -> None:
    for options, status in ((("--dry-run",), 0), ((), 2)):
        told = office.ran(*example(), "--shift-days", office.shift_days, *options, status=status)
        assert told["operations"] == []
        assert fates(told) == {
            "publish": "new",
            "amend": "later",
            "close-bids": "elsewhere",
            "open-bids": "elsewhere",
            "evaluate": "elsewhere",
            "publish-candidates": "incomplete",
            "award": "incomplete",
            "log-contract": "elsewhere",
        }
        assert [step["missing"] for step in told["plans"][0]["steps"]][-3:] == [["until"], ["panel"], []]
    assert operations(office) == []


def test_a_run_again_sends_nothing_twice(office: Office) -> None:
    (first,) = office.imported()["operations"]
    for _ in range(2):
        told = office.imported()
        assert [each["id"] for each in told["operations"]] == [first["id"]]
        assert fates(told)["publish"] == "waiting"
    signed = office.holding.sign_all(first)
    office.holding.settle(signed)
    (second,) = office.imported()["operations"]
    assert second["act"] == "amendment"
    assert [each["act"] for each in operations(office)] == ["tender", "amendment"]


def test_an_answer_that_was_lost_is_found_again_and_what_ran_out_is_drawn_up_anew(office: Office) -> None:
    packages = [read_package(path.read_bytes()) for path in example()]
    given = Given("chongqing", MEMBERS, 5, timedelta(0), shift=timedelta(days=office.shift_days + 30))
    (plan,) = make_plans(packages, given, datetime.fromtimestamp(office.holding.now, UTC))
    office.holding.follow()
    with TenderClient(office.url, office.key) as client:
        stands = hold_against_chain(plan, Later(), client, has_key=False)  # so that it cannot know what waits
        first = send(stands, Later(), client)
        assert send(stands, Later(), client)["id"] == first["id"]
        office.holding.clock.set(office.holding.now + 8 * DAY)  # its signatures come too late by then
        again = hold_against_chain(plan, Later(), client, has_key=True)
        second = send(again, Later(), client)
        assert (second["id"] != first["id"], second["state"]) == (True, "collecting")
        assert send(again, Later(), client)["id"] == second["id"]


def test_a_notice_is_known_by_its_digest_whatever_became_of_it(office: Office) -> None:
    holding = office.holding
    (published,) = json.loads(example("2*")[0].read_bytes())["releases"]
    digest = "0x" + content_digest(published).hex()
    tender = holding.announced(digest=digest)
    holding.done(f"{tender}/amendments", {"amendment": {"digest": PAPER, "reason": PAPER}})
    told = office.imported("--dry-run")
    assert told["plans"][0]["tender"] == tender[-66:]
    assert fates(told)["publish"] == "done"
    assert fates(told)["amend"] == "new"


def test_what_ended_on_the_chain_takes_no_more(office: Office) -> None:
    (notice,) = office.imported()["operations"]
    office.holding.settle(office.holding.sign_all(notice))
    tender = f"/v1/tenders/{notice['records'][0]}"
    office.holding.done(f"{tender}/failure", {"reason": PAPER})
    told = office.imported(status=2)
    amend = told["plans"][0]["steps"][1]
    assert (amend["fate"], amend["obstacles"][0]["problem"]) == ("refused", "tender-ended")
    assert amend["obstacles"][0]["where"] == "03-tenderAmendment.json: package.releases[0]"
    assert told["operations"] == []


def test_with_keys_and_time_one_run_goes_as_far_as_it_can(office: Office) -> None:
    signers = office.signing((1, "tender-officer"), (2, "tender-officer"), (3, "tender-officer"))
    with office.sending():
        told = office.imported(*signers, "--wait", "60")
    assert [(each["act"], each["state"]) for each in told["operations"]] == [
        ("tender", "final"),
        ("amendment", "final"),
    ]
    assert (fates(told)["amend"], fates(told)["close-bids"]) == ("done", "elsewhere")


# ---- what is refused ----


def notice(**changes: Any) -> dict[str, Any]:
    """A notice whose deadline is three days away in the clock of the example."""
    section = {"id": "t", "tenderPeriod": {"endDate": "2010-04-03T18:00:00Z"}}
    return {**release("1", "2010-03-02T00:00:00Z", ["tender"], tender=section), **changes}


def amendment(date: str) -> dict[str, Any]:
    section = {"id": "t", "amendments": [{"id": "1", "rationale": "More time."}]}
    return release("2", date, ["tenderAmendment"], tender=section)


STATED = {"id": "d1", "hash": f"sha256:{'0' * 64}"}


@pytest.mark.parametrize(
    ("data", "where", "why"),
    [
        (b"%PDF-1.7", "FILE: package", "cannot be read"),
        (b'{"records": []}', "FILE: package", "is no release package"),
        (package(notice(), version="1.0"), "FILE: package.version", 'is not "1.1"'),
        (package(notice(tag=["tendered"])), "FILE: package.releases[0].tag[0]", "is refused by the schema"),
        (package(notice(), notice(language="zh")), "FILE: package.releases[1]", "is another release"),
    ],
)
def test_a_file_that_is_no_package_ends_with_its_place(office: Office, data: bytes, where: str, why: str) -> None:
    file = office.folder / "bad.json"
    file.write_bytes(data)
    message = office.ran(file, "--yes", status=2)
    assert where.replace("FILE", "bad.json") in message
    assert why in message
    assert operations(office) == []


@pytest.mark.parametrize(
    ("data", "problem", "where"),
    [
        (package(notice(), amendment("2010-04-03T18:00:00Z")), "amended-too-late", "package.releases[1].date"),
        (package(notice(date="2010-04-04T00:00:00Z")), "dates-out-of-order", "package.releases[0].date"),
        (
            package(
                notice(tender={"id": "t", "documents": [STATED], "tenderPeriod": notice()["tender"]["tenderPeriod"]})
            ),
            "document-differs",
            "package.releases[0].tender.documents[0].hash",
        ),
        (package(amendment("2010-03-03T00:00:00Z")), "no-notice", "package.releases[0].tag"),
    ],
)
def test_what_the_register_would_refuse_is_not_sent(office: Office, data: bytes, problem: str, where: str) -> None:
    file, documents = office.folder / "bad.json", office.folder / "documents"
    file.write_bytes(data)
    documents.mkdir()
    (documents / "d1").write_bytes(b"other bytes")
    told = office.ran(file, "--yes", "--shift-days", office.shift_days, "--documents", documents, status=2)
    obstacles = [each for step in told["plans"][0]["steps"] for each in step["obstacles"]]
    assert (problem, f"bad.json: {where}") in [(each["problem"], each["where"]) for each in obstacles]
    assert told["operations"] == operations(office) == []


def test_one_tender_that_is_refused_does_not_hold_up_another(office: Office) -> None:
    file = office.folder / "two.json"
    late = notice(ocid="ocds-123abc-2", date="2010-04-04T00:00:00Z")
    file.write_bytes(package(late, notice()))
    told = office.ran(file, "--yes", "--shift-days", office.shift_days, status=2)
    assert [fates(told, plan)["publish"] for plan in (0, 1)] == ["refused", "waiting"]
    assert len(operations(office)) == 1


def test_the_apis_refusal_ends_the_run(office: Office) -> None:
    outcome = bidledger("tender", "import", *example(), "--url", "http://127.0.0.1:1", "--yes")
    assert outcome.returncode == 4
    told = office.imported("--answer-days", "99", status=2)
    assert told["operations"] == operations(office) == []
    assert fates(told)["publish"] == "new"


# ---- giving out ----


def test_a_tender_of_the_ledger_itself_is_given_out_on_standard_output(office: Office) -> None:
    tender = office.holding.announced()
    outcome = bidledger("tender", "export", tender[-66:], "--url", office.url)
    assert outcome.returncode == 0, outcome.stderr
    validate(outcome.stdout.encode())
    assert json.loads(outcome.stdout)["releases"][0]["ocid"] == f"ocds-123abc-{tender[-64:]}"


def test_releases_that_the_chain_did_not_record_are_not_put_back(office: Office) -> None:
    tender, out = office.holding.announced(), office.folder / "out.json"
    arguments = ("--url", office.url, "--out", out, "--release", example()[1])
    outcome = bidledger("tender", "export", tender[-66:], *arguments)
    assert (outcome.returncode, out.exists()) == (2, False)
    assert "whose notice is none of the releases" in outcome.stderr


def test_there_is_nothing_to_give_out_of_a_tender_that_nobody_announced(office: Office) -> None:
    office.holding.follow()
    outcome = bidledger("tender", "export", "0x" + "99" * 32, "--url", office.url)
    assert (outcome.returncode, outcome.stdout) == (3, "")
