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


def downgrade() -> None:
    """Take the step back."""
    with op.batch_alter_table("log_period") as table:
        table.drop_column("closed_at")
