"""The audit of a tender: from one downloaded file to each rule kept or broken, by nobody's word but the network file's.

Promises a verdict for any bytes, never an exception. Two parts follow each other. First the file: facts go in one step
at a time, the first step that fails ends the matter and is named, so a file that was tampered with tells nothing of its
tender. Then the rules: each is held against what is proven, see `anchors.tenders.audit.rules`. Trust is never read from
the file. Whose officer signed an act is the register's word, whose code the network file pins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anchors.chain.header import Header, decode_header
from anchors.chain.receipts import Receipt, decode_receipt, receipt_key
from anchors.chain.state import find_account, find_slot
from anchors.chain.trie import SharedNodes
from anchors.commitment import Kind, commit
from anchors.errors import (
    ActMissing,
    ContractMissing,
    DrawRefuted,
    EventMissing,
    EventsOutOfPlace,
    ForeignContract,
    MalformedReceipt,
    NeedlessParts,
    NoSuchAnchor,
    PeriodKeyDiffers,
    ReplacedLate,
    StateTooOld,
    TenderDiffers,
)
from anchors.network import Contract, Network, Quorum
from anchors.seals import prove_seals
from anchors.steps import Refuted, Run, Step, iso_time, pin_network
from anchors.tenders.audit.events import EVIDENCE_LOG, TENDER_REGISTER, Closed, Event, LogAnchored, Told, read_event
from anchors.tenders.audit.facts import Facts
from anchors.tenders.audit.file import AuditFile, Block, EventPlace, SignedReceipt
from anchors.tenders.audit.leaves import Leaf, LogPart, check_leaves
from anchors.tenders.audit.outcome import Finding, Rule
from anchors.tenders.audit.rules import judge
from anchors.tenders.audit.state import check_state, told_slots
from anchors.tenders.audit.story import Dated, Story, tell
from anchors.tenders.draw.file import DrawFile
from anchors.tenders.draw.verdict import DrawState, DrawVerdict, replay
from anchors.tenders.life import State
from anchors.tenders.receipt import BidReceipt, Replacement

__all__ = ["STEPS", "AuditVerdict", "audit"]

STEPS = ("headers", "seals", "events", "network", "life", "state", "receipts", "log", "draw")


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What a file shows of a tender, or, refuted, the step, its last, at which it is not what it says."""

    steps: tuple[Step, ...]
    rules: tuple[Rule, ...] = ()
    tender: bytes | None = None  # its name
    state: State | None = None
    block_number: int | None = None  # the newest that is shown
    block_time: int | None = None  # POSIX seconds
    sealed: bool = False
    unaccounted: tuple[Leaf, ...] = ()  # leaves of the shown periods

    @property
    def finding(self) -> Finding:
        """What it comes to."""
        if not self.rules:
            return Finding.REFUTED
        found = {rule.outcome for rule in self.rules}
        return next(each for each in (Finding.BROKEN, Finding.NOT_SHOWN, Finding.KEPT) if each in found)

    def as_json(self) -> dict[str, object]:
        """The verdict as `bidledger tender audit --json` prints it."""
        return {
            "verdict": self.finding,
            "tender": None if self.tender is None else "0x" + self.tender.hex(),
            "state": None if self.state is None else self.state.title,
            "block_number": self.block_number,
            "block_time": None if self.block_time is None else iso_time(self.block_time),
            "sealed": self.sealed,
            "steps": [each.as_json() for each in self.steps],
            "rules": [each.as_json() for each in self.rules],
            "unaccounted": [each.as_json() for each in self.unaccounted],
        }


def audit(
    file: bytes, network: bytes, later: Sequence[bytes] = (), *, receipts: Sequence[SignedReceipt] = ()
) -> AuditVerdict:
    """Recompute the life of a tender.

    Args:
        file: the audit's file, from anyone.
        network: the network file that the reader trusts.
        later: the versions of the network file after the one that the reader trusts, in order, from anyone.
        receipts: for bids of this tender that the reader holds, beside those in the file.

    Returns:
        Each rule kept, broken or not shown, or the step at which the file fails.
    """
    run = Run()
    try:
        return _prove(run, file, (network, *later), receipts)
    except Refuted:
        return AuditVerdict(tuple(run.steps))


@dataclass(frozen=True, slots=True)
class _Chain:
    """The blocks that a file shows, by its own places, and the trie nodes beside them."""

    blocks: Sequence[Block]
    raw: Sequence[bytes]  # headers by the file's places
    headers: Sequence[Header]  # of the blocks
    nodes: SharedNodes


@dataclass(frozen=True, slots=True)
class _Emitted:
    """An event in its block, and the contract that emitted it."""

    event: Told
    address: bytes
    header: Header


