"""Tenders: acts out of their turn or time, lists of bids that do not hold, and claims that are none."""

from typing import ClassVar

from anchors.errors.root import AnchorsError


class BadTender(AnchorsError):
    """Root of what refuses an act of a tender."""

    remedy: ClassVar[str] = "Look at where the tender stands now, and at the rules of docs/TENDERS.md."


class TenderEnded(BadTender):
    """An act of a tender that has ended."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the tender is {state}, and nothing follows")


class ActIncomplete(BadTender):
    """An act that leaves out what it must name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"its {name} is zero")


class HostMissing(BadTender):
    """A notice or an evaluation without the host."""

    def __init__(self, host: int) -> None:
        super().__init__(f"member {host}, the host, is not among the members")


class DeadlineOver(BadTender):
    """A deadline that is over when it is set or moved."""

    def __init__(self, deadline: int) -> None:
        super().__init__(f"the deadline, second {deadline}, is over")


class DeadlineBroughtForward(BadTender):
    """An amendment to an earlier deadline."""

    def __init__(self, deadline: int, given: int) -> None:
        super().__init__(f"the deadline is second {deadline}, and only a later one may follow, not {given}")


class OpeningBeforeDeadline(BadTender):
    """An opening while bids are still taken."""

    def __init__(self, opening: int, deadline: int) -> None:
        super().__init__(f"bids would be opened at second {opening}, before their deadline, {deadline}")


class AnswerDaysOutside(BadTender):
    """A time for answers that is too short or too long."""

    def __init__(self, given: int, least: int, most: int) -> None:
        super().__init__(f"claims would wait {given} days for their answer; {least} to {most} are allowed")


class NotToReplace(BadTender):
    """A notice in place of a tender that has not failed, or is another host's, or is replaced already."""

    def __init__(self, state: str) -> None:
        super().__init__(f"a tender that is {state} is not replaced by this one")


class VersionDiffers(BadTender):
    """An amendment that is not the next version."""

    def __init__(self, given: int, following: int) -> None:
        super().__init__(f"the amendment is version {given}, and {following} follows")


class StillOpen(BadTender):
    """Bids closed before their deadline."""

    def __init__(self, deadline: int) -> None:
        super().__init__(f"bids are taken until second {deadline}")


class AlreadyClosed(BadTender):
    """Bids closed a second time."""

    def __init__(self) -> None:
        super().__init__("bids are closed already")


class NotClosed(BadTender):
    """An opening before bids are closed."""

    def __init__(self) -> None:
        super().__init__("bids are not closed yet; anybody may close them from the deadline on")


class OpenedEarly(BadTender):
    """An opening before its time."""

    def __init__(self, opening: int) -> None:
        super().__init__(f"bids are opened from second {opening} on, not before")


class AlreadyOpened(BadTender):
    """A second opening."""

    def __init__(self) -> None:
        super().__init__("the bids are opened already, and there is one list of them")


class NotOpened(BadTender):
    """A report or a claim before the opening."""

    def __init__(self) -> None:
        super().__init__("the bids are not opened")


class RoundDiffers(BadTender):
    """An evaluation that is not the next round."""

    def __init__(self, given: int, following: int) -> None:
        super().__init__(f"the evaluation is round {given}, and {following} follows")


class AlreadyEvaluated(BadTender):
    """An evaluation of bids that are evaluated."""

    def __init__(self) -> None:
        super().__init__("the bids are evaluated already")


class NotEvaluated(BadTender):
    """Candidates before the evaluation."""

    def __init__(self) -> None:
        super().__init__("the bids are not evaluated")


class CandidatesPublished(BadTender):
    """Candidates after the candidates."""

    def __init__(self) -> None:
        super().__init__("candidates are published already")


class NoCandidates(BadTender):
    """An objection or an award before there are candidates."""

    def __init__(self) -> None:
        super().__init__("no candidates are published")


