"""when the periods of a log close."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carry the step out."""
    with op.batch_alter_table("log_period") as table:
        table.add_column(sa.Column("closed_at", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("chain_time", sa.BigInteger(), nullable=True))
    op.create_index("ix_log_period_first", "log_period", ["generation", "first"])
    op.create_index("ix_log_period_closed", "log_period", ["generation", "closed_at"])


def downgrade() -> None:
    """Take the step back."""
    op.drop_index("ix_log_period_closed", "log_period")
    op.drop_index("ix_log_period_first", "log_period")
    with op.batch_alter_table("log_period") as table:
        table.drop_column("chain_time")
        table.drop_column("closed_at")
