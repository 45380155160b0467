"""Certificates of companies' credit: the records that the index holds, with the node's proof that these are all.

Promises a file that `bidledger verify-certificate` proves: what the node answers is held against the header of the
block, which is final, before anything is given out. It is made when it is asked for, since a node proves recent blocks.
"""

from collections.abc import Sequence
from threading import BoundedSemaphore

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from anchors.chain.header import Header
from anchors.credit import fold, word_count
from anchors.credit.certificate import named_slot, word_slot
from anchors.credit.certificate_file import SubjectPart, write_certificate
from anchors.errors import BadCertificate, BadSubject
from anchors.network import Contract
from anchors.subjects import Subject
from ledger_service.chain.contracts import CREDIT_REGISTER, REGISTRY
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.records import events_in, subject_events
from ledger_service.errors import IndexBehind, NodeDishonest, NotFound, Unavailable
from ledger_service.index.confirming import finality_headers
from ledger_service.index.fetch import ChainMoved, Fetcher
from ledger_service.index.queries import final_block
from ledger_service.index.state_proofs import RETRY_SECONDS, ProvenSlots, followed_block, prove_slots
from ledger_service.index.tables import Block
from ledger_service.pages import cached
from ledger_service.refusals import Refused

__all__ = ["CERTIFICATE", "Certificates", "routes"]

CERTIFICATE = "/certificate"  # how the path of the route ends
AT_ONCE = 8  # certificates that are being made; a node that answers slowly must not take all threads of the service


class Certificates:
    """Makes certificates.

    Args:
        ground: the alliance, and the database with the index.
        rpc: a node; it must keep the state of the last final block.
        finality: when the chain's blocks are final.
    """

    def __init__(self, ground: CreditGround, rpc: Rpc, finality: Finality) -> None:
        self._ground = ground
        self._rpc = rpc
        self._finality = finality
        self._fetcher = Fetcher(rpc, {}, finality.consensus)
        self._places = BoundedSemaphore(AT_ONCE)

    def final_block(self) -> int:
        """The block of which a certificate would be now; raises IndexBehind where none is final yet."""
        with Session(self._ground.engine) as session:
            number = final_block(session, self._finality)
            if number is None or session.get(Block, number) is None:
                raise IndexBehind("No block is final yet; ask again later.", retry_after=RETRY_SECONDS)
        return number

    def gather(self, subjects: Sequence[Subject], block: int) -> bytes:
        """Make a certificate.

        Args:
            subjects: 1 to 1,000, none twice.
            block: the number of a final block.

        Returns:
            The certificate file.

        Raises:
            Unavailable: the node keeps no state of that block, the block was replaced, or too many ask at once; ask
                again. Or the service's network file is of before a vote for another register.
            NodeDishonest: the node's proofs do not lead to the header, or to other records than the index holds.
            NotFound: that block was before the alliance had a credit register.
            BadCertificate: there are too many companies, one is there twice, or they have too many records for a file.
            ChainUnreachable: no node answers.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable("Many certificates are being made; ask again.", retry_after=RETRY_SECONDS)
        try:
            return self._gather(subjects, block)
        except ChainMoved as error:
            raise Unavailable("The chain moved meanwhile; ask again.", retry_after=RETRY_SECONDS) from error
        finally:
            self._places.release()

    def _gather(self, subjects: Sequence[Subject], number: int) -> bytes:
        network = self._ground.network
        registers = [one for one in network.contracts_named(CREDIT_REGISTER) if one.from_block <= number]
        if not registers:
            raise NotFound(f"At block {number} the alliance had no credit register.")
        header, _ = followed_block(self._ground.engine, self._fetcher, number)
        with Session(self._ground.engine) as session:
            told = subject_events(session, [subject.key for subject in subjects], number)
        parts = [
            SubjectPart(subject, tuple(tuple(events_in(told.get(subject.key, ()), one.address)) for one in registers))
            for subject in subjects
        ]
        registry = network.contract(REGISTRY, number)
        named = self._prove(header, registry, [named_slot()])
        if named.values[0][12:] != registers[-1].address:
            raise Unavailable(
                f"The registry names another credit register at block {number} than the network file of this service; "
                "its operator must give it the next version."
            )
        nodes = [*named.nodes]
        for place, register in enumerate(registers):
            proof = self._prove(header, register, [word_slot(subject.key) for subject in subjects])
            for part, word in zip(parts, proof.values, strict=True):
                _compare(part.subject, fold(part.events[place]), word, header)
            nodes += proof.nodes
        finality = None
        if self._finality.seals:
            finality = finality_headers(self._ground.engine, self._fetcher, self._finality, header)
        return write_certificate(parts, [one.address for one in registers], nodes, header.raw, finality)

    def _prove(self, header: Header, contract: Contract, slots: Sequence[bytes]) -> ProvenSlots:
        proven = prove_slots(self._rpc, header, contract.name, contract.address, slots)
        if proven.account is None or proven.account.code_hash != contract.code_hash:
            raise NodeDishonest(
                f"block {header.number}: the state has no {contract.name} at 0x{contract.address.hex()}"
            )
        return proven


def routes(certificates: Certificates) -> APIRouter:
    """The route of certificates."""
    router = APIRouter(tags=["credit"])

    @router.get(
        f"/v1/subjects/{{subject:path}}{CERTIFICATE}",
        responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    )
    def show_certificate(
        request: Request,
        subject: str = Path(max_length=128, description="SCHEME:IDENTIFIER, such as CN-USCC:91110000600037341L."),
    ) -> Response:
        """A certificate of a company's credit records, or that it has none, at the last final block: a file that
        `bidledger verify-certificate` proves offline."""
        try:
            certificate = certificates.gather([Subject.parse(subject)], certificates.final_block())
        except (BadSubject, BadCertificate) as error:
            raise Refused(error, "/path/subject") from error
        return cached(request, certificate, "application/json")

    return router


def _compare(subject: Subject, told: bytes, word: bytes, header: Header) -> None:
    if told != word:
        here, there = word_count(told), word_count(word)
        raise NodeDishonest(
            f"block {header.number}: of {subject} the state counts {there} events and the index {here}, or others; "
            "what the index tells is not believed"
        )