class PublishedTooShortly(BadTender):
    """Candidates that would not be published for three days."""

    def __init__(self, until: int, least: int) -> None:
        super().__init__(f"candidates are published until second {least} at least, and these would be until {until}")


class BasisDiffers(BadTender):
    """An act that follows another one than the tender's last, as after a reorganisation."""

    def __init__(self, what: str) -> None:
        super().__init__(f"it follows another {what} than the tender's")


class ObjectedTooLate(BadTender):
    """An objection when the candidates' time is over."""

    def __init__(self, until: int) -> None:
        super().__init__(f"candidates were published until second {until}")


class AlreadyObjected(BadTender):
    """The same objection twice."""

    def __init__(self) -> None:
        super().__init__("this objection was made already")


class NothingToRule(BadTender):
    """A ruling on no objection, or on one that is ruled on."""

    def __init__(self) -> None:
        super().__init__("no such objection waits for a ruling")


class AwardSuspended(BadTender):
    """An award while objections wait."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"the award waits for the ruling on {waiting} objections")


class StillPublished(BadTender):
    """An award while candidates are published."""

    def __init__(self, until: int) -> None:
        super().__init__(f"candidates are published until second {until}")


class PanelUnsealedOtherwise(BadTender):
    """A panel that is not the sealed one."""

    def __init__(self) -> None:
        super().__init__("the panel is not the one that was sealed at the evaluation")


class ExpertsOutOfOrder(BadTender):
    """Experts of a panel out of order, or one twice."""

    def __init__(self) -> None:
        super().__init__("the panel's experts do not ascend, each once")


class ExpertNotDrawn(BadTender):
    """A signature on the report by an expert who was not drawn."""

    def __init__(self, expert: bytes) -> None:
        super().__init__(f"expert 0x{expert.hex()} signed the report and was not drawn")


class BadBidList(AnchorsError):
    """Root of what refutes a list of opened bids or a page of one."""

    remedy: ClassVar[str] = "Get the list again from the event of the opening, which the chain holds."


class ListTorn(BadBidList):
    """A list that does not divide into entries."""

    def __init__(self, length: int) -> None:
        super().__init__(f"{length} bytes do not divide into entries")


class NotAscending(BadBidList):
    """A bid that stands twice or out of order."""

    def __init__(self, commitment: bytes) -> None:
        super().__init__(f"0x{commitment.hex()} is not above the entry before it: it stands twice, or out of order")


class ForgedPage(BadBidList):
    """A page that the list of this root does not have."""

    def __init__(self, number: int) -> None:
        super().__init__(f"the opened list has no such page {number}")


class PageDiffers(BadBidList):
    """A page on which the bid would not stand."""

    def __init__(self, number: int) -> None:
        super().__init__(f"the bid would stand on another page than {number}")


class BadClaim(AnchorsError):
    """Root of what refuses a claim about a bid, or an answer to one."""

    remedy: ClassVar[str] = "Look at the receipt and at the opening; docs/TENDERS.md says what a claim needs."


class TenderDiffers(BadClaim):
    """A receipt for a bid in another tender."""

    def __init__(self) -> None:
        super().__init__("the receipt is for a bid in another tender")


class ReceivedLate(BadClaim):
    """A claim for a bid that came too late."""

    def __init__(self, received: int, deadline: int) -> None:
        super().__init__(
            f"the bid was received at second {received}, and the deadline was {deadline}: it was rightly left out"
        )


class ReceivedInTime(BadClaim):
    """A claim against a bid that came in time."""

    def __init__(self, received: int, deadline: int) -> None:
        super().__init__(
            f"the bid was received at second {received}, before the deadline, {deadline}: it was rightly opened"
        )


class BidOpened(BadClaim):
    """A claim for a bid that was opened."""

    def __init__(self) -> None:
        super().__init__("the bid is on the opened list")


class BidNotOpened(BadClaim):
    """A claim against a bid that was not opened."""

    def __init__(self) -> None:
        super().__init__("the bid is not on the opened list")


class NotHolder(BadClaim):
    """An answer that another key signed than the bid's holder."""

    def __init__(self) -> None:
        super().__init__("another key signed than the bid's holder")


