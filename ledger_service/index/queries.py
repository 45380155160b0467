"""What every slice asks of the index: how far it is, what is final, who seals, and when logs were anchored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from anchors.network import ValidatorSet
from ledger_service.chain.finality import Finality, SealedBlock
from ledger_service.index.seals import sealers_of_bits
from ledger_service.index.tables import Anchor, Block, IndexState, Reorganisation, Validators


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the index is."""

    block: int | None  # the last followed block
    block_hash: bytes | None
    block_time: int | None  # POSIX seconds
    node_head: int | None  # the node's newest block when last seen
    node_head_since: datetime | None  # when it was first seen
    verified_block: int | None  # the last that was held against the state

    @property
    def lag(self) -> int | None:
        """Blocks that the node has and the index has not followed."""
        if self.node_head is None:
            return None
        return max(0, self.node_head - (-1 if self.block is None else self.block))


def progress(session: Session) -> Progress:
    """Read how far the index is."""
    tip = session.exec(select(Block).order_by(col(Block.number).desc()).limit(1)).first()
    state = session.get(IndexState, 1)
    return Progress(
        block=tip.number if tip else None,
        block_hash=tip.hash if tip else None,
        block_time=tip.timestamp if tip else None,
        node_head=state.node_head if state else None,
        node_head_since=state.seen_at.replace(tzinfo=UTC) if state else None,
        verified_block=state.verified_block if state else None,
    )


def final_block(session: Session, finality: Finality) -> int | None:
    """The number of the last final block that was followed; None when there is none."""
    return finality.final_block(newest_blocks(session, finality.blocks_to_look_at(len(validators_in_force(session)))))


def validators_in_force(session: Session) -> tuple[bytes, ...]:
    """The validators of the last followed block, in order; none on a development chain."""
    newest = select(Validators.addresses).order_by(col(Validators.block_number).desc()).limit(1)
    return _addresses(session.exec(newest).first() or b"")


def newest_blocks(session: Session, limit: int) -> list[SealedBlock]:
    """The newest followed blocks with their sealers, newest first."""
    return _sealed(session, session.exec(select(Block).order_by(col(Block.number).desc()).limit(limit)).all())


def blocks_from(session: Session, number: int, limit: int) -> list[SealedBlock]:
    """The followed blocks from a number on with their sealers, in order."""
    from_there = select(Block).where(Block.number >= number).order_by(col(Block.number)).limit(limit)
    return _sealed(session, session.exec(from_there).all())


def _sealed(session: Session, blocks: Sequence[Block]) -> list[SealedBlock]:
    changes = session.exec(
        select(Validators.block_number, Validators.addresses).order_by(col(Validators.block_number).desc())
    ).all()
    found = []
    for block in blocks:
        validators = _addresses(next((addresses for number, addresses in changes if number <= block.number), b""))
        sealers = sealers_of_bits(validators, block.sealers or b"")
        found.append(SealedBlock(block.number, block.hash, block.timestamp, sealers, validators, block.round))
    return found


def _addresses(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[at : at + 20] for at in range(0, len(joined), 20))


def headers_of_changes(session: Session, pinned: ValidatorSet, before: int) -> list[bytes]:
    """The headers, RLP, at which the validators changed after the start of a pinned span and before a block."""
    between = (col(Validators.block_number) > pinned.from_block, col(Validators.block_number) < before)
    in_force, headers = set(pinned.addresses), []
    for row in session.exec(select(Validators).where(*between).order_by(col(Validators.block_number))):
        listed = set(_addresses(row.addresses))
        if listed != in_force:  # the first block that was followed changes nothing
            headers.append(row.header)
        in_force = listed
    return headers


def reorganisations(session: Session) -> tuple[int, Sequence[Reorganisation]]:
    """How many turns of the chain were followed, and the latest ten."""
    count = session.exec(select(func.count()).select_from(Reorganisation)).one()
    latest = select(Reorganisation).order_by(col(Reorganisation.id).desc()).limit(10)
    return count, session.exec(latest).all()


@dataclass(frozen=True, slots=True)
class DatedAnchor:
    """An anchor and the time of its block, POSIX seconds."""

    anchor: Anchor
    time: int


def dated_anchors(
    session: Session, *conditions: ColumnElement[bool] | bool, limit: int, newest: bool = False
) -> list[DatedAnchor]:
    """Anchors that meet all conditions, by (generation, size): within a member that is the order of the chain."""
    order = (col(Anchor.generation), col(Anchor.size))
    found = (
        select(Anchor, Block.timestamp)
        .join(Block, col(Block.number) == col(Anchor.block_number))
        .where(*conditions)
        .order_by(*(column.desc() for column in order) if newest else order)
        .limit(limit)
    )
    return [DatedAnchor(anchor, time) for anchor, time in session.exec(found)]
