"""Takes bids for this member's tenders: as any commitment, by the log's writer, and with a receipt for each bid.

Promises that nothing is taken from the deadline on, by the clock of the log, and that whoever hands in a bid learns
nothing of others: an answer depends on the request, on its own key's count and on the tender's notice. Which leaf is a
bid in which tender is kept in `tables`, for the host alone, and told to it from the opening time on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from sqlmodel import Session, col, select
from starlette.concurrency import run_in_threadpool

from anchors.errors import AnchorsError, DeadlineOver, OpenedEarly
from anchors.tenders import BidReceipt, Replacement, State, check_replacement
from ledger_service.chain.finality import Finality
from ledger_service.errors import IndexBehind, InvalidContent, NotFound
from ledger_service.index.asof import moment
from ledger_service.index.queries import final_block
from ledger_service.index.state_proofs import RETRY_SECONDS
from ledger_service.index.tender_tables import TenderVersion
from ledger_service.keys import EthereumKey
from ledger_service.log.accept import Asked
from ledger_service.log.admission import AfterDeadline
from ledger_service.log.sequencer import Accepted
from ledger_service.log.store import INDEX_BYTES
from ledger_service.log.writer import LogWriter
from ledger_service.refusals import Refused
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.queries import standing, tender_of
from ledger_service.tenders.tables import ReceivedBid, ReplacedBid

__all__ = ["Bids", "Kept", "OtherHostsTender", "SignedReplacement"]

log = structlog.get_logger(__name__)


class OtherHostsTender(InvalidContent):
    """Something about bids that only the tender's host takes, at another member."""

    problem, title = "other-hosts-tender", "Another member is the tender's host"


@dataclass(frozen=True, slots=True)
class SignedReplacement:
    """A holder's word, with what shows that it is the holder's."""

    act: Replacement
    preimage: bytes  # the 257 bytes that the commitment commits to
    signature: bytes  # 65 bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A bid that was received, and what became of it."""

    bid: ReceivedBid
    replaced: ReplacedBid | None