class ReplacedLate(BadClaim):
    """A bid replaced or withdrawn from the deadline on."""

    def __init__(self, signed: int, deadline: int) -> None:
        super().__init__(f"signed at second {signed}, when the deadline, {deadline}, was over")


class NotThePreimage(BadClaim):
    """Bytes that are not what was committed to."""

    def __init__(self) -> None:
        super().__init__("these bytes are not what the commitment commits to")


class HolderMissing(BadClaim):
    """A commitment that names no holder."""

    def __init__(self) -> None:
        super().__init__("the commitment names no holder, so nobody replaces or withdraws it")


class NotRefused(BadClaim):
    """A bid that the opening does not name among the refused ones."""

    def __init__(self) -> None:
        super().__init__("the opening does not name the bid, with a reason, among the refused ones")


class BadAudit(AnchorsError):
    """Root of what refutes the file of an audit."""

    remedy: ClassVar[str] = "Get the audit's file again, best from another member, and look at what differs."


class AuditTooLarge(BadAudit):
    """An audit's file that would be longer than any reader takes."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"the audit has {size} bytes, more than the {most} that readers take")


class EventUnreadable(BadAudit):
    """A log that is no event of an audit."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the log is no event that belongs to an audit: {what}")


class EventsOutOfPlace(BadAudit):
    """Events that do not stand in the chain's order, each once."""

    def __init__(self, at: int) -> None:
        super().__init__(f"event {at} does not come after the one before it on the chain")


class EventOfAnotherTender(BadAudit):
    """An event that is told of another tender."""

    def __init__(self, tender: bytes) -> None:
        super().__init__(f"the file holds an event of the tender 0x{tender.hex()}, which does not belong to it")


class ForeignContract(BadAudit):
    """An event that no contract of the network emitted, or that one emitted when it was not in force."""

    def __init__(self, name: str, address: bytes, block: int) -> None:
        super().__init__(f"0x{address.hex()} was not the network's {name} at block {block}")


class ActMissing(BadAudit):
    """An event that cannot follow those before it, so that one between them is left out."""

    def __init__(self, event: str, why: str) -> None:
        super().__init__(f"{event} cannot follow what is told before it: {why}")


class ActNamedOtherwise(BadAudit):
    """An event whose fields, with what went before, do not give the hash that it names."""

    def __init__(self, event: str) -> None:
        super().__init__(f"{event} names an act that is not made of its fields and of what is told before it")


class LifeDiffers(BadAudit):
    """A state that is not what the told events come to."""

    def __init__(self, what: str, told: object, kept: object) -> None:
        super().__init__(f"by the events told, {what} is {told}, and the register keeps {kept}: something is left out")


class StateTooOld(BadAudit):
    """A state from before the last event."""

    def __init__(self, block: int, last: int) -> None:
        super().__init__(f"the state is of block {block}, and the last event told is of block {last}")


class NeedlessParts(BadAudit):
    """An audit's file with parts that nothing needs."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the file has {what} that nothing in it needs")


class LeavesDiffer(BadAudit):
    """Leaves that are not the log's."""

    def __init__(self, first: int, count: int, size: int) -> None:
        super().__init__(f"the {count} leaves from {first} on are not those of the tree of {size} leaves")


class NoSuchAnchor(BadAudit):
    """Leaves under a size of the log that no event told has anchored."""

    def __init__(self, size: int) -> None:
        super().__init__(f"no event told anchors the host's log at size {size}, under which the leaves are shown")


class DrawRefuted(BadAudit):
    """A file of the draw that is not what it says."""

    def __init__(self, step: str, detail: str) -> None:
        super().__init__(f"the draw fails at its step {step!r}: {detail}")
