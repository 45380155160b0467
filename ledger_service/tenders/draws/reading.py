"""What may be known of a draw at its host, and from when on.

Promises that a seat's proof, and the open file, are given once the award is final on the chain and not before. Who asks
is for `routes` to see.
"""

from sqlmodel import Session

from anchors.tenders import State, Tender
from anchors.tenders.draw import SeatProof
from ledger_service.chain.finality import Finality
from ledger_service.errors import Conflict, NotFound
from ledger_service.index.queries import final_block
from ledger_service.tenders.bids import OtherHostsTender
from ledger_service.tenders.draws.rounds import Round, find_round, find_rounds
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.queries import current, standing

__all__ = ["DrawReads", "hosted", "round_of"]


class NotHeld(Conflict):
    """A question about what only a draw that was held has."""

    problem, title = "not-held", "The draw was not held"


class StillSealed(Conflict):
    """A question about the panel before the award is final."""

    problem, title = "still-sealed", "The panel is sealed until the award"


class DrawReads:
    """Reads draws.

    Args:
        ground: the alliance, and the database with the index.
        finality: when the chain's blocks are final.
    """

    def __init__(self, ground: TenderGround, finality: Finality) -> None:
        self._ground = ground
        self._finality = finality

    def rounds(self, tender: bytes) -> list[Round]:
        """All rounds of a tender; raises NotFound and OtherHostsTender."""
        with self._session() as session:
            hosted(session, self._ground, tender)
            return find_rounds(session, tender)

    def round(self, tender: bytes, number: int) -> Round:
        """One of them; raises NotFound and OtherHostsTender."""
        with self._session() as session:
            hosted(session, self._ground, tender)
            return round_of(session, tender, number)

    def drawn(self, tender: bytes, number: int) -> Round:
        """A round that has a panel; raises NotHeld as well."""
        found = self.round(tender, number)
        if not found.is_drawn:
            raise NotHeld("No panel was drawn in this round.")
        return found

    def seat(self, tender: bytes, number: int, seat: int) -> SeatProof:
        """The proof of one seat, once the award is final.

        Raises:
            NotFound, OtherHostsTender, NotHeld: there is no such seat.
            StillSealed: the award is not final.
        """
        panel = self.drawn(tender, number).panel()
        with self._session() as session:
            self._check_awarded(session, tender)
        if seat > len(panel.seats):
            raise NotFound(f"The panel has {len(panel.seats)} seats.")
        return panel.prove(seat)

    def opened(self, tender: bytes, number: int) -> bytes:
        """The open file, once the award is final.

        Raises:
            NotFound, OtherHostsTender, NotHeld: there is no such draw.
            StillSealed: the award is not final.
        """
        found = self.round(tender, number)
        if not found.is_held:
            raise NotHeld("The draw was not held yet, so there is nothing to open.")
        with self._session() as session:
            self._check_awarded(session, tender)
            return found.complete(session).write()

    def _session(self) -> Session:
        return Session(self._ground.engine, expire_on_commit=False)

    def _check_awarded(self, session: Session, tender: bytes) -> None:
        number = final_block(session, self._finality)
        found = None if number is None else standing(session, tender, number)
        if found is None or found.row.state != State.AWARDED:
            raise StillSealed("The panel is unsealed by the award, once that is final on the chain.")


def hosted(session: Session, ground: TenderGround, tender: bytes) -> Tender:
    """A tender of this member; raises NotFound and OtherHostsTender."""
    found = current(session, ground, tender)
    if found.host != ground.member.number:
        host = ground.code_of(found.host)
        raise OtherHostsTender(f"{host} is the host of this tender, and its experts are drawn there.")
    return found


def round_of(session: Session, tender: bytes, number: int) -> Round:
    """A round of its draw; raises NotFound."""
    found = find_round(session, tender, number)
    if found is None:
        raise NotFound(f"The tender has no round {number} of a draw.")
    return found
