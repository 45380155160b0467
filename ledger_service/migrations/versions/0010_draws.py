"""draws of experts at the tender's host."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carry the step out."""
    op.create_table(
        "tender_draw",
        sa.Column("tender", sa.LargeBinary(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("seats", sa.LargeBinary(), nullable=True),
        sa.Column("held_at", sa.BigInteger(), nullable=True),
        sa.Column("statement", sa.String(), nullable=True),
        sa.Column("logged_by", sa.String(), nullable=True),
        sa.Column("receipt", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("tender", "round"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tender_draw_part",
        sa.Column("tender", sa.LargeBinary(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tender", "round", "kind", "site", "member"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("tender_draw_part")
    op.drop_table("tender_draw")
