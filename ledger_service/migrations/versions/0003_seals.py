"""who sealed each block, headers that show it final, and withdrawn proofs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carry the step out."""
    op.create_table(
        "anchoring_withdrawal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("from_size", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "chain_validators",
        sa.Column("block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("addresses", sa.LargeBinary(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block_number"),
    )
    op.add_column("chain_block", sa.Column("sealers", sa.LargeBinary(), nullable=True))
    op.add_column("chain_block", sa.Column("round", sa.BigInteger(), nullable=True))
    op.execute("DELETE FROM anchoring_proof")  # they are captured again, from any node, with what is new in them
    with op.batch_alter_table("anchoring_proof", schema=None) as batch_op:
        batch_op.add_column(sa.Column("from_size", sa.BigInteger(), nullable=False))
        batch_op.add_column(sa.Column("block_number", sa.BigInteger(), nullable=False))
        batch_op.add_column(sa.Column("finality", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take the step back."""
    with op.batch_alter_table("anchoring_proof", schema=None) as batch_op:
        batch_op.drop_column("finality")
        batch_op.drop_column("block_number")
        batch_op.drop_column("from_size")

    op.drop_column("chain_block", "round")
    op.drop_column("chain_block", "sealers")
    op.drop_table("chain_validators")
    op.drop_table("anchoring_withdrawal")