def _prove(run: Run, data: bytes, versions: tuple[bytes, ...], own: Sequence[SignedReceipt]) -> AuditVerdict:
    file = run.need("headers", AuditFile, data)
    tender = run.need("headers", file.tender)
    pinned, quorum = run.need("network", pin_network, versions)
    chain = run.step("headers", _read_chain, file, pinned)
    sealed = run.step("seals", _prove_seals, chain, pinned)
    emitted = run.step("events", _prove_events, file, chain)
    register = run.step("network", _prove_contracts, pinned, quorum, tender, emitted)
    story = run.step("life", _tell, tender, emitted)
    state = run.step("state", _prove_state, file, chain, register, story)
    receipts = run.step("receipts", _prove_receipts, file, pinned, register, story, own)
    replacements = run.need("receipts", _prove_replacements, file, pinned, register, story)
    declared = run.need("log", _read_declared, file)
    log = run.step("log", _prove_log, file, story)
    draw, draw_chain = run.step("draw", _prove_draw, file)
    newest = max(chain.headers, key=lambda header: header.number)
    facts = Facts(pinned, story, state, newest.timestamp, receipts, replacements, log, declared, draw, draw_chain)
    return AuditVerdict(
        steps=tuple(run.steps),
        rules=judge(facts),
        tender=tender,
        state=state or story.state,
        block_number=newest.number,
        block_time=newest.timestamp,
        sealed=sealed,
        unaccounted=facts.unaccounted,
    )


def _read_chain(file: AuditFile, network: Network) -> tuple[_Chain, str]:
    blocks, raw = file.blocks(), file.headers()
    used = {each.header for each in blocks} | {place for each in blocks for place in each.finality or ()}
    if len(used) < len(raw) or len({each.header for each in blocks}) < len(blocks):
        raise NeedlessParts(f"{len(raw)} headers and {len(blocks)} blocks, not all of them")
    headers = [decode_header(raw[each.header], network.consensus) for each in blocks]
    first, last = (choose(headers, key=lambda header: header.number) for choose in (min, max))
    told = f"{first.number} of {iso_time(first.timestamp)} to {last.number} of {iso_time(last.timestamp)}"
    return _Chain(blocks, raw, headers, SharedNodes(file.nodes())), f"{len(headers)} blocks, {told}"


def _prove_seals(chain: _Chain, network: Network) -> tuple[bool, str]:
    seals = []
    for header, block in zip(chain.headers, chain.blocks, strict=True):
        beside = None if block.finality is None else [chain.raw[place] for place in block.finality]
        seals.append(prove_seals(header, network.validators, beside))
    told = f"each block is sealed; the last: {seals[-1].detail}" if seals[-1].sealers else seals[-1].detail
    return all(each.sealers for each in seals), told


def _prove_events(file: AuditFile, chain: _Chain) -> tuple[tuple[_Emitted, ...], str]:
    reader = _EventReader(chain)
    emitted: list[_Emitted] = []
    last: tuple[int, int, int] | None = None
    for at, each in enumerate(file.events()):
        header = chain.headers[each.block]
        place = (header.number, each.place.transaction_index, each.place.log_index)
        if last is not None and place <= last:
            raise EventsOutOfPlace(at)
        last = place
        emitted.append(reader.read(each, header))
    return tuple(emitted), f"{len(emitted)} events, each in the receipts of its block, in the chain's order"


class _EventReader:
    """Reads each receipt and each event once, however often a file points at them."""

    def __init__(self, chain: _Chain) -> None:
        self._nodes = chain.nodes
        self._receipts: dict[bytes, Receipt] = {}
        self._events: dict[tuple[bytes, int], Told] = {}

    def read(self, place: EventPlace, header: Header) -> _Emitted:
        value = self._nodes.prove(header.receipts_root, receipt_key(place.place.transaction_index), bytes)
        if value is None:
            raise MalformedReceipt(f"block {header.number} has no transaction {place.place.transaction_index}")
        if value not in self._receipts:
            self._receipts[value] = decode_receipt(value)
        logs, at = self._receipts[value].logs, place.place.log_index
        if at >= len(logs):
            raise EventMissing(at, len(logs))
        if (value, at) not in self._events:
            self._events[value, at] = read_event(logs[at])
        return _Emitted(self._events[value, at], logs[at].address, header)


def _prove_contracts(
    network: Network, quorum: Quorum, tender: bytes, emitted: Sequence[_Emitted]
) -> tuple[Contract, str]:
    """Every event is of a contract of the network, and all of the tender's are of the one that took its notice."""
    for each in emitted:
        _find_contract(network, each.event.CONTRACT, each.address, each.header.number)
        if isinstance(each.event, Closed):
            _find_contract(network, EVIDENCE_LOG, each.event.log, each.header.number)
    own = [each for each in emitted if isinstance(each.event, Event) and each.event.tender == tender]
    if not own:
        raise ActMissing("what is told", "nothing of it is of this tender")
    address, block = own[0].address, own[0].header.number
    for each in own:
        if each.address != address:
            raise ForeignContract(TENDER_REGISTER, each.address, each.header.number)
    register = network.contract(TENDER_REGISTER, block)
    if register.address != address:
        raise ForeignContract(TENDER_REGISTER, address, block)
    return register, (
        f"version {network.version} of {network.alliance}, signed for {len(quorum.members)} of {len(network.members)} "
        f"members, lists the contracts that emitted them; the tender's is {TENDER_REGISTER} 0x{address.hex()}"
    )