class Bids:
    """The host's desk for bids.

    Args:
        ground: the database, and the alliance.
        writer: of the member's log.
        generation: of that log.
        receipt_key: of the member's receipt signer.
        finality: when the chain's blocks are final.
    """

    def __init__(
        self, ground: TenderGround, writer: LogWriter, generation: int, receipt_key: EthereumKey, finality: Finality
    ) -> None:
        self._ground = ground
        self._writer = writer
        self._generation = generation
        self._receipt_key = receipt_key
        self._finality = finality

    async def take(self, tender: bytes, asked: Asked) -> bytes:
        """Log bids, and sign for each that it arrived.

        Args:
            tender: its name.
            asked: the request.

        Returns:
            JSON: the log's receipts, and a bid receipt for each, in the order of the commitments.

        Raises:
            NotFound, OtherHostsTender: there is no such tender of this member.
            IndexBehind: its notice could still be taken back; ask again.
            AfterDeadline: the log's clock has come to the deadline, or no bids are taken any more.
            ServiceError: as for any commitment, see `Admission.admit`.
        """
        row, until = await run_in_threadpool(self._announced, tender)
        # The same request for another tender is another request; no other key of a request has a line's end.
        name = None if asked.idempotency_key is None else f"{tender.hex()}\n{asked.idempotency_key}"
        try:
            accepted = await self._writer.accept(asked.commitments, asked.key.id, asked.key.quota, name, until)
        except AfterDeadline as error:
            received_at, deadline = error.facts["received_at"], until or row.deadline
            log.info("bids_refused", tender=tender.hex(), key=asked.key.id, received_at=received_at)
            raise AfterDeadline(
                f"The bids came at second {received_at}, when no more were taken; their deadline is {deadline}.",
                facts={"received_at": received_at, "deadline": deadline},
            ) from error
        signed = await run_in_threadpool(self._receive, row, accepted)
        return accepted.to_json()[:-1] + b',"bid_receipts":' + orjson.dumps(signed) + b"}"

    def replace(self, replacement: SignedReplacement) -> None:
        """Keep a holder's word that a bid is replaced or withdrawn; the same one again changes nothing.

        Whether the bid in its place is one is for the opening to see: to refuse it here would tell whoever asks which
        leaves of the log are bids.

        Raises:
            NotFound, OtherHostsTender: there is no such tender of this member, or it has no such bid.
            Refused: its deadline is over, the word is dated after it, or is not that of the bid's holder.
        """
        act, now = replacement.act, int(self._ground.clock().timestamp())
        row = self._hosted(act.tender)
        if now >= row.deadline or row.state != State.PUBLISHED:
            raise Refused(DeadlineOver(row.deadline), "/signed_at")
        try:
            check_replacement(tender_of(row, []), act)
            chain = self._ground.network.chain_id
            act.prove_holder(row.contract, chain, replacement.preimage, replacement.signature)
        except AnchorsError as error:
            raise Refused(error, "") from error
        with Session(self._ground.engine) as session:
            # Only whoever knows the bid itself comes here, so that this tells nobody else.
            if session.get(ReceivedBid, (act.tender, act.commitment)) is None:
                raise NotFound("The tender has no such bid; hand it in before it is replaced.")
            kept = session.get(ReplacedBid, (act.tender, act.commitment))
            if kept is not None and kept.replacement != act.replacement:
                raise ReplacedAlready("The holder has replaced or withdrawn this bid before, in another way.")
            if kept is None:
                session.add(_row(replacement, now))
                session.commit()

    def received(self, tender: bytes) -> list[Kept]:
        """What the host opens from, by commitment: told from the opening time on, not before.

        Raises:
            NotFound, OtherHostsTender: there is no such tender of this member.
            Refused: it is not the time of the opening.
        """
        row = self._hosted(tender)
        with Session(self._ground.engine, expire_on_commit=False) as session:
            if moment(session, None, self._ground.clock()).time < row.opening:
                raise Refused(OpenedEarly(row.opening), "")
            return kept_bids(session, tender)

    def _announced(self, tender: bytes) -> tuple[TenderVersion, int]:
        """A tender whose notice is final, and until when bids are taken: by what is final as well.

        A notice or a deadline that came again later would have bids from before it (adr/0021).
        """
        row = self._hosted(tender)
        with Session(self._ground.engine, expire_on_commit=False) as session:
            number = final_block(session, self._finality)
            final = None if number is None else standing(session, tender, number)
        if final is None:
            raise IndexBehind("The tender's notice is not final yet; ask again later.", retry_after=RETRY_SECONDS)
        return row, final.row.deadline if row.state == State.PUBLISHED else 0

    def _hosted(self, tender: bytes) -> TenderVersion:
        with Session(self._ground.engine, expire_on_commit=False) as session:
            found = standing(session, tender, moment(session, None, self._ground.clock()).block)
        if found is None:
            raise self._ground.unknown(tender)
        if found.row.host != self._ground.member.number:
            host = self._ground.code_of(found.row.host)
            raise OtherHostsTender(f"{host} takes the bids of this tender; hand them in there.")
        return found.row

    def _receive(self, row: TenderVersion, accepted: Accepted) -> list[dict[str, Any]]:
        """Keep the bids, in this process or after one that ended in between, and sign for them."""
        place, batch = accepted.place, accepted.batch
        entries = batch.entries[place.position : place.position + place.count]
        at = batch.facts.accepted_at
        bids = [
            ReceivedBid(
                tender=row.tender,
                commitment=entry[INDEX_BYTES:],
                generation=self._generation,
                index=int.from_bytes(entry[:INDEX_BYTES], "big"),
                received_at=at,
            )
            for entry in entries
        ]
        receipts = [BidReceipt(one.tender, one.commitment, one.index, one.received_at) for one in bids]
        with Session(self._ground.engine) as session:
            if accepted.repeated:
                for bid in bids:
                    session.merge(bid)
            else:
                session.add_all(bids)
            session.commit()
        return [self._signed(row.contract, receipt) for receipt in receipts]

    def _signed(self, register: bytes, receipt: BidReceipt) -> dict[str, Any]:
        digest = receipt.digest(register, self._ground.network.chain_id)
        return {
            "tender": _hex(receipt.tender),
            "commitment": _hex(receipt.commitment),
            "index": receipt.index,
            "received_at": receipt.received_at,
            "signature": _hex(self._receipt_key.sign(digest)),
        }


class ReplacedAlready(InvalidContent):
    """A second word about a bid that says something else."""

    problem, title = "replaced-already", "The bid is replaced or withdrawn already"


def kept_bids(session: Session, tender: bytes) -> list[Kept]:
    """The bids that were received, by commitment, each with its holder's word."""
    rows: Sequence[ReceivedBid] = session.exec(
        select(ReceivedBid).where(ReceivedBid.tender == tender).order_by(col(ReceivedBid.commitment))
    ).all()
    words = session.exec(select(ReplacedBid).where(ReplacedBid.tender == tender))
    replaced = {one.commitment: one for one in words}
    return [Kept(row, replaced.get(row.commitment)) for row in rows]


def _row(replacement: SignedReplacement, now: int) -> ReplacedBid:
    act = replacement.act
    return ReplacedBid(
        tender=act.tender,
        commitment=act.commitment,
        replacement=act.replacement,
        signed_at=act.signed_at,
        received_at=now,
        preimage=replacement.preimage,
        signature=replacement.signature,
    )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
