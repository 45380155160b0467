"""tenders: where each stands, what happened, opened bids and claims."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carry the step out."""
    op.create_table(
        "chain_tender",
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("to_block", sa.BigInteger(), nullable=True),
        sa.Column("tender", sa.LargeBinary(), nullable=False),
        sa.Column("contract", sa.LargeBinary(), nullable=False),
        sa.Column("published_block", sa.BigInteger(), nullable=False),
        sa.Column("published_transaction", sa.Integer(), nullable=False),
        sa.Column("published_log", sa.Integer(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("host", sa.Integer(), nullable=False),
        sa.Column("members", sa.String(), nullable=False),
        sa.Column("answer_days", sa.Integer(), nullable=False),
        sa.Column("former", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("deadline", sa.LargeBinary(length=8), nullable=False),
        sa.Column("opening", sa.LargeBinary(length=8), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("closed_in", sa.BigInteger(), nullable=True),
        sa.Column("manifest", sa.LargeBinary(), nullable=True),
        sa.Column("root", sa.LargeBinary(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=True),
        sa.Column("on_receipt", sa.BigInteger(), nullable=True),
        sa.Column("refusals", sa.LargeBinary(), nullable=True),
        sa.Column("record", sa.LargeBinary(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("evaluation", sa.LargeBinary(), nullable=True),
        sa.Column("report", sa.LargeBinary(), nullable=True),
        sa.Column("sites", sa.String(), nullable=True),
        sa.Column("panel", sa.LargeBinary(), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("candidates", sa.LargeBinary(), nullable=True),
        sa.Column("candidate_list", sa.LargeBinary(), nullable=True),
        sa.Column("until", sa.LargeBinary(length=8), nullable=True),
        sa.Column("waiting", sa.LargeBinary(), nullable=False),
        sa.Column("award", sa.LargeBinary(), nullable=True),
        sa.Column("failure", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tender", "contract", "from_block"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("chain_tender", schema=None) as batch_op:
        batch_op.create_index(
            "ix_chain_tender_published", ["published_block", "published_transaction", "published_log"], unique=False
        )

    op.create_table(
        "chain_tender_bid",
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("tender", sa.LargeBinary(), nullable=False),
        sa.Column("contract", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("index", sa.LargeBinary(length=8), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tender", "contract", "commitment", "opened"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "chain_tender_claim",
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("to_block", sa.BigInteger(), nullable=True),
        sa.Column("tender", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("contract", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("index", sa.LargeBinary(length=8), nullable=False),
        sa.Column("received_at", sa.LargeBinary(length=8), nullable=False),
        sa.Column("claimed_in", sa.BigInteger(), nullable=False),
        sa.Column("answer_by", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Integer(), nullable=True),
        sa.Column("by", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tender", "commitment", "contract", "from_block"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "chain_tender_event",
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("transaction_index", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("tender", sa.LargeBinary(), nullable=False),
        sa.Column("contract", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("data", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "transaction_index", "log_index"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("chain_tender_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chain_tender_event_tender"), ["tender"], unique=False)


def downgrade() -> None:
    """Take the step back."""
    with op.batch_alter_table("chain_tender_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chain_tender_event_tender"))

    op.drop_table("chain_tender_event")
    op.drop_table("chain_tender_claim")
    op.drop_table("chain_tender_bid")
    with op.batch_alter_table("chain_tender", schema=None) as batch_op:
        batch_op.drop_index("ix_chain_tender_published")

    op.drop_table("chain_tender")