def _find_contract(network: Network, name: str, address: bytes, block: int) -> None:
    for contract in network.contracts_named(name):
        if contract.address == address and contract.from_block <= block:
            return
    raise ForeignContract(name, address, block)


def _tell(tender: bytes, emitted: Sequence[_Emitted]) -> tuple[Story, str]:
    story = tell(tender, [Dated(each.event, each.header.number, each.header.timestamp) for each in emitted])
    if story.closed is not None:
        logs = [each for each in emitted if isinstance(each.event, LogAnchored)]
        for each in logs:
            if each.address != story.closed.log:
                raise ForeignContract(EVIDENCE_LOG, each.address, each.header.number)
    return story, f"each act follows from those before it, from the notice on; the tender is {story.state.title}"


def _prove_state(file: AuditFile, chain: _Chain, register: Contract, story: Story) -> tuple[State | None, str]:
    at = file.state()
    state, told = None, "the file does not show the register's state"
    if at is not None:
        state, told = _read_state(chain.headers[at], chain.nodes, register, story)
    if chain.nodes.unused:
        raise NeedlessParts(f"{chain.nodes.unused} trie nodes")
    return state, told


def _read_state(header: Header, nodes: SharedNodes, register: Contract, story: Story) -> tuple[State, str]:
    if header.number < story.last_block:
        raise StateTooOld(header.number, story.last_block)
    account = find_account(header.state_root, register.address, nodes)
    if account is None or account.code_hash != register.code_hash:
        raise ContractMissing(TENDER_REGISTER, register.address, header.number)
    slots = told_slots(story)
    state = check_state(story, [find_slot(account.storage_root, slot, nodes) for slot in slots])
    return state, f"at block {header.number}, of {iso_time(header.timestamp)}, the register keeps just what is told"


def _prove_receipts(
    file: AuditFile, network: Network, register: Contract, story: Story, own: Sequence[SignedReceipt]
) -> tuple[tuple[BidReceipt, ...], str]:
    host = network.member(story.published.notice.host)
    given = (*file.receipts(), *own)
    for each in given:
        if each.receipt.tender != story.name:
            raise TenderDiffers
        signer = each.signer(register.address, network.chain_id)
        network.receipt_signer(host, signer, each.receipt.received_at)
    told = f"{len(given)} receipts for bids, {len(own)} of them the reader's, each by a receipt signer of {host.code}"
    return tuple(each.receipt for each in given), told


def _prove_replacements(
    file: AuditFile, network: Network, register: Contract, story: Story
) -> Mapping[bytes, Replacement]:
    """By commitment; words about bids of other tenders are good where the file shows those opened, from before it."""
    found: dict[bytes, Replacement] = {}
    until = {**story.others, story.name: story.deadline}
    for each in file.replacements():
        if each.act.tender not in until:
            raise TenderDiffers
        if each.act.signed_at >= until[each.act.tender]:
            raise ReplacedLate(each.act.signed_at, until[each.act.tender])
        each.act.prove_holder(register.address, network.chain_id, each.preimage, each.signature)
        found[each.act.commitment] = each.act
    return found


def _prove_log(file: AuditFile, story: Story) -> tuple[LogPart | None, str]:
    log = file.log()
    if log is None:
        return None, "the file shows no leaves of the host's log"
    root = next((event.root for event, _ in story.anchors if event.size == log.size), None)
    if root is None:
        raise NoSuchAnchor(log.size)
    for at, period in enumerate(log.periods):
        check_leaves(period, log.size, root)
        period.taken()
        following = log.periods[at + 1] if at + 1 < len(log.periods) else None
        if following is not None and following.first == period.end and period.next_key not in (None, following.key):
            raise PeriodKeyDiffers(period.end - 1)
    return log, f"{sum(len(each.leaves) for each in log.periods)} leaves are those of the log's tree of {log.size}"


def _read_declared(file: AuditFile) -> Mapping[bytes, Kind]:
    """What leaves are by the statements that they commit to; a bid is not put aside by saying so."""
    statements = [each for each in file.statements() if each.kind is not Kind.BID_DOCUMENT]
    return {commit(each): each.kind for each in statements}


def _prove_draw(file: AuditFile) -> tuple[tuple[DrawVerdict | None, int], str]:
    draws = file.draws()
    if not draws:
        return (None, 0), "the file holds no draw"
    verdict = replay(draws[-1], draws[:-1])
    if verdict.state is DrawState.REFUTED:
        raise DrawRefuted(verdict.steps[-1].step, verdict.steps[-1].detail)
    chain_id = DrawFile(draws[-1]).terms.chain_id
    return (verdict, chain_id), f"{len(draws)} rounds of a draw, the last {verdict.state.value}"
