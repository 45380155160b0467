"""Claims about bids: that one which had arrived was left out of the opening, or a late one let in; and their answers.

Promises that a claim is sent for whoever has the host's signed receipt, with no other signature and no API key, and
that what the register would refuse is refused here by name: nobody makes the service send in vain. A claim has two
answers only, and each is shown by what was there before the claim: the holder's word, or the opening's refusal.
"""

from sqlmodel import Session, col, select

from anchors.chain.signatures import recover_signer
from anchors.errors import AnchorsError, NotOpened, TenderDiffers
from anchors.tenders import BidReceipt, OpenedList, Opening, Replacement, find_bid, parse_refusals, show_page
from ledger_service.errors import InvalidContent
from ledger_service.index.asof import moment
from ledger_service.index.events import Role
from ledger_service.index.tables import OperatorVersion
from ledger_service.index.tender_tables import TenderVersion
from ledger_service.operations.collecting import Act, State
from ledger_service.operations.tables import Operation
from ledger_service.refusals import Refused
from ledger_service.tenders import queries
from ledger_service.tenders.claiming import Claiming, HolderAnswering, RefusalAnswering
from ledger_service.tenders.drafts import Drafts
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.requests import AnswerIn, ClaimIn
from ledger_service.tenders.tables import ReplacedBid

__all__ = ["Claims", "read_receipt"]


class NotReceiptSigner(InvalidContent):
    """A receipt that somebody else signed than a receipt signer of the host."""

    problem, title = "not-receipt-signer", "The receipt is not the host's"


class ClaimedAlready(InvalidContent):
    """A second claim about one bid."""

    problem, title = "already-claimed", "The bid is claimed already"


class NothingToAnswer(InvalidContent):
    """An answer to no claim, or to one that is answered, upheld, or of a late bid."""

    problem, title = "nothing-to-answer", "No claim waits for an answer"


class NoAnswerAtHand(InvalidContent):
    """A claim about a bid that no word of its holder and no refusal of the opening accounts for."""

    problem, title = "no-answer-at-hand", "There is no answer to the claim"


class Claims:
    """Draws up claims.

    Args:
        ground: the alliance, and the register.
    """

    def __init__(self, ground: TenderGround) -> None:
        self._ground = ground

    def under_way(self, body: ClaimIn) -> Operation | None:
        """The operation that carries the same claim already."""
        digest = self._digest(read_receipt(body))
        over = (State.REFUSED, State.EXPIRED)
        same = (Operation.act == "claim", Operation.digest == digest, col(Operation.state).not_in(over))
        with Session(self._ground.engine, expire_on_commit=False) as session:
            return session.exec(select(Operation).where(*same)).first()

    def draw_up(self, session: Session, time: int, tender: bytes, body: ClaimIn) -> Act:
        """A claim to be sent.

        Args:
            session: of the index.
            time: of the chain, POSIX seconds.
            tender: of the path.
            body: the receipt.

        Raises:
            NotFound: there is no such tender.
            Refused: the rule that the claim breaks, such as `bid-opened` or `received-late`.
            NotReceiptSigner: the host's receipt signer has not signed this.
            ClaimedAlready: a claim about this bid is recorded.
        """
        receipt, signature = read_receipt(body), bytes.fromhex(body.signature[2:])
        try:
            claiming = self._claiming(session, tender, receipt, signature)
            claiming.check(session, self._ground, time)
        except AnchorsError as error:
            raise Refused(error, "/receipt") from error
        drafts = Drafts(self._ground, session, time)
        return drafts.unsigned("claim", claiming.to_json(), tender, body, self._digest(receipt))

    def answer(self, session: Session, time: int, tender: bytes, commitment: bytes, body: AnswerIn) -> Act:
        """The answer to a claim, from what the host has: its holder's word, or the opening's refusal.

        Raises:
            NotFound: there is no such tender.
            NothingToAnswer: no claim about this bid waits for an answer.
            NoAnswerAtHand: nothing accounts for the bid.
        """
        block = moment(session, None, self._ground.clock()).block
        found = queries.standing(session, tender, block)
        opening = None if found is None else queries.opening_of(found.row)
        if found is None:
            raise self._ground.unknown(tender)
        claimed = queries.claim(session, found.row, commitment, block)
        if claimed is None or opening is None or claimed.late or claimed.answer is not None or time > claimed.answer_by:
            raise NothingToAnswer("No claim about this bid waits for an answer; see the claims at the tender.")
        draft = self._held(session, tender, commitment) or self._refused(session, found.row, opening, commitment)
        return Drafts(self._ground, session, time).unsigned("answer", draft.to_json(), tender, body)

    def _held(self, session: Session, tender: bytes, commitment: bytes) -> HolderAnswering | None:
        kept = session.get(ReplacedBid, (tender, commitment))
        if kept is None:
            return None
        word = Replacement(tender, commitment, kept.replacement, kept.signed_at)
        return HolderAnswering(word, kept.preimage, kept.signature)

    def _refused(self, session: Session, row: TenderVersion, opening: Opening, commitment: bytes) -> RefusalAnswering:
        refusals = queries.refused_bids(session, row)
        named = [one.commitment for one in parse_refusals(refusals)]
        if commitment not in named:
            raise NoAnswerAtHand("No word of the bid's holder is kept, and the opening does not name it as refused.")
        return RefusalAnswering(commitment, opening, refusals, named.index(commitment))

    def _claiming(self, session: Session, tender: bytes, receipt: BidReceipt, signature: bytes) -> Claiming:
        block = moment(session, None, self._ground.clock()).block
        found = queries.standing(session, tender, block)
        if found is None:
            raise self._ground.unknown(tender)
        if receipt.tender != tender:
            raise TenderDiffers
        opening = queries.opening_of(found.row)
        if opening is None:
            raise NotOpened
        self._check_signer(session, found.row.host, receipt, signature)
        if queries.claim(session, found.row, receipt.commitment, block) is not None:
            raise ClaimedAlready("A claim about this bid is recorded; see it at the tender.")
        page = show_page(queries.opened_bids(session, found.row), receipt.commitment)
        opened = find_bid(OpenedList(opening.root, opening.count), page, receipt.commitment) is not None
        late = opened and receipt.received_at >= found.row.deadline
        return Claiming(receipt, signature, opening, page, late)

    def _check_signer(self, session: Session, host: int, receipt: BidReceipt, signature: bytes) -> None:
        """Whether the signer ever was one of the host's; what a revoked one's word is worth is for the register."""
        signer = recover_signer(self._digest(receipt), signature)
        tenures = select(OperatorVersion).where(
            OperatorVersion.address == signer,
            OperatorVersion.member == host,
            OperatorVersion.role == Role.RECEIPT_SIGNER.value,
            OperatorVersion.from_time <= receipt.received_at,
        )
        if session.exec(tenures.limit(1)).first() is None:
            raise NotReceiptSigner(
                f"As a receipt of this bid it is signed by 0x{signer.hex()}, which was no receipt signer of "
                f"{self._ground.code_of(host)} then."
            )

    def _digest(self, receipt: BidReceipt) -> bytes:
        return receipt.digest(self._ground.register, self._ground.network.chain_id)


def read_receipt(body: ClaimIn) -> BidReceipt:
    """The receipt as the library has it."""
    given = body.receipt
    words = (bytes.fromhex(given.tender[2:]), bytes.fromhex(given.commitment[2:]))
    return BidReceipt(*words, given.index, given.received_at)
